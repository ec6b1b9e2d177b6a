"""Edges from derivatives: non-maximum suppression, hysteresis, zero crossings."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image, same_shape
from convcli.operators.strips import in_strips

# tan 22.5 degrees in 15 binary places, as OpenCV has it: exact in comparisons of whole numbers.
_TAN_22 = 13573 / 32768
_TAN_67 = _TAN_22 + 2


def non_maximum_suppression(magnitude: ArrayLike, x: ArrayLike, y: ArrayLike, threads: int | None = None) -> ImageArray:
    """Keep the magnitude of a gradient where it is largest across the edge, else 0: lines one pixel wide.

    The gradient's direction, rounded to 45 degrees, selects the two of the eight neighbours that lie across the edge. A
    sample is kept that is larger than the one of them above or to the left, and at least as large as the other; on the
    diagonals it must be larger than both. Outside the image the magnitude is 0. These are the rules of cv2.Canny, ties
    included (after Canny, A computational approach to edge detection, 1986).

    Parameters
    ----------
    magnitude, x, y : array_like, (height, width, channels)
        Magnitude of the gradient, and its components to the right and downward.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    FilterError
        If the three are not of one shape.

    Examples
    --------
    >>> row = np.array([[[1.0], [3.0], [3.0], [2.0]]])
    >>> non_maximum_suppression(row, np.ones_like(row), np.zeros_like(row))[0, :, 0].tolist()
    [0.0, 3.0, 0.0, 0.0]
    """
    size, across, down = as_image(magnitude), as_image(x), as_image(y)
    same_shape("non_maximum_suppression", size, across, down)
    height, width, channels = size.shape
    out = np.empty_like(size, order="C")

    def strip(rows: slice) -> None:
        around = np.zeros((rows.stop - rows.start + 2, width + 2, channels), np.float32)
        first, last = max(rows.start - 1, 0), min(rows.stop + 1, height)
        around[first - rows.start + 1 : last - rows.start + 1, 1:-1] = size[first:last]
        gradient_x, gradient_y = across[rows].astype(np.float64), down[rows].astype(np.float64)
        steep, wide = np.abs(gradient_y), np.abs(gradient_x)
        level, upright = steep < wide * _TAN_22, steep > wide * _TAN_67

        def beside(dy: int, dx: int) -> ImageArray:
            return around[1 + dy : around.shape[0] - 1 + dy, 1 + dx : width + 1 + dx]

        here = beside(0, 0)
        kept = np.where(level, (here > beside(0, -1)) & (here >= beside(0, 1)), False)
        kept |= upright & (here > beside(-1, 0)) & (here >= beside(1, 0))
        rising = (gradient_x < 0) != (gradient_y < 0)
        falling_kept = (here > beside(-1, -1)) & (here > beside(1, 1))
        rising_kept = (here > beside(-1, 1)) & (here > beside(1, -1))
        kept |= ~level & ~upright & np.where(rising, rising_kept, falling_kept)
        out[rows] = np.where(kept, here, np.float32(0))

    in_strips(height, size[0].size, strip, threads)
    return out


def hysteresis(x: ArrayLike, low: float, high: float) -> ImageArray:
    """Mark samples above `low` that are connected, through samples above `low`, with one above `high`.

    Each sample has eight neighbours. Each channel is taken by itself. Canny (1986).

    Parameters
    ----------
    x : array_like, (height, width, channels)
    low, high : float
        The thresholds, in the units of `x`.

    Returns
    -------
    float32 array, (height, width, channels)
        1 where marked, else 0.

    Raises
    ------
    UsageError
        If low is larger than high.

    Examples
    --------
    >>> hysteresis([[[2.0], [1.0], [0.0], [1.0]]], 0.5, 1.5)[0, :, 0].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    import cv2

    if not low <= high:
        raise UsageError(f"hysteresis wants its low threshold at most as large as its high one, not {low} and {high}")
    image = as_image(x)
    out = np.empty_like(image, order="C")
    for channel in range(image.shape[2]):
        plane = image[..., channel]
        candidates = plane > np.float32(low)
        count, labels = cv2.connectedComponents(candidates.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
        kept = np.zeros(count, bool)
        kept[labels[plane > np.float32(high)]] = True
        kept[0] = False  # the background, where high is as low as that
        out[..., channel] = kept[labels]
    return out


def zero_crossings(x: ArrayLike, least: float = 0.0, threads: int | None = None) -> ImageArray:
    """Mark where the sign changes, as a second derivative does at edges. Marr and Hildreth (1980).

    Of two neighbours in a row or column, one positive and one negative, that differ by more than `least`, the one
    nearer to zero is marked (the first where both are as near). A zero between a positive and a negative sample is
    marked too.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    least : float
        Difference that must be exceeded, in the units of `x`; not negative.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)
        1 where marked, else 0.

    Raises
    ------
    UsageError
        If `least` is negative.

    Examples
    --------
    >>> zero_crossings([[[4.0], [1.0], [-2.0], [-2.0], [0.0], [3.0]]])[0, :, 0].tolist()
    [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    """
    if not least >= 0:
        raise UsageError(f"the least step of a zero crossing must not be negative, and {least} is")
    image = as_image(x)
    out = np.empty_like(image, order="C")
    height = len(image)

    def strip(rows: slice) -> None:
        # A row of neighbours on either side, which marks are not taken from.
        first, last = max(rows.start - 1, 0), min(rows.stop + 1, height)
        part = image[first:last]
        marks = np.zeros(part.shape, bool)
        _mark(part, marks, np.float32(least))
        _mark(part.swapaxes(0, 1), marks.swapaxes(0, 1), np.float32(least))
        out[rows] = marks[rows.start - first : rows.stop - first]

    in_strips(height, image[0].size, strip, threads)
    return out


def _mark(part: ImageArray, marks: NDArray[np.bool_], least: np.float32) -> None:
    """Mark crossings between rows, in `marks`."""
    before, after = part[:-1], part[1:]
    crossing = (np.sign(before) * np.sign(after) < 0) & (np.abs(before - after) > least)
    first = np.abs(before) <= np.abs(after)
    marks[:-1] |= crossing & first
    marks[1:] |= crossing & ~first
    above, below = part[:-2], part[2:]
    through = (part[1:-1] == 0) & (np.sign(above) * np.sign(below) < 0) & (np.abs(above - below) > least)
    marks[1:-1] |= through
