"""The registry of report formats. It imports nothing of them, so that help and checks of options cost no time."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from convcli.errors import UsageError

if TYPE_CHECKING:
    from convcli.reporting.document import Record, ReportHead, ReportTail

# A format is a module with the functions of `ReportWriter`, and its line here.
_WRITERS = {
    ".json": "convcli.reporting.json_text",
    ".csv": "convcli.reporting.csv_table",
    ".md": "convcli.reporting.markdown_table",
    ".html": "convcli.reporting.html_page",
}
REPORT_SUFFIXES = tuple(_WRITERS)


class ReportWriter(Protocol):
    """What a module that writes one format of reports has: the text before, of, and after the records."""

    def write_head(self, head: "ReportHead") -> str:
        """Return what stands before the first record."""

    def write_record(self, head: "ReportHead", record: "Record", place: int) -> str:
        """Return one record, the `place`-th of all from 0."""

    def write_tail(self, head: "ReportHead", tail: "ReportTail") -> str:
        """Return what stands after the last record."""


def report_suffix(path: str) -> str:
    """Return the format of report that a path asks for, one of `REPORT_SUFFIXES`.

    >>> report_suffix("out/times.CSV")
    '.csv'

    Raises
    ------
    UsageError
        for a suffix that no report has.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in REPORT_SUFFIXES:
        known = ", ".join(REPORT_SUFFIXES)
        raise UsageError(f"a report is written as {known}; end its name in one", where=f"--report {path}")
    return suffix


def report_writer(suffix: str) -> ReportWriter:
    """Return what writes the format with this suffix."""
    return cast(ReportWriter, import_module(_WRITERS[suffix]))
