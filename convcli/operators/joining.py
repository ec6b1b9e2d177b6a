"""Several images combined into one, and several channels into one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import FilterError, UsageError
from convcli.operators.arrays import ImageArray, as_image, same_shape, shape_text
from convcli.operators.strips import in_strips


def concat(inputs: Sequence[ArrayLike]) -> ImageArray:
    """Concatenate the channels of images of one height and width.

    Parameters
    ----------
    inputs : sequence of array_like, (height, width, any number of channels)

    Returns
    -------
    float32 array, (height, width, sum of channels)

    Raises
    ------
    FilterError
        If heights or widths differ.
    UsageError
        If there is no input.

    Examples
    --------
    >>> concat([[[[1.0]]], [[[2.0, 3.0]]]]).tolist()
    [[[1.0, 2.0, 3.0]]]
    """
    images = _images(inputs, "concat")
    if len({image.shape[:2] for image in images}) > 1:
        sizes = " and ".join(shape_text(image.shape[:2]) for image in images)
        raise FilterError(f"concat wants inputs of one height and width, not {sizes}")
    return np.concatenate(images, axis=2)


def add(
    inputs: Sequence[ArrayLike],
    factors: Sequence[float] | None = None,
    value: float = 0.0,
    threads: int | None = None,
) -> ImageArray:
    """Add images, each multiplied by its factor where factors are given ([1, -1] for a difference), and a number.

    Parameters
    ----------
    inputs : sequence of array_like, (height, width, channels)
        One of a single channel is added to every channel of the others, one of a single pixel to every pixel.
    factors : sequence of float, optional
        One for each input.
    value : float
        Added to every sample.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If there is no input, or not as many factors as inputs.
    FilterError
        If shapes do not go together.

    Examples
    --------
    >>> add([[[[5.0]]], [[[2.0]]]], [1, -1]).tolist(), add([[[[5.0]]]], value=0.5).tolist()
    ([[[3.0]]], [[[5.5]]])
    """
    images = _images(inputs, "add")
    if factors is not None and len(factors) != len(images):
        raise UsageError(f"add was given {len(factors)} factors for {len(images)} inputs")
    numbers = np.asarray([1.0] * len(images) if factors is None else factors, np.float32)
    first = alike(images, "add")

    def strip(rows: slice) -> None:
        target = out[rows]
        np.multiply(first[0][rows], numbers[0], out=target)
        for image, factor in zip(first[1:], numbers[1:], strict=True):
            if factor == 1:
                target += image[rows]
            else:
                target += image[rows] * factor
        if value:
            target += np.float32(value)

    out = np.empty(first[0].shape, np.float32)
    in_strips(len(out), out[0].size, strip, threads)
    return out


def multiply(inputs: Sequence[ArrayLike], value: float = 1.0, threads: int | None = None) -> ImageArray:
    """Multiply images sample by sample, and by a number.

    Parameters
    ----------
    inputs : sequence of array_like, (height, width, channels)
        Those of a single channel or pixel are repeated, as for `add`.
    value : float
        Multiplies every sample.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If there is no input.
    FilterError
        If shapes do not go together.

    Examples
    --------
    >>> multiply([[[[5.0, 1.0]]], [[[2.0]]]]).tolist(), multiply([[[[5.0]]]], 0.5).tolist()
    ([[[10.0, 2.0]]], [[[2.5]]])
    """
    images = alike(_images(inputs, "multiply"), "multiply")
    out = np.empty(images[0].shape, np.float32)

    def strip(rows: slice) -> None:
        np.multiply(images[0][rows], np.float32(value), out=out[rows])
        for image in images[1:]:
            out[rows] *= image[rows]

    in_strips(len(out), out[0].size, strip, threads)
    return out


def select(x: ArrayLike, channels: Sequence[int]) -> ImageArray:
    """Return some channels of an image, in the order given.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    channels : sequence of int
        Counted from 1; one may be named several times.

    Returns
    -------
    float32 array, (height, width, len(channels))

    Raises
    ------
    FilterError
        If there is no such channel.

    Examples
    --------
    >>> select([[[5.0, 6.0, 7.0]]], [3, 1]).tolist()
    [[[7.0, 5.0]]]
    """
    image = as_image(x)
    check_selection(channels, image.shape[2])
    return image[..., [channel - 1 for channel in channels]]


def check_selection(channels: Sequence[int], count: int) -> None:
    """Raise FilterError unless all of `channels`, counted from 1, are among `count`."""
    for channel in channels:
        if not 1 <= channel <= count:
            raise FilterError(f"there is no channel {channel}: the input has {count}, counted from 1")


def joined_shape(what: str, *shapes: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the shape of a sum or product: along each dimension, shapes other than 1 must be equal.

    Parameters
    ----------
    what : str
        What is computed, for messages.
    *shapes : tuple of (int, int, int)
        Those of the inputs.

    Raises
    ------
    FilterError
        If they do not go together.

    Examples
    --------
    >>> joined_shape("add", (4, 5, 3), (4, 5, 1), (1, 1, 3))
    (4, 5, 3)
    >>> joined_shape("add", (4, 5, 3), (4, 6, 3))
    Traceback (most recent call last):
    convcli.errors.FilterError: add wants inputs of one size, or with one channel, or of one pixel, not 4 x 5 x 3 and \
4 x 6 x 3
    """
    height, width, channels = (max(each) for each in zip(*shapes, strict=True))
    for shape in shapes:
        if shape[:2] not in ((height, width), (1, 1)) or shape[2] not in (channels, 1):
            words = " and ".join(map(shape_text, shapes))
            raise FilterError(f"{what} wants inputs of one size, or with one channel, or of one pixel, not {words}")
    return height, width, channels


