"""Computing strips of rows in several threads."""

from collections.abc import Callable
from typing import Any

import numpy as np

from convcli.convolution.options import available_threads
from convcli.operators.arrays import ImageArray
from convcli.system.threads import run_tasks

# Samples of a strip: 1 MB in float32, which stays in a core's cache while several passes go over it.
SAMPLES = 1 << 18


def in_strips(
    rows: int, samples_a_row: int, do: Callable[[slice], Any], threads: int | None = None, samples: int = SAMPLES
) -> None:
    """Call a function with slices that cover some rows, in several threads.

    Parameters
    ----------
    rows, samples_a_row : int
        Number of rows, and of samples in each.
    do : callable
        Called with each slice of rows; infinities and NaN do not warn in it.
    threads : int, optional
        Number of threads; all cores unless given.
    samples : int
        Number of samples of a strip, about.

    Examples
    --------
    >>> done = []
    >>> in_strips(5, 100, lambda strip: done.append((strip.start, strip.stop)), threads=1, samples=250)
    >>> done
    [(0, 2), (2, 4), (4, 5)]
    """
    height = max(1, samples // max(samples_a_row, 1))
    count = -(-rows // height)

    @np.errstate(over="ignore", invalid="ignore")  # infinity minus infinity is NaN, as it should be
    def one(number: int) -> None:
        do(slice(number * height, min((number + 1) * height, rows)))

    if count == 1:
        one(0)
        return
    run_tasks(count, lambda: one, threads or available_threads())


def pointwise(
    x: ImageArray,
    do: Callable[[ImageArray, ImageArray], Any],
    out: ImageArray | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Fill an array of the shape of `x` by `do(part of x, the same part of the result)`, in strips.

    Parameters
    ----------
    x : float32 array, (height, width, channels)
    do : callable
        Reads its first array and fills its second.
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.
    """
    result = np.empty_like(x, order="C") if out is None else out
    in_strips(len(x), x[0].size, lambda rows: do(x[rows], result[rows]), threads)
    return result


def in_windows(
    x: ImageArray, reach: int, do: Callable[[ImageArray], Any], threads: int | None = None, samples: int = SAMPLES
) -> ImageArray:
    """Fill an array of the shape of `x` by a function of windows, in strips that overlap by what windows reach.

    Parameters
    ----------
    x : float32 array, (height, width, channels)
    reach : int
        Number of rows above and below that a window reads.
    do : callable
        Takes some rows and returns as many, in an array of their shape or, for one channel, without the last dimension.
        Those within `reach` of a cut are not used.
    threads : int, optional
        Number of threads; all cores unless given.
    samples : int
        Number of samples of a strip, about; more where that is little beside what overlaps.

    Returns
    -------
    float32 array, (height, width, channels)

    Examples
    --------
    >>> x = np.arange(5, dtype=np.float32).reshape(5, 1, 1)
    >>> in_windows(x, 1, lambda rows: np.maximum(rows, np.roll(rows, -1, axis=0)), samples=1)[:4, 0, 0].tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    height = len(x)
    out = np.empty(x.shape, np.float32)

    def strip(rows: slice) -> None:
        first, last = max(rows.start - reach, 0), min(rows.stop + reach, height)
        part = np.ascontiguousarray(x[first:last])
        out[rows] = np.reshape(do(part), part.shape)[rows.start - first : rows.stop - first]

    in_strips(height, x[0].size, strip, threads, max(samples, 4 * reach * x[0].size))
    return out
