"""A report as Markdown: a table for each kernel, as in a README or an issue."""

from collections.abc import Iterator, Sequence

from convcli.benchmark import words
from convcli.benchmark.report import Comparison, Report, Sweep

_HEAD = (
    *("backend", "median [ms]", "min [ms]", "max [ms]", "times the fastest", "MP/s", "GMAC/s", "plan [ms]"),
    *("extra memory [MB]", "error / allowed", "agrees"),
)


def render(report: Report) -> str:
    """Write tables, what they show in words, warnings, and where it was measured."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# convcli compare, {_cell(words.subject(report))}"
    for sweep in report.sweeps:
        yield from _sweep(sweep)
    for comparison in report.comparisons:
        yield from _comparison(comparison)
    if report.warnings:
        yield from ("", "## Warnings", "")
        yield from (f"- {warning}" for warning in report.warnings)
    yield from ("", "## How it was measured", "")
    yield from (f"- {sentence}" for sentence in report.method)
    yield f"- {words.machine(report)}, {report.written}"


def _comparison(comparison: Comparison) -> Iterator[str]:
    height, width = comparison.kernel_size
    yield from ("", f"## {_cell(comparison.title)}, {height}x{width}", "")
    yield _row(_HEAD)
    yield _row(["---", *["---:"] * (len(_HEAD) - 2), "---"])
    for row in comparison.by_speed:
        within = "" if row.fastest else words.interval(row.relative, " to ")
        relative = "" if row.relative is None else words.ratio(row.relative.median) + (f" ({within})" if within else "")
        yield _row(
            [
                f"**{row.title}**" if row.fastest else row.title,
                words.milliseconds(row.seconds.median),
                words.milliseconds(row.seconds.min),
                words.milliseconds(row.seconds.max),
                relative,
                words.digits(row.megapixels_per_second),
                words.digits(row.gigamacs_per_second),
                words.planning(row),
                words.megabytes(row.peak_extra_bytes),
                words.digits(words.share_of_allowed(row)),
                "yes" if row.agrees else "**no**",
            ]
        )
    yield ""
    yield from (f"- {sentence}" for sentence in words.verdicts(comparison))
    yield f"- {words.rounds(comparison)}; reference {comparison.reference}"
    yield from (f"- {out.name} is left out: {out.reason}" for out in comparison.left_out)


def _sweep(sweep: Sweep) -> Iterator[str]:
    backends = sweep.backends
    yield from ("", f"## {_cell(sweep.kernel)}: median [ms] by size", "")
    yield _row(["size", *backends])
    yield _row(["---:"] * (len(backends) + 1))
    for size, medians in sweep.medians.items():
        cells = [words.milliseconds(medians[name]) if name in medians else "" for name in backends]
        marked = (f"**{c}**" if n == sweep.fastest[size] else c for n, c in zip(backends, cells, strict=True))
        yield _row([str(size), *marked])
    yield from ("", sweep.sentence)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
