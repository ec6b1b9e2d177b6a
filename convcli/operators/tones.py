"""The value of each sample: gray, linear light, thresholds, limits."""

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import FilterError, UsageError, check_word
from convcli.image import tone
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.strips import in_strips, pointwise

# The largest whole number of 16 bits.
_LEVELS = 65535
THRESHOLDS = ("binary", "below", "keep", "keep_abs")


def gray(x: ArrayLike, threads: int | None = None) -> ImageArray:
    """Turn red, green and blue into luma, 0.299 R + 0.587 G + 0.114 B (BT.601). One channel stays as it is.

    Parameters
    ----------
    x : array_like, (height, width, 1 or 3)
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, 1)

    Raises
    ------
    FilterError
        If there are neither 1 nor 3 channels.

    Examples
    --------
    >>> float(gray([[[1000.0, 0.0, 0.0]]])[0, 0, 0])
    299.0
    """
    image = as_image(x)
    if image.shape[2] not in (1, 3):
        raise FilterError(f"gray wants an image of 3 channels, not {image.shape[2]}")
    if image.shape[2] == 1:
        return image
    out = np.empty((*image.shape[:2], 1), np.float32)

    def strip(rows: slice) -> None:
        out[rows] = tone.to_gray(image[rows])

    in_strips(len(image), image[0].size, strip, threads)
    return out


def rounded_gray(x: ArrayLike, white: float = 255.0, threads: int | None = None) -> ImageArray:
    """Return the luma in whole numbers, rounded as cv2.cvtColor does for 8-bit or 16-bit samples.

    Samples are rounded and limited to the range of that type first, as a file of such samples would hold them; NaN
    becomes black.

    Parameters
    ----------
    x : array_like, (height, width, 1 or 3)
    white : float
        The samples are those of 8 bits up to 255, else of 16 bits.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, 1)

    Raises
    ------
    FilterError
        If there are neither 1 nor 3 channels.

    Examples
    --------
    >>> float(rounded_gray([[[255.0, 0.0, 0.0]]])[0, 0, 0])  # 76.245
    76.0
    """
    dtype = np.uint8 if white <= np.iinfo(np.uint8).max else np.uint16
    image = as_image(x)
    if image.shape[2] not in (1, 3):
        raise FilterError(f"gray wants an image of 3 channels, not {image.shape[2]}")
    out = np.empty((*image.shape[:2], 1), np.float32)

    def strip(rows: slice) -> None:
        # NaN, which no whole number stands for, becomes black.
        whole = np.nan_to_num(np.rint(image[rows])).clip(0, np.iinfo(dtype).max).astype(dtype)
        out[rows] = tone.to_gray(whole)

    in_strips(len(image), image[0].size, strip, threads)
    return out


