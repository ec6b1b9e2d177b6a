"""The formulas that are written in frequencies: low-pass windows, Butterworth's, and the log-Gabor filter.

Frequencies are in cycles a pixel, so that 0.5 is the highest that an image holds. A low-pass window is a product of a
column and a row. The others are given by their response in frequency, which an inverse Fourier transform of the
kernel's size turns into weights: the transform of the weights is that response again, at each of its frequencies.
"""

import math
from typing import Any

import numpy as np

from convcli.kernel.family import POSITIVE, SizeOrAuto, family, odd_size, offsets, radii
from convcli.kernel.parameters import OneOfWords, Parameter, RealNumber, WholeNumber
from convcli.kernel.products import Products
from convcli.kernel.weights import Weights

_CUTOFF = Parameter("cutoff", "where it falls to a half", RealNumber(above=0, below=0.5), 0.1, unit="cycles a pixel")


def _windowed(cutoff: float, window: Weights) -> Weights:
    """Return the ideal low-pass, a sinc, under a window, sum 1."""
    row = window * np.sinc(2.0 * cutoff * offsets(len(window) // 2))
    return np.asarray(row / row.sum())


@family(
    "sinc(2·cutoff·k) · sinc(k/r), k from -r to r, sum 1, along x and along y; auto: r = int(3/(2·cutoff) + 0.5)",
    _CUTOFF,
    odd_size(auto="as far as the third zero of the sinc"),
)
def _lanczos(cutoff: float, size: SizeOrAuto) -> Products:
    reach = max(1, int(min(1.5 / cutoff + 0.5, 1e9)))
    column, row = (
        _windowed(cutoff, np.sinc(offsets(radius) / max(radius, 1))) for radius in radii(size, reach, reach, apart=True)
    )
    return Products(((column, row),))


@family(
    "sinc(2·cutoff·k) · I0(beta·sqrt(1 - k²/r²)) / I0(beta), k from -r to r, sum 1, along x and along y; "
    "auto: r = int(2/cutoff + 0.5)",
    _CUTOFF,
    Parameter("beta", "of the window: larger leaks less and falls more slowly", RealNumber(at_least=0), 5.0),
    odd_size(auto="as far as the fourth zero of the sinc"),
)
def _kaiser(cutoff: float, beta: float, size: SizeOrAuto) -> Products:
    reach = max(1, int(min(2.0 / cutoff + 0.5, 1e9)))
    column, row = (
        _windowed(cutoff, np.kaiser(2 * radius + 1, beta)) for radius in radii(size, reach, reach, apart=True)
    )
    return Products(((column, row),))


def _grid(radius_y: int, radius_x: int) -> tuple[Weights, Weights]:
    """Return the frequencies along x and y of a transform of this size."""
    x, y = (np.asarray(np.fft.fftfreq(2 * radius + 1), np.float64) for radius in (radius_x, radius_y))
    return x[np.newaxis, :], y[:, np.newaxis]


def _from_response(response: Weights) -> "np.ndarray[Any, np.dtype[np.complex128]]":
    """Return the weights whose transform, about their centre, is a response."""
    return np.fft.fftshift(np.fft.ifft2(response))


def _band_edges(values: dict[str, Any]) -> dict[str, object]:
    low, high = values["cutoff"], values["cutoff2"]
    if values["kind"] == "band":
        high = high or min(2.0 * low, 0.5)
        if not high > low:
            raise ValueError(f"cutoff2 must be greater than cutoff, {low:g}, not {high:g}")
        return {"cutoff2": high}
    if high is not None:
        raise ValueError("cutoff2 is the upper edge of a band: write kind=band")
    return {}


@family(
    "response 1 / (1 + (f/cutoff)^(2·order)) in frequency for low; 1 minus that for high; for band, high at cutoff "
    "times low at cutoff2; auto: radius int(2·order^½/cutoff + 0.5)",
    Parameter("kind", "what passes", OneOfWords(("low", "high", "band")), "low"),
    Parameter("cutoff", "where half passes", RealNumber(above=0, below=0.5), 0.1, unit="cycles a pixel"),
    Parameter(
        "cutoff2",
        "where half passes at the upper end of a band",
        RealNumber(above=0),
        unit="cycles a pixel",
        auto="for a band, twice cutoff",
    ),
    Parameter("order", "how steeply it falls", WholeNumber(1, 20), 2),
    odd_size(auto="as far as it rings"),
    derive=_band_edges,
)
def _butterworth(kind: str, cutoff: float, cutoff2: float | None, order: int, size: SizeOrAuto) -> Weights:
    reach = int(min(2.0 * math.sqrt(order) / cutoff + 0.5, 1e9))
    x, y = _grid(*radii(size, reach, reach))
    squares = x**2 + y**2
    low = 1.0 / (1.0 + (squares / cutoff**2) ** order)
    if kind == "high":
        low = 1.0 - low
    elif cutoff2 is not None:
        low = (1.0 - low) / (1.0 + (squares / cutoff2**2) ** order)
    return _from_response(low).real


@family(
    "response exp(-ln²(f·λ) / 2·ln²(ratio)) · exp(-(φ - θ)² / 2·spread²) in frequency, φ from x towards y, 0 at f = 0; "
    "even: its real part in space, odd: its imaginary part; auto: radius int(3·λ + 0.5)",
    Parameter("wavelength", "length of a cycle, λ", RealNumber(at_least=2), 10.0, unit="pixels"),
    Parameter("ratio", "width of the band: its deviation over its centre", RealNumber(above=0, below=1), 0.55),
    Parameter("theta", "direction of the wave, from x (right) towards y (down)", RealNumber(), 0.0, unit="degrees"),
    Parameter("spread", "standard deviation of the direction", POSITIVE, 30.0, unit="degrees"),
    Parameter("part", "symmetric (even) or antisymmetric (odd)", OneOfWords(("even", "odd")), "even"),
    odd_size(auto="radius int(3 wavelength + 0.5)"),
)
def _log_gabor(*, wavelength: float, ratio: float, theta: float, spread: float, part: str, size: SizeOrAuto) -> Weights:
    reach = int(min(3.0 * wavelength + 0.5, 1e9))
    x, y = _grid(*radii(size, reach, reach))
    frequency = np.hypot(x, y)
    frequency[0, 0] = 1.0  # whose logarithm is wanted nowhere
    turn = np.arctan2(y, x) - math.radians(math.fmod(theta, 360.0))
    turn = np.arctan2(np.sin(turn), np.cos(turn))
    radial = np.exp(-0.5 * (np.log(frequency * wavelength) / math.log(ratio)) ** 2)
    response = radial * np.exp(-0.5 * (turn / math.radians(spread)) ** 2)
    response[0, 0] = 0.0
    weights = _from_response(response)
    return weights.real if part == "even" else weights.imag
