"""How the weights of a kernel look in a terminal: as a matrix, and as a small picture."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from convcli.cli.views.console import print_view, stdout_console
from convcli.kernel.model import Kernel
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

_MOST_SHOWN = 121


def print_weights(kernel: Kernel) -> None:
    """Print a kernel's weights, in colour where there are colours, with a small picture of them."""
    console = stdout_console()
    print_view(console, weights_view(kernel, console))


def weights_view(kernel: Kernel, console: Console, picture_size: int = 12) -> RenderableType:
    """Return a kernel's matrix with its picture beside it, or below it where the terminal is too narrow."""
    room = console.width - 2
    if kernel.products is None:
        weights = whole = kernel.weights
    else:  # too many to be made for what is shown of them
        weights, whole = kernel.products.middle(_MOST_SHOWN), kernel.products.sampled(_MOST_SHOWN)
    shown = weight_table(weights, room)
    coloured = _has_colour(console)
    lines: list[Text] = []
    if shown.denominator is not None:
        lines.append(Text(f"1/{shown.denominator} of", style="dim"))
    colours = diverging_colours(weights)
    for y, row in enumerate(shown.rows):
        line = Text()
        for x, cell in enumerate(row):
            line.append(f" {cell} ", style=_on(colours[shown.top + y, shown.left + x]) if coloured else "")
        lines.append(line)
    height, width = kernel.size
    if (len(shown.rows), len(shown.rows[0])) != kernel.size:
        lines.append(Text(f"the middle {len(shown.rows)}x{len(shown.rows[0])} of {height}x{width}", style="dim"))
    picture = _picture(whole, console, picture_size)
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


def _has_colour(console: Console) -> bool:
    return console.is_terminal and not console.no_color and console.color_system is not None


def _rgb(colour: Colours) -> str:
    red, green, blue = (int(value) for value in colour)
    return f"rgb({red},{green},{blue})"


def _on(colour: Colours) -> Style:
    return Style(color="rgb(255,255,255)" if is_dark(colour) else "rgb(0,0,0)", bgcolor=_rgb(colour))
