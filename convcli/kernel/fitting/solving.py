"""Solving the normal equations of a fit, and describing how well the kernel that they give fits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import FilterError
from convcli.kernel.fitting.gathering import Misfit, NormalEquations, SampleCounts, UsedPixels
from convcli.kernel.fitting.request import FitOptions, Pair, Size, check_sizes, size_words
from convcli.kernel.weights import Weights

# A pattern with less than this part of the largest pattern's energy is one that the images do not show.
_NO_ENERGY = 1e-12
# A kernel that accounts for less than this part of the output's variance did not make it alone.
_EXPLAINED = 0.5
# Weights that are uncertain by more than this part of the largest are not worth calling determined.
_UNCERTAIN = 0.1


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted kernel, and how well it fits.

    Attributes
    ----------
    weights : array (rows, columns)
        Correlation weights, in the units of `before`.
    bias : float
        What is added to the response, in the units of `before`; 0 where none was asked for.
    counts : SampleCounts
        How many samples were used, and left out.
    residual_rms, residual_max : float
        Root of the mean squared, and largest absolute, difference of response and `after`, in the units of `before`.
    explained : float
        The part of the variance of `after` that the response accounts for, 1 for all of it. NaN where it has none.
    unknowns, determined : int
        How many numbers were to be found besides the bias, and how many of them the images determine.
    condition : float
        How many times more strongly the images show one pattern of the kernel's size than another: the condition number
        of the least-squares problem, infinite where they do not determine it.
    standard_error : float
        The largest standard error of a weight, taking the residuals for independent noise; infinite where the images do
        not determine the kernel.
    gradient : array (rows, columns)
        The correlation of the input with the error, divided by the number of used pixels; zero but for rounding, unless
        symmetry, sum or ridge hold the kernel elsewhere.
    warnings : tuple of str
        What a user should know before trusting it.
    """

    weights: Weights
    bias: float
    counts: SampleCounts
    residual_rms: float
    residual_max: float
    explained: float
    unknowns: int
    determined: int
    condition: float
    standard_error: float
    gradient: Weights
    warnings: tuple[str, ...]


def fit_kernel(pairs: Sequence[Pair], options: FitOptions, threads: int = 1) -> Fit:
    """Return the kernel, and the bias where asked for, that turns every `before` into its `after` with least squares.

    Parameters
    ----------
    pairs : sequence of Pair
        The images.
    options : FitOptions
        What is asked of the kernel.
    threads : int
        How many threads are used, besides those of BLAS. The result does not depend on it.

    Returns
    -------
    Fit
        The kernel, and how well it fits.

    Raises
    ------
    FilterError
        Where sizes do not match, no pixel is left to fit, or every image is constant, so that a kernel's weights could
        be anything of the right sum (with a ridge they are equal).

    Examples
    --------
    >>> before = np.random.default_rng(0).uniform(0, 255, (20, 30, 1))
    >>> after = np.zeros_like(before)
    >>> after[:, 1:-1] = before[:, 2:] - before[:, :-2] + 5
    >>> fit = fit_kernel([Pair(before, after)], FitOptions((1, 3), bias=True))
    >>> fit.weights.round(9) + 0.0, round(fit.bias, 9)
    (array([[-1.,  0.,  1.]]), 5.0)
    """
    for pair in pairs:
        check_sizes(pair, options)
    pixels = UsedPixels(pairs, options, threads)
    equations = pixels.equations()
    counts = pixels.counts(equations.count)
    if equations.count == 0:
        raise FilterError(_nothing_left(pairs, options, counts))
    constant = all(_is_constant(pair) for pair in pairs)
    if constant and options.ridge == 0.0:
        raise FilterError(_constant(pairs, options))
    problem = _ReducedProblem.posed(equations, options)
    flat = problem.solution()
    misfit = pixels.misfit(flat, equations.bias(flat) if options.bias else 0.0)
    # The gradient of what was found is rounding, carried through the equations' inverse; a step down it takes it back.
    flat = flat + problem.step(misfit, options.bias)
    bias = 0.0
    if options.bias:
        bias = equations.bias(flat) + pixels.shift_out - pixels.shift_in * float(flat.sum())
    weights = flat.reshape(options.size)
    error = problem.standard_error(misfit.squares, equations.count - problem.unknowns - options.bias)
    explained = equations.explained(misfit.squares)
    return Fit(
        weights=weights,
        bias=float(bias),
        counts=counts,
        residual_rms=float(np.sqrt(misfit.squares / equations.count)),
        residual_max=misfit.largest,
        explained=explained,
        unknowns=problem.unknowns,
        determined=problem.determined,
        condition=problem.condition,
        standard_error=error,
        gradient=(misfit.gradient / equations.count).reshape(options.size),
        warnings=(
            *_warnings(problem, equations.count, weights, error, constant=constant),
            *_explanation(explained, options.bias),
        ),
    )


