"""Kernels as pictures: weights, profiles, frequency response, responses to an impulse and a step, and a test card.

A column a kernel, so that several can be compared panel by panel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.convolve import convolve
from convcli.errors import KernelError, OutputError
from convcli.image.writing import write_bytes
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel, resolve_mapping
from convcli.kernel.preview import diverging_colours, is_dark, scaled_for_picture, weight_table
from convcli.kernel.weights import Weights
from convcli.reporting.charts import escape_html
from convcli.reporting.numbers import digits
from convcli.reporting.style import style_sheet
from convcli.visual.drawing import (
    Disc,
    Drawing,
    Label,
    Picture,
    Pixels,
    Polyline,
    Shape,
    painted,
    png_bytes,
    svg_text,
)
from convcli.visual.kernel_measures import (
    card_for_tests,
    frequency_response,
    impulse_response,
    step_response,
)

PLOT_SUFFIXES = (".png", ".svg", ".html")
MOST_COLUMNS = 12

_WIDTH = 300  # of a column, with its margin
_SIDE = 220  # of a panel's picture
_LEFT = 48
_CHART = 110  # height of a chart of lines
_LARGEST_PICTURE = 440  # pixels of a heat map; larger kernels are reduced
_MOST_NUMBERS = 7  # weights across, up to which each has its number
_CARD_SIDE = 128
_MOST_SATURATED = 0.25  # of a test card that shows anything when it is not stretched
# The magnitude's colours, from none to the most: viridis (Smith and van der Walt 2015), whose lightness rises evenly.
_SEQUENCE = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float64)


@dataclass(frozen=True)
class PlotColumn:
    """One kernel of a plot under its title; a composite has the test card alone."""

    title: str
    kernel: AnyKernel


def plot_columns(kernels: Mapping[str, AnyKernel]) -> list[PlotColumn]:
    """Return what is drawn of some kernels, by their titles: of a composite its parts, and then itself.

    Raises
    ------
    KernelError
        Where that makes more than `MOST_COLUMNS`.
    """
    columns = []
    for title, kernel in kernels.items():
        if isinstance(kernel, CompositeKernel):
            columns += [PlotColumn(_part_title(part), part) for part in kernel.kernels]
            columns.append(PlotColumn(f"{title}: {kernel.combine} of {len(kernel.kernels)}", kernel))
        else:
            columns.append(PlotColumn(title, kernel))
    if len(columns) > MOST_COLUMNS:
        raise KernelError(f"the kernels and their parts are {len(columns)}: a plot holds {MOST_COLUMNS} at most")
    return columns


def write_plot(path: str, kernels: Mapping[str, AnyKernel]) -> None:
    """Write a plot of kernels as the suffix of `path` says, whole or not at all.

    Parameters
    ----------
    path : str
        A file that ends in one of `PLOT_SUFFIXES`; what is there is replaced.
    kernels : mapping of str to AnyKernel
        What is drawn, side by side, by title: the SPECs.

    Raises
    ------
    OutputError
        For another suffix.
    KernelError
        For too many kernels.
    ImageWriteError
        Where the file cannot be written.
    """
    suffix = plot_suffix(path)
    drawing = kernel_drawing(kernels)
    if suffix == ".png":
        data = png_bytes(painted(drawing))
    elif suffix == ".svg":
        data = svg_text(drawing).encode()
    else:
        data = _page(drawing, list(kernels.values())).encode()
    write_bytes(path, data)


def plot_suffix(path: str) -> str:
    """Return the suffix of a plot, one of `PLOT_SUFFIXES`, or raise OutputError."""
    suffix = Path(path).suffix.lower()
    if suffix not in PLOT_SUFFIXES:
        raise OutputError("a plot is written as .png, .svg or .html", where=path, advice="name such a file")
    return suffix


def _part_title(part: Kernel) -> str:
    changes = ",".join(f"{key}={value}" for key, value in part.parameters.items() if part.family is None)
    return f"{part.name}:{changes}" if changes else part.name


def kernel_drawing(kernels: Mapping[str, AnyKernel]) -> Drawing:
    """Return the drawing of a plot of kernels by their titles. Raises KernelError for too many."""
    columns = plot_columns(kernels)
    shapes: list[Shape] = []
    bottom = card_top = 0.0
    for place, column in enumerate(columns):
        drawer = _Column(place * _WIDTH)
        card_top = drawer.draw(column, card_top)
        shapes += drawer.shapes
        bottom = max(bottom, drawer.y)
    return Drawing(_WIDTH * len(columns), bottom, shapes, f"Kernels: {', '.join(kernels)}")


class _Column:
    """Draws one column from the top down; `y` is where the next panel begins."""

    def __init__(self, left: float) -> None:
        self.left = left + _LEFT
        self.y = 0.0
        self.shapes: list[Shape] = []

    def draw(self, column: PlotColumn, card_top: float) -> float:
        """Draw the column, and return where its test card begins: at `card_top` where that is all there is."""
        kernel = column.kernel
        title = column.title if len(column.title) <= 32 else f"{column.title[:30]}..."
        self.shapes.append(Label(self.left, 26, title, 16, bold=True))
        self.y = card_top or 34.0
        if isinstance(kernel, Kernel):
            weights = kernel.weights
            self.y = 34.0
            self._weights(weights)
            self._profiles(kernel)
            self._frequencies(weights)
            self._chart(
                "Response to a line of light",
                impulse_response(weights, 1),
                impulse_response(weights, 0),
                from_centre=True,
            )
            self._chart("Response to an edge from 0 to 1", step_response(weights, 1), step_response(weights, 0))
        top = self.y
        self._card(kernel)
        return top

    def _head(self, text: str, note: str) -> None:
        self.shapes.append(Label(self.left, self.y + 18, text, 13, bold=True))
        self.shapes.append(Label(self.left, self.y + 34, note, 11, colour="faint"))
        self.y += 42

    def _weights(self, weights: Weights) -> None:
        rows, columns = weights.shape
        largest = float(np.abs(weights).max())
        self._head(f"Weights, {rows} x {columns}", f"sum {digits(float(weights.sum()))}; white is 0")
        cell = _SIDE / max(rows, columns)
        width, height = cell * columns, cell * rows
        top = self.y
        shown = diverging_colours(scaled_for_picture(weights, target=1, most=_LARGEST_PICTURE))
        self.shapes.append(Picture(self.left, top, width, height, shown, "weights"))
        self._frame(self.left, top, width, height)
        if max(rows, columns) <= _MOST_NUMBERS:
            table = weight_table(weights, width=400)
            for y, row in enumerate(table.rows):
                for x, text in enumerate(row):
                    colour = "on-dark" if is_dark(shown[y, x]) else "on-light"
                    place = self.left + cell * (x + 0.5), top + cell * (y + 0.5) + 4
                    size = min(13.0, cell * 1.6 / max(len(text.strip()), 2))
                    self.shapes.append(Label(*place, text.strip(), size, "middle", colour))
            if table.denominator is not None:
                self.shapes.append(Label(self.left + width + 4, top + 12, f"/{table.denominator}", 11, colour="faint"))
        self.y += _SIDE + 8
        self._scale(diverging_colours(np.linspace(-1, 1, 129)[np.newaxis]), (-largest, 0.0, largest))

    def _scale(self, colours: Pixels, values: tuple[float, ...]) -> None:
        self.shapes.append(Picture(self.left, self.y, _SIDE, 8, colours, "scale"))
        self._frame(self.left, self.y, _SIDE, 8)
        sides = {0: "start", len(values) - 1: "end"}
        for place, value in enumerate(values):
            x = self.left + _SIDE * place / (len(values) - 1)
            self.shapes.append(Label(x, self.y + 21, digits(value), 11, sides.get(place, "middle"), "faint"))
        self.y += 30

    def _profiles(self, kernel: Kernel) -> None:
        row, column = kernel.origin
        across, down = kernel.weights[row], kernel.weights[:, column]
        offsets = np.arange(across.size) - column, np.arange(down.size) - row
        self._head("Profiles through the anchor", "blue: along the row; orange, thin: down")
        self._lines((across, down), offsets, "pixels from the anchor")

    def _chart(
        self, title: str, across: NDArray[np.float64], down: NDArray[np.float64], *, from_centre: bool = False
    ) -> None:
        self._head(title, "blue: across the image; orange, thin: down it")
        if not from_centre:  # an edge has been dark for ever, and stays light
            across, down = (np.concatenate([[0.0], values, values[-1:]]) for values in (across, down))
        offsets = tuple(np.arange(values.size) - values.size // 2 for values in (across, down))
        self._lines((across, down), (offsets[0], offsets[1]), "pixels")

    def _lines(
        self,
        curves: tuple[NDArray[np.float64], NDArray[np.float64]],
        offsets: tuple[NDArray[np.int_], NDArray[np.int_]],
        unit: str,
    ) -> None:
        top, bottom, width = self.y, self.y + _CHART, float(_SIDE)
        low = min(0.0, *(float(curve.min()) for curve in curves))
        high = max(0.0, *(float(curve.max()) for curve in curves))
        high = high if high > low else low + 1.0
        first = min(int(each[0]) for each in offsets)
        last = max(first + 1, *(int(each[-1]) for each in offsets))

        def x(offset: float) -> float:
            return self.left + width * (offset - first) / (last - first)

        def y(value: float) -> float:
            return bottom - (bottom - top - 8) * (value - low) / (high - low) - 4

        for value in sorted({low, 0.0, high}):
            self.shapes.append(Polyline([(self.left, y(value)), (self.left + width, y(value))]))
            if value in (low, high) or min(y(low) - y(value), y(value) - y(high)) > 12:
                self.shapes.append(Label(self.left - 5, y(value) + 4, digits(value), 11, "end", "faint"))
        self.shapes.append(Polyline([(x(0), top), (x(0), bottom)]))
        for curve, offset, colour, thick in zip(curves, offsets, ("series-5", "series-1"), (2.0, 1.2), strict=True):
            points = [(x(float(o)), y(float(v))) for o, v in zip(offset, curve, strict=True)]
            self.shapes.append(Polyline(_thinned(points), colour, thick))
            if colour == "series-5" and len(points) <= 41:
                self.shapes += [Disc(*point, 2.6, colour) for point in points]
        for value, side in ((first, "start"), (last, "end")):
            self.shapes.append(Label(x(value), bottom + 14, f"{value:d}", 11, side, "faint"))
        self.shapes.append(Label(self.left + width / 2, bottom + 14, unit, 11, "middle", "faint"))
        self.y = bottom + 26

    def _frequencies(self, weights: Weights) -> None:
        response = frequency_response(weights)
        largest, across, down = response.peak
        where = f"{digits(across)} across, {digits(down)} down" if across or down else "frequency 0"
        self._head(
            "Magnitude of the frequency response",
            f"at 0: {digits(response.at_zero)}; most: {digits(largest)} at {where}",
        )
        reduced = scaled_for_picture(response.magnitude, target=1, most=256)
        shown = _sequential(reduced / (largest or 1.0))
        self.shapes.append(Picture(self.left, self.y, _SIDE, _SIDE, shown, "magnitude of the frequency response"))
        self._frame(self.left, self.y, _SIDE, _SIDE)
        for share, text in ((0.0, "-0.5"), (0.5, "0"), (1.0, "0.5")):
            side = {0.0: "start", 1.0: "end"}.get(share, "middle")
            self.shapes.append(Label(self.left + _SIDE * share, self.y + _SIDE + 14, text, 11, side, "faint"))
            height = self.y + _SIDE * share + (10 if share == 0 else 4 if share == 0.5 else 0)
            self.shapes.append(Label(self.left - 5, height, text, 11, "end", "faint"))
        self.shapes.append(Label(self.left + _SIDE / 2, self.y + _SIDE + 28, "cycles per pixel", 11, "middle", "faint"))
        self.y += _SIDE + 38
        self._scale(_sequential(np.linspace(0, 1, 129)[np.newaxis]), (0.0, largest))

    def _card(self, kernel: AnyKernel) -> None:
        response = convolve(card_for_tests(_CARD_SIDE), kernel, precision="double")
        mapping = resolve_mapping("auto", [kernel], 0.0)
        if mapping == "clip" and np.mean((response < 0) | (response > 255)) > _MOST_SATURATED:
            mapping = "stretch"
        match mapping:
            case "clip":
                note, shown = "black 0, white 255", _gray(response)
            case "stretch":
                low, high = float(response.min()), float(response.max())
                note = f"black {digits(low)}, white {digits(high)}"
                shown = _gray((response - low) * 255.0 / ((high - low) or 1.0))
            case _:
                note = f"white 0, red and blue to ±{digits(float(np.abs(response).max()))}"
                shown = diverging_colours(response)
        self._head("On a test card", note)
        self.shapes.append(Picture(self.left, self.y, _SIDE, _SIDE, shown, "the kernel on a test card"))
        self._frame(self.left, self.y, _SIDE, _SIDE)
        self.y += _SIDE + 20

    def _frame(self, x: float, y: float, width: float, height: float) -> None:
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        self.shapes.append(Polyline(corners, "rule"))


def _gray(response: NDArray[np.float64]) -> Pixels:
    return np.repeat(np.asarray(np.clip(np.rint(response), 0, 255), np.uint8)[:, :, np.newaxis], 3, axis=2)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most some thousand points, which is more than a chart has pixels."""
    return points[:: max(1, len(points) // 1000)]


def _sequential(shares: NDArray[np.float64]) -> Pixels:
    """Return a colour for each share of the most, 0 to 1."""
    stops = np.linspace(0.0, 1.0, len(_SEQUENCE))
    colours = np.stack([np.interp(shares, stops, _SEQUENCE[:, band]) for band in range(3)], axis=-1)
    return np.asarray(np.rint(colours), np.uint8)


def _page(drawing: Drawing, kernels: Sequence[AnyKernel]) -> str:
    title = escape_html(drawing.title)

    def facts() -> Iterator[str]:
        for kernel in kernels:
            if kernel.summary:
                yield f"<p><strong>{escape_html(kernel.name)}</strong>: {escape_html(kernel.summary)}</p>"

    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n<style>\n{style_sheet()}'
        f"body {{ max-width: none; }}\n.scroll svg {{ display: block; }}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f'<main>\n{"".join(facts())}\n<div class="scroll" tabindex="0">{svg_text(drawing, alone=False)}</div>\n'
        "</main>\n</body>\n</html>\n"
    )
