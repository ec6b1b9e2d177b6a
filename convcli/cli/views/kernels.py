"""How kernels look in a terminal: the table of all of them, and one of them in full."""

import io
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from convcli.kernel.describe import KernelFigures
from convcli.kernel.factorize import separate
from convcli.kernel.fitting import Fit, FitOptions, SampleCounts
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.kernel.preview import (
    MARKS_LEGEND,
    Colours,
    diverging_colours,
    is_dark,
    marks,
    scaled_for_picture,
    weight_table,
)
from convcli.kernel.weights import Weights

_PIPED_WIDTH = 100
_COMPOSITE_SENTENCES = {
    "magnitude": "the square root of the sum of the squared responses",
    "max": "the largest of the responses",
    "maxabs": "the largest of the responses' absolute values",
    "sum": "the sum of the responses",
}


@dataclass(frozen=True)
class Entry:
    """A kernel in the list, the name it is found by, and whether it is the user's own."""

    name: str
    kernel: AnyKernel
    own: bool


def stdout_console() -> Console:
    """Return a console on standard output that never fails on a character the terminal lacks."""
    if sys.stdout is None:  # closed: nobody reads, as with `print`
        return Console(highlight=False, width=_PIPED_WIDTH, file=io.StringIO())
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def print_list(entries: Sequence[Entry]) -> None:
    """Print the table of names, one line each."""
    console = stdout_console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Name", style="bold", no_wrap=True)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("Sum", justify="right", no_wrap=True)
    table.add_column("Rank", justify="right", no_wrap=True)
    table.add_column("Summary", no_wrap=True, overflow="ellipsis")
    for entry in entries:
        kernel = entry.kernel
        name = f"{entry.name} *" if entry.own else entry.name
        summary = kernel.summary.split(". ")[0].rstrip(".")
        if isinstance(kernel, CompositeKernel):
            height, width = (max(part.size[axis] for part in kernel.kernels) for axis in (0, 1))
            table.add_row(name, f"{height}x{width}", "-", "-", summary)
        else:
            figures = KernelFigures.of(kernel)
            table.add_row(name, _size(kernel), f"{figures.sum:.4g}", str(figures.rank), summary)
    _print(console, table)
    if any(entry.own for entry in entries):
        console.print("* your own", style="dim")


def print_kernel(kernel: AnyKernel) -> None:
    """Print one kernel in full."""
    console = stdout_console()
    console.print(Text(kernel.name, style="bold"))
    if kernel.summary:
        console.print(kernel.summary, markup=False)
    console.print()
    if isinstance(kernel, CompositeKernel):
        console.print(f"{kernel.combine}: {_COMPOSITE_SENTENCES[kernel.combine]} of {len(kernel.kernels)} kernels")
        console.print()
        _print(console, Columns([_part(part, console) for part in kernel.kernels], padding=(1, 4)))
    else:
        _print(console, _body(kernel, console))
        console.print()
        _print(console, _facts(kernel))
    if kernel.reference:
        console.print()
        console.print(f"Reference: {kernel.reference}", markup=False, style="dim")


def print_fit(kernel: Kernel, fit: Fit, options: FitOptions) -> None:
    """Print a fitted kernel, and how well it fits."""
    console = stdout_console()
    console.print(Text(kernel.summary, style="bold"), soft_wrap=True)
    console.print()
    _print(console, _body(kernel, console))
    console.print()
    facts = dict(_fact_lines(kernel, KernelFigures.of(kernel)))
    facts["rank"] = _rank_of_fit(fit, facts["rank"])
    _print(console, _labelled([*facts.items(), *_fit_lines(fit, options)]))


def print_weights(kernel: Kernel) -> None:
    """Print a kernel's weights, in colour where there are colours, with a small picture of them."""
    console = stdout_console()
    _print(console, _body(kernel, console))


def _rank_of_fit(fit: Fit, exactly: str) -> str:
    """Tell the rank as far as the weights are certain: errors make any kernel one of full rank."""
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
    explained = "" if math.isnan(fit.explained) else f"; {_percent(fit.explained)} of the variance explained"
    yield "residual", f"{fit.residual_rms:.3g} rms, {fit.residual_max:.3g} at most{explained}"
    yield "samples", _samples(fit.counts)
    yield "unknowns", f"{fit.unknowns}, of which the images determine {_all(fit.determined, fit.unknowns)}"
    if math.isfinite(fit.condition):
        yield "condition", f"{fit.condition:.3g}; weights are uncertain by {fit.standard_error:.2g} at most"


