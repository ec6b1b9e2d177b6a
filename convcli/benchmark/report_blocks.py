"""A comparison as a report: what machines read of it, and the tables, charts and pictures that people look at."""

from collections.abc import Iterable, Iterator

from convcli.benchmark import report_text
from convcli.benchmark.pictures import DIFFERENCE_COLOURS, difference_colours, encode_png, nice_scale
from convcli.benchmark.report import Comparison, Measurement, Report, Sweep
from convcli.convolution.options import BACKENDS
from convcli.reporting import writer
from convcli.reporting.csv_table import flat
from convcli.reporting.document import (
    Bar,
    BarChart,
    Block,
    Bullets,
    Cell,
    ColourScale,
    Column,
    CurveChart,
    Definitions,
    EncodedPicture,
    Figure,
    FigureGrid,
    Heading,
    Paragraph,
    ReportHead,
    ReportTail,
    Table,
    TableRow,
)
from convcli.reporting.numbers import digits, duration, megabytes, milliseconds

_COLUMNS = (
    Column("backend", left=True),
    Column("median", "ms"),
    Column("min", "ms"),
    Column("max", "ms"),
    Column("times the fastest"),
    Column("MP/s"),
    Column("GMAC/s"),
    Column("plan", "ms"),
    Column("extra memory", "MB"),
    Column("error / allowed"),
    Column("agrees", left=True),
)
_NOTHING_MORE = ReportTail()


def comparison_text(report: Report, suffix: str) -> str:
    """Return the report of a comparison as the text of a file with this suffix."""
    return writer.report_text(suffix, comparison_head(report), report.records, _NOTHING_MORE)


def write_comparison(report: Report, path: str) -> None:
    """Write the report of a comparison to a file, in the format that its suffix names.

    Raises
    ------
    UsageError
        for an unknown suffix.
    ImageWriteError
        where the file cannot be written.
    """
    writer.write_report(path, comparison_head(report), report.records, _NOTHING_MORE)


def comparison_head(report: Report) -> ReportHead:
    """Return all of a report but its records: a comparison is written when all of it is known."""
    fields = tuple(flat(report.records[0])) if report.records else ()
    title = f"convcli compare, {report_text.subject(report)}"
    return ReportHead(title, fields, data=report.data(), blocks=tuple(_blocks(report)))


def _blocks(report: Report) -> Iterator[Block]:
    if report.warnings:
        yield Bullets(report.warnings, warning="The times are noisy.")
    if report.disagreements:
        sentences = tuple(f"{row.kernel}: {report_text.disagreement(row)}" for row in report.disagreements)
        yield Bullets(sentences, warning="Not all agree.")
    for sweep in report.sweeps:
        yield from _sweep(sweep)
    for comparison in report.comparisons:
        yield from _comparison(comparison)
    if report.command:
        yield from (Heading("The command"), Paragraph(report.command))
    yield from (Heading("How it was measured"), Bullets(report.method))
    yield from (Heading("Options", 3), _definitions(report.options.items()))
    yield Heading("Machine and versions", 3)
    yield _definitions([*report.machine.items(), *report.versions.items(), ("written", report.written)])


def _sweep(sweep: Sweep) -> Iterator[Block]:
    yield from (Heading(f"{sweep.kernel}, over the kernel's size"), Paragraph(sweep.sentence))
    if len(sweep.medians) > 1:
        yield CurveChart(
            curves={
                name: {size: 1e3 * at[name] for size, at in sweep.medians.items() if at.get(name, 0.0) > 0}
                for name in sweep.backends
            },
            series={name: _series(name) for name in sweep.backends},
            crossings=tuple(crossing.near for crossing in sweep.crossovers if crossing.near is not None),
            x_axis="kernel size [pixels]",
            y_axis="median time [ms]",
            label=f"Median time over kernel size, both logarithmic. {sweep.sentence}",
        )
    rows = tuple(TableRow((str(size), *_sweep_cells(sweep, size))) for size in sweep.medians)
    columns = (Column("size"), *(Column(name, "ms") for name in sweep.backends))
    yield Table(columns, rows, "Medians; the fastest of each size is marked")


