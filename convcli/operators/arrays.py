"""The arrays that operators take: images of three dimensions, and one number for each channel."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import FilterError, UsageError

# (height, width, channels)
ImageArray = NDArray[np.float32]


def as_image(x: ArrayLike, what: str = "an input") -> ImageArray:
    """Return an array as float32, (height, width, channels); `what` names it in messages.

    Raises
    ------
    FilterError
        If it has not three dimensions, or an empty one.

    Examples
    --------
    >>> as_image(np.zeros((2, 3)))
    Traceback (most recent call last):
    convcli.errors.FilterError: an input has 3 dimensions (height, width, channels) and no empty one, not shape (2, 3)
    """
    array = np.asarray(x, np.float32)
    if array.ndim != 3 or array.size == 0:
        raise FilterError(
            f"{what} has 3 dimensions (height, width, channels) and no empty one, not shape {array.shape}"
        )
    return array


def same_shape(what: str, *inputs: ImageArray) -> None:
    """Raise FilterError unless all inputs have one shape.

    >>> same_shape("add", np.zeros((2, 3, 1)), np.zeros((2, 4, 1)))
    Traceback (most recent call last):
    convcli.errors.FilterError: add wants inputs of one size, not 2 x 3 x 1 and 2 x 4 x 1
    """
    if len({each.shape for each in inputs}) > 1:
        shapes = " and ".join(shape_text(each.shape) for each in inputs)
        raise FilterError(f"{what} wants inputs of one size, not {shapes}")


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as messages write it.

    >>> shape_text((2, 3, 1))
    '2 x 3 x 1'
    """
    return " x ".join(map(str, shape))


def per_channel(what: str, values: ArrayLike, channels: int) -> NDArray[np.float64]:
    """Return one number for each channel, from one for each or one for all.

    Raises
    ------
    UsageError
        If there are not as many numbers as channels.

    Examples
    --------
    >>> per_channel("bias", 1.5, 2).tolist()
    [1.5, 1.5]
    >>> per_channel("bias", [1, 2, 3], 2)
    Traceback (most recent call last):
    convcli.errors.UsageError: bias holds 3 numbers for 2 channels
    """
    array = np.asarray(values, np.float64)
    if array.ndim == 0:
        return np.full(channels, array)
    if array.shape != (channels,):
        raise UsageError(f"{what} holds {array.size} numbers for {channels} channels")
    return array
