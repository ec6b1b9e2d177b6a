"""From a file's samples to what is filtered, and from a response to a picture.

Gray, linear light and premultiplied alpha before the filter; scale and bias, sign and bit depth after it. Pixels are
(height, width, channels) everywhere, in their own units: the *full range* of a sample type is what stands for white,
255, 65535, 32767 (i16) or, for floats, 1.0.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

# BT.601 luma: how much red, green and blue add to brightness.
_LUMA = (0.299, 0.587, 0.114)

# A premultiplied alpha below this part of the full range is what rounding leaves of zero (single precision promises
# 2e-6 of the range), and what it would be divided into is noise.
_NO_ALPHA = 2e-6


@dataclass(frozen=True)
class Finish:
    """What is done to each sample of a response on its way into the output; tiles are finished while still in cache.

    The order is `response * scale + bias`, times `unit`, then the mapping. Integer outputs are rounded half to even and
    saturated; NaN becomes the lowest value.

    Parameters
    ----------
    dtype : dtype
        Of the output.
    scale, bias : float
        In the units of the input.
    unit : float
        The step from the input's units to the output's.
    mapping : str
        `clip` as it is, `abs` its absolute value, `offset` mid-grey added.
    """

    dtype: np.dtype[Any]
    scale: float = 1.0
    bias: float = 0.0
    unit: float = 1.0
    mapping: str = "clip"

    @property
    def only_converts(self) -> bool:
        """Whether nothing but rounding and saturation happens, so that a backend may do it natively."""
        return self.scale == 1.0 and self.bias == 0.0 and self.unit == 1.0 and self.mapping == "clip"

    @property
    def only_saturates(self) -> bool:
        """Whether nothing but its magnitude, rounding and saturation makes an integer output of a response."""
        return self.scale * self.unit == 1.0 and self.bias == 0.0 and self.mapping in ("clip", "abs")

    def __call__(self, response: NDArray[Any], out: NDArray[Any]) -> None:
        """Finish a float `response` into `out` (same shape). `response` is scratch afterwards."""
        gain = self.scale * self.unit
        shift = self.bias * self.unit
        if gain != 1.0:
            response *= response.dtype.type(gain)
        if shift != 0.0:
            response += response.dtype.type(shift)
        if self.mapping == "abs":
            np.abs(response, out=response)
        if self.dtype.kind == "f":
            out[...] = response
            return
        limits = np.iinfo(self.dtype)
        if self.dtype.itemsize >= response.dtype.itemsize:  # whose limits a float of that size does not hold
            response = response.astype(np.float64)
        if self.mapping == "offset":
            response += response.dtype.type((limits.max - limits.min + 1) // 2 + limits.min)
        np.rint(response, out=response)
        # fmax and fmin, unlike clip, let a NaN fall to the limit: the cast below would be undefined for it.
        np.fmax(response, limits.min, out=response)
        np.fmin(response, limits.max, out=response)
        np.copyto(out, response, casting="unsafe")


def full_range(dtype: np.dtype[Any]) -> float:
    """Return the sample value that stands for white.

    Parameters
    ----------
    dtype : dtype
        A sample type.

    Returns
    -------
    float
        The greatest value of an integer type, such as 255, 65535 or 32767 (i16); for floats, 1.

    Examples
    --------
    >>> full_range(np.dtype(np.uint16)), full_range(np.dtype(np.float32))
    (65535.0, 1.0)
    """
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def unit_between(source: np.dtype[Any], target: np.dtype[Any]) -> float:
    """Return the factor from the units of one sample type to those of another: full range to full range.

    A float target keeps the units of the source, because it holds the response as it is.

    Parameters
    ----------
    source, target : dtype
        Sample types.

    Returns
    -------
    float
        What a sample of `source` is multiplied by.

    Examples
    --------
    >>> unit_between(np.dtype(np.uint8), np.dtype(np.uint16)), unit_between(np.dtype(np.uint8), np.dtype(np.float32))
    (257.0, 1.0)
    """
    return 1.0 if target.kind == "f" else full_range(target) / full_range(source)


def convert_depth(pixels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert samples to another type by full range, rounding half to even and saturating; to a float type as they are.

    Parameters
    ----------
    pixels : ndarray
        Samples (H, W, C).
    dtype : dtype
        The sample type wanted.

    Returns
    -------
    ndarray
        Of the same shape; `pixels` itself where it has the type already.

    Examples
    --------
    >>> convert_depth(np.array([[[0], [1], [255]]], np.uint8), np.dtype(np.uint16)).ravel().tolist()
    [0, 257, 65535]
    """
    if pixels.dtype == dtype:
        return pixels
    out = np.empty(pixels.shape, dtype)
    # float64 holds every integer sample, and the product with the unit, exactly.
    Finish(dtype, unit=unit_between(pixels.dtype, dtype))(pixels.astype(np.float64), out)
    return out