def _sweep_cells(sweep: Sweep, size: int) -> Iterator[Cell]:
    medians = sweep.medians[size]
    for name in sweep.backends:
        told = milliseconds(medians[name]) if name in medians else ""
        yield Cell(told, "best" if name == sweep.fastest[size] else "")


def _comparison(comparison: Comparison) -> Iterator[Block]:
    height, width = comparison.kernel_size
    yield Heading(f"{comparison.title}, {height}x{width}")
    yield Bullets(tuple(report_text.verdicts(comparison)))
    caption = f"{report_text.rounds(comparison)}; reference {comparison.reference}"
    yield Table(_COLUMNS, tuple(map(_table_row, comparison.by_speed)), caption)
    times = ", ".join(f"{row.title} {duration(row.seconds.median)}" for row in comparison.by_speed)
    yield BarChart(
        tuple(map(_bar, comparison.by_speed)),
        "median time [ms], with whiskers from the fastest to the slowest run",
        f"Median times: {times}",
    )
    if comparison.left_out:
        yield Heading("Left out", 3)
        yield Bullets(tuple(f"{out.name} is left out: {out.reason}" for out in comparison.left_out))
    if comparison.picture is not None:
        yield _pictures(comparison)


def _table_row(row: Measurement) -> TableRow:
    cells = (
        Cell(row.title, "best" if row.fastest else ""),
        milliseconds(row.seconds.median),
        milliseconds(row.seconds.min),
        milliseconds(row.seconds.max),
        report_text.relative_time(row),
        digits(row.megapixels_per_second),
        digits(row.gigamacs_per_second),
        report_text.planning(row),
        megabytes(row.peak_extra_bytes),
        digits(report_text.share_of_allowed(row)),
        "yes" if row.agrees else Cell("no", "wrong"),
    )
    return TableRow(cells, "wrong" if not row.agrees else "best" if row.fastest else "")


def _bar(row: Measurement) -> Bar:
    return Bar(
        name=row.title,
        value=1e3 * row.seconds.median,
        low=1e3 * row.seconds.min,
        high=1e3 * row.seconds.max,
        series=_series(row.backend),
        mark="wrong" if not row.agrees else "best" if row.fastest else "",
    )


def _series(name: str) -> int | None:
    """Return the number of a backend's colour; all calls of other libraries share one."""
    return BACKENDS.index(name) if name in BACKENDS else None


def _pictures(comparison: Comparison) -> FigureGrid:
    """Return the outputs and, beside each, its difference from the reference, all on one scale."""
    good = [row.max_abs_error for row in comparison.rows if row.agrees]
    allowed = comparison.rows[0].allowed_error
    share = nice_scale(max(good, default=allowed), allowed)
    full = share * allowed
    brightness = "" if comparison.gain == 1.0 else f"Outputs are shown times {comparison.gain:g}. "
    return FigureGrid(
        title="Outputs, and their differences from the reference",
        text=f"{brightness}Full colour of a difference is {share:g} of the allowed error, {digits(full)} in the "
        "image's units; of the samples under a pixel the one furthest off is shown.",
        scale=ColourScale(
            DIFFERENCE_COLOURS, digits(-full), f"+{digits(full)}", "blue below, white at, red above the reference"
        ),
        figures=tuple(_figures(comparison, full)),
    )


def _figures(comparison: Comparison, full: float) -> Iterator[Figure]:
    reference = comparison.picture
    assert reference is not None  # its caller has asked
    height, width, _ = reference.shape
    shown = EncodedPicture(encode_png(reference), "Output of the float64 reference", width, height)
    yield Figure((shown,), "the float64 reference")
    for row in comparison.by_speed:
        if row.picture is None:
            continue
        height, width, _ = row.picture.output.shape
        colours = difference_colours(row.picture.difference, full)
        pictures = (
            EncodedPicture(encode_png(row.picture.output), f"Output of {row.title}", width, height),
            EncodedPicture(encode_png(colours), f"Difference of {row.title} from the reference", width, height),
        )
        told = f"{digits(report_text.share_of_allowed(row))} of what is allowed"
        yield Figure(pictures, f"{row.title}: largest error {told}", "" if row.agrees else "wrong")


def _definitions(facts: Iterable[tuple[str, object]]) -> Definitions:
    return Definitions({name.replace("_", " "): _shown(value) for name, value in facts})


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
