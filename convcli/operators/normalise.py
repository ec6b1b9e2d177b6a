"""Batch normalisation as it is used once trained: each channel by a mean and a variance that are known."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import UsageError
from convcli.operators.strips import ImageArray, as_image, per_channel, pointwise

# Channels from which on rows are multiplied channel by channel; fewer are laid out along the row first.
_MANY_CHANNELS = 32


def batch_norm(
    x: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    scale: ArrayLike | None = None,
    shift: ArrayLike | None = None,
    *,
    epsilon: float = 1e-5,
    out: ImageArray | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Normalise each channel: (x - mean) / sqrt(variance + epsilon) * scale + shift.

    Each of these is a number a channel, or one for all; scale is 1 and shift 0 if None (torch: weight and bias). `out`
    takes the result, and may be `x`. After Ioffe and Szegedy, Batch normalization (2015), in inference.

    >>> batch_norm([[[3.0, 4.0]]], mean=[1, 2], variance=[4, 1], epsilon=0).tolist()
    [[[1.0, 2.0]]]

    Raises
    ------
    UsageError
        where a variance plus epsilon is not positive, or the numbers are not as many as channels.
    """
    image = as_image(x)
    gain, offset = norm_factors(image.shape[2], mean, variance, scale, shift, epsilon)
    return affine(image, gain, offset, out=out, threads=threads)


def norm_factors(
    channels: int,
    mean: ArrayLike,
    variance: ArrayLike,
    scale: ArrayLike | None = None,
    shift: ArrayLike | None = None,
    epsilon: float = 1e-5,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give what `batch_norm` comes to: (gain, offset), each a number a channel, with gain * x + offset the result.

    >>> norm_factors(1, mean=3, variance=4, epsilon=0)
    (array([0.5]), array([-1.5]))
    """
    spread = per_channel("variance", variance, channels) + epsilon
    if not (spread > 0).all():
        raise UsageError(f"a variance plus epsilon must be positive, and {spread.min():g} is not")
    gain = 1 / np.sqrt(spread)
    if scale is not None:
        gain *= per_channel("scale", scale, channels)
    offset = -per_channel("mean", mean, channels) * gain
    if shift is not None:
        offset += per_channel("shift", shift, channels)
    if not (np.isfinite(gain).all() and np.isfinite(offset).all()):
        raise UsageError("mean, variance, scale and shift must be finite")
    return gain, offset


def affine(
    x: ImageArray,
    gain: NDArray[np.float64],
    offset: NDArray[np.float64],
    out: ImageArray | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Give gain * x + offset, each a number a channel; `out` takes the result, and may be `x`.

    >>> affine(np.ones((1, 1, 2), np.float32), np.array([1.0, 2.0]), np.array([0.0, 5.0])).tolist()
    [[[1.0, 7.0]]]
    """
    width, channels = x.shape[1:]
    few = channels < _MANY_CHANNELS and x.flags.c_contiguous and (out is None or out.flags.c_contiguous)
    repeats = width if few else 1
    factors = np.tile(gain.astype(np.float32), repeats)
    summands = np.tile(offset.astype(np.float32), repeats)

    def do(part: ImageArray, to: ImageArray) -> None:
        lines, result = part.reshape(-1, factors.size), to.reshape(-1, factors.size)
        np.multiply(lines, factors, out=result)
        result += summands

    def do_strided(part: ImageArray, to: ImageArray) -> None:
        np.multiply(part, factors, out=to)
        to += summands

    return pointwise(x, do if few else do_strided, out, threads)
