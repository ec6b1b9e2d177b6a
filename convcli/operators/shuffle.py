"""Channels into pixels and back: torch.nn.functional's pixel_shuffle and pixel_unshuffle.

Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel convolutional network (2016).
"""

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import FilterError, UsageError
from convcli.operators.strips import ImageArray, as_image, shape_words


def pixel_shuffle(x: ArrayLike, factor: int) -> ImageArray:
    """Lay factor^2 channels out as factor x factor pixels of one: (h, w, c f^2) to (h f, w f, c).

    `out[y f + i, x f + j, c] = in[y, x, c f^2 + i f + j]`.

    >>> pixel_shuffle([[[1.0, 2.0, 3.0, 4.0]]], 2)[..., 0].tolist()
    [[1.0, 2.0], [3.0, 4.0]]

    Raises
    ------
    FilterError
        where the channels are no multiple of factor^2.
    """
    _check(factor)
    image = as_image(x)
    height, width, channels = image.shape
    if channels % factor**2:
        raise FilterError(f"{channels} channels cannot be laid out as {factor} x {factor} pixels: not a multiple")
    split = image.reshape(height, width, -1, factor, factor)
    shuffled = split.transpose(0, 3, 1, 4, 2).reshape(height * factor, width * factor, -1)
    return np.ascontiguousarray(shuffled)


def pixel_unshuffle(x: ArrayLike, factor: int) -> ImageArray:
    """Undo `pixel_shuffle`: (h f, w f, c) to (h, w, c f^2).

    >>> pixel_unshuffle([[[1.0], [2.0]], [[3.0], [4.0]]], 2).tolist()
    [[[1.0, 2.0, 3.0, 4.0]]]

    Raises
    ------
    FilterError
        where height or width is no multiple of the factor.
    """
    _check(factor)
    image = as_image(x)
    height, width, channels = image.shape
    if height % factor or width % factor:
        raise FilterError(f"{shape_words(image.shape[:2])} pixels cannot be split into squares of {factor} x {factor}")
    split = image.reshape(height // factor, factor, width // factor, factor, channels)
    gathered = split.transpose(0, 2, 4, 1, 3).reshape(height // factor, width // factor, -1)
    return np.ascontiguousarray(gathered)


def _check(factor: int) -> None:
    if factor < 1:
        raise UsageError(f"the factor of a shuffle must be a whole number of at least 1, not {factor}")
