"""Pools: the largest or the mean sample of each window, as torch's max_pool2d and avg_pool2d define them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.sizes import pair, pool_size
from convcli.operators.strips import in_strips

# Channels from which on one call for all of them is quicker than one for each.
_MANY_CHANNELS = 8
# Rows that are summed in float32 before sums go on in float64: the error stays that of one rounding or two.
_ROWS_AT_ONCE = 16
# A ufunc of two arguments, such as np.maximum.
_Join = Callable[..., object]


def max_pool(
    x: ArrayLike,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil: bool = False,
    threads: int | None = None,
) -> ImageArray:
    """Keep the largest sample of each window, in each channel.

    Parameters
    ----------
    x : array_like, (height, width, channels)
        NaN is larger than every number.
    kernel : int or pair of int
        Rows and columns of the window.
    stride : int or pair of int, optional
        Distance between windows; the size of the window unless given.
    padding : int or pair of int
        Samples added on each side, at most half of the window; they are never the largest.
    dilation : int or pair of int
        Distance between the samples of a window.
    ceil : bool
        Whether a last window may reach beyond the end.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (h, w, channels)
        Of the size that `pool_size` gives.

    Raises
    ------
    UsageError
        If the padding is more than half of the window.
    FilterError
        If the window does not fit.

    Examples
    --------
    >>> max_pool(np.arange(16.0).reshape(4, 4, 1), 2)[..., 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    >>> max_pool(np.arange(9.0).reshape(3, 3, 1), 2, ceil=True)[..., 0].tolist()
    [[4.0, 5.0], [7.0, 8.0]]
    """
    image = as_image(x)
    rows, columns = _axes(image, kernel, stride, padding, dilation, ceil)
    return _reduce(image, rows, columns, np.maximum, -np.inf, threads)


def average_pool(
    x: ArrayLike,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil: bool = False,
    count_padding: bool = True,
    divisor: float | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Take the mean of each window, in each channel.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    kernel, stride, padding, ceil, threads
        As for `max_pool`; samples of the padding are 0.
    count_padding : bool
        Whether samples of the padding count (in PyTorch: count_include_pad). What reaches beyond the end, with `ceil`,
        never counts.
    divisor : float, optional
        What the sum is divided by, in place of the number of samples.

    Returns
    -------
    float32 array, (h, w, channels)
        Of the size that `pool_size` gives.

    Raises
    ------
    UsageError
        If the padding is more than half of the window, or the divisor is 0 or not finite.
    FilterError
        If the window does not fit.

    Examples
    --------
    >>> average_pool(np.ones((2, 2, 1)), 2, padding=1, stride=2)[..., 0].tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    >>> average_pool(np.ones((3, 3, 1)), 2, padding=1, count_padding=False).min()
    np.float32(1.0)
    """
    if divisor is not None and not (np.isfinite(divisor) and divisor != 0):
        raise UsageError(f"the divisor of an average must be a number other than 0, not {divisor}")
    image = as_image(x)
    rows, columns = _axes(image, kernel, stride, padding, 1, ceil)
    if divisor is None:
        counts = rows.counts(count_padding), columns.counts(count_padding)
    else:
        counts = np.full(rows.output, float(divisor)), np.ones(columns.output)
    return _reduce(image, rows, columns, np.add, 0.0, threads, counts)


def global_average_pool(x: ArrayLike) -> ImageArray:
    """Take the mean of each channel. Lin et al., Network in network (2013).

    Parameters
    ----------
    x : array_like, (height, width, channels)

    Returns
    -------
    float32 array, (1, 1, channels)

    Examples
    --------
    >>> global_average_pool(np.arange(8.0).reshape(2, 2, 2)).tolist()
    [[[3.0, 4.0]]]
    """
    image = np.ascontiguousarray(as_image(x))
    height, width, channels = image.shape
    rows = image.reshape(height, width * channels)
    # Each pixel of a few rows first: long rows, which float32 sums exactly enough, are what makes this quick.
    total = np.zeros(width * channels)
    for first in range(0, height, _ROWS_AT_ONCE):
        total += rows[first : first + _ROWS_AT_ONCE].sum(axis=0)
    mean: ImageArray = (total.reshape(width, channels).sum(axis=0) / (height * width)).astype(np.float32)
    return mean.reshape(1, 1, -1)


def global_max_pool(x: ArrayLike) -> ImageArray:
    """Keep the largest sample of each channel.

    Parameters
    ----------
    x : array_like, (height, width, channels)

    Returns
    -------
    float32 array, (1, 1, channels)

    Examples
    --------
    >>> global_max_pool(np.arange(8.0).reshape(2, 2, 2)).tolist()
    [[[6.0, 7.0]]]
    """
    image = as_image(x)
    largest: ImageArray = image.max(axis=0).max(axis=0).reshape(1, 1, -1)
    return largest


@dataclass(frozen=True)
class _Axis:
    """One axis of a pool."""

    length: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    output: int

    def met(self, tap: int, first: int, last: int) -> tuple[slice, slice]:
        """Return which outputs from `first` to `last` - 1, counted from `first`, read a sample by a tap, and which."""
        offset = tap * self.dilation - self.padding
        begin = max(first, -(offset // self.stride))  # the first with output * stride + offset >= 0
        end = max(begin, min(last, (self.length - 1 - offset) // self.stride + 1))
        start = begin * self.stride + offset
        return slice(begin - first, end - first), slice(start, start + (end - begin) * self.stride, self.stride)

    def counts(self, padding: bool) -> NDArray[np.float64]:
        """Return the number of samples in the window of each output, with those of the padding or without."""
        begin = np.arange(self.output) * self.stride - self.padding
        end = np.minimum(begin + self.kernel, self.length + self.padding)
        if not padding:
            begin, end = np.maximum(begin, 0), np.minimum(end, self.length)
        return (end - begin).astype(np.float64)


def _axes(
    image: ImageArray,
    kernel: int | Sequence[int],
    stride: int | Sequence[int] | None,
    padding: int | Sequence[int],
    dilation: int | Sequence[int],
    ceil: bool,
) -> tuple[_Axis, _Axis]:
    kernels = pair("kernel", kernel)
    strides = kernels if stride is None else pair("stride", stride)
    paddings, dilations = pair("padding", padding, least=0), pair("dilation", dilation)
    rows, columns = (
        _Axis(*each, pool_size(*each, ceil).output)
        for each in zip(image.shape[:2], kernels, strides, paddings, dilations, strict=True)
    )
    return rows, columns


def _reduce(
    image: ImageArray,
    rows: _Axis,
    columns: _Axis,
    join: _Join,
    start: float,
    threads: int | None,
    counts: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> ImageArray:
    """Reduce the samples of each window, first those of its columns: rows + columns passes, not their product."""
    width, channels = image.shape[1:]
    out = np.empty((rows.output, columns.output, channels), np.float32)

    def strip(part: slice) -> None:
        upright = np.full((part.stop - part.start, width, channels), start, np.float32)
        for tap in range(rows.kernel):
            to, source = rows.met(tap, part.start, part.stop)
            join(upright[to], image[source], out=upright[to])
        target = out[part]
        target[...] = start
        for tap in range(columns.kernel):
            to, source = columns.met(tap, 0, columns.output)
            _join_columns(join, target[:, to], upright[:, source])
        if counts is not None:
            for row, count in enumerate(counts[0][part]):
                target[row] /= (count * counts[1]).astype(np.float32)[:, np.newaxis]

    in_strips(rows.output, max(width, columns.output) * channels, strip, threads)
    return out


def _join_columns(join: _Join, target: ImageArray, source: ImageArray) -> None:
    if target.shape[2] >= _MANY_CHANNELS:
        join(target, source, out=target)
        return
    # Columns as the innermost loop, which a few channels would make very short.
    for channel in range(target.shape[2]):
        join(target[..., channel], source[..., channel], out=target[..., channel])
