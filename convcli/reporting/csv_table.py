"""CSV: a line for each record, nested keys joined by dots."""

import re
from collections.abc import Sequence
from typing import Any

from convcli.reporting.document import Record, ReportHead, ReportTail
from convcli.reporting.json_text import without_nan
from convcli.reporting.numbers import without_controls

_NUMBERS = re.compile(r"(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:[\s,;/|]+|$))+")


def flat(record: Record, prefix: str = "") -> dict[str, Any]:
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
            # Where one element lacks a key that others have, its place between the bars stays empty.
            parts = dict.fromkeys(part for element in elements for part in element)
            joined.update((part, " | ".join(_text(element.get(part)) for element in elements)) for part in parts)
        elif isinstance(value, list):
            numbers = bool(value) and isinstance(value[0], int | float)
            joined[name] = (" " if numbers else " | ").join(map(_text, value))
        else:
            joined[name] = value
    return joined


def csv_line(cells: Sequence[Any]) -> str:
    r"""Return cells as a line of CSV, quoted where they hold commas, quotes or line ends; None is empty.

    A text that a spreadsheet would take for a formula has an apostrophe before it.

    >>> csv_line(["a,b", 1.5, None, "=1+cmd()", "-1 0 1"])
    '"a,b",1.5,,\'=1+cmd(),-1 0 1\n'
    """
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_harmless(c) if isinstance(c, str) else c for c in cells])
    return text.getvalue()


def _harmless(text: str) -> str:
    """Return a text that tears no row and that no spreadsheet computes; rows of numbers stay as they are."""
    text = without_controls(text)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) and not _NUMBERS.fullmatch(text) else text


def write_head(head: ReportHead) -> str:
    """Return the line of the columns' names."""
    return csv_line(head.fields)


def write_record(head: ReportHead, record: Record, place: int) -> str:
    """Return the line of a record; a key that it lacks is empty, and so is what is no number."""
    cells = flat(without_nan(record))
    return csv_line([cells.get(name, "") for name in head.fields])


def write_tail(head: ReportHead, tail: ReportTail) -> str:
    """Return nothing: CSV holds records alone."""
    return ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
