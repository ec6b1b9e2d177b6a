"""Weights for the eye: colours, plain characters, a small picture, and numbers that line up."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convcli.kernel.weights import Weights, common_denominator

Colours = NDArray[np.uint8]

# Blue below zero, white at it, red above: the ends and the middle of ColorBrewer's RdBu, readable to the colour-blind.
_NEGATIVE, _ZERO, _POSITIVE = np.array([(33, 102, 172), (247, 247, 247), (178, 24, 43)], dtype=np.float64)
_MARKS = {-2: "==", -1: "--", 0: "..", 1: "++", 2: "##"}
MARKS_LEGEND = "## and ++ above zero, == and -- below, .. about zero"


@dataclass(frozen=True)
class WeightTable:
    """Weights as text, all cells of one width.

    Attributes
    ----------
    rows : tuple of tuples of str
        The cells.
    top, left : int
        The row and column of the kernel that the first cell shows.
    denominator : int or None
        What the numbers shown are divided by to give the weights; None for 1.
    """

    rows: tuple[tuple[str, ...], ...]
    top: int
    left: int
    denominator: int | None


def diverging_colours(weights: Weights) -> Colours:
    """Return a colour for each weight: blue below zero, white at it, red above.

    Parameters
    ----------
    weights : array (rows, columns) of float64
        The weights; the largest in absolute value gets full blue or red.

    Returns
    -------
    array (rows, columns, 3) of uint8
        RGB.

    Examples
    --------
    >>> diverging_colours(np.array([[-1.0, 0.0, 2.0]])).tolist()
    [[[140, 174, 210], [247, 247, 247], [178, 24, 43]]]
    """
    share = (weights / (np.abs(weights).max() or 1.0))[..., np.newaxis]
    ends = np.where(share < 0, _NEGATIVE, _POSITIVE)
    return np.asarray(np.rint(_ZERO + np.abs(share) * (ends - _ZERO)), dtype=np.uint8)


def is_dark(colour: NDArray[np.uint8]) -> bool:
    """Whether white text reads better than black on an RGB colour: its BT.601 luma lies below the middle."""
    return bool(np.dot(colour, (0.299, 0.587, 0.114)) < 128)


def scaled_for_picture(weights: Weights, target: int, most: int) -> Weights:
    """Return weights enlarged or reduced to the size of a picture.

    Parameters
    ----------
    weights : array (rows, columns)
        The weights.
    target : int
        The pixels of the longer side that a small kernel is enlarged to at most, by a whole factor.
    most : int
        The pixels that the longer side is reduced to where it has more. Each block keeps its weight of largest absolute
        value, so that thin lines stay visible.

    Examples
    --------
    >>> scaled_for_picture(np.array([[1.0, -2.0]]), target=4, most=8)
    array([[ 1.,  1., -2., -2.],
           [ 1.,  1., -2., -2.]])
    >>> scaled_for_picture(np.array([[1.0, -2.0, 3.0, 0.0]]), target=1, most=2)
    array([[-2.,  3.]])
    """
    longest = max(weights.shape)
    if longest <= most:
        factor = max(1, target // longest)
        return weights.repeat(factor, axis=0).repeat(factor, axis=1)
    block = math.ceil(longest / most)
    height, width = (math.ceil(length / block) for length in weights.shape)
    padded = np.zeros((height * block, width * block))
    padded[: weights.shape[0], : weights.shape[1]] = weights
    blocks = padded.reshape(height, block, width, block).swapaxes(1, 2).reshape(height, width, block * block)
    largest = np.abs(blocks).argmax(axis=2)
    return np.take_along_axis(blocks, largest[..., np.newaxis], axis=2)[..., 0]


def marks(weights: Weights) -> list[str]:
    """Return a kernel in plain characters, two a weight, a row a line; `MARKS_LEGEND` explains them.

    >>> marks(np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]]))
    ['--..++', '==..##']
    """
    share = weights / (np.abs(weights).max() or 1.0)
    levels = np.sign(share) * ((np.abs(share) >= 0.05).astype(int) + (np.abs(share) > 0.5))
    return ["".join(_MARKS[int(level)] for level in row) for row in levels]


def weight_table(weights: Weights, width: int, most_rows: int = 17) -> WeightTable:
    """Return the weights as text that lines up; of a large kernel its middle.

    Parameters
    ----------
    weights : array (rows, columns) of float64
        The weights. Those that are whole numbers over one small denominator are shown as those numbers.
    width : int
        The characters of a line.
    most_rows : int
        The most rows that are shown.

    Examples
    --------
    >>> weight_table(np.array([[1 / 9, -2 / 9]]), width=20)
    WeightTable(rows=((' 1', '-2'),), top=0, left=0, denominator=9)
    """
    denominator = common_denominator(weights)
    scaled = weights * denominator if denominator is not None else weights
    largest = float(np.abs(scaled).max())
    if denominator is not None:
        style = ".0f"
    elif 1e-3 <= largest < 1e5:
        style = f".{max(0, 2 - math.floor(math.log10(largest)))}f"
    else:
        style = ".2e"
    sizes = np.abs(scaled[scaled != 0.0])
    sign = -1.0 if scaled.min() < 0.0 else 1.0
    # The widest cell is one of these; looking at all of a large kernel's would take long.
    cell_width = max(len(_cell(sign * size, style)) for size in (largest, float(sizes.min(initial=largest))))
    columns = _middle(weights.shape[1], max(1, width // (cell_width + 2)))
    cut = columns.stop - columns.start < weights.shape[1]
    rows = _middle(weights.shape[0], min(most_rows, max(9, columns.stop - columns.start)) if cut else most_rows)
    shown = scaled[rows, columns]
    cells = [[_cell(value, style) for value in row] for row in shown.tolist()]
    cell_width = max(len(cell) for row in cells for cell in row)
    return WeightTable(
        rows=tuple(tuple(cell.rjust(cell_width) for cell in row) for row in cells),
        top=rows.start,
        left=columns.start,
        denominator=denominator if denominator != 1 else None,
    )


def _cell(value: float, style: str) -> str:
    return "0" if value == 0.0 else f"{value:z{style}}"  # z: what rounds to zero loses its sign


def _middle(length: int, most: int) -> slice:
    """Return the middle `most` of `length`, or one fewer where that puts the centre in the middle."""
    if length <= most:
        return slice(0, length)
    most -= (length - most) % 2 if most > 1 else 0
    start = length // 2 - most // 2
    return slice(start, start + most)