def to_gray(pixels: NDArray[Any], alpha: bool = False) -> NDArray[Any]:
    """Convert RGB or RGBA pixels to gray or gray+alpha by BT.601 luma; what is gray already is returned as it is.

    8 and 16-bit and float32 samples are rounded exactly as `cv2.cvtColor(..., COLOR_RGB2GRAY)` rounds them.

    Parameters
    ----------
    pixels : ndarray
        Samples (H, W, C), of any depth.
    alpha : bool
        Whether the last channel is opacity.

    Returns
    -------
    ndarray
        Samples (H, W, 1), or (H, W, 2) with alpha, of the same type.

    Examples
    --------
    >>> to_gray(np.array([[[255, 0, 0]]], np.uint8)).tolist()
    [[[76]]]
    """
    if pixels.shape[2] - alpha != 3:
        return pixels
    gray = _luma(np.ascontiguousarray(pixels[..., :3]))
    return np.concatenate([gray, pixels[..., 3:]], axis=2) if alpha else gray


def _luma(rgb: NDArray[Any]) -> NDArray[Any]:
    if rgb.dtype in (np.uint8, np.uint16, np.float32):
        import cv2

        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)).reshape(*rgb.shape[:2], 1)
    # OpenCV has no luma of these types (i16, f64).
    luma = rgb.astype(np.float64) @ np.array(_LUMA)
    if rgb.dtype.kind != "f":
        np.rint(luma, out=luma)
    gray: NDArray[Any] = luma.astype(rgb.dtype)[..., np.newaxis]
    return gray


