"""Where a report goes: whether it may be written there, asked before anything is computed."""

import os
from collections.abc import Sequence
from pathlib import Path

from convcli.errors import OutputError, UsageError

_STANDARD_STREAM = "-"


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
    if any(_same_file(report, image) for image in images if image != _STANDARD_STREAM):
        raise UsageError("that is one of the images", where=where, advice="choose another name")


def _same_file(path: str, other: str) -> bool:
    """Whether two paths lead to one file, also through links."""
    if Path(path).exists() and Path(other).exists():
        return Path(path).samefile(other)
    return os.path.realpath(path) == os.path.realpath(other)  # which, unlike Path.resolve, gets out of a loop of links
