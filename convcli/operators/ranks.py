"""Order statistics of windows: smallest, largest, median and any rank between; morphology with shaped windows.

Windows are of odd numbers of rows and columns. Beyond the edges the outermost sample is repeated, as scipy.ndimage's
mode "nearest" does; for smallest and largest samples that is as if the outside did not count. A window that holds a NaN
gives NaN.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import UsageError, check_word
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.sizes import Pair, pair
from convcli.operators.strips import SAMPLES, in_strips, in_windows

SHAPES = ("rectangle", "ellipse", "cross")
# Sizes of square windows of float32 that cv2.medianBlur takes.
_OPENCV_MEDIANS = (3, 5)


def erode(x: ArrayLike, size: int | Sequence[int], shape: str = "rectangle", threads: int | None = None) -> ImageArray:
    """Keep the smallest sample of each window: erosion of gray values. Serra (1982). Computed by cv2.erode.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    size : int or pair of int
        Rows and columns of the window; odd.
    shape : {"rectangle", "ellipse", "cross"}
        Which samples of it count, as cv2.getStructuringElement draws them.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If a size is even, or the shape another word.

    Examples
    --------
    >>> erode([[[5.0], [1.0], [3.0], [4.0]]], [1, 3])[0, :, 0].tolist()
    [1.0, 1.0, 1.0, 3.0]
    """
    return _morphology(x, size, shape, ("MORPH_ERODE",), threads)


def dilate(x: ArrayLike, size: int | Sequence[int], shape: str = "rectangle", threads: int | None = None) -> ImageArray:
    """Keep the largest sample of each window: dilation of gray values. As `erode` in all else.

    Parameters
    ----------
    x, size, shape, threads
        As for `erode`.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        As `erode`.

    Examples
    --------
    >>> dilate([[[5.0], [1.0], [3.0], [4.0]]], [1, 3])[0, :, 0].tolist()
    [5.0, 5.0, 4.0, 4.0]
    """
    return _morphology(x, size, shape, ("MORPH_DILATE",), threads)


def opening(
    x: ArrayLike, size: int | Sequence[int], shape: str = "rectangle", threads: int | None = None
) -> ImageArray:
    """Remove what is bright and smaller than the window: erosion, then dilation.

    Parameters
    ----------
    x, size, shape, threads
        As for `erode`.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        As `erode`.

    Examples
    --------
    >>> opening([[[1.0], [9.0], [1.0], [3.0], [3.0], [3.0]]], [1, 3])[0, :, 0].tolist()
    [1.0, 1.0, 1.0, 3.0, 3.0, 3.0]
    """
    return _morphology(x, size, shape, ("MORPH_ERODE", "MORPH_DILATE"), threads)


def closing(
    x: ArrayLike, size: int | Sequence[int], shape: str = "rectangle", threads: int | None = None
) -> ImageArray:
    """Fill what is dark and smaller than the window: dilation, then erosion.

    Parameters
    ----------
    x, size, shape, threads
        As for `erode`.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        As `erode`.

    Examples
    --------
    >>> closing([[[3.0], [1.0], [3.0], [3.0]]], [1, 3])[0, :, 0].tolist()
    [3.0, 3.0, 3.0, 3.0]
    """
    return _morphology(x, size, shape, ("MORPH_DILATE", "MORPH_ERODE"), threads)


def median(x: ArrayLike, size: int | Sequence[int], threads: int | None = None) -> ImageArray:
    """Keep the median of each window; by cv2.medianBlur for 3 and 5, else by `rank`.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    size : int or pair of int
        Rows and columns of the window; odd.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If a size is even.

    Examples
    --------
    >>> median([[[5.0], [1.0], [3.0], [4.0]]], [1, 3])[0, :, 0].tolist()
    [5.0, 3.0, 3.0, 4.0]
    """
    rows, columns = odd_pair(size)
    if rows != columns or rows not in _OPENCV_MEDIANS:
        return rank(x, size, 50, threads)
    import cv2

    def do(part: ImageArray) -> ImageArray:
        planes = [cv2.medianBlur(np.ascontiguousarray(part[..., c]), rows) for c in range(part.shape[2])]
        return _missing_kept(part, np.stack(planes, axis=2), np.ones((rows, rows), np.uint8))

    return in_windows(as_image(x), rows // 2, do, threads)


def rank(x: ArrayLike, size: int | Sequence[int], percent: float, threads: int | None = None) -> ImageArray:
    """Keep a sample of each window by its place in their order.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    size : int or pair of int
        Rows and columns of the window; odd. Time grows with their product.
    percent : float
        0 for the smallest sample, 50 for the median, 100 for the largest; the nearest one between.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If a size is even, or the percentage not from 0 to 100.

    Examples
    --------
    >>> rank([[[5.0], [1.0], [3.0], [4.0], [2.0]]], [1, 5], 75)[0, :, 0].tolist()
    [5.0, 5.0, 4.0, 3.0, 3.0]
    """
    rows, columns = odd_pair(size)
    if not 0 <= percent <= 100:
        raise UsageError(f"a rank is a percentage from 0 to 100, not {percent}")
    count = rows * columns
    place = round(percent / 100 * (count - 1))
    if place in (0, count - 1):
        return (erode if place == 0 else dilate)(x, (rows, columns), threads=threads)
    image = as_image(x)
    element = np.ones((rows, columns), np.uint8)
    down, across = rows // 2, columns // 2
    around = np.pad(image, ((down, down), (across, across), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (rows, columns), axis=(0, 1))
    out = np.empty(image.shape, np.float32)

    def strip(part: slice) -> None:
        ordered = np.array(windows[part]).reshape(-1, count)
        ordered.partition(place, axis=-1)
        out[part] = ordered[:, place].reshape(out[part].shape)

    in_strips(len(out), out[0].size, strip, threads, samples=max(1, 4 * SAMPLES // count))
    return _missing_kept(image, out, element)


def odd_pair(size: int | Sequence[int]) -> Pair:
    """Return rows and columns of a window. Raises UsageError if one of them is even.

    >>> odd_pair(3), odd_pair([1, 5])
    ((3, 3), (1, 5))
    """
    rows, columns = pair("size", size)
    if rows % 2 == 0 or columns % 2 == 0:
        raise UsageError(f"a window has a middle: its rows and columns are odd, not {rows}x{columns}")
    return rows, columns


def _morphology(
    x: ArrayLike, size: int | Sequence[int], shape: str, operations: tuple[str, ...], threads: int | None
) -> ImageArray:
    import cv2

    rows, columns = odd_pair(size)
    check_word("shape", shape, SHAPES)
    kinds = {"rectangle": cv2.MORPH_RECT, "ellipse": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}
    element: NDArray[Any] = cv2.getStructuringElement(kinds[shape], (columns, rows))
    functions: dict[str, Callable[..., Any]] = {"MORPH_ERODE": cv2.erode, "MORPH_DILATE": cv2.dilate}

    def do(part: ImageArray) -> ImageArray:
        result = part
        for operation in operations:
            planes = [
                functions[operation](np.ascontiguousarray(result[..., c]), element, borderType=cv2.BORDER_REPLICATE)
                for c in range(part.shape[2])
            ]
            result = _missing_kept(result, np.stack(planes, axis=2), element)
        return result

    return in_windows(as_image(x), len(operations) * (rows // 2), do, threads)


def _missing_kept(part: ImageArray, result: ImageArray, element: NDArray[Any]) -> ImageArray:
    """Return the result with NaN where the window holds one: comparisons pass over it or not, by its place."""
    missing = np.isnan(part)
    if missing.any():
        import cv2

        spread = [cv2.dilate(missing[..., c].astype(np.uint8), element) for c in range(part.shape[2])]
        result[np.stack(spread, axis=2) > 0] = np.nan
    return result
