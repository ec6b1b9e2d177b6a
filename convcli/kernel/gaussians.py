"""The formulas made of Gaussians: blur, derivatives, differences, Gabor waves, unsharp masking; and the plain blurs.

x runs right, y down, both from the centre; angles are in degrees.
"""

import math
from typing import Any

import numpy as np

from convcli.kernel.family import (
    ANY_SIZE,
    DC,
    POSITIVE,
    SIGMA,
    TRUNCATE,
    SizeOrAuto,
    bell_of,
    cos_sin,
    family,
    odd_size,
    offsets,
    radii,
    reach_of,
)
from convcli.kernel.parameters import OneOfWords, Parameter, RealNumber, WholeNumber, YesOrNo
from convcli.kernel.products import Products
from convcli.kernel.weights import Weights


def _either(values: dict[str, Any], one: str, other: str) -> None:
    """Raise ValueError where two parameters say the same thing twice."""
    if values[one] is not None and values[other] is not None:
        raise ValueError(f"{one} and {other} are two ways to say one thing: give one of them")


def opencv_sigma(length: int) -> float:
    """Return the standard deviation that OpenCV takes for a Gaussian of so many weights.

    >>> opencv_sigma(31)
    5.0
    """
    return round(0.3 * ((length - 1) * 0.5 - 1.0) + 0.8, 12)


# The full width at half maximum of a Gaussian over its standard deviation.
_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))


def _gaussian_sigmas(values: dict[str, Any]) -> dict[str, object]:
    _either(values, "sigma", "fwhm")
    size, found = values["size"], {}
    if values["sigma"] is None:
        if values["fwhm"] is not None:
            found["sigma"] = values["fwhm"] / _FWHM
        elif size is None:
            found["sigma"] = 1.0
        else:
            found["sigma"] = opencv_sigma(size[1])
            if size[0] != size[1] and values["sigma_y"] is None:
                found["sigma_y"] = opencv_sigma(size[0])
    if values["order_x"] is None:
        found["order_x"] = values["order"]
    return found


def _derivative(offsets: Weights, sigma: float, order: int) -> Weights:
    """Return what a Gaussian is multiplied by to be its derivative of an order, mirrored to be laid on an image."""
    coefficients = np.zeros(order + 1)
    coefficients[0] = 1.0
    # The derivative of q(x) g(x) is (q'(x) - x q(x) / sigma^2) g(x): a matrix on the coefficients of q.
    step = np.diag(np.arange(1.0, order + 1), 1) + np.diag(np.full(order, -1.0 / sigma**2), -1)
    for _ in range(order):
        coefficients = step @ coefficients
    return np.asarray(np.polynomial.polynomial.polyval(-offsets, coefficients))


_ORDER = WholeNumber(0, 4)


@family(
    "exp(-x'²/2σx² - y'²/2σy²), sampled, sum 1, differentiated order_x times along x' and order_y times along y'; "
    "x' = x·cosθ + y·sinθ, y' = y·cosθ - x·sinθ; auto: radius int(truncate·σ + 0.5)",
    Parameter(
        "sigma",
        "standard deviation",
        POSITIVE,
        unit="pixels",
        auto="from fwhm, else 0.3 ((size - 1)/2 - 1) + 0.8 as in OpenCV, else 1",
    ),
    Parameter("fwhm", "full width at half maximum, in place of sigma", POSITIVE, unit="pixels", auto="from sigma"),
    Parameter("sigma_x", "standard deviation along x'", POSITIVE, unit="pixels", auto="sigma"),
    Parameter("sigma_y", "standard deviation along y'", POSITIVE, unit="pixels", auto="sigma"),
    Parameter("theta", "direction of x', from x (right) towards y (down)", RealNumber(), 0.0, unit="degrees"),
    Parameter("order", "of the derivative along x'", _ORDER, 0),
    Parameter("order_x", "of the derivative along x'", _ORDER, auto="order"),
    Parameter("order_y", "of the derivative along y'", _ORDER, 0),
    odd_size(),
    TRUNCATE,
    derive=_gaussian_sigmas,
)
def _gaussian(
    *,
    sigma: float,
    sigma_x: float | None,
    sigma_y: float | None,
    theta: float,
    order_x: int,
    order_y: int,
    size: SizeOrAuto,
    truncate: float,
    **_said: object,
) -> Weights | Products:
    sigma_x, sigma_y = sigma_x or sigma, sigma_y or sigma
    cosine, sine = cos_sin(theta)
    reach_x, reach_y = math.hypot(sigma_x * cosine, sigma_y * sine), math.hypot(sigma_x * sine, sigma_y * cosine)
    apart = (cosine, sine) == (1.0, 0.0)
    radius_y, radius_x = radii(size, reach_of(truncate, reach_y), reach_of(truncate, reach_x), apart=apart)
    if apart:
        column, row = bell_of(sigma_y, radius_y), bell_of(sigma_x, radius_x)
        if order_x:
            row = row * _derivative(offsets(radius_x), sigma_x, order_x)
        if order_y:
            column = column * _derivative(offsets(radius_y), sigma_y, order_y)
        return Products(((column, row),))
    x, y = offsets(radius_x)[np.newaxis, :], offsets(radius_y)[:, np.newaxis]
    along, across = x * cosine + y * sine, y * cosine - x * sine
    bell = np.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2))
    bell /= bell.sum()
    return np.asarray(bell * _derivative(along, sigma_x, order_x) * _derivative(across, sigma_y, order_y))