def max_over_channels(x: ArrayLike, threads: int | None = None) -> ImageArray:
    """Keep the largest sample of each pixel.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, 1)

    Examples
    --------
    >>> max_over_channels([[[1.0, 5.0, 3.0]]]).tolist()
    [[[5.0]]]
    """
    image = as_image(x)
    out = np.empty((*image.shape[:2], 1), np.float32)

    def strip(rows: slice) -> None:
        part, target = image[rows], out[rows, :, 0]
        # Channel by channel: a maximum along a short innermost axis takes several times as long.
        target[...] = part[..., 0]
        for channel in range(1, image.shape[2]):
            np.maximum(target, part[..., channel], out=target)

    in_strips(len(image), image[0].size, strip, threads)
    return out


def magnitude(x: ArrayLike, y: ArrayLike, norm: str = "l2", threads: int | None = None) -> ImageArray:
    """Compute the magnitude of a gradient.

    Parameters
    ----------
    x, y : array_like, (height, width, channels)
        Its components to the right and downward.
    norm : {"l2", "l1"}
        sqrt(x^2 + y^2), or |x| + |y|.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If `norm` is another word.
    FilterError
        If shapes differ.

    Examples
    --------
    >>> magnitude([[[3.0]]], [[[-4.0]]]).tolist(), magnitude([[[3.0]]], [[[-4.0]]], "l1").tolist()
    ([[[5.0]]], [[[7.0]]])
    """
    if norm not in ("l1", "l2"):
        raise UsageError(f"unknown norm {norm!r}: expected l1, l2")
    across, down = as_image(x), as_image(y)
    same_shape("magnitude", across, down)
    out = np.empty(across.shape, np.float32)

    def strip(rows: slice) -> None:
        target = out[rows]
        if norm == "l1":
            np.abs(across[rows], out=target)
            target += np.abs(down[rows])
            return
        # In float64, where no square of a float32 overflows.
        squares = across[rows].astype(np.float64) ** 2
        squares += down[rows].astype(np.float64) ** 2
        np.sqrt(squares, out=squares)
        target[...] = squares

    in_strips(len(out), out[0].size, strip, threads)
    return out


def direction(x: ArrayLike, y: ArrayLike, threads: int | None = None) -> ImageArray:
    """Compute the direction of a gradient in degrees, from -180 to 180: 0 to the right, 90 downward, 0 for a zero.

    Parameters
    ----------
    x, y : array_like, (height, width, channels)
        Its components to the right and downward.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    FilterError
        If shapes differ.

    Examples
    --------
    >>> direction([[[1.0, 0.0, -1.0]]], [[[0.0, 1.0, -1.0]]]).tolist()
    [[[0.0, 90.0, -135.0]]]
    """
    across, down = as_image(x), as_image(y)
    same_shape("direction", across, down)
    degrees = np.float32(180 / np.pi)
    out = np.empty(across.shape, np.float32)

    def strip(rows: slice) -> None:
        np.arctan2(down[rows], across[rows], out=out[rows])
        out[rows] *= degrees

    in_strips(len(out), out[0].size, strip, threads)
    return out


def _images(inputs: Sequence[ArrayLike], what: str) -> list[ImageArray]:
    if not inputs:
        raise UsageError(f"{what} wants at least one input")
    return [as_image(each) for each in inputs]


def alike(images: list[ImageArray], what: str) -> list[ImageArray]:
    """Return views of images in which those of one channel or pixel are repeated to the common shape.

    Parameters
    ----------
    images : list of float32 arrays, (height, width, channels)
    what : str
        What is computed, for messages.

    Raises
    ------
    FilterError
        If they do not go together.
    """
    shape = joined_shape(what, *(image.shape for image in images))
    return [np.broadcast_to(image, shape) for image in images]
