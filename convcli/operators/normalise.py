"""Batch normalisation in inference: each channel by a known mean and variance."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image, per_channel
from convcli.operators.strips import pointwise

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

    After Ioffe and Szegedy, Batch normalization (2015), in inference.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    mean, variance : array_like
        A number for each channel, or one for all.
    scale, shift : array_like, optional
        The same; 1 and 0 unless given (in PyTorch: weight and bias).
    epsilon : float
        Added to the variance.
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If a variance plus epsilon is not positive, or there are not as many numbers as channels.

    Examples
    --------
    >>> batch_norm([[[3.0, 4.0]]], mean=[1, 2], variance=[4, 1], epsilon=0).tolist()
    [[[1.0, 2.0]]]
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
    """Return `batch_norm` as a gain and an offset for each channel: gain * x + offset.

    Parameters
    ----------
    channels : int
    mean, variance, scale, shift, epsilon
        As for `batch_norm`.

    Returns
    -------
    gain, offset : float64 arrays, (channels,)

    Raises
    ------
    UsageError
        As `batch_norm`.

    Examples
    --------
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
    """Compute gain * x + offset, with a gain and an offset for each channel.

    Parameters
    ----------
    x : float32 array, (height, width, channels)
    gain, offset : float64 arrays, (channels,)
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Examples
    --------
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
