"""Colour spaces: CIE L*a*b* and HSV by cv2.cvtColor on float32, Y'CbCr by its matrix."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import FilterError
from convcli.image import tone
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.strips import pointwise

_CHANNELS = 3
_FLOAT = np.dtype(np.float32)
# Recommendation ITU-T T.871 (JFIF). cv2.cvtColor's coefficients are these rounded to three places.
_TO_YCBCR = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 / 1.772, -0.587 / 1.772, 0.886 / 1.772],
        [0.701 / 1.402, -0.587 / 1.402, -0.114 / 1.402],
    ]
)
_MIDDLE = np.array([0, 0.5, 0.5])


def to_lab(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Turn sRGB into CIE 1976 L*a*b* under D65: lightness from 0 to 100, green to red, and blue to yellow.

    Parameters
    ----------
    x : array_like, (height, width, 3)
        Limited to the range from black to white first.
    white : float
        The value that stands for white.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, 3)
        NaN in all three where one is.

    Raises
    ------
    FilterError
        If there are not 3 channels.

    Examples
    --------
    >>> to_lab([[[1.0, 1.0, 1.0]]]).round(1).tolist()
    [[[100.0, 0.0, 0.0]]]
    """
    image = _colours(x)
    linear = pointwise(
        image,
        lambda part, to: np.copyto(to, tone.to_linear(np.clip(part, 0, np.float32(white)), white, _FLOAT)),
        None,
        threads,
    )
    # Linear light, for cv2 takes that of sRGB from a table of 33 steps, which is off by up to 0.3 of 100.
    return _converted(linear, "COLOR_LRGB2Lab", (1 / white,) * 3, (1, 1, 1), threads)


def from_lab(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Turn L*a*b* into sRGB: the inverse of `to_lab`. Colours that sRGB lacks are limited to its range.

    Parameters
    ----------
    x : array_like, (height, width, 3)
    white, threads
        As for `to_lab`.

    Returns
    -------
    float32 array, (height, width, 3)

    Raises
    ------
    FilterError
        If there are not 3 channels.

    Examples
    --------
    >>> from_lab([[[100.0, 0.0, 0.0]]]).round(2).tolist()
    [[[1.0, 1.0, 1.0]]]
    """
    linear = _converted(x, "COLOR_Lab2LRGB", (1, 1, 1), (white,) * 3, threads)
    return pointwise(
        linear,
        lambda part, to: np.copyto(to, tone.from_linear(np.clip(part, 0, np.float32(white)), white)),
        linear,
        threads,
    )


def to_ycbcr(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Turn RGB into Y'CbCr of BT.601 in full range, as JPEG has it: luma, and two differences around half of white.

    Parameters
    ----------
    x : array_like, (height, width, 3)
    white, threads
        As for `to_lab`.

    Returns
    -------
    float32 array, (height, width, 3)

    Raises
    ------
    FilterError
        If there are not 3 channels.

    Examples
    --------
    >>> to_ycbcr([[[0.0, 0.0, 255.0]]], white=255).round(0).tolist()
    [[[29.0, 255.0, 107.0]]]
    """
    return _transformed(x, _TO_YCBCR, _MIDDLE * white, threads)


def from_ycbcr(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Turn Y'CbCr into RGB: the inverse of `to_ycbcr`.

    Parameters
    ----------
    x : array_like, (height, width, 3)
    white, threads
        As for `to_lab`.

    Returns
    -------
    float32 array, (height, width, 3)

    Raises
    ------
    FilterError
        If there are not 3 channels.

    Examples
    --------
    >>> from_ycbcr([[[0.5, 0.5, 0.5]]]).round(3).tolist()
    [[[0.5, 0.5, 0.5]]]
    """
    back = np.linalg.inv(_TO_YCBCR)
    return _transformed(x, back, -back @ _MIDDLE * white, threads)


def to_hsv(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Turn RGB into hue in degrees from 0 to 360, saturation from 0 to 1 and value, the largest of the three.

    Parameters
    ----------
    x : array_like, (height, width, 3)
    white, threads
        As for `to_lab`; the value is in these units.

    Returns
    -------
    float32 array, (height, width, 3)

    Raises
    ------
    FilterError
        If there are not 3 channels.

    Examples
    --------
    >>> to_hsv([[[0.0, 255.0, 0.0]]], white=255).round(2).tolist()
    [[[120.0, 1.0, 255.0]]]
    """
    return _converted(x, "COLOR_RGB2HSV", (1 / white,) * 3, (1, 1, white), threads)


def from_hsv(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Turn hue, saturation and value into RGB: the inverse of `to_hsv`.

    Parameters
    ----------
    x : array_like, (height, width, 3)
    white, threads
        As for `to_lab`.

    Returns
    -------
    float32 array, (height, width, 3)

    Raises
    ------
    FilterError
        If there are not 3 channels.

    Examples
    --------
    >>> from_hsv([[[120.0, 1.0, 255.0]]], white=255).round(2).tolist()
    [[[0.0, 255.0, 0.0]]]
    """
    return _converted(x, "COLOR_HSV2RGB", (1, 1, 1 / white), (white,) * 3, threads)


def _converted(
    x: ArrayLike,
    code: str,
    before: tuple[float, ...],
    after: tuple[float, ...],
    threads: int | None,
) -> ImageArray:
    """Scale channels into OpenCV's units, convert, and scale them back."""
    import cv2

    inward, outward = np.array(before, np.float32), np.array(after, np.float32)
    number = getattr(cv2, code)

    def do(part: ImageArray, to: ImageArray) -> None:
        scaled = part * inward
        finite = np.isfinite(scaled).all(axis=2)
        clean = scaled if finite.all() else np.where(finite[..., np.newaxis], scaled, np.float32(0))
        np.multiply(cv2.cvtColor(clean, number), outward, out=to)
        to[~finite] = np.nan

    return pointwise(_colours(x), do, None, threads)


def _transformed(
    x: ArrayLike, matrix: NDArray[np.float64], offset: NDArray[np.float64], threads: int | None
) -> ImageArray:
    """Multiply each colour by a matrix, and add an offset; infinities and NaN go where the matrix takes them."""
    import cv2

    both = np.column_stack([matrix, offset])
    return pointwise(
        _colours(x), lambda part, to: np.copyto(to, cv2.transform(np.ascontiguousarray(part), both)), None, threads
    )


def _colours(x: ArrayLike) -> ImageArray:
    image = as_image(x)
    if image.shape[2] != _CHANNELS:
        raise FilterError(f"a colour has 3 channels, and the input {image.shape[2]}")
    return image
