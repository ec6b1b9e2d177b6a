"""A report as CSV: a line for each contestant and kernel, the keys of JSON joined by dots."""

import csv
import io

from convcli.benchmark.report import Report
from convcli.reporting.records import flat


def render(report: Report) -> str:
    """Write the results; lists are numbers with blanks between them, and what is not known is empty."""
    records = [flat(row.record()) for row in report.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