def _samples(counts: SampleCounts) -> str:
    reasons = {"at the border": counts.border, "saturated": counts.saturated, "unknown": counts.unknown}
    left_out = [f"{count:,} {reason}" for reason, count in reasons.items() if count]
    return f"{counts.used:,} used" + (f"; left out: {', '.join(left_out)}" if left_out else "")


def _percent(share: float) -> str:
    """A share in percent, with as many nines as it has: 99.997% is not 100%."""
    for digits in (1, 2, 3, 4):
        text = f"{100 * share:.{digits}f}"
        if float(text) < 100.0:
            return f"{text}%"
    return "100%"


def _all(some: int, count: int) -> str:
    return "all" if some == count else str(some)


def _print(console: Console, view: RenderableType) -> None:
    """Print without the blanks that fill a table's last column, nor blank lines around it."""
    with console.capture() as capture:
        console.print(view)
    lines = [line.rstrip() for line in capture.get().rstrip().split("\n")]
    print("\n".join(lines[1:] if not lines[0] else lines))


def _part(part: Kernel, console: Console) -> RenderableType:
    changes = ", ".join(f"{key}={value}" for key, value in part.parameters.items() if part.family is None)
    title = Text.assemble((part.name, "bold"), f"  {changes}" if changes else "")
    return Group(title, _body(part, console, picture_size=6))


def _body(kernel: Kernel, console: Console, picture_size: int = 12) -> RenderableType:
    """The matrix with the picture beside it, or below it where the terminal is too narrow."""
    room = console.width - 2
    shown = weight_table(kernel.weights, room)
    coloured = _has_colour(console)
    lines: list[Text] = []
    if shown.denominator is not None:
        lines.append(Text(f"1/{shown.denominator} of", style="dim"))
    colours = diverging_colours(kernel.weights)
    for y, row in enumerate(shown.rows):
        line = Text()
        for x, cell in enumerate(row):
            line.append(f" {cell} ", style=_on(colours[shown.top + y, shown.left + x]) if coloured else "")
        lines.append(line)
    height, width = kernel.size
    if (len(shown.rows), len(shown.rows[0])) != kernel.size:
        lines.append(Text(f"the middle {len(shown.rows)}x{len(shown.rows[0])} of {height}x{width}", style="dim"))
    picture = _picture(kernel.weights, console, picture_size)
    matrix_width = max(line.cell_len for line in lines)
    if matrix_width + 4 + max(line.cell_len for line in picture) <= room:
        grid = Table.grid(padding=(0, 4, 0, 0))
        grid.add_row(Group(*lines), Group(*picture))
        return Padding(grid, (0, 0, 0, 2))
    return Padding(Group(*lines, Text(), *picture), (0, 0, 0, 2))


def _picture(weights: Weights, console: Console, size: int) -> list[Text]:
    """Half blocks, two pixels a character, where there are colours; else marks, with a legend for large kernels."""
    if not _has_colour(console):
        lines = [Text(line) for line in marks(scaled_for_picture(weights, target=1, most=30))]
        return [*lines, Text(MARKS_LEGEND, style="dim")] if weights.size > 9 else lines
    pixels = diverging_colours(scaled_for_picture(weights, target=size, most=40))
    lines = []
    for y in range(0, pixels.shape[0], 2):
        line = Text()
        for x in range(pixels.shape[1]):
            below = _rgb(pixels[y + 1, x]) if y + 1 < pixels.shape[0] else None
            line.append("▀", style=Style(color=_rgb(pixels[y, x]), bgcolor=below))
        lines.append(line)
    return lines


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
    factors = separate(kernel.weights)
    if factors is None:
        yield "rank", f"{figures.rank}, not separable"
    elif kernel.weights.size <= 25:
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


def _has_colour(console: Console) -> bool:
    return console.is_terminal and not console.no_color and console.color_system is not None


def _rgb(colour: Colours) -> str:
    red, green, blue = (int(value) for value in colour)
    return f"rgb({red},{green},{blue})"


def _on(colour: Colours) -> Style:
    return Style(color="rgb(255,255,255)" if is_dark(colour) else "rgb(0,0,0)", bgcolor=_rgb(colour))
