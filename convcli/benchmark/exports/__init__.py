"""Reports on disk: one model, report.Report, and a module for each form that it is written in."""

from importlib import import_module

from convcli.benchmark.report import Report
from convcli.reporting.records import report_suffix, write_report_text

_MODULES = {
    ".json": "convcli.benchmark.exports.as_json",
    ".csv": "convcli.benchmark.exports.as_csv",
    ".md": "convcli.benchmark.exports.as_markdown",
    ".html": "convcli.benchmark.exports.as_html",
}
SUFFIXES = tuple(_MODULES)


def render_report(report: Report, suffix: str) -> str:
    """Write a report as the text of a file with this suffix."""
    text: str = import_module(_MODULES[suffix]).render(report)
    return text


def write_report(report: Report, path: str) -> None:
    """Write a report to a file, in the form that its suffix asks for.

    Raises
    ------
    UsageError
        for an unknown suffix.
    ImageWriteError
        where the file cannot be written.
    """
    write_report_text(path, render_report(report, report_suffix(path, SUFFIXES)))
