"""An explanation in a terminal: tables of sizes and of costs, a comparison, sentences, a kernel's products."""

import textwrap

from rich.console import Console
from rich.text import Text

from convcli.cli.views.console import open_table, print_view, stdout_console
from convcli.cli.views.kernel_weights import print_weights
from convcli.explain import pipeline_text as text
from convcli.explain.comparison import compare
from convcli.explain.pipeline import Explanation
from convcli.explain.request import KernelReport, PipelineReport
from convcli.kernel.model import Kernel


def width() -> int:
    """Return the number of characters of a line."""
    return stdout_console().width


def print_report(report: PipelineReport | KernelReport) -> None:
    """Print an explanation; with another one to compare with, only the figures of both, side by side."""
    if isinstance(report, KernelReport):
        print(report.text(width()), end="")
    elif report.other is None:
        _print_explanation(stdout_console(), report.found)
    else:
        _print_comparison(stdout_console(), report.found, report.other)


def _print_explanation(console: Console, found: Explanation) -> None:
    _say(console, text.heading(found), style="bold")
    if found.summary:
        _say(console, found.summary)
    console.print()
    sizes = open_table(text.SIZES_HEAD, left=(0, 6), folding=(0, 6))
    for row in text.size_rows(found):
        sizes.add_row(*map(Text, row))
    print_view(console, sizes)
    console.print()
    costs = open_table(text.COSTS_HEAD, left=(0,), folding=(0,))
    for step in found.steps:
        costs.add_row(*map(Text, text.cost_cells(step)))
    costs.add_section()
    costs.add_row(*map(Text, text.total_cells(found)), style="bold")
    print_view(console, costs)
    console.print()
    for sentence in text.sentences(found):
        _say(console, sentence)
    for run in text.described_runs(found):
        if run.shared is not None:
            console.print()
            print_weights(Kernel("_".join(run.steps)[:64], run.shared))


def _print_comparison(console: Console, found: Explanation, other: Explanation) -> None:
    table = open_table(("", found.name, other.name, "ratio"), left=(0,), folding=(1, 2))
    for compared in compare(found, other):
        table.add_row(*map(Text, text.comparison_cells(compared)))
    print_view(console, table)
    console.print()
    _say(console, text.comparison_sentence(found, other))


def _say(console: Console, sentence: str, style: str = "") -> None:
    """Print a sentence, wrapped between words, with nothing in it read as markup."""
    for line in textwrap.wrap(sentence, width(), break_long_words=False, break_on_hyphens=False):
        console.print(Text(line, style=style), soft_wrap=True)
