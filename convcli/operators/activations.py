"""Activation functions, applied to each sample by itself, and softmax."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import check_word
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.strips import in_strips, pointwise

# Below this, e^-x overflows float32, and the logistic function is zero.
_LEAST_LOGIT = -88.0
# Channels from which on pixels are gone through one by one.
_MANY_CHANNELS = 16


def relu(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """Replace negative samples by 0: max(x, 0). Nair and Hinton (2010).

    Parameters
    ----------
    x : array_like, (height, width, channels)
        NaN stays NaN.
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array of the shape of `x`

    Raises
    ------
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> relu([[[-1.0, 2.0]]]).tolist()
    [[[0.0, 2.0]]]
    """
    return pointwise(as_image(x), lambda part, to: np.maximum(part, np.float32(0), out=to), out, threads)


def leaky_relu(
    x: ArrayLike, slope: float = 0.01, out: ImageArray | None = None, threads: int | None = None
) -> ImageArray:
    """Multiply negative samples by a small slope: x where x >= 0, else slope * x. Maas et al. (2013).

    Parameters
    ----------
    x : array_like, (height, width, channels)
    slope : float
        What negative samples are multiplied by.
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array of the shape of `x`

    Raises
    ------
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> leaky_relu([[[-1.0, 2.0]]], slope=0.5).tolist()
    [[[-0.5, 2.0]]]
    """

    def do(part: ImageArray, to: ImageArray) -> None:
        np.add(np.maximum(part, 0), np.minimum(part, 0) * np.float32(slope), out=to)

    return pointwise(as_image(x), do, out, threads)


def sigmoid(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """Apply the logistic function 1 / (1 + e^-x), whose values lie between 0 and 1.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array of the shape of `x`

    Raises
    ------
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> sigmoid([[[0.0, -200.0, 200.0]]]).tolist()
    [[[0.5, 0.0, 1.0]]]
    """

    def do(part: ImageArray, to: ImageArray) -> None:
        power = np.exp(-np.maximum(part, np.float32(_LEAST_LOGIT)))
        power += 1
        np.divide(np.where(part < _LEAST_LOGIT, np.float32(0), np.float32(1)), power, out=to)

    return pointwise(as_image(x), do, out, threads)


def tanh(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """Apply the hyperbolic tangent, whose values lie between -1 and 1.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array of the shape of `x`

    Raises
    ------
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> tanh([[[0.0, 100.0]]]).tolist()
    [[[0.0, 1.0]]]
    """
    return pointwise(as_image(x), lambda part, to: np.tanh(part, out=to), out, threads)


def softmax(x: ArrayLike, over: str = "channels", threads: int | None = None) -> ImageArray:
    """Turn samples into shares that sum to 1: e^x divided by the sum of e^x.

    The largest sample is subtracted first, so that no power overflows.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    over : {"channels", "positions"}
        What sums to 1: the channels of each pixel, or all positions of each channel.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array of the shape of `x`

    Raises
    ------
    UsageError
        If `over` is another word.
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> softmax([[[0.0, np.log(3.0)]]]).round(3).tolist()
    [[[0.25, 0.75]]]
    >>> softmax([[[1.0, 1.0]], [[1.0, 1.0]]], over="positions").tolist()
    [[[0.5, 0.5]], [[0.5, 0.5]]]
    """
    check_word("over", over, ("channels", "positions"))
    image = as_image(x)
    if over == "positions":
        powers: ImageArray = np.exp(image - image.max(axis=(0, 1)))
        powers /= powers.sum(axis=(0, 1), dtype=np.float64).astype(np.float32)
        return powers
    out = np.empty_like(image, order="C")

    def strip(rows: slice) -> None:
        part, target = image[rows], out[rows]
        if image.shape[2] >= _MANY_CHANNELS:
            np.subtract(part, part.max(axis=2, keepdims=True), out=target)
            np.exp(target, out=target)
            target /= target.sum(axis=2, keepdims=True)
            return
        # Channel by channel: reducing a short innermost axis takes several times as long.
        planes = np.array(part.transpose(2, 0, 1), order="C")
        planes -= planes.max(axis=0)
        np.exp(planes, out=planes)
        np.divide(planes, planes.sum(axis=0), out=target.transpose(2, 0, 1))

    in_strips(len(image), image[0].size, strip, threads)
    return out


# Those that need no more than samples, by name.
ACTIVATIONS: dict[str, Callable[..., ImageArray]] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
}
