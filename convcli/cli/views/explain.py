"""How an explanation looks in a terminal: tables of sizes and of costs, a comparison, and what they say in words."""

import textwrap

from rich.console import Console
from rich.text import Text

from convcli.cli.views.console import open_table, print_view, stdout_console
from convcli.cli.views.kernel_weights import print_weights
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
    sizes = open_table(words.SIZES_HEAD, left=(0, 6), folding=(0, 6))
    for row in words.size_rows(found):
        sizes.add_row(*map(Text, row))
    print_view(console, sizes)
    console.print()
    costs = open_table(words.COSTS_HEAD, left=(0,), folding=(0,))
    for step in found.steps:
        costs.add_row(*map(Text, words.cost_cells(step)))
    costs.add_section()
    costs.add_row(*map(Text, words.total_cells(found)), style="bold")
    print_view(console, costs)
    console.print()
    for sentence in words.sentences(found):
        _say(console, sentence)
    for run in words.told_runs(found):
        if run.shared is not None:
            console.print()
            print_weights(Kernel("_".join(run.steps)[:64], run.shared))


def _print_comparison(console: Console, found: Explanation, other: Explanation) -> None:
    table = open_table(("", found.name, other.name, "ratio"), left=(0,), folding=(1, 2))
    for compared in compare(found, other):
        table.add_row(*map(Text, words.comparison_cells(compared)))
    print_view(console, table)
    console.print()
    _say(console, words.comparison_sentence(found, other))


def _say(console: Console, text: str, style: str = "") -> None:
    """Print a sentence, wrapped between words, with nothing in it read as markup."""
    for line in textwrap.wrap(text, width(), break_long_words=False, break_on_hyphens=False):
        console.print(Text(line, style=style), soft_wrap=True)
