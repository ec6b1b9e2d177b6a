"""What a plot shows of a kernel: its frequency response, its responses to an impulse and a step, and a test card."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convcli.kernel.weights import Weights

_LEAST_FREQUENCIES = 128  # along each axis of the plane of frequencies


@dataclass(frozen=True, eq=False)
class FrequencyResponse:
    """The magnitude of a kernel's frequency response.

    Attributes
    ----------
    magnitude : array (N, N) of float64
        Rows run from -0.5 up to below 0.5 cycles per pixel down the image, columns the same across it; the middle, at
        (N // 2, N // 2), is frequency zero, where the magnitude is that of the weights' sum.
    """

    magnitude: NDArray[np.float64]

    @property
    def at_zero(self) -> float:
        """The magnitude at frequency zero: of the sum of the weights."""
        middle = self.magnitude.shape[0] // 2
        return float(self.magnitude[middle, middle])

    @property
    def peak(self) -> tuple[float, float, float]:
        """The largest magnitude, and the frequency (across, down) where it is, in cycles per pixel, none negative."""
        count = self.magnitude.shape[0]
        # Of frequencies that answer alike, but for rounding, the lowest is named.
        near = np.argwhere(self.magnitude >= self.magnitude.max() * (1 - 1e-9)) / count - 0.5
        down, across = near[np.abs(near).sum(axis=1).argmin()]
        return float(self.magnitude.max()), abs(float(across)), abs(float(down))


def frequency_response(weights: Weights) -> FrequencyResponse:
    """Compute the magnitude of the discrete-time Fourier transform of a kernel, `|sum w[u, v] exp(-2πi(fy u + fx v))|`.

    Parameters
    ----------
    weights : array (rows, columns) of float64
        The weights; where the anchor lies changes the phase alone.

    Examples
    --------
    >>> frequency_response(np.full((3, 3), 1 / 9)).at_zero
    1.0
    """
    count = max(_LEAST_FREQUENCIES, 2 ** math.ceil(math.log2(max(weights.shape))))
    return FrequencyResponse(np.abs(np.fft.fftshift(np.fft.fft2(weights, (count, count)))))


def impulse_response(weights: Weights, axis: int) -> NDArray[np.float64]:
    """Return what a kernel makes of a line of light, which lies across `axis`: its weights summed, and turned round.

    >>> impulse_response(np.array([[-1.0, 0.0, 3.0]]), axis=1).tolist()
    [3.0, 0.0, -1.0]
    """
    return np.asarray(weights.sum(axis=1 - axis)[::-1])


def step_response(weights: Weights, axis: int) -> NDArray[np.float64]:
    """Return what a kernel makes of an edge from 0 to 1 along `axis`, from where it touches it first.

    >>> step_response(np.array([[-1.0, 0.0, 1.0]]), axis=1).tolist()
    [1.0, 1.0, 0.0]
    """
    return np.cumsum(impulse_response(weights, axis))


def card_for_tests(side: int = 128) -> NDArray[np.uint8]:
    """Return a picture of edges, rings, lines, dots, a ramp and noise, in gray (side, side).

    >>> card_for_tests(64).shape
    (64, 64)
    """
    y, x = np.mgrid[0:side, 0:side] / side
    card = np.full((side, side), 128.0)
    half = side // 2
    quarter = side // 4
    # Upper left: a zone plate, whose rings grow finer outwards up to half a cycle per pixel.
    squared = (x[:half, :half] - 0.25) ** 2 + (y[:half, :half] - 0.25) ** 2
    card[:half, :half] = 127.5 + 127.5 * np.cos(2.0 * np.pi * side * squared)
    # Upper right: a disk and a square.
    card[:half, half:] = 40.0
    card[:half, half:][(x[:half, half:] - 0.66) ** 2 + (y[:half, half:] - 0.25) ** 2 < 0.11**2] = 220.0
    card[side // 8 : 3 * side // 8, round(0.8 * side) : round(0.95 * side)] = 160.0
    # Lower left: a ramp over an edge; lower right: lines of several widths, dots, and noise.
    card[half:, :half] = np.where(
        y[half:, :half] < 0.75, 255.0 * 2.0 * x[half:, :half], 60.0 + 140.0 * (x[half:, :half] > 0.25)
    )
    card[half:, half:] = 200.0
    for place, width in ((0.56, 1), (0.62, 2), (0.68, 4)):
        start = round(place * side)
        card[half : half + quarter, start : start + width] = 20.0
    card[half + quarter // 4 : half + quarter : max(2, quarter // 4), round(0.8 * side) :: max(2, quarter // 4)] = 20.0
    noise = np.random.default_rng(5).normal(128.0, 40.0, (quarter, half))
    card[half + quarter :, half:] = noise[: side - half - quarter, : side - half]
    return np.asarray(np.clip(np.rint(card), 0, 255), np.uint8)
