"""How a comparison looks in a terminal: a table for each kernel, what it shows in words, and a line of progress."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from convcli.benchmark import words
from convcli.benchmark.report import Comparison, Report, Row, Sweep
from convcli.cli.views.kernels import stdout_console

_WIDTH = 80  # of a table; the columns of a sweep that are beyond stand below


class Progress:
    """One line on standard error that says what is going on, where somebody is looking.

    It is written between runs only: what moves by itself, as spinners do, takes time from what is being measured.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._shown = wanted and sys.stderr is not None and sys.stderr.isatty()

    def tell(self, what: str) -> None:
        """Replace the line."""
        if self._shown:
            room = shutil.get_terminal_size().columns - 1
            line = "".join(c if c.isprintable() else "?" for c in what)[:room]
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tell("")


def print_report(report: Report, *, verbose: bool) -> None:
    """Print all tables on standard output, each followed by what it shows."""
    console = stdout_console()
    _say(console, words.subject(report), style="bold")
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
        for sentence in (words.machine(report), *report.method):
            _say(console, sentence, style="dim")


def _print_comparison(console: Console, comparison: Comparison, *, verbose: bool) -> None:
    height, width = comparison.kernel_size
    console.print()
    _say(console, f"{comparison.title}, {height}x{width}, {words.rounds(comparison)}", style="bold")
    table = _table("", "ms", "+-", "MP/s", "GMAC/s", "MB", "error", "x fastest")
    for row in comparison.by_speed:
        style = "red" if not row.agrees else "bold green" if row.fastest else ""
        table.add_row(*_cells(row), style=style)
    _print(console, table)
    for sentence in words.verdicts(comparison):
        _say(console, f"  {sentence}")
    for out in comparison.left_out:
        _say(console, f"  {out.name} is left out: {out.reason}", style="dim")
    if verbose:
        for sentence in _details(comparison):
            _say(console, f"  {sentence}", style="dim")


def _cells(row: Row) -> Iterator[str]:
    within = words.interval(row.relative)
    yield row.title
    yield words.milliseconds(row.seconds.median)
    yield words.spread(row)
    yield words.digits(row.megapixels_per_second)
    yield words.digits(row.gigamacs_per_second)
    yield words.megabytes(row.peak_extra_bytes)
    yield words.digits(words.share_of_allowed(row)) if row.agrees else "WRONG"
    if row.relative is None:
        yield ""
    elif row.fastest:
        yield "1.00"
    else:
        yield f"{words.ratio(row.relative.median)} {within}".rstrip()


def _details(comparison: Comparison) -> Iterator[str]:
    """Tell what `--verbose` adds."""
    yield f"reference {comparison.reference}"
    for row in comparison.rows:
        facts = [row.reason] if row.reason else []
        facts += [f"as {row.form}"] if row.form else []
        facts += [f"predicted {words.duration(row.predicted_seconds)}"] if row.predicted_seconds is not None else []
        facts += [f"plans {words.duration(row.plan_seconds)}", f"first {words.duration(row.timing.warm_up_seconds)}"]
        yield f"{row.title}: {', '.join(facts)}"


def _print_sweep(console: Console, sweep: Sweep) -> None:
    for number, part in enumerate(_side_by_side(sweep.backends)):
        console.print()
        _say(console, f"{sweep.kernel}: median ms by size" + (", continued" if number else ""), style="bold")
        table = _table("size", *part, left=())
        for size, medians in sweep.medians.items():
            cells = [Text(words.milliseconds(medians[name]) if name in medians else "-") for name in part]
            for name, cell in zip(part, cells, strict=True):
                if name == sweep.fastest[size]:
                    cell.stylize("bold green")
                    cell.append("*")
                else:
                    cell.append(" ")
            table.add_row(str(size), *cells)
        _print(console, table)
    _say(console, f"  * fastest. {sweep.sentence}")


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
    """Say who has no time in a sweep's table, and why: once, not at each size again."""
    for sentence in words.left_out([each for each in report.comparisons if each.kernel == sweep.kernel]):
        _say(console, f"  {sentence}", style="dim")


def _print_wrong(console: Console, comparison: Comparison) -> None:
    """Say of one size of a sweep who is wrong."""
    for row in comparison.rows:
        if not row.agrees:
            _say(console, f"  {comparison.title}: {words.disagreement(row)}", style="red")


def _table(*heads: str, left: Sequence[int] = (0,)) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place in left else "right", no_wrap=True)
    return table


def _print(console: Console, table: Table) -> None:
    """Print a table without the blanks that fill its last column, its columns closer where it would be too wide."""
    if console.measure(table, options=console.options.update(max_width=1000)).maximum > _WIDTH:
        table.padding = (0, 0, 0, 0)
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().rstrip().split("\n")))


def _say(console: Console, text: str, style: str = "") -> None:
    """Print a line of text, however long, with nothing in it read as markup."""
    console.print(Text(text, style=style), soft_wrap=True)
