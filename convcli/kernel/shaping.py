"""What a kernel file asks for beyond its weights: turning and normalising."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from convcli.errors import KernelError, nearest
from convcli.kernel.model import Kernel
from convcli.kernel.values import parse_number

Weights = NDArray[np.float64]
Normalize = Literal["none", "sum", "abssum", "posneg"]
NORMALIZATIONS: tuple[str, ...] = get_args(Normalize)

# What a SPEC may add to any single kernel, beside the parameters of its family.
SHAPING = ("normalize", "rotate")

# The ring of a 3x3 kernel, clockwise as displayed from the upper left.
_RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


def normalized(weights: Weights, how: str) -> Weights:
    """Scale weights so that their sum (`sum`) or the sum of their absolute values (`abssum`) is 1.

    `posneg` scales the positive weights to sum +1 and the negative ones to sum -1, each where there are any.

    >>> normalized(np.array([[-1.0, 3.0, 1.0]]), "posneg")
    array([[-1.  ,  0.75,  0.25]])

    Raises
    ------
    ValueError
        where the sum to divide by is zero, or only rounding away from it.
    """
    if how == "none":
        return weights
    if how == "posneg":
        positive, negative = weights[weights > 0].sum(), -weights[weights < 0].sum()
        return np.where(weights > 0, weights / (positive or 1.0), weights / (negative or 1.0))
    size = np.abs(weights).sum()
    total = weights.sum() if how == "sum" else size
    if abs(total) <= 1e-12 * size:
        raise ValueError(f"{how} divides by the weights' sum, which is zero")
    return np.asarray(weights / total)


def rotated(weights: Weights, degrees: int) -> Weights:
    """Turn a kernel counter-clockwise as displayed: multiples of 90 degrees, for 3x3 kernels of 45 too.

    An eighth of a turn moves the ring of a 3x3 kernel on by one place, as compass gradients are made.

    >>> rotated(np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 45)
    array([[2, 3, 6],
           [1, 5, 9],
           [4, 7, 8]])

    Raises
    ------
    ValueError
        for other angles.
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
    marker = np.zeros(size)
    marker[anchor] = 1.0
    row, column = np.argwhere(rotated(marker, degrees))[0]
    return int(row), int(column)


def shape(kernel: Kernel, where: str, normalize: str = "none", rotate: int = 0) -> Kernel:
    """Return `kernel` normalised and turned; `where` stands before the messages."""
    one_of(f"{where}: normalize", normalize, NORMALIZATIONS)
    with np.errstate(over="ignore"):
        if not np.isfinite(np.abs(kernel.weights).sum()):
            raise KernelError(f"{where}: the weights are so large that their sum is infinite")
    try:
        weights = normalized(kernel.weights, normalize)
    except ValueError as error:
        raise KernelError(f"{where}: normalize: {error}") from error
    try:
        weights = rotated(weights, rotate)
        anchor = rotated_anchor(kernel.anchor, kernel.size, rotate)
    except ValueError as error:
        raise KernelError(f"{where}: rotate: {error}") from error
    weights.flags.writeable = False
    return replace(kernel, weights=weights, anchor=anchor)


def shape_as_asked(kernel: Kernel, where: str, changes: Mapping[str, str]) -> Kernel:
    """Apply the `normalize` and `rotate` of a SPEC, and keep them among the kernel's parameters."""
    turn = 0
    if "rotate" in changes:
        try:
            angle = parse_number(changes["rotate"])
        except ValueError as error:
            raise KernelError(f"{where}: rotate: {error}") from error
        if angle != int(angle):
            raise KernelError(f"{where}: rotate: must be a multiple of 90 (of 45 for 3x3), not {angle:g}")
        turn = int(angle)
    shaped = shape(kernel, where, changes.get("normalize", "none"), turn)
    asked: dict[str, object] = {key: turn if key == "rotate" else changes[key] for key in SHAPING if key in changes}
    return replace(shaped, parameters={**kernel.parameters, **asked})


def one_of(where: str, value: str, allowed: tuple[str, ...]) -> Any:
    """Return `value` where it is one of the `allowed` words; else raise KernelError, offering the nearest."""
    if value not in allowed:
        raise KernelError(f"{where}: must be one of {', '.join(allowed)}, not {value!r}{nearest(value, allowed)}")
    return value
