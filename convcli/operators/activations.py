"""What is done to each sample by itself between convolutions, and softmax."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import check_word
from convcli.operators.strips import ImageArray, as_image, in_strips, pointwise

# Below this, e^-x overflows float32, and the logistic function is zero.
_LEAST_LOGIT = -88.0
# Channels from which on pixels are gone through one by one.
_MANY_CHANNELS = 16


def relu(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """Keep what is positive: max(x, 0). `out` takes the result, and may be `x`. NaN stays.

    >>> relu([[[-1.0, 2.0]]]).tolist()
    [[[0.0, 2.0]]]
    """
    return pointwise(as_image(x), lambda part, to: np.maximum(part, np.float32(0), out=to), out, threads)


def leaky_relu(
    x: ArrayLike, slope: float = 0.01, out: ImageArray | None = None, threads: int | None = None
) -> ImageArray:
    """Keep what is positive, and a part of what is negative: x or slope * x. `out` takes the result, and may be `x`.

    >>> leaky_relu([[[-1.0, 2.0]]], slope=0.5).tolist()
    [[[-0.5, 2.0]]]
    """

    def do(part: ImageArray, to: ImageArray) -> None:
        np.add(np.maximum(part, 0), np.minimum(part, 0) * np.float32(slope), out=to)

    return pointwise(as_image(x), do, out, threads)


def sigmoid(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """The logistic function 1 / (1 + e^-x), between 0 and 1. `out` takes the result, and may be `x`.

    >>> sigmoid([[[0.0, -200.0, 200.0]]]).tolist()
    [[[0.5, 0.0, 1.0]]]
    """

    def do(part: ImageArray, to: ImageArray) -> None:
        power = np.exp(-np.maximum(part, np.float32(_LEAST_LOGIT)))
        power += 1
        np.divide(np.where(part < _LEAST_LOGIT, np.float32(0), np.float32(1)), power, out=to)

    return pointwise(as_image(x), do, out, threads)


def tanh(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """The hyperbolic tangent, between -1 and 1. `out` takes the result, and may be `x`.

    >>> tanh([[[0.0, 100.0]]]).tolist()
    [[[0.0, 1.0]]]
    """
    return pointwise(as_image(x), lambda part, to: np.tanh(part, out=to), out, threads)


def softmax(x: ArrayLike, over: str = "channels", threads: int | None = None) -> ImageArray:
    """Turn samples into shares that sum to 1: e^x over the sum of e^x, at each pixel, or in each channel.

    `over` is what is summed over: `channels`, or `positions`. The largest sample is taken off first, so that no power
    overflows.

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
