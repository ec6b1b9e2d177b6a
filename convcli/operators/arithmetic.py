"""Arithmetic on each sample: quotients, roots, exponentials, logarithms, powers, negatives, constants.

What has no value is NaN, the sign of a missing sample, and never a warning: a quotient by 0, the root of a negative
number, the logarithm of 0 or less. A `floor` raises such samples first, where a number is wanted everywhere.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.joining import alike
from convcli.operators.strips import in_strips, pointwise

_NAN = np.float32(np.nan)


def divide(x: ArrayLike, by: ArrayLike | float, floor: float = 0.0, threads: int | None = None) -> ImageArray:
    """Divide an image by another, or by a number.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    by : array_like, (height, width, channels), or float
        The divisor. Images of a single channel or pixel are repeated, as for `add`.
    floor : float
        Divisors of a smaller magnitude are replaced by it, with their sign; 0 counts as positive.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)
        NaN where the divisor is 0.

    Raises
    ------
    UsageError
        If the floor is negative or not finite.
    FilterError
        If shapes do not go together.

    Examples
    --------
    >>> divide([[[6.0, 1.0]]], [[[2.0, 0.0]]]).tolist()
    [[[3.0, nan]]]
    >>> divide([[[6.0, 1.0]]], [[[2.0, 0.0]]], floor=0.5).tolist(), divide([[[6.0]]], 4).tolist()
    ([[[3.0, 2.0]]], [[[1.5]]])
    """
    if not (math.isfinite(floor) and floor >= 0):
        raise UsageError(f"the floor of a divisor must be a finite number from 0 on, not {floor}")
    divisor = np.full((1, 1, 1), by, np.float32) if isinstance(by, int | float) else as_image(by)
    above, below = alike([as_image(x), divisor], "divide")
    least = np.float32(floor)
    out = np.empty(above.shape, np.float32)

    def strip(rows: slice) -> None:
        under = below[rows]
        if floor > 0:
            under = np.where(np.abs(under) < least, np.where(under < 0, -least, least), under)
        with np.errstate(divide="ignore"):
            np.divide(above[rows], under, out=out[rows])
        if not floor > 0:
            np.copyto(out[rows], _NAN, where=under == 0)

    in_strips(len(out), out[0].size, strip, threads)
    return out


def square_root(x: ArrayLike, floor: float | None = None, threads: int | None = None) -> ImageArray:
    """Take square roots.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    floor : float, optional
        Smaller samples are raised to it first.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)
        NaN where a sample is negative.

    Raises
    ------
    UsageError
        If the floor is negative.

    Examples
    --------
    >>> square_root([[[9.0, -1.0]]]).tolist(), square_root([[[9.0, -1.0]]], floor=0).tolist()
    ([[[3.0, nan]]], [[[3.0, 0.0]]])
    """
    _check_floor(floor, floor is None or floor >= 0, "a square root", "from 0 on")
    return _raised(x, floor, lambda part, to: np.sqrt(part, out=to), threads)


def exponential(x: ArrayLike, base: float | None = None, threads: int | None = None) -> ImageArray:
    """Raise a base to the power of each sample.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    base : float, optional
        Positive; e unless given.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)
        Infinite where the result is above the largest float32, 3.4e38.

    Raises
    ------
    UsageError
        If the base is not positive.

    Examples
    --------
    >>> exponential([[[0.0, 3.0]]], base=2).tolist()
    [[[1.0, 8.0]]]
    """
    _check_base(base, base is None or base > 0, "a positive number")

    def do(part: ImageArray, to: ImageArray) -> None:
        if base is None:
            np.exp(part, out=to)
        else:
            np.power(np.float32(base), part, out=to)

    return pointwise(as_image(x), do, None, threads)


def logarithm(
    x: ArrayLike, base: float | None = None, floor: float | None = None, threads: int | None = None
) -> ImageArray:
    """Take logarithms.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    base : float, optional
        Positive and not 1; e unless given.
    floor : float, optional
        Positive. Smaller samples are raised to it first.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)
        NaN where a sample is 0 or negative.

    Raises
    ------
    UsageError
        If base or floor are not as said.

    Examples
    --------
    >>> logarithm([[[100.0, 0.0]]], base=10).round(4).tolist()
    [[[2.0, nan]]]
    >>> logarithm([[[100.0, 0.0]]], base=10, floor=0.1).round(4).tolist()
    [[[2.0, -1.0]]]
    """
    _check_base(base, base is None or (base > 0 and base != 1), "a positive number other than 1")
    _check_floor(floor, floor is None or floor > 0, "a logarithm", "above 0")

    def do(part: ImageArray, to: ImageArray) -> None:
        defined = part > 0
        (np.log10 if base == 10 else np.log)(np.where(defined, part, _NAN), out=to)
        if base is not None and base != 10:
            to *= np.float32(1 / math.log(base))

    return _raised(x, floor, do, threads)


def power(x: ArrayLike, exponent: float, floor: float | None = None, threads: int | None = None) -> ImageArray:
    """Raise each sample to a power.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    exponent : float
    floor : float, optional
        Smaller samples are raised to it first.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)
        NaN where a negative sample has a broken exponent, and where 0 has a negative one.

    Raises
    ------
    UsageError
        If exponent or floor are not finite.

    Examples
    --------
    >>> power([[[3.0, -2.0]]], 2).tolist(), power([[[4.0, -4.0, 0.0]]], -0.5).tolist()
    ([[[9.0, 4.0]]], [[[0.5, nan, nan]]])
    """
    if not math.isfinite(exponent):
        raise UsageError(f"an exponent must be a finite number, not {exponent}")
    _check_floor(floor, True, "a power", "that is finite")

    def do(part: ImageArray, to: ImageArray) -> None:
        with np.errstate(divide="ignore"):
            np.power(part, np.float32(exponent), out=to)
        if exponent < 0:
            np.copyto(to, _NAN, where=part == 0)

    return _raised(x, floor, do, threads)


def invert(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Return the negative of a picture: white less each sample.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    white : float
        The value that stands for white.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Examples
    --------
    >>> invert([[[0.0, 200.0]]], white=255).tolist()
    [[[255.0, 55.0]]]
    """
    return pointwise(as_image(x), lambda part, to: np.subtract(np.float32(white), part, out=to), None, threads)


def constant(height: int, width: int, values: ArrayLike) -> ImageArray:
    """Return an image of one colour.

    Parameters
    ----------
    height, width : int
    values : array_like, (channels,)

    Returns
    -------
    float32 array, (height, width, channels)

    Examples
    --------
    >>> constant(1, 2, [0.5, 1]).tolist()
    [[[0.5, 1.0], [0.5, 1.0]]]
    """
    pixel = np.asarray(values, np.float32)
    return np.full((height, width, pixel.size), pixel)


def _raised(
    x: ArrayLike, floor: float | None, do: Callable[[ImageArray, ImageArray], object], threads: int | None
) -> ImageArray:
    """Apply a function to samples of which small ones are raised to a floor first; NaN stays."""
    if floor is None:
        return pointwise(as_image(x), do, None, threads)
    least = np.float32(floor)
    return pointwise(as_image(x), lambda part, to: do(np.maximum(part, least), to), None, threads)


def _check_floor(floor: float | None, allowed: bool, what: str, words: str) -> None:
    if floor is not None and not (allowed and math.isfinite(floor)):
        raise UsageError(f"the floor of {what} must be a number {words}, not {floor}")


def _check_base(base: float | None, allowed: bool, words: str) -> None:
    if base is not None and not (allowed and math.isfinite(base)):
        raise UsageError(f"a base must be {words}, not {base}")
