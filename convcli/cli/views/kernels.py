"""How kernels look in a terminal: the table of all of them, and one of them in full."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from convcli.cli.messages import one_line
from convcli.cli.views.console import open_table, print_view, stdout_console
from convcli.cli.views.kernel_weights import weights_view
from convcli.kernel.describe import KernelFigures
from convcli.kernel.factorize import separate
from convcli.kernel.fitting import Fit, FitOptions, SampleCounts
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.reporting.numbers import percent

_COMPOSITE_SENTENCES = {
    "magnitude": "the square root of the sum of the squared responses",
    "max": "the largest of the responses",
    "maxabs": "the largest of the responses' absolute values",
    "sum": "the sum of the responses",
    "hard_threshold": "the first response, plus each other one where it is at least the threshold,",
    "soft_threshold": "the first response, plus what of each other one lies beyond the threshold,",
}


@dataclass(frozen=True)
class ListedKernel:
    """A kernel in the list, the name it is found by, and whether it is the user's own."""

    name: str
    kernel: AnyKernel
    own: bool


def _shown(text: str, style: str = "") -> Text:
    """Return a text of a kernel's file as it is printed: nothing in it is markup, nor obeyed by the terminal."""
    return Text(one_line(text), style=style)


def print_list(entries: Sequence[ListedKernel]) -> None:
    """Print the table of names, one line each."""
    console = stdout_console()
    table = open_table(("Name", "Size", "Sum", "Rank", "Summary"), left=(0, 4))
    table.columns[0].style = "bold"
    for entry in entries:
        kernel = entry.kernel
        name = _shown(f"{entry.name} *" if entry.own else entry.name)
        summary = _shown(kernel.summary.split(". ")[0].rstrip("."))
        if isinstance(kernel, CompositeKernel):
            height, width = (max(part.size[axis] for part in kernel.kernels) for axis in (0, 1))
            table.add_row(name, f"{height}x{width}", "-", "-", summary)
        else:
            figures = KernelFigures.of(kernel)
            total = f"{figures.sum:.4g}" if abs(figures.sum) >= 1e-3 else f"{figures.sum:.1g}"
            table.add_row(name, _size(kernel), total, str(figures.rank), summary)
    print_view(console, table)
    if any(entry.own for entry in entries):
        console.print("* your own", style="dim")


def print_kernel(kernel: AnyKernel) -> None:
    """Print one kernel in full."""
    console = stdout_console()
    console.print(_shown(kernel.name, "bold"))
    if kernel.summary:
        console.print(_shown(kernel.summary))
    console.print()
    if isinstance(kernel, CompositeKernel):
        console.print(f"{kernel.combine}: {_COMPOSITE_SENTENCES[kernel.combine]} of {len(kernel.kernels)} kernels")
        if kernel.threshold:
            console.print(f"threshold: {kernel.threshold:g}, in the image's own units")
        console.print()
        print_view(console, Columns([_part(part, console) for part in kernel.kernels], padding=(1, 4)))
    else:
        print_view(console, weights_view(kernel, console))
        console.print()
        print_view(console, _facts(kernel))
    if kernel.reference:
        console.print()
        console.print(_shown(f"Reference: {kernel.reference}", "dim"))


def print_fit(kernel: Kernel, fit: Fit, options: FitOptions) -> None:
    """Print a fitted kernel, and how well it fits."""
    console = stdout_console()
    console.print(_shown(kernel.summary, "bold"), soft_wrap=True)
    console.print()
    print_view(console, weights_view(kernel, console))
    console.print()
    facts = dict(_fact_lines(kernel, KernelFigures.of(kernel)))
    facts["rank"] = _rank_of_fit(fit, facts["rank"])
    print_view(console, _labelled([*facts.items(), *_fit_lines(fit, options)]))


def _rank_of_fit(fit: Fit, exactly: str) -> str:
    """Return the rank as far as the weights are certain: errors make any kernel one of full rank."""
    height, width = fit.weights.shape
    # What errors alone would have as their largest singular value (random matrices: Geman 1980).
    noise = fit.standard_error * (height**0.5 + width**0.5)
    values = np.linalg.svd(fit.weights, compute_uv=False)
    certain = int((values > noise).sum())
    if not 0 < certain < int(np.linalg.matrix_rank(fit.weights)):
        return exactly
    return f"{certain} as far as the weights are certain" + (", separable" if certain == 1 else "")


def _fit_lines(fit: Fit, options: FitOptions) -> Iterable[tuple[str, str]]:
    if options.bias:
        yield "bias", f"{fit.bias:.6g}, to be given as --bias"
    explained = "" if math.isnan(fit.explained) else f"; {percent(fit.explained, 1)} of the variance explained"
    yield "residual", f"{fit.residual_rms:.3g} rms, {fit.residual_max:.3g} at most{explained}"
    yield "samples", _samples(fit.counts)
    yield "unknowns", f"{fit.unknowns}, of which the images determine {_all(fit.determined, fit.unknowns)}"
    if math.isfinite(fit.condition):
        yield "condition", f"{fit.condition:.3g}; weights are uncertain by {fit.standard_error:.2g} at most"


def _samples(counts: SampleCounts) -> str:
    reasons = {"at the border": counts.border, "saturated": counts.saturated, "unknown": counts.unknown}
    left_out = [f"{count:,} {reason}" for reason, count in reasons.items() if count]
    return f"{counts.used:,} used" + (f"; left out: {', '.join(left_out)}" if left_out else "")


def _all(some: int, count: int) -> str:
    return "all" if some == count else str(some)


def _part(part: Kernel, console: Console) -> RenderableType:
    changes = ", ".join(f"{key}={value}" for key, value in part.parameters.items() if part.family is None)
    title = Text.assemble((part.name, "bold"), f"  {changes}" if changes else "")
    return Group(title, weights_view(part, console, picture_size=6))


def _facts(kernel: Kernel) -> RenderableType:
    facts = _labelled([(label, value) for label, value in _fact_lines(kernel, KernelFigures.of(kernel))])
    if kernel.family is None:
        return facts
    rows = []
    for parameter in FAMILIES[kernel.family].parameters:
        value = kernel.parameters[parameter.name]
        rows.append(
            (parameter.name, "x".join(map(str, value)) if isinstance(value, list) else f"{value}", parameter.help)
        )
    return Group(facts, Text(), Text("Parameters", style="dim"), Padding(_labelled(rows), (0, 0, 0, 2)))


def _labelled(rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _fact_lines(kernel: Kernel, figures: KernelFigures) -> Iterable[tuple[str, str]]:
    yield "size", _size(kernel)
    yield "sum", f"{figures.sum:.6g}, of absolute values {figures.abs_sum:.6g}"
    factors = separate(kernel.weights) if figures.separable and kernel.products is None else None
    if not figures.separable:
        yield "rank", f"{figures.rank}, not separable"
    elif factors is not None and kernel.weights.size <= 25:
        column, row = (" ".join(f"{value:.4g}" for value in factor) for factor in factors)
        yield "rank", f"1, separable: column [{column}] times row [{row}]"
    else:
        yield "rank", "1, separable: one pass down the columns, one along the rows"
    if kernel.anchor is not None:
        yield "anchor", f"row {kernel.anchor[0]}, column {kernel.anchor[1]}"
    if kernel.mapping is not None:
        yield "mapping", kernel.mapping
    if kernel.family is not None:
        yield "formula", FAMILIES[kernel.family].formula


def _size(kernel: Kernel) -> str:
    return f"{kernel.size[0]}x{kernel.size[1]}"
