"""How a comparison looks in a terminal: a table for each kernel, and what it shows in words."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from convcli.benchmark import report_text
from convcli.benchmark.report import Comparison, Measurement, Report, Sweep
from convcli.cli.views.console import open_table, print_line, print_view, stdout_console
from convcli.reporting.numbers import digits, duration, megabytes, milliseconds, ratio

_WIDTH = 80  # of a table; the columns of a sweep that are beyond stand below


def print_report(report: Report, *, verbose: bool) -> None:
    """Print all tables on standard output, each followed by what it shows."""
    console = stdout_console()
    print_line(console, report_text.subject(report), style="bold")
    for sweep in report.sweeps:
        _print_sweep(console, sweep)
        if not verbose:
            _print_left_out(console, report, sweep)
    for comparison in report.comparisons:
        if comparison.size is None or verbose:
            _print_comparison(console, comparison, verbose=verbose)
        else:
            _print_wrong(console, comparison)
    if verbose:
        console.print()
        for sentence in (report_text.machine(report), *report.method):
            print_line(console, sentence, style="dim")


def _print_comparison(console: Console, comparison: Comparison, *, verbose: bool) -> None:
    height, width = comparison.kernel_size
    console.print()
    print_line(console, f"{comparison.title}, {height}x{width}, {report_text.rounds(comparison)}", style="bold")
    table = open_table(("", "ms", "+-", "MP/s", "GMAC/s", "MB", "error", "x fastest"))
    for row in comparison.by_speed:
        style = "red" if not row.agrees else "bold green" if row.fastest else ""
        table.add_row(*_cells(row), style=style)
    _print(console, table)
    for sentence in report_text.verdicts(comparison):
        print_line(console, f"  {sentence}")
    for out in comparison.left_out:
        print_line(console, f"  {out.name} is left out: {out.reason}", style="dim")
    if verbose:
        for sentence in _details(comparison):
            print_line(console, f"  {sentence}", style="dim")


def _cells(row: Measurement) -> Iterator[str]:
    yield row.title
    yield milliseconds(row.seconds.median)
    yield report_text.spread(row)
    yield digits(row.megapixels_per_second)
    yield digits(row.gigamacs_per_second)
    yield megabytes(row.peak_extra_bytes)
    yield digits(report_text.share_of_allowed(row)) if row.agrees else "WRONG"
    within = "" if row.fastest else report_text.interval(row.relative)
    yield "" if row.relative is None else f"{ratio(row.relative.median)} {within}".rstrip()


def _details(comparison: Comparison) -> Iterator[str]:
    """Yield what `--verbose` adds."""
    yield f"reference {comparison.reference}"
    for row in comparison.rows:
        facts = [row.reason] if row.reason else []
        facts += [f"as {row.form}"] if row.form else []
        facts += [f"predicted {duration(row.predicted_seconds)}"] if row.predicted_seconds is not None else []
        facts += [f"plans {duration(row.plan_seconds)}", f"first {duration(row.timing.warm_up_seconds)}"]
        yield f"{row.title}: {', '.join(facts)}"


def _print_sweep(console: Console, sweep: Sweep) -> None:
    for number, part in enumerate(_side_by_side(sweep.backends)):
        console.print()
        print_line(console, f"{sweep.kernel}: median ms by size" + (", continued" if number else ""), style="bold")
        table = open_table(("size", *part), left=())
        for size, medians in sweep.medians.items():
            cells = [Text(milliseconds(medians[name]) if name in medians else "-") for name in part]
            for name, cell in zip(part, cells, strict=True):
                if name == sweep.fastest[size]:
                    cell.stylize("bold green")
                    cell.append("*")
                else:
                    cell.append(" ")
            table.add_row(str(size), *cells)
        _print(console, table)
    print_line(console, f"  * fastest. {sweep.sentence}")


def _side_by_side(names: Sequence[str]) -> Iterator[list[str]]:
    """Split columns into groups that fit a line."""
    group: list[str] = []
    taken = 0
    for name in ("size", *names):
        width = max(len(name), 6) + 1
        if taken + width > _WIDTH:
            yield group
            group, taken = [], len("size ")
        taken += width
        group += [name] if name != "size" else []
    yield group


def _print_left_out(console: Console, report: Report, sweep: Sweep) -> None:
    """Print who has no time in a sweep's table, and why: once, not at each size again."""
    for sentence in report_text.left_out([each for each in report.comparisons if each.kernel == sweep.kernel]):
        print_line(console, f"  {sentence}", style="dim")


def _print_wrong(console: Console, comparison: Comparison) -> None:
    """Print who is wrong at one size of a sweep."""
    for row in comparison.rows:
        if not row.agrees:
            print_line(console, f"  {comparison.title}: {report_text.disagreement(row)}", style="red")


def _print(console: Console, table: Table) -> None:
    """Print a table, its columns closer where it would be too wide."""
    if console.measure(table, options=console.options.update(max_width=1000)).maximum > _WIDTH:
        table.padding = (0, 0, 0, 0)
    print_view(console, table)
