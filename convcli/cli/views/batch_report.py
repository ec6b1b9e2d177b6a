"""What the report of a batch holds beside its images: totals, where the time went, the slowest files, failures."""

from collections.abc import Iterator

from convcli.batch.totals import BatchTotals
from convcli.cli.views.batch_totals import batch_summary
from convcli.reporting.document import Block, Bullets, Column, Heading, Paragraph, ReportTail, Table, TableRow
from convcli.reporting.numbers import digits, milliseconds


def batch_report_tail(totals: BatchTotals, folder: str) -> ReportTail:
    """Return what a batch into `folder` came to, with its slowest files and its failures."""
    return ReportTail({"totals": totals.record()}, tuple(_batch_blocks(totals, folder)))


def _batch_blocks(totals: BatchTotals, folder: str) -> Iterator[Block]:
    yield Paragraph(batch_summary(totals, folder))
    if totals.counts["done"]:
        yield Heading("Time by stage, over all jobs")
        shares = tuple(TableRow((name, digits(spent), f"{100 * share:.0f}")) for name, spent, share in totals.shares())
        yield Table((Column("stage", left=True), Column("time", "s"), Column("share", "%")), shares)
        yield Heading("Slowest files")
        slowest = tuple(TableRow((source, milliseconds(seconds))) for source, seconds in totals.slowest)
        yield Table((Column("input", left=True), Column("time", "ms")), slowest)
    if totals.failures:
        yield from (Heading("Failures"), Bullets(tuple(failure.error for failure in totals.failures)))