def _dog_width(values: dict[str, Any]) -> dict[str, object]:
    _either(values, "ratio", "sigma2")
    if values["sigma2"] is None:
        return {"ratio": values["ratio"] or 1.6}
    if not values["sigma2"] > values["sigma"]:
        raise ValueError(f"sigma2 must be greater than sigma, {values['sigma']:g}, not {values['sigma2']:g}")
    return {"ratio": values["sigma2"] / values["sigma"]}


@family(
    "gaussian(σ) - gaussian(ratio·σ), each cut at its own radius int(truncate·σ + 0.5)",
    SIGMA,
    Parameter(
        "ratio",
        "the wide Gaussian's standard deviation over the narrow one's",
        RealNumber(above=1),
        auto="sigma2 / sigma, else 1.6",
    ),
    Parameter("sigma2", "the wide Gaussian's standard deviation", POSITIVE, unit="pixels", auto="ratio times sigma"),
    odd_size(),
    TRUNCATE,
    derive=_dog_width,
)
def _dog(sigma: float, ratio: float, sigma2: float | None, size: SizeOrAuto, truncate: float) -> Products:
    broad = ratio * sigma if sigma2 is None else sigma2
    widest = reach_of(truncate, broad)
    radius_y, radius_x = radii(size, widest, widest, apart=True)

    def padded_bell(standard_deviation: float, radius: int) -> Weights:
        own = min(reach_of(truncate, standard_deviation), radius)
        return np.pad(bell_of(standard_deviation, own), radius - own)

    narrow = padded_bell(sigma, radius_y), padded_bell(sigma, radius_x)
    return Products((narrow, (-padded_bell(broad, radius_y), padded_bell(broad, radius_x))))


def _laplacian_of_gaussian(sigma: float, size: SizeOrAuto, truncate: float, dc: str, sign: float) -> Products:
    reach = reach_of(truncate, sigma)
    radius_y, radius_x = radii(size, reach, reach, apart=True)

    def bell_and_curvature(radius: int) -> tuple[Weights, Weights]:
        bell = bell_of(sigma, radius)
        curvature = ((offsets(radius) / sigma) ** 2 - 1.0) / sigma**2 * bell
        if dc == "zero":
            # Taken off per axis, the residual leaves rank 2; the sum over both is the same multiple of the Gaussian.
            curvature -= curvature.sum() * bell
        return bell, curvature

    bell_y, curvature_y = bell_and_curvature(radius_y)
    bell_x, curvature_x = bell_and_curvature(radius_x)
    return Products(((sign * curvature_y, bell_x), (sign * bell_y, curvature_x)))


_LOG_PARAMETERS = (SIGMA, Parameter("dc", DC, OneOfWords(("zero", "raw")), "zero"), odd_size(), TRUNCATE)


@family("((x² + y²)/σ⁴ - 2/σ²) · gaussian(σ); dc zero: less its sum times gaussian(σ)", *_LOG_PARAMETERS)
def _log(sigma: float, dc: str, size: SizeOrAuto, truncate: float) -> Products:
    return _laplacian_of_gaussian(sigma, size, truncate, dc, 1.0)


@family("(2/σ² - (x² + y²)/σ⁴) · gaussian(σ); dc zero: less its sum times gaussian(σ)", *_LOG_PARAMETERS)
def _mexican_hat(sigma: float, dc: str, size: SizeOrAuto, truncate: float) -> Products:
    return _laplacian_of_gaussian(sigma, size, truncate, dc, -1.0)


