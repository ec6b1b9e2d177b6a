"""What all reports have in common: the suffix that says their form, JSON, columns for CSV, and the writing of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convcli.errors import ImageWriteError, UsageError

# Of reports on images.
REPORT_SUFFIXES = (".json", ".csv", ".md")


def report_suffix(path: str, suffixes: Sequence[str]) -> str:
    """Tell which form of report a path asks for, one of `suffixes`.

    >>> report_suffix("out/times.CSV", (".json", ".csv"))
    '.csv'

    Raises
    ------
    UsageError
        for a suffix that there is no form for.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in suffixes:
        raise UsageError(f"--report {path}: a report is written as {', '.join(suffixes)}; end its name in one")
    return suffix


def write_report_text(path: str, text: str) -> None:
    """Write the text of a report. Raises ImageWriteError where the file cannot be written."""
    try:
        # A file name that is not UTF-8 goes into the report byte for byte.
        Path(path).write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    except OSError as error:
        raise ImageWriteError(f"--report {path}: {error.strerror}") from error


def to_json(value: Any, indent: int | None = None) -> str:
    """Write JSON, which has no NaN: where there is one, it is a mistake of ours."""
    import json

    return json.dumps(value, indent=indent, allow_nan=False)


def flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Join nested keys by dots; the elements of a list share one cell, numbers with blanks between them.

    >>> flat({"size": [2, 3], "steps": [{"kernel": "a"}, {"kernel": "b"}], "seconds": {"read": 0.5, "runs": [0.5, 1]}})
    {'size': '2 3', 'steps.kernel': 'a | b', 'seconds.read': 0.5, 'seconds.runs': '0.5 1'}
    """
    joined: dict[str, Any] = {}
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict):
            joined.update(flat(value, f"{name}."))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            elements = [flat(each, f"{name}.") for each in value]
            # Where one has nothing to say of what others do, its place between the bars stays empty.
            parts = dict.fromkeys(part for element in elements for part in element)
            joined.update((part, " | ".join(_cell(element.get(part)) for element in elements)) for part in parts)
        elif isinstance(value, list):
            numbers = bool(value) and isinstance(value[0], int | float)
            joined[name] = (" " if numbers else " | ").join(map(str, value))
        else:
            joined[name] = value
    return joined


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