def gradient(before: NDArray[Any], error: NDArray[Any], size: Size) -> Weights:
    """Return the slope of half the sum of squared errors along each weight.

    It is the correlation of the input with the error: `gradient[u, v] = sum_yx error[y, x] before[y + u, x + v]`.

    Parameters
    ----------
    before : array (rows, columns)
        The input.
    error : array (rows - size[0] + 1, columns - size[1] + 1)
        Response less output, where windows lie within the input.
    size : (int, int)
        Rows and columns of the kernel.

    Returns
    -------
    array of `size`, float64
        The slopes.

    Examples
    --------
    >>> gradient(np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, -1.0]]), (1, 2))
    array([[-1., -2.]])
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(before, np.float64), size)
    return np.asarray(np.einsum("yxuv,yx->uv", windows, np.asarray(error, np.float64)))


def symmetry_orbits(size: Size, symmetry: str) -> NDArray[np.intp]:
    """Return a number for each weight, equal where a symmetry makes weights equal.

    Parameters
    ----------
    size : (int, int)
        Rows and columns of the kernel.
    symmetry : str
        One of `SYMMETRIES`.

    Returns
    -------
    array of `size`, int
        Numbers from 0 on, each of which occurs.

    Examples
    --------
    >>> symmetry_orbits((2, 3), "left-right")
    array([[1, 0, 1],
           [3, 2, 3]])
    """
    key = _KEYS[symmetry]
    height, width = size
    # Twice the distance from the middle, which is a whole number for even sizes too.
    places = [key(2 * y - height + 1, 2 * x - width + 1) for y in range(height) for x in range(width)]
    numbers = {place: number for number, place in enumerate(sorted(set(places)))}
    return np.array([numbers[place] for place in places], np.intp).reshape(size)


_KEYS: dict[str, Callable[[int, int], tuple[int, ...]]] = {
    "none": lambda y, x: (y, x),
    "left-right": lambda y, x: (y, abs(x)),
    "up-down": lambda y, x: (abs(y), x),
    "both": lambda y, x: (abs(y), abs(x)),
    "point": lambda y, x: max((y, x), (-y, -x)),
    "quarter": lambda y, x: max((y, x), (x, -y), (-y, -x), (-x, y)),
    "full": lambda y, x: (max(abs(y), abs(x)), min(abs(y), abs(x))),
    "radial": lambda y, x: (y * y + x * x,),
}


@dataclass(frozen=True, eq=False)
class _ReducedProblem:
    """The normal equations in numbers that are free: w = start + basis @ free, as symmetry and sum leave them.

    The basis is orthonormal, so that a ridge on `free` is one on the weights, and the least `free` the least kernel.
    """

    start: Weights
    basis: Weights
    right: Weights
    energies: Weights
    patterns: Weights
    shown: NDArray[np.bool_]
    sums: Weights = field(repr=False)
    count: int = 0
    ridge: float = 0.0

    @classmethod
    def posed(cls, equations: NormalEquations, options: FitOptions) -> "_ReducedProblem":
        matrix, right = equations.centred() if options.bias else (equations.gram, equations.cross)
        orbits = symmetry_orbits(options.size, options.symmetry).ravel()
        basis = np.eye(orbits.max() + 1)[orbits]
        basis /= np.sqrt(basis.sum(axis=0))
        start = np.zeros(orbits.size)
        if options.total is not None:
            # Equal weights have the sum, and every symmetry; what is added to them sums to zero.
            start += options.total / orbits.size
            direction = basis.sum(axis=0)
            basis = basis @ np.linalg.svd(direction[np.newaxis])[2][1:].T
        weight_energy = float(np.trace(matrix))
        ridge = options.ridge * weight_energy / orbits.size
        reduced = basis.T @ matrix @ basis
        energies, patterns = np.linalg.eigh((reduced + reduced.T) / 2)
        energies = np.maximum(energies, 0.0) + ridge
        least = max(_NO_ENERGY * energies.max(initial=0.0), 1e-15 * weight_energy)
        return cls(
            start=start,
            basis=basis,
            right=basis.T @ (right - matrix @ start),
            energies=energies,
            patterns=patterns,
            shown=energies > least,
            sums=equations.sums,
            count=equations.count,
            ridge=ridge,
        )

    @property
    def unknowns(self) -> int:
        return self.energies.size

    @property
    def determined(self) -> int:
        return int(self.shown.sum())

    @property
    def condition(self) -> float:
        if self.determined < self.unknowns:
            return float("inf")
        return float(np.sqrt(self.energies.max() / self.energies.min())) if self.unknowns else 1.0

    def solution(self) -> Weights:
        return self.start + self._solved(self.right)

    def step(self, misfit: "Misfit", bias: bool) -> Weights:
        """Return what leads from the weights that have this misfit to the least sum of squares, down their gradient."""
        slope = misfit.gradient - self.sums * misfit.total / self.count if bias else misfit.gradient
        return self._solved(-self.basis.T @ (slope + self.ridge * misfit.weights))

    def _solved(self, right: Weights) -> Weights:
        patterns = self.patterns[:, self.shown]
        free: Weights = patterns @ ((patterns.T @ right) / self.energies[self.shown])
        return np.asarray(self.basis @ free)

    def standard_error(self, residual: float, freedom: int) -> float:
        """Return the largest standard error of a weight, the residuals taken for independent noise of one variance."""
        if self.determined < self.unknowns or freedom < 1:
            return float("inf")
        spread = (self.basis @ self.patterns) ** 2 @ (1.0 / self.energies)
        return float(np.sqrt(residual / freedom * spread.max()))


def _is_constant(pair: Pair) -> bool:
    known = pair.before if pair.usable is None else pair.before[pair.usable]
    planes = known.reshape(-1, pair.before.shape[2])
    finite = planes[np.isfinite(planes).all(axis=1)] if planes.dtype.kind == "f" else planes
    return finite.size == 0 or bool((finite.min(axis=0) == finite.max(axis=0)).all())


def _constant(pairs: Sequence[Pair], options: FitOptions) -> str:
    what = f"{pairs[0].name}: the image before is" if len(pairs) == 1 else "all images before are"
    tells = "nothing about the weights" if options.bias else "only what the weights sum to"
    return f"{what} constant, which tells {tells}: fit to an image with edges and texture"


def _nothing_left(pairs: Sequence[Pair], options: FitOptions, counts: SampleCounts) -> str:
    where = pairs[0].name if len(pairs) == 1 else "no pair"
    why = "saturated" if counts.saturated >= counts.unknown else "unknown (not finite, or not opaque)"
    return (
        f"{where}: no pixel is left to fit {size_words(options.size)} weights to: "
        f"all outputs away from the border are {why}; a float or offset output would tell more"
    )


def _warnings(problem: _ReducedProblem, used: int, weights: Weights, error: float, *, constant: bool) -> Iterator[str]:
    remedy = "fit to more pixels or richer texture, a smaller --size, a --symmetric kernel, or give a --ridge"
    if constant:
        yield "the images before are constant: that the weights are equal comes from the ridge alone"
    elif problem.determined < problem.unknowns:
        few = f"only {used} pixels are left" if used < problem.unknowns else "the images show too few patterns"
        yield (
            f"the images do not determine the kernel: {few}, which fix {problem.determined} of {problem.unknowns} "
            f"numbers; the smallest kernel that fits is given. To determine it, {remedy}"
        )
    elif error > _UNCERTAIN * float(np.abs(weights).max()):
        yield (
            f"the images hardly determine the kernel: weights are uncertain by up to {error:.2g}, where the largest is "
            f"{np.abs(weights).max():.2g}. To be surer, {remedy}"
        )


def _explanation(explained: float, bias: bool) -> Iterator[str]:
    if explained < _EXPLAINED:
        others = (
            "an absolute value, a stretch or a tone curve" if bias else "a bias (--bias), an absolute value or a curve"
        )
        yield (
            f"the kernel explains {max(explained, 0.0):.0%} of what the output varies by: no convolution alone made "
            f"it, but perhaps {others}, a larger kernel, or noise"
        )
