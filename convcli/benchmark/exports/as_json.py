"""A report as JSON: everything, raw times among it."""

from convcli.benchmark.report import Report
from convcli.reporting.records import to_json


def render(report: Report) -> str:
    """Write the report's record; DESIGN fixes the keys."""
    return to_json(report.record(), indent=2) + "\n"