def to_linear(values: NDArray[Any], white: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Undo the sRGB curve (IEC 61966-2-1), as `white * curve(value / white)`, so that white stays what it was.

    Parameters
    ----------
    values : ndarray
        Samples; those below zero are mirrored, and above white the curve goes on.
    white : float
        The full range of the samples.
    dtype : dtype
        A float type.

    Returns
    -------
    ndarray
        New samples of `dtype`.

    Examples
    --------
    >>> float(to_linear(np.array([[[0.5]]]), 1.0, np.dtype(np.float64))[0, 0, 0].round(4))
    0.214
    """
    if values.dtype in (np.uint8, np.uint16):
        return np.asarray(_linear_table(values.dtype, dtype)[values])
    curved: NDArray[Any] = (_linear_curve(values.astype(np.float64) / white) * white).astype(dtype)
    return curved


@cache
def _linear_table(source: np.dtype[Any], target: np.dtype[Any]) -> NDArray[Any]:
    """Return the curve for each sample value there is, instead of a power for each pixel."""
    white = full_range(source)
    table: NDArray[Any] = (_linear_curve(np.arange(int(white) + 1) / white) * white).astype(target)
    return table


def from_linear(values: NDArray[Any], white: float) -> NDArray[Any]:
    """Redo the sRGB curve (IEC 61966-2-1), the inverse of `to_linear`.

    Parameters
    ----------
    values : ndarray
        Float samples in linear light.
    white : float
        Their full range.

    Returns
    -------
    ndarray
        New samples of the same type.

    Examples
    --------
    >>> float(from_linear(np.array([[[0.21404114]]]), 1.0)[0, 0, 0].round(4))
    0.5
    """
    magnitude = np.abs(values) / values.dtype.type(white)
    curved = np.where(magnitude <= 0.0031308, magnitude * 12.92, 1.055 * magnitude ** (1 / 2.4) - 0.055)
    signed: NDArray[Any] = (np.copysign(curved, values) * white).astype(values.dtype)
    return signed


def _linear_curve(values: NDArray[np.float64]) -> NDArray[np.float64]:
    magnitude = np.abs(values)
    curved = np.where(magnitude <= 0.04045, magnitude / 12.92, ((magnitude + 0.055) / 1.055) ** 2.4)
    return np.copysign(curved, values)


def premultiply(colour: NDArray[Any], alpha: NDArray[Any], white: float, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Multiply colours by their opacity.

    Parameters
    ----------
    colour : ndarray
        Samples (H, W, C).
    alpha : ndarray
        Opacity (H, W, 1), full at `white`.
    white : float
        The full range of the samples.
    dtype : dtype
        A float type.

    Returns
    -------
    ndarray
        Colours and opacity (H, W, C + 1) of `dtype`.

    Examples
    --------
    >>> premultiply(np.array([[[200.0]]]), np.array([[[51.0]]]), 255.0, np.dtype(np.float32)).tolist()
    [[[40.0, 51.0]]]
    """
    channels = colour.shape[2]
    both = np.empty((*colour.shape[:2], channels + 1), dtype)
    both[..., channels:] = alpha
    np.multiply(colour, both[..., channels:] / dtype.type(white), out=both[..., :channels], casting="unsafe")
    return both


def unpremultiply(response: NDArray[Any], total: float, white: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Split the response to premultiplied pixels into colour and opacity.

    Parameters
    ----------
    response : ndarray
        Float samples (H, W, C + 1), opacity last.
    total : float
        S, the sum of the weights; over a chain, the product of the sums.
    white : float
        The full range of the samples.

    Returns
    -------
    ndarray, ndarray
        Colour (H, W, C), S times the response to colour over that to alpha, 0 where alpha is 0; and alpha (H, W,
        1), its response over S, clipped to 0..`white`.
    """
    colour, weight = response[..., :-1], response[..., -1:] / response.dtype.type(white)
    alpha = np.clip(response[..., -1:] / response.dtype.type(total), 0, white)
    visible = alpha > _NO_ALPHA * white
    # Where nothing is visible the divisor is replaced, so that no division by zero is ever made.
    colour = np.where(visible, colour * response.dtype.type(total) / np.where(visible, weight, 1), 0)
    return colour.astype(response.dtype, copy=False), np.where(visible, alpha, 0).astype(response.dtype, copy=False)


def span(response: NDArray[Any]) -> tuple[float, float]:
    """Return the least and the greatest finite sample, (inf, -inf) where there is none.

    Parameters
    ----------
    response : ndarray
        Float samples.

    Returns
    -------
    float, float
        The least and the greatest, (inf, -inf) where none is finite.

    Examples
    --------
    >>> span(np.array([[[-2.0], [np.nan], [2.0]]]))
    (-2.0, 2.0)
    """
    finite = np.isfinite(response)
    return float(response.min(where=finite, initial=np.inf)), float(response.max(where=finite, initial=-np.inf))


def stretch(response: NDArray[Any], between: tuple[float, float], out: NDArray[Any]) -> None:
    """Map a span onto the whole range of integer samples.

    An empty span becomes the lowest value, and so does NaN. Infinite samples saturate.

    Parameters
    ----------
    response : ndarray
        Float samples.
    between : tuple of float
        The span, (low, high).
    out : ndarray
        Integer samples of the same shape, which are set.

    Examples
    --------
    >>> samples = np.empty((1, 3, 1), np.uint8)
    >>> stretch(np.array([[[-2.0], [0.0], [2.0]]]), (-2.0, 2.0), samples)
    >>> samples.ravel().tolist()
    [0, 128, 255]
    """
    low, high = between
    limits = np.iinfo(out.dtype)
    gain = (limits.max - limits.min) / (high - low) if high > low else 0.0
    # In float64: 65535 steps between two float32 responses that lie close together would not come out even.
    with np.errstate(invalid="ignore"):  # infinity times a gain of zero
        wide = (response.astype(np.float64) - low) * gain + limits.min
    Finish(out.dtype)(wide, out)