def to_linear(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Undo the sRGB curve (IEC 61966-2-1): from the values of a picture to linear light.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    white : float
        The value that stands for white, and stays what it is.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If `white` is not a positive number.

    Examples
    --------
    >>> round(float(to_linear([[[0.5]]])[0, 0, 0]), 4)
    0.214
    """
    _check_white(white)
    return pointwise(
        as_image(x),
        lambda part, to: np.copyto(to, tone.to_linear(part, white, np.dtype(np.float32))),
        None,
        threads,
    )


def to_srgb(x: ArrayLike, white: float = 1.0, threads: int | None = None) -> ImageArray:
    """Apply the sRGB curve (IEC 61966-2-1): the inverse of `to_linear`.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    white : float
        The value that stands for white, and stays what it is.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If `white` is not a positive number.

    Examples
    --------
    >>> round(float(to_srgb([[[0.214041]]])[0, 0, 0]), 4)
    0.5
    """
    _check_white(white)
    return pointwise(as_image(x), lambda part, to: np.copyto(to, tone.from_linear(part, white)), None, threads)


def threshold(x: ArrayLike, at: float, mode: str = "binary", threads: int | None = None) -> ImageArray:
    """Compare each sample with a threshold.

    Parameters
    ----------
    x : array_like, (height, width, channels)
        NaN is not above any threshold.
    at : float
        The threshold, in the units of `x`.
    mode : {"binary", "below", "keep", "keep_abs"}
        `binary` gives 1 above the threshold and 0 elsewhere, `below` the opposite; `keep` gives the sample itself above
        it and 0 elsewhere; `keep_abs` the same by the sample's absolute value, as an unsharp mask with a threshold
        needs it.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If `mode` is another word, or the threshold is not finite.

    Examples
    --------
    >>> [threshold([[[-3.0, 1.0, 2.0]]], 1, mode)[0, 0].tolist() for mode in THRESHOLDS]
    [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 2.0], [-3.0, 0.0, 2.0]]
    """
    check_word("mode", mode, THRESHOLDS)
    if not np.isfinite(at):
        raise UsageError(f"a threshold must be a finite number, not {at}")
    limit = np.float32(at)

    def do(part: ImageArray, to: ImageArray) -> None:
        above = (np.abs(part) if mode == "keep_abs" else part) > limit
        if mode in ("binary", "below"):
            to[...] = ~above if mode == "below" else above
        else:
            to[...] = np.where(above, part, np.float32(0))

    return pointwise(as_image(x), do, None, threads)


def clip(
    x: ArrayLike,
    low: float | None = 0.0,
    high: float | None = 1.0,
    out: ImageArray | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Limit samples to a range.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    low, high : float or None
        The limits; None for no limit.
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
        If low is larger than high.

    Examples
    --------
    >>> clip([[[-1.0, 0.5, 3.0]]]).tolist(), clip([[[-1.0, 3.0]]], high=None).tolist()
    ([[[0.0, 0.5, 1.0]]], [[[0.0, 3.0]]])
    """
    if low is not None and high is not None and not low <= high:
        raise UsageError(f"clip wants its low limit at most as large as its high one, not {low} and {high}")
    limits = (
        -np.inf if low is None else np.float32(low),
        np.inf if high is None else np.float32(high),
    )
    return pointwise(as_image(x), lambda part, to: np.clip(part, *limits, out=to), out, threads)


def equalize(x: ArrayLike, white: float = 1.0) -> ImageArray:
    """Spread the values of each channel so that all are about as frequent: histogram equalisation.

    For samples of 8 or 16 bits this is cv2.equalizeHist, not rounded: `(n(v) - n0) / (N - n0) white`, where n(v) is the
    number of samples of at most v, n0 that of the smallest ones, and N that of all. Other samples are rounded to
    65,536 values from black to white, and limited to these.

    Parameters
    ----------
    x : array_like, (height, width, channels)
        NaN is not counted, and stays.
    white : float
        The value that stands for white.

    Returns
    -------
    float32 array, (height, width, channels)
        A channel of one value stays as it is.

    Raises
    ------
    UsageError
        If `white` is not a positive number.

    Examples
    --------
    >>> equalize([[[10.0], [11.0], [11.0], [12.0]]], white=255)[0, :, 0].tolist()
    [0.0, 170.0, 170.0, 255.0]
    """
    _check_white(white)
    image = as_image(x)
    out = np.empty(image.shape, np.float32)
    for channel in range(image.shape[2]):
        plane = image[..., channel]
        missing = np.isnan(plane)
        levels = np.where(missing, np.float32(0), plane).astype(np.float64) * (_LEVELS / white)
        places = np.rint(levels.clip(0, _LEVELS)).astype(np.intp)
        ranks = np.bincount(places[~missing], minlength=_LEVELS + 1).cumsum()
        least = ranks[np.argmax(ranks > 0)]
        if least == ranks[-1]:
            out[..., channel] = plane
            continue
        table = ((ranks - least).clip(0) * (white / (ranks[-1] - least))).astype(np.float32)
        out[..., channel] = np.where(missing, np.float32(np.nan), table[places])
    return out


def absolute(x: ArrayLike, out: ImageArray | None = None, threads: int | None = None) -> ImageArray:
    """Take absolute values.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    out : float32 array of the same shape, optional
        Receives the result; may be `x` itself.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Examples
    --------
    >>> absolute([[[-1.0, 2.0]]]).tolist()
    [[[1.0, 2.0]]]
    """
    return pointwise(as_image(x), lambda part, to: np.abs(part, out=to), out, threads)


def _check_white(white: float) -> None:
    if not (np.isfinite(white) and white > 0):
        raise UsageError(f"white must be a positive number, not {white}")
