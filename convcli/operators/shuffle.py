"""Channels exchanged for pixels: torch.nn.functional's pixel_shuffle and pixel_unshuffle.

Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel convolutional network (2016).
"""

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import FilterError, UsageError
from convcli.operators.arrays import ImageArray, as_image, shape_text


def pixel_shuffle(x: ArrayLike, factor: int) -> ImageArray:
    """Turn factor^2 channels into factor x factor pixels: `out[y f + i, x f + j, c] = in[y, x, c f^2 + i f + j]`.

    Parameters
    ----------
    x : array_like, (height, width, channels * factor^2)
    factor : int

    Returns
    -------
    float32 array, (height * factor, width * factor, channels)

    Raises
    ------
    UsageError
        If the factor is less than 1.
    FilterError
        If the number of channels is not a multiple of factor^2.

    Examples
    --------
    >>> pixel_shuffle([[[1.0, 2.0, 3.0, 4.0]]], 2)[..., 0].tolist()
    [[1.0, 2.0], [3.0, 4.0]]
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
    """Turn factor x factor pixels into factor^2 channels: the inverse of `pixel_shuffle`.

    Parameters
    ----------
    x : array_like, (height * factor, width * factor, channels)
    factor : int

    Returns
    -------
    float32 array, (height, width, channels * factor^2)

    Raises
    ------
    UsageError
        If the factor is less than 1.
    FilterError
        If height or width is not a multiple of the factor.

    Examples
    --------
    >>> pixel_unshuffle([[[1.0], [2.0]], [[3.0], [4.0]]], 2).tolist()
    [[[1.0, 2.0, 3.0, 4.0]]]
    """
    _check(factor)
    image = as_image(x)
    height, width, channels = image.shape
    if height % factor or width % factor:
        raise FilterError(f"{shape_text(image.shape[:2])} pixels cannot be split into squares of {factor} x {factor}")
    split = image.reshape(height // factor, factor, width // factor, factor, channels)
    gathered = split.transpose(0, 2, 4, 1, 3).reshape(height // factor, width // factor, -1)
    return np.ascontiguousarray(gathered)


def _check(factor: int) -> None:
    if factor < 1:
        raise UsageError(f"the factor of a shuffle must be a whole number of at least 1, not {factor}")
