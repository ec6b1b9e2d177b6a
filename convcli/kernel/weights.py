"""Weights: as people write them, as arrays, normalised and turned.

Functions here take text, rows or arrays, and raise ValueError with a reason that reads on from the name of the place:
`must be a finite number, not nan`. Whoever knows the place makes a KernelError of it.
"""

import math
import re
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
Normalize = Literal["none", "sum", "abssum", "posneg"]
NORMALIZATIONS: tuple[str, ...] = get_args(Normalize)

# 128 MB of float64: far above any useful kernel, far below what would exhaust a machine.
MAX_WEIGHTS = 1 << 24
# Rows or columns of a kernel that is never written out; the samples that so many weights reach still fit a tile.
MAX_SIDE = 1 << 15

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
NUMBER_OR_FRACTION = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?")
NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)
# The ring of a 3x3 kernel, clockwise as displayed from the upper left.
_RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


def parse_number(text: str) -> float:
    """Read a finite number, or a fraction of two.

    Parameters
    ----------
    text : str
        Such as `3`, `-0.5`, `1e-3` or `1/16`.

    Returns
    -------
    float
        Its value, finite.

    Raises
    ------
    ValueError
        For anything else, with a reason that reads on from the name of the place.

    Examples
    --------
    >>> parse_number("1/16"), parse_number("1.5e-3")
    (0.0625, 0.0015)
    """
    text = text.strip()
    match = NUMBER_OR_FRACTION.fullmatch(text)
    if match is None:
        if NOT_FINITE.fullmatch(text):
            raise ValueError(f"must be a finite number, not {text}")
        raise ValueError(f"must be a number or a fraction like 1/16, not {text!r}")
    over, under = match.groups()
    value = float(over)
    if under is not None:
        if float(under) == 0.0:
            raise ValueError(f"divides by zero: {text}")
        value /= float(under)
    return finite(value, text)


def finite(value: float, shown: object = None) -> float:
    """Return a number as a float, or raise ValueError where it is NaN, infinite or too large for one."""
    try:
        value = float(value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number, not {value if shown is None else shown}")
    return value


def read_number(value: float | str) -> float:
    """Read a number from a file, where it may be text such as `1/16`."""
    return parse_number(value) if isinstance(value, str) else finite(value)


def check_sides(height: int, width: int) -> None:
    """Raise ValueError for a kernel of more than `MAX_SIDE` rows or columns, before it is made."""
    if max(height, width) > MAX_SIDE:
        raise ValueError(f"makes a kernel of {height}x{width}: at most {MAX_SIDE} rows and columns are allowed")


def check_number_of_weights(height: int, width: int) -> None:
    """Raise ValueError for a kernel of more than `MAX_WEIGHTS` weights, before it is made."""
    if height * width > MAX_WEIGHTS:
        raise ValueError(f"makes a kernel of {height}x{width}: at most {MAX_WEIGHTS} weights are allowed")


def normalized(weights: Weights, how: str) -> Weights:
    """Scale weights to a sum of 1.

    Parameters
    ----------
    weights : array (rows, columns) of float64
        Finite weights.
    how : str
        `none`: as they are. `sum`: their sum becomes 1. `abssum`: the sum of their absolute values becomes 1.
        `posneg`: the positive ones get sum +1 and the negative ones sum -1, each where there are any.

    Returns
    -------
    array (rows, columns) of float64
        The scaled weights.

    Raises
    ------
    ValueError
        Where the sum to divide by is zero, or differs from it by rounding alone (1e-12 of the absolute sum).

    Examples
    --------
    >>> normalized(np.array([[-1.0, 3.0, 1.0]]), "posneg")
    array([[-1.  ,  0.75,  0.25]])
    """
    if how == "none":
        return weights
    if how == "posneg":
        scaled = weights.copy()
        for side in (weights > 0, weights < 0):
            if side.any():
                scaled[side] /= np.abs(weights[side]).sum()
        return scaled
    absolute = np.abs(weights).sum()
    total = weights.sum() if how == "sum" else absolute
    if abs(total) <= 1e-12 * absolute:
        raise ValueError(f"{how} divides by the weights' sum, which is zero")
    return np.asarray(weights / total)


def common_denominator(weights: Weights) -> int | None:
    """Return the number that all weights are whole multiples of the inverse of, where it is small.

    Parameters
    ----------
    weights : array (rows, columns) of float64
        The weights.

    Returns
    -------
    int or None
        The least d up to 4096 for which `weights * d` are whole numbers of at most four digits: 1 where they are whole
        already, 16 for the 3x3 binomial. None where there is none.

    Examples
    --------
    >>> common_denominator(np.full((3, 3), 1 / 9))
    9
    """
    sizes = np.abs(weights[weights != 0.0])
    if sizes.size == 0:
        return 1
    smallest, largest = float(sizes.min()), float(sizes.max())
    candidates = [1, *(round(k / smallest) for k in range(1, 9) if smallest * 4096 >= k)]
    for denominator in candidates:
        if not 1 <= denominator <= 4096 or largest * denominator > 9999.5:
            continue
        scaled = weights * denominator
        if np.abs(scaled - np.rint(scaled)).max() <= 1e-9 * min(1.0, smallest * denominator):
            return denominator
    return None


def rotated(weights: Weights, degrees: int) -> Weights:
    """Turn weights counter-clockwise as displayed.

    An eighth of a turn moves the ring of a 3x3 kernel on by one place, as compass gradients are made.

    Parameters
    ----------
    weights : array (rows, columns)
        The weights.
    degrees : int
        A multiple of 90, or of 45 for 3x3 kernels; negative ones turn clockwise.

    Returns
    -------
    array (rows, columns), or (columns, rows) after an odd number of quarter turns
        The turned weights.

    Raises
    ------
    ValueError
        For other angles.

    Examples
    --------
    >>> rotated(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 45)
    array([[2, 3, 6],
           [1, 5, 9],
           [4, 7, 8]])
    """
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(weights, degrees // 90 % 4))
    height, width = weights.shape
    if degrees % 45 != 0:
        raise ValueError(f"must be a multiple of 90 (of 45 for 3x3), not {degrees}")
    if (height, width) != (3, 3):
        raise ValueError(f"must be a multiple of 90 for a kernel of {height}x{width}, not {degrees}")
    turned = weights.copy()
    steps = degrees // 45 % 8
    for index, place in enumerate(_RING):
        turned[_RING[(index - steps) % 8]] = weights[place]
    return turned


def rotated_anchor(anchor: tuple[int, int] | None, size: tuple[int, int], degrees: int) -> tuple[int, int] | None:
    """Turn a stated anchor along with its kernel of `size`; the default anchor (None) stays the default.

    >>> rotated_anchor((0, 0), (1, 3), 90)
    (2, 0)
    """
    if anchor is None:
        return None
    if degrees % 90 == 0:
        (row, column), (height, width) = anchor, size
        for _ in range(degrees // 90 % 4):
            row, column, height, width = width - 1 - column, row, width, height
        return row, column
    marker = np.zeros(size)
    marker[anchor] = 1.0
    row, column = np.argwhere(rotated(marker, degrees))[0]
    return int(row), int(column)
