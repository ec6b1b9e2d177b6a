"""How an explanation looks in a terminal: tables of sizes and of costs, a comparison, and what they say in words."""

import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from convcli.cli.views.kernels import print_weights, stdout_console
from convcli.explain import text as words
from convcli.explain.pipeline import Explanation, compare
from convcli.kernel.model import Kernel


def width() -> int:
    """How many characters a line may have."""
    return stdout_console().width


def print_explanation(found: Explanation, other: Explanation | None = None) -> None:
    """Print an explanation; with another one, only the figures of both, side by side."""
    console = stdout_console()
    if other is not None:
        _print_comparison(console, found, other)
        return
    _say(console, words.heading(found), style="bold")
    if found.summary:
        _say(console, found.summary)
    console.print()
    sizes = _table(words.SIZES_HEAD, left=(0, 6), folding=(0, 6))
    for row in words.size_rows(found):
        sizes.add_row(*map(Text, row))
    _print(console, sizes)
    console.print()
    costs = _table(words.COSTS_HEAD, left=(0,), folding=(0,))
    for step in found.steps:
        costs.add_row(*map(Text, words.cost_cells(step)))
    costs.add_section()
    costs.add_row(*map(Text, words.total_cells(found)), style="bold")
    _print(console, costs)
    console.print()
    for sentence in words.sentences(found):
        _say(console, sentence)
    for run in words.told_runs(found):
        if run.shared is not None:
            console.print()
            print_weights(Kernel("_".join(run.steps)[:64], run.shared))


def _print_comparison(console: Console, found: Explanation, other: Explanation) -> None:
    table = _table(("", found.name, other.name, "ratio"), left=(0,), folding=(1, 2))
    for compared in compare(found, other):
        table.add_row(*map(Text, words.comparison_cells(compared)))
    _print(console, table)
    console.print()
    _say(console, words.comparison_sentence(found, other))


def _table(heads: Sequence[str], left: Sequence[int], folding: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for place, head in enumerate(heads):
        folds = place in folding
        table.add_column(
            head,
            justify="left" if place in left else "right",
            no_wrap=not folds,
            overflow="fold" if folds else "ellipsis",
            max_width=24 if folds and place == 0 else None,
        )
    return table


def _print(console: Console, table: Table) -> None:
    """Print a table without the blanks that fill its last column."""
    with console.capture() as capture:
        console.print(table)
    print("\n".join(line.rstrip() for line in capture.get().rstrip().split("\n")))


def _say(console: Console, text: str, style: str = "") -> None:
    """Print a sentence, wrapped between words, with nothing in it read as markup."""
    for line in textwrap.wrap(text, width(), break_long_words=False, break_on_hyphens=False):
        console.print(Text(line, style=style), soft_wrap=True)
