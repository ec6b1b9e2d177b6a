"""The formulas behind the parametric kernels.

x runs right, y down, both from the centre; angles are in degrees. A family states its formula and parameters once, and
`FAMILIES` is what files, SPECs, `kernels show` and errors read; the catalogue's files hold the parameters that a name
starts from. A new family is a function here with its `@_family`, and a file in `kernels/`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from convcli.errors import nearest
from convcli.kernel.parameters import KernelSize, OneOfWords, Parameter, RealNumber
from convcli.kernel.weights import Weights, check_number_of_weights

SizeOrAuto = tuple[int, int] | None


@dataclass(frozen=True)
class Family:
    """A formula and its parameters.

    Parameters
    ----------
    name : str
        As kernel files write it under `family`.
    formula : str
        The formula, for people.
    parameters : tuple of Parameter
        What it takes.
    compute : callable
        Takes the checked parameters by name and returns the weights, (rows, columns) of float64.
    """

    name: str
    formula: str
    parameters: tuple[Parameter, ...]
    compute: Callable[..., Weights]

    def read(self, name: str, value: object) -> object:
        """Return one parameter, checked.

        Raises
        ------
        ValueError
            For an unknown name or a value that is not taken, with a reason that reads on from the name.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.read(value)
        known = [parameter.name for parameter in self.parameters]
        raise ValueError(f"is not one of its parameters ({', '.join(known)}){nearest(name, known)}")

    def filled(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return checked `values` completed by the defaults; None stands for `auto`."""
        return {p.name: values[p.name] if p.name in values else p.read(p.default) for p in self.parameters}

    def build(self, values: Mapping[str, object]) -> Weights:
        """Compute the weights.

        Parameters
        ----------
        values : mapping
            Parameters as `read` returns them; the others take their defaults.

        Returns
        -------
        array (rows, columns) of float64
            The weights, finite.

        Raises
        ------
        ValueError
            Where the parameters, each in its range, make too large a kernel or one that is not finite.

        Examples
        --------
        >>> FAMILIES["box"].build({"size": (1, 2)})
        array([[0.5, 0.5]])
        """
        with np.errstate(all="ignore"):  # an overflow is answered below, by name
            weights = self.compute(**self.filled(values))
        if not np.isfinite(weights).all():
            raise ValueError("gives weights that are not finite numbers: its parameters are too extreme")
        return weights


FAMILIES: dict[str, Family] = {}

_POSITIVE = RealNumber(above=0)
_SIGMA = Parameter("sigma", "standard deviation", _POSITIVE, 1.0, unit="pixels")
_TRUNCATE = Parameter("truncate", "where `size: auto` cuts", _POSITIVE, 4.0, unit="standard deviations")
_DC = "the kernel's sum, left as the formula gives it (raw), or brought to 0 by a multiple of the Gaussian (zero)"
_ANY_SIZE = Parameter("size", "rows and columns", KernelSize(), 3)


def _odd_size(auto: str = "as far as truncate reaches") -> Parameter:
    return Parameter("size", "rows and columns", KernelSize(odd=True), auto=auto)


def _family(formula: str, *parameters: Parameter) -> Callable[[Callable[..., Weights]], Callable[..., Weights]]:
    """Register the function below as the family of its name, which takes these parameters by name."""

    def register(compute: Callable[..., Weights]) -> Callable[..., Weights]:
        name = compute.__name__.removeprefix("_")
        FAMILIES[name] = Family(name, formula, parameters, compute)
        return compute

    return register


def _radii(size: SizeOrAuto, radius_y: int, radius_x: int) -> tuple[int, int]:
    """Return the rows and columns on either side of the centre: those of `size` if given, else the two radii."""
    if size is not None:
        return size[0] // 2, size[1] // 2
    check_number_of_weights(2 * radius_y + 1, 2 * radius_x + 1)
    return radius_y, radius_x


def _reach(truncate: float, sigma: float) -> int:
    return int(min(truncate * sigma + 0.5, 1e9))  # beyond 1e9 the size is refused in any case


def _offsets(radius: int) -> Weights:
    return np.arange(-radius, radius + 1, dtype=np.float64)


def _bell(sigma: float, radius: int) -> Weights:
    """Return the sampled Gaussian in one dimension, sum 1, cut at `radius`."""
    bell = np.exp(-0.5 * (_offsets(radius) / sigma) ** 2)
    return np.asarray(bell / bell.sum())


def _cos_sin(degrees: float) -> tuple[float, float]:
    """Return cosine and sine, exact at multiples of 90 degrees, so that kernels along the axes keep rank 1."""
    quarter, rest = divmod(math.fmod(degrees, 360.0), 90.0)
    cosine, sine = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    return ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))[int(quarter) % 4]


@_family(
    "exp(-x²/2σx² - y²/2σy²), sampled, sum 1; auto: radius int(truncate·σ + 0.5)",
    _SIGMA,
    Parameter("sigma_x", "standard deviation along x", _POSITIVE, unit="pixels", auto="sigma"),
    Parameter("sigma_y", "standard deviation along y", _POSITIVE, unit="pixels", auto="sigma"),
    _odd_size(),
    _TRUNCATE,
)
def _gaussian(sigma: float, sigma_x: float | None, sigma_y: float | None, size: SizeOrAuto, truncate: float) -> Weights:
    sigma_x, sigma_y = sigma_x or sigma, sigma_y or sigma
    radius_y, radius_x = _radii(size, _reach(truncate, sigma_y), _reach(truncate, sigma_x))
    return np.outer(_bell(sigma_y, radius_y), _bell(sigma_x, radius_x))


@_family(
    "gaussian(σ) - gaussian(ratio·σ), each cut at its own radius int(truncate·σ + 0.5)",
    _SIGMA,
    Parameter("ratio", "the wide Gaussian's standard deviation over the narrow one's", RealNumber(above=1), 1.6),
    _odd_size(),
    _TRUNCATE,
)
def _dog(sigma: float, ratio: float, size: SizeOrAuto, truncate: float) -> Weights:
    widest = _reach(truncate, ratio * sigma)
    radius_y, radius_x = _radii(size, widest, widest)

    def padded_bell(standard_deviation: float, radius: int) -> Weights:
        own = min(_reach(truncate, standard_deviation), radius)
        return np.pad(_bell(standard_deviation, own), radius - own)

    narrow = np.outer(padded_bell(sigma, radius_y), padded_bell(sigma, radius_x))
    wide = np.outer(padded_bell(ratio * sigma, radius_y), padded_bell(ratio * sigma, radius_x))
    return narrow - wide


def _laplacian_of_gaussian(sigma: float, size: SizeOrAuto, truncate: float, dc: str) -> Weights:
    reach = _reach(truncate, sigma)
    radius_y, radius_x = _radii(size, reach, reach)

    def bell_and_curvature(radius: int) -> tuple[Weights, Weights]:
        bell = _bell(sigma, radius)
        curvature = ((_offsets(radius) / sigma) ** 2 - 1.0) / sigma**2 * bell
        if dc == "zero":
            # Taken off per axis, the residual leaves rank 2; the sum over both is the same multiple of the Gaussian.
            curvature -= curvature.sum() * bell
        return bell, curvature

    bell_y, curvature_y = bell_and_curvature(radius_y)
    bell_x, curvature_x = bell_and_curvature(radius_x)
    return np.outer(curvature_y, bell_x) + np.outer(bell_y, curvature_x)


_LOG_PARAMETERS = (_SIGMA, Parameter("dc", _DC, OneOfWords(("zero", "raw")), "zero"), _odd_size(), _TRUNCATE)


@_family("((x² + y²)/σ⁴ - 2/σ²) · gaussian(σ); dc zero: less its sum times gaussian(σ)", *_LOG_PARAMETERS)
def _log(sigma: float, dc: str, size: SizeOrAuto, truncate: float) -> Weights:
    return _laplacian_of_gaussian(sigma, size, truncate, dc)


@_family("(2/σ² - (x² + y²)/σ⁴) · gaussian(σ); dc zero: less its sum times gaussian(σ)", *_LOG_PARAMETERS)
def _mexican_hat(sigma: float, dc: str, size: SizeOrAuto, truncate: float) -> Weights:
    return -_laplacian_of_gaussian(sigma, size, truncate, dc)


@_family(
    "exp(-(x'² + γ²y'²)/2σ²) · cos(2πx'/λ + ψ), x' = x·cosθ + y·sinθ, y' = y·cosθ - x·sinθ; auto: radius int(3σ + 0.5)",
    Parameter("sigma", "standard deviation along the wave", _POSITIVE, 4.0, unit="pixels"),
    Parameter("wavelength", "length of a cycle", _POSITIVE, 10.0, unit="pixels"),
    Parameter("theta", "direction of the wave, from x (right) towards y (down)", RealNumber(), 0.0, unit="degrees"),
    Parameter("gamma", "sigma over the standard deviation across the wave", _POSITIVE, 1.0),
    Parameter("psi", "phase at the centre", RealNumber(), 0.0, unit="degrees"),
    Parameter("dc", _DC, OneOfWords(("raw", "zero")), "raw"),
    _odd_size(auto="radius int(3 sigma + 0.5)"),
)
def _gabor(
    *, sigma: float, wavelength: float, theta: float, gamma: float, psi: float, dc: str, size: SizeOrAuto
) -> Weights:
    reach = _reach(3.0, sigma)
    radius_y, radius_x = _radii(size, reach, reach)
    x, y = _offsets(radius_x)[np.newaxis, :], _offsets(radius_y)[:, np.newaxis]
    cosine, sine = _cos_sin(theta)
    along, across = x * cosine + y * sine, y * cosine - x * sine
    envelope = np.exp(-0.5 * ((along / sigma) ** 2 + (gamma * across / sigma) ** 2))
    wave = np.cos(2.0 * np.pi * along / wavelength + math.radians(math.fmod(psi, 360.0)))
    if dc == "zero":
        wave = wave - np.sum(envelope * wave) / np.sum(envelope)
    return np.asarray(envelope * wave)


@_family(
    "δ + amount · (δ - gaussian(σ))",
    _SIGMA,
    Parameter("amount", "how much of the detail is added", RealNumber(), 1.0),
    _odd_size(),
    _TRUNCATE,
)
def _unsharp(sigma: float, amount: float, size: SizeOrAuto, truncate: float) -> Weights:
    weights = -amount * _gaussian(sigma, None, None, size, truncate)
    weights[weights.shape[0] // 2, weights.shape[1] // 2] += 1.0 + amount
    return weights


@_family("1 / (height · width)", _ANY_SIZE)
def _box(size: tuple[int, int]) -> Weights:
    return np.full(size, 1.0 / (size[0] * size[1]))


@_family("rows of Pascal's triangle, multiplied and divided by their sum", _ANY_SIZE)
def _binomial(size: tuple[int, int]) -> Weights:
    def row(length: int) -> Weights:
        # Quotients of whole numbers are rounded once, so every weight is exact to the last bit.
        total = 1 << (length - 1)
        return np.array([math.comb(length - 1, k) / total for k in range(length)])

    if max(size) > 1024:  # beyond it the outer coefficients are below the smallest float64
        raise ValueError(f"size must be at most 1024 for a binomial, not {max(size)}")
    return np.outer(row(size[0]), row(size[1]))


@_family(
    "1 where x² + y² <= radius², else 0; divided by their number; auto: radius int(radius)",
    Parameter("radius", "of the disk", RealNumber(at_least=0), 2.0, unit="pixels"),
    _odd_size(auto="as large as the disk"),
)
def _disk(radius: float, size: SizeOrAuto) -> Weights:
    reach = int(min(radius, 1e9))
    radius_y, radius_x = _radii(size, reach, reach)
    inside = _offsets(radius_x) ** 2 + _offsets(radius_y)[:, np.newaxis] ** 2 <= radius**2
    return np.asarray(inside / np.count_nonzero(inside))


@_family(
    "max(0, 1 - distance from the pixel's centre to a segment of length - 1 about the centre), divided by their sum",
    Parameter("length", "of the line", RealNumber(at_least=1), 9.0, unit="pixels"),
    Parameter("angle", "of the line, counter-clockwise from the right as displayed", RealNumber(), 0.0, unit="degrees"),
    _odd_size(auto="as large as the line"),
)
def _motion(length: float, angle: float, size: SizeOrAuto) -> Weights:
    half = (length - 1.0) / 2.0
    cosine, sine = _cos_sin(angle)
    # A pixel counts when it lies less than 1 from the segment; the small number keeps those at 1 - rounding out.
    reach_y, reach_x = (math.ceil(min(half * abs(part), 1e9) + 1.0 - 1e-9) - 1 for part in (sine, cosine))
    radius_y, radius_x = _radii(size, reach_y, reach_x)
    x, y = _offsets(radius_x)[np.newaxis, :], -_offsets(radius_y)[:, np.newaxis]
    along = np.clip(x * cosine + y * sine, -half, half)
    nearness = 1.0 - np.hypot(x - along * cosine, y - along * sine)
    nearness[nearness < 1e-9] = 0.0
    return np.asarray(nearness / nearness.sum())
