"""Values of options as they stand on the command line: read, and checked against one another."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from convcli.errors import OutputError, UsageError

STANDARD_STREAM = "-"


def listed(words: Sequence[str], remarks: Mapping[str, str] | None = None, last: str = "or") -> str:
    """List words for a help text, each with a remark in parentheses where there is one.

    Parameters
    ----------
    words : sequence of str
        What an option takes.
    remarks : mapping of str to str, optional
        Remarks on some of them.
    last : str
        What joins the last one.

    Examples
    --------
    >>> listed(("error", "skip", "overwrite"), {"error": "the default"})
    'error (the default), skip or overwrite'
    """
    remarks = remarks or {}
    shown = [f"{word} ({remarks[word]})" if word in remarks else word for word in words]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def number(text: str) -> float:
    """Read a number, for the parser. Raises BadParameter.

    >>> number("2.5")
    2.5
    """
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def whole_number(text: str) -> int:
    """Read a whole number, for the parser. Raises BadParameter.

    >>> whole_number("25")
    25
    """
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def parse_pair(option: str, text: str, least: int = 0) -> tuple[int, int]:
    """Read `2` as (2, 2) and `2,3` as (2, 3): rows, columns.

    >>> parse_pair("--stride", "2"), parse_pair("--stride", "2,3")
    ((2, 2), (2, 3))

    Raises
    ------
    UsageError
        For anything else, `2.0`, `2,` and `1,2,3` among them, and for numbers below `least`.
    """
    numbers = [_whole(part) for part in text.split(",")]
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or None in numbers:
        raise UsageError(f"{option} takes a whole number, or two as rows,columns, such as 2 or 2,3; not {text!r}")
    rows, columns = (n for n in numbers if n is not None)
    if min(rows, columns) < least:
        raise UsageError(f"must be at least {least}", where=f"{option} {text}")
    return rows, columns


def parse_point(option: str, text: str) -> tuple[int, int]:
    """Read `1,2` as (1, 2): a row and a column.

    >>> parse_point("--anchor", "1,2")
    (1, 2)
    """
    if text.count(",") != 1:
        raise UsageError(f"{option} takes a row and a column, such as 1,2; not {text!r}")
    return parse_pair(option, text)


def parse_size(text: str) -> tuple[int, ...]:
    """Read `224x224x3` as (224, 224, 3), and `480x640` as (480, 640): rows, columns, channels.

    >>> parse_size("224x224x3")
    (224, 224, 3)
    """
    parts = text.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--input-size takes rows x columns x channels, such as 224x224x3, not {text!r}")
    if max(map(len, parts)) > 7:
        raise UsageError("at most 9999999 in each direction", where=f"--input-size {text}")
    return tuple(map(int, parts))


def parse_values(option: str, text: str) -> float | tuple[float, ...]:
    """Read `255` as 255.0 and `255,0,0` as (255.0, 0.0, 0.0).

    >>> parse_values("--padding-value", "255,0,0")
    (255.0, 0.0, 0.0)
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} takes numbers, one or one per channel, such as 255 or 255,0,0; not {text!r}"
        ) from None
    return values[0] if len(values) == 1 else values


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None


def check_streams(inputs: Sequence[str], output: str | None, *, json: bool, dry_run: bool) -> None:
    """Check that nothing else takes the standard streams that images are read from and written to.

    Parameters
    ----------
    inputs : sequence of str
        The images; `-` is standard input.
    output : str or None
        Where they go; `-` is standard output, and the default of an image from standard input.
    json : bool
        Whether JSON goes to standard output.
    dry_run : bool
        Whether nothing is written.

    Raises
    ------
    UsageError
        Where a stream is wanted twice, closed, or a terminal.
    """
    if inputs.count(STANDARD_STREAM) > 1:
        raise UsageError("standard input, -, can be read only once")
    if output != STANDARD_STREAM and (output is not None or STANDARD_STREAM not in inputs):
        return
    if json:
        raise UsageError("--json and -o - would both write to standard output", advice="name a file with -o")
    if sys.stdout is None:
        raise UsageError("standard output is closed", advice="name a file with -o")
    if sys.stdout.isatty() and not dry_run:
        raise UsageError("standard output is a terminal", advice="name a file with -o, or send it on with | or >")


def check_report(report: str, images: Sequence[str], made: str | None = None) -> None:
    """Check that a report can be written where it is asked for, and replaces none of the images.

    Parameters
    ----------
    report : str
        The file of the report.
    images : sequence of str
        All inputs and outputs.
    made : str, optional
        A folder that the run will make where it is missing.

    Raises
    ------
    OutputError
        Where its folder is missing, or it is a folder itself.
    UsageError
        Where it is one of the images.
    """
    where, folder = f"--report {report}", Path(report).parent
    if not folder.is_dir() and (made is None or os.path.realpath(folder) != os.path.realpath(made)):
        raise OutputError(f"no such folder; to make it: mkdir -p {folder}", where=where)
    if Path(report).is_dir():
        raise OutputError("a folder, not a file; name a file in it", where=where)
    if any(_same_file(report, image) for image in images if image != STANDARD_STREAM):
        raise UsageError("that is one of the images", where=where, advice="choose another name")


def _same_file(path: str, other: str) -> bool:
    """Whether two paths lead to one file, also through links."""
    if Path(path).exists() and Path(other).exists():
        return Path(path).samefile(other)
    return os.path.realpath(path) == os.path.realpath(other)  # which, unlike Path.resolve, gets out of a loop of links