def _gabor_wave(values: dict[str, Any]) -> dict[str, object]:
    _either(values, "wavelength", "frequency")
    _either(values, "sigma", "bandwidth")
    wavelength = values["wavelength"] or (1.0 / values["frequency"] if values["frequency"] else 10.0)
    sigma = values["sigma"] or 4.0
    if values["bandwidth"]:
        # Where the response in frequency falls to a half, bandwidth octaves apart; Petkov and Kruizinga (1997).
        octaves = 2.0 ** values["bandwidth"]
        sigma = wavelength / math.pi * math.sqrt(math.log(2.0) / 2.0) * (octaves + 1.0) / (octaves - 1.0)
    return {"wavelength": wavelength, "sigma": sigma}


@family(
    "exp(-(x'² + γ²y'²)/2σ²) · cos(2πx'/λ + ψ), x' = x·cosθ + y·sinθ, y' = y·cosθ - x·sinθ; auto: radius int(3σ + 0.5)",
    Parameter("sigma", "standard deviation along the wave", POSITIVE, unit="pixels", auto="from bandwidth, else 4"),
    Parameter("wavelength", "length of a cycle", POSITIVE, unit="pixels", auto="1 / frequency, else 10"),
    Parameter("frequency", "in place of wavelength", POSITIVE, unit="cycles a pixel", auto="1 / wavelength"),
    Parameter(
        "bandwidth",
        "between the halves of the response, in place of sigma",
        RealNumber(above=0),
        unit="octaves",
        auto="from sigma",
    ),
    Parameter("theta", "direction of the wave, from x (right) towards y (down)", RealNumber(), 0.0, unit="degrees"),
    Parameter("gamma", "sigma over the standard deviation across the wave", POSITIVE, 1.0),
    Parameter("psi", "phase at the centre", RealNumber(), 0.0, unit="degrees"),
    Parameter("dc", DC, OneOfWords(("raw", "zero")), "raw"),
    odd_size(auto="radius int(3 sigma + 0.5)"),
    derive=_gabor_wave,
)
def _gabor(
    *,
    sigma: float,
    wavelength: float,
    theta: float,
    gamma: float,
    psi: float,
    dc: str,
    size: SizeOrAuto,
    **_said: object,
) -> Weights:
    reach = reach_of(3.0, sigma)
    radius_y, radius_x = radii(size, reach, reach)
    x, y = offsets(radius_x)[np.newaxis, :], offsets(radius_y)[:, np.newaxis]
    cosine, sine = cos_sin(theta)
    along, across = x * cosine + y * sine, y * cosine - x * sine
    envelope = np.exp(-0.5 * ((along / sigma) ** 2 + (gamma * across / sigma) ** 2))
    wave = np.cos(2.0 * np.pi * along / wavelength + math.radians(math.fmod(psi, 360.0)))
    if dc == "zero":
        wave = wave - np.sum(envelope * wave) / np.sum(envelope)
    return np.asarray(envelope * wave)


@family(
    "δ + amount · (δ - gaussian(σ)), the second term only where threshold lets it through",
    SIGMA,
    Parameter("amount", "how much of the detail is added", RealNumber(), 1.0),
    Parameter(
        "threshold", "detail smaller than this is not added; 0: all is", RealNumber(at_least=0), 0.0, "the image's own"
    ),
    Parameter("soft", "whether larger detail is lessened by the threshold, and not added whole", YesOrNo(), "false"),
    odd_size(),
    TRUNCATE,
)
def _unsharp(sigma: float, amount: float, size: SizeOrAuto, truncate: float, **_thresholds: object) -> Products:
    reach = reach_of(truncate, sigma)
    radius_y, radius_x = radii(size, reach, reach, apart=True)
    point = (1.0 + amount) * (offsets(radius_y) == 0.0), (offsets(radius_x) == 0.0).astype(np.float64)
    return Products(((-amount * bell_of(sigma, radius_y), bell_of(sigma, radius_x)), point))


# Running sums over an array of so many weights are quicker than over its columns, then its rows.
_LARGEST_BOX = 1 << 18


@family("1 / (height · width)", ANY_SIZE)
def _box(size: tuple[int, int]) -> Weights | Products:
    if size[0] * size[1] <= _LARGEST_BOX:
        return np.full(size, 1.0 / (size[0] * size[1]))
    return Products(((np.full(size[0], 1.0 / (size[0] * size[1])), np.ones(size[1])),))


@family("rows of Pascal's triangle, multiplied and divided by their sum", ANY_SIZE)
def _binomial(size: tuple[int, int]) -> Products:
    def row(length: int) -> Weights:
        # Quotients of whole numbers are rounded once, so every weight is exact to the last bit.
        total = 1 << (length - 1)
        return np.array([math.comb(length - 1, k) / total for k in range(length)])

    if max(size) > 1024:  # beyond it the outer coefficients are below the smallest float64
        raise ValueError(f"size must be at most 1024 for a binomial, not {max(size)}")
    return Products(((row(size[0]), row(size[1])),))
