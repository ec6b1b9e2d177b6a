"""How one output's arithmetic, and a filter's matrix, are written: plain lines that fit a width."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.explain.single_output import FilterMatrix, Output, Sample
from convcli.explain.text import aligned

# Products that a sum is written out for.
_MOST_TERMS = 12
_GAP = "    "
_COMBINED = {
    "magnitude": "the root of the sum of their squares",
    "max": "the largest of them",
    "maxabs": "the largest of their absolute values",
    "sum": "their sum",
}


def output_lines(outputs: Sequence[Output], options: ConvolveOptions, width: int) -> Iterator[str]:
    """Lay one output's arithmetic out: samples, weights and products, channel by channel, and their sums."""
    colours = _channel_names(len(outputs))
    for output, colour in zip(outputs, colours, strict=True):
        if len(outputs) > 1:
            yield colour
        for part in output.parts:
            if len(output.parts) > 1:
                yield f"  {part.kernel}"
            yield from (f"  {line}" for line in _sample_lines(part, width - 2))
        if output.combine is not None:
            yield f"  {output.combine}, {_COMBINED[output.combine]}: {_number(output.value)}"
        yield ""
    if any(part.outside.any() for output in outputs for part in output.parts):
        if options.padding == "constant":
            yield "( ) lies outside the image, where the padding value stands"
        else:
            yield f"( ) lies outside the image, and is taken from within by {options.padding}"


def place_line(sample: Sample, at: tuple[int, int]) -> str:
    """Say which output it is, and where the kernel lies for it."""
    rows, columns = (f"{each[0]} to {each[-1]}" if len(each) > 1 else f"{each[0]}" for each in _places(sample))
    apart = [after - before for each in _places(sample) for before, after in pairwise(each)]
    holes = ", not all of them" if any(step > 1 for step in apart) else ""
    return f"row {at[0]}, column {at[1]} of the result: the kernel lies on rows {rows}, columns {columns}{holes}"


def _places(sample: Sample) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return sample.rows, sample.columns


def _sample_lines(sample: Sample, width: int) -> Iterator[str]:
    blocks, shown = _blocks(sample, width)
    lines = _side_by_side(blocks)
    if max(map(len, lines)) <= width:
        yield from lines
    else:
        for block in blocks:
            yield from (line.rstrip() for line in block)
            yield ""
    if shown != sample.weights.shape:
        height, across = sample.weights.shape
        yield f"the middle {shown[0]}x{shown[1]} of {height}x{across}"
    terms = [
        f"{_number(value)}*{_bracketed(weight)}"
        for value, weight in zip(sample.patch.ravel(), sample.weights.ravel(), strict=True)
        if weight != 0
    ]
    total = _number(sample.total)
    if 1 < len(terms) <= _MOST_TERMS:
        yield from _wrapped([*terms[:-1], f"{terms[-1]} = {total}"], width)
    else:
        yield f"{len(terms)} products sum to {total}"


def _blocks(sample: Sample, width: int) -> tuple[list[list[str]], tuple[int, int]]:
    """Samples, weights and products as aligned blocks with a title; of large kernels the middle that fits."""
    height, across = sample.weights.shape
    while True:
        rows, columns = _middle(sample.weights.shape[0], height), _middle(sample.weights.shape[1], across)
        outside = sample.outside[rows, columns]
        patch = [
            [f"({_number(value)})" if out else f"{_number(value)} " for value, out in zip(values, outs, strict=True)]
            for values, outs in zip(sample.patch[rows, columns], outside, strict=True)
        ]
        if not outside.any():
            patch = [[cell.strip() for cell in row] for row in patch]
        blocks = [
            ["samples", *aligned(patch)],
            ["weights", *aligned(_cells(sample.weights[rows, columns]))],
            ["products", *aligned(_cells(sample.products[rows, columns]))],
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


def _number(value: float) -> str:
    return f"{value:z.5g}"


def _bracketed(value: float) -> str:
    return f"({_number(value)})" if value < 0 else _number(value)


def _channel_names(count: int) -> tuple[str, ...]:
    if count == 3:
        return "red", "green", "blue"
    return tuple(f"channel {number}" for number in range(count))


def matrix_lines(found: FilterMatrix, width: int) -> Iterator[str]:
    """Write a filter's matrix and its transpose, with a dot for every zero.

    Where the numbers do not fit the width, `+` and `-` stand for them; where those do not, a line says so.
    """
    rows, columns = found.matrix.shape
    (height, across), (down, right) = found.input_size, found.output_size
    stored = int(np.count_nonzero(found.matrix))
    yield (
        f"{rows}x{columns}: {down}x{right} outputs of {height}x{across} samples, both row by row; "
        f"{stored:,} of {rows * columns:,} entries are not zero"
    )
    yield ""
    yield from _entries(found.matrix, width)
    if found.constant.any():
        yield ""
        yield f"and to each output the padding value adds: {' '.join(map(_number, found.constant))}"
    yield ""
    yield f"its transpose, {columns}x{rows}, which takes each output back to its samples"
    yield ""
    yield from _entries(found.matrix.T, width)


def _entries(matrix: NDArray[np.float64], width: int) -> Iterator[str]:
    cells = [["." if value == 0 else _number(value) for value in row] for row in matrix]
    longest = max(len(cell) for row in cells for cell in row)
    if (longest + 1) * matrix.shape[1] + 1 <= width:
        yield from ("  " + " ".join(cell.rjust(longest) for cell in row) for row in cells)
    elif matrix.shape[1] + 2 <= width:
        yield from ("  " + "".join("." if v == 0 else "+" if v > 0 else "-" for v in row) for row in matrix)
        yield "  + above zero, - below, . zero"
    else:
        yield f"  {matrix.shape[1]} columns are too wide for {width} characters: --json lists the entries"


def sample_record(sample: Sample) -> dict[str, object]:
    """Give a sample as JSON-ready data."""
    return {
        "kernel": sample.kernel,
        "rows": list(sample.rows),
        "columns": list(sample.columns),
        "source_rows": [None if row < 0 else row for row in sample.source_rows],
        "source_columns": [None if column < 0 else column for column in sample.source_columns],
        "patch": _numbers(sample.patch),
        "weights": _numbers(sample.weights),
        "products": _numbers(sample.products),
        "outside": sample.outside.tolist(),
        "sum": _finite(sample.total),
    }


def output_record(output: Output) -> dict[str, object]:
    """Give an output in one channel as JSON-ready data."""
    return {
        "channel": output.channel,
        "parts": [sample_record(part) for part in output.parts],
        "combine": output.combine,
        "value": _finite(output.value),
    }


def matrix_record(found: FilterMatrix) -> dict[str, object]:
    """Give a matrix and its transpose as JSON-ready data: sizes, and [row, column, value] of what is not zero."""
    rows, columns = found.matrix.shape
    entries = found.entries()
    return {
        "input": list(found.input_size),
        "output": list(found.output_size),
        "matrix": {"size": [rows, columns], "entries": entries},
        "transpose": {"size": [columns, rows], "entries": sorted([x, y, value] for y, x, value in entries)},
        "constant": found.constant.tolist(),
    }


def _numbers(values: NDArray[np.float64]) -> list[list[float | None]]:
    return [[_finite(float(value)) for value in row] for row in values]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
