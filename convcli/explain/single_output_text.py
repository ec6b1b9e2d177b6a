"""One output of a filter as text: samples, weights and products in lines of a given width."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.explain.pipeline_text import aligned, number_text
from convcli.explain.single_output import KernelProducts, SingleOutput

# A sum is written out up to this number of products.
_MOST_TERMS = 12
_GAP = "    "
_COMBINED = {
    "magnitude": "the root of the sum of their squares",
    "max": "the largest of them",
    "maxabs": "the largest of their absolute values",
    "sum": "their sum",
    "hard_threshold": "the first plus the others where these are at least the threshold",
    "soft_threshold": "the first plus what of the others lies beyond the threshold",
}


def output_lines(outputs: Sequence[SingleOutput], options: ConvolveOptions, width: int) -> Iterator[str]:
    """Yield the lines of one output: samples, weights, products and their sum, channel by channel."""
    colours = _channel_names(len(outputs))
    for output, colour in zip(outputs, colours, strict=True):
        if len(outputs) > 1:
            yield colour
        for part in output.parts:
            if len(output.parts) > 1:
                yield f"  {part.kernel}"
            yield from (f"  {line}" for line in _product_lines(part, width - 2))
        if output.combine is not None:
            yield f"  {output.combine}, {_COMBINED[output.combine]}: {number_text(output.value)}"
        yield ""
    if any(part.outside.any() for output in outputs for part in output.parts):
        if options.padding == "constant":
            yield "( ) lies outside the image, where the padding value stands"
        else:
            yield f"( ) lies outside the image, and is taken from within by {options.padding}"


def place_line(products: KernelProducts, at: tuple[int, int]) -> str:
    """Return which output it is, and which rows and columns of the image the kernel covers."""
    rows, columns = (f"{each[0]} to {each[-1]}" if len(each) > 1 else f"{each[0]}" for each in _places(products))
    apart = [after - before for each in _places(products) for before, after in pairwise(each)]
    holes = ", not all of them" if any(step > 1 for step in apart) else ""
    return f"row {at[0]}, column {at[1]} of the result: the kernel lies on rows {rows}, columns {columns}{holes}"


def _places(products: KernelProducts) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return products.rows, products.columns


def _product_lines(products: KernelProducts, width: int) -> Iterator[str]:
    blocks, shown = _blocks(products, width)
    lines = _side_by_side(blocks)
    if max(map(len, lines)) <= width:
        yield from lines
    else:
        for block in blocks:
            yield from (line.rstrip() for line in block)
            yield ""
    if shown != products.weights.shape:
        height, across = products.weights.shape
        yield f"the middle {shown[0]}x{shown[1]} of {height}x{across}"
    terms = [
        f"{number_text(value)}*{_bracketed(weight)}"
        for value, weight in zip(products.patch.ravel(), products.weights.ravel(), strict=True)
        if weight != 0
    ]
    total = number_text(products.total)
    if 1 < len(terms) <= _MOST_TERMS:
        yield from _wrapped([*terms[:-1], f"{terms[-1]} = {total}"], width)
    else:
        yield f"{len(terms)} products sum to {total}"


def _blocks(products: KernelProducts, width: int) -> tuple[list[list[str]], tuple[int, int]]:
    """Return samples, weights and products as aligned blocks with a title, and how much of the kernel they show.

    Of a large kernel that is the middle that fits the width.
    """
    height, across = products.weights.shape
    while True:
        rows, columns = _middle(products.weights.shape[0], height), _middle(products.weights.shape[1], across)
        outside = products.outside[rows, columns]
        patch = [
            [
                f"({number_text(value)})" if out else f"{number_text(value)} "
                for value, out in zip(values, outs, strict=True)
            ]
            for values, outs in zip(products.patch[rows, columns], outside, strict=True)
        ]
        if not outside.any():
            patch = [[cell.strip() for cell in row] for row in patch]
        blocks = [
            ["samples", *aligned(patch)],
            ["weights", *aligned(_cells(products.weights[rows, columns]))],
            ["products", *aligned(_cells(products.products[rows, columns]))],
        ]
        if max(len(line) for block in blocks for line in block) <= width or across <= 1:
            return blocks, (height, across)
        across -= 2 if across > 2 else 1
        height = min(height, max(across, 9))


def _middle(length: int, most: int) -> slice:
    start = (length - most) // 2
    return slice(start, start + most)


def _cells(values: NDArray[np.float64]) -> list[list[str]]:
    return [[f"{value:z.4g}" for value in row] for row in values]


def _side_by_side(blocks: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, block)) for block in blocks]
    return [
        _GAP.join(line.ljust(width) for line, width in zip(lines, widths, strict=True)).rstrip()
        for lines in zip(*blocks, strict=True)
    ]


def _wrapped(terms: Sequence[str], width: int) -> Iterator[str]:
    line = terms[0]
    for term in terms[1:]:
        if len(line) + len(term) + 3 > width:
            yield f"{line} +"
            line = f"  {term}"
        else:
            line += f" + {term}"
    yield line


def _bracketed(value: float) -> str:
    return f"({number_text(value)})" if value < 0 else number_text(value)


def _channel_names(count: int) -> tuple[str, ...]:
    if count == 3:
        return "red", "green", "blue"
    return tuple(f"channel {number}" for number in range(count))
