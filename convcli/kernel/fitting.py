"""The kernel that best turns one image into another, by least squares in closed form.

Model: `after[y, x] = sum_uv before[y + u - a, x + v - b] w[u, v] + bias + error[y, x]`. As a function of the weights,
the sum E of the squared errors is a bowl. With `error = response - after`, the slope of E / 2 along a weight is

    gradient[u, v] = sum_yx error[y, x] before[y + u - a, x + v - b]

which is the correlation of the input with the error, laid over every place at once. It is what a layer of a network is
trained by, and each step of such training goes down it. Here nothing has to be trained: the bottom is where the
gradient is zero, and since the error is linear in the weights, that is a set of linear equations, the normal equations

    sum_kl G[uv, kl] w[k, l] = c[uv],    G[uv, kl] = sum_yx before[y + u - a, x + v - b] before[y + k - a, x + l - b]
                                         c[uv]     = sum_yx before[y + u - a, x + v - b] after[y, x]

G is the correlation of the input with itself, c that of the input with the output. The sums run over the pixels whose
window lies within the image, so that no padding is guessed, and whose output is not saturated: what was clipped no
longer says what it was. They are gathered in blocks of some megabytes, whatever the images' size.

Images determine a kernel as far as G has an inverse. Its eigenvalues are the energy of the input in as many patterns of
the kernel's size; a pattern that the input never shows (any but the flat one, where it is constant) can be added to the
kernel, and no output tells. Of all kernels that fit equally well the one with the least sum of squares is given then.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from convcli.errors import FilterError, UsageError, check_word
from convcli.kernel.weights import MAX_WEIGHTS

Reals = NDArray[np.float64]
Block = tuple[Reals, Reals]  # windows, (weights, pixels), and the outputs there, (pixels,)
Size = tuple[int, int]
_Sum = TypeVar("_Sum")
SYMMETRIES = ("none", "left-right", "up-down", "both", "point", "quarter", "full", "radial")

# The equations of this many weights take 130 MB.
_MOST_WEIGHTS = 4096
# Windows are laid out side by side, this many samples at a time: 4 MB, which stays in the cache. Each block's products
# are added to the equations, so that where these are large it is made of this many windows at least: 32 MB for 63x63.
_BLOCK_SAMPLES, _LEAST_BLOCK = 1 << 19, 1024
# Sums are taken over this many runs of blocks, whatever the number of threads: the result does not depend on it. Their
# matrices take so much memory at most.
_RUNS, _RUNS_SAMPLES = 64, 1 << 25
# A pattern with less than this part of the largest pattern's energy is one that the images do not show.
_NO_ENERGY = 1e-12
# A kernel that accounts for less than this part of the output's variance did not make it alone.
_EXPLAINED = 0.5
# Weights that are uncertain by more than this part of the largest are not worth calling determined.
_UNCERTAIN = 0.1


@dataclass(frozen=True)
class FitOptions:
    """What is asked of the kernel.

    Parameters
    ----------
    size
        Rows and columns.
    anchor
        The element over the output pixel; the middle, (rows // 2, columns // 2), if None.
    bias
        Whether a constant is added to the response, and fitted with the weights.
    ridge
        How much large weights are disliked: this part of the mean energy of a weight's samples, times the sum of the
        squared weights, is added to the squared errors. 0 for not at all; 1e-6 calms what noise makes of patterns that
        the images hardly show.
    symmetry
        Which weights are one: `left-right` and `up-down` mirrors, `both`, `point` (turned by 180 degrees), `quarter`
        (turned by 90), `full` (turns and mirrors), `radial` (all at one distance from the kernel's middle), or `none`.
    total
        What the weights must sum to; None for whatever fits.

    Raises
    ------
    UsageError
        for a size, anchor, ridge or sum that is out of range, an unknown symmetry, or one that needs a square kernel.
    """

    size: Size
    anchor: Size | None = None
    bias: bool = False
    ridge: float = 0.0
    symmetry: str = "none"
    total: float | None = None

    def __post_init__(self) -> None:
        height, width = self.size
        if min(self.size) < 1:
            raise UsageError(f"--size {height}x{width}: a kernel has at least one row and one column")
        if height * width > min(_MOST_WEIGHTS, MAX_WEIGHTS):
            raise UsageError(f"--size {height}x{width}: at most {_MOST_WEIGHTS} weights are fitted, such as 63x63")
        if self.anchor is not None and not (self.anchor[0] < height and self.anchor[1] < width):
            raise UsageError(f"--anchor {self.anchor[0]},{self.anchor[1]}: outside a kernel of {height}x{width}")
        if not 0 <= self.ridge < np.inf:
            raise UsageError(f"--ridge {self.ridge:g}: must be zero or a positive number, such as 1e-6")
        if self.total is not None and not np.isfinite(self.total):
            raise UsageError(f"--sum {self.total:g}: must be finite")
        check_word("symmetry", self.symmetry, SYMMETRIES)
        if self.symmetry in ("quarter", "full") and height != width:
            raise UsageError(f"--symmetric {self.symmetry}: turns rows into columns, which {height}x{width} cannot")

    @property
    def origin(self) -> Size:
        """The anchor, wherever it comes from."""
        return self.anchor or (self.size[0] // 2, self.size[1] // 2)


@dataclass(frozen=True, eq=False)
class Pair:
    """An image before and after, both (rows, columns, channels), every channel of which the same kernel has met.

    `after` is as large as `before`, or smaller by the kernel: what an extent of `valid` leaves. Its integer samples at
    either end of their range count as saturated. `unit` is the step from the units of `before` to those of `after`, 257
    from 8 to 16 bits. `usable`, (rows, columns), says which pixels of `before` are known; None for all.
    `name` is what messages call the pair.
    """

    before: NDArray[Any]
    after: NDArray[Any]
    unit: float = 1.0
    usable: NDArray[np.bool_] | None = None
    name: str = "the pair"


@dataclass(frozen=True)
class Counts:
    """How many samples of the outputs were used, and how many were left out for which reason."""

    used: int = 0
    border: int = 0
    saturated: int = 0
    unknown: int = 0


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted kernel, and how well it fits.

    Attributes
    ----------
    weights : array (rows, columns)
        To be laid on the image as written (correlation), in the units that turn samples of `before` into responses.
    bias : float
        What is added to the response, in the units of `before`; 0 where none was asked for.
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
        Of the most uncertain weight, taking the residuals for independent noise; infinite where undetermined.
    gradient : array (rows, columns)
        The correlation of the input with the error, a used pixel; zero but for rounding, unless symmetry, sum or ridge
        hold the kernel elsewhere.
    warnings : tuple of str
        What a user should know before trusting it.
    """

    weights: Reals
    bias: float
    counts: Counts
    residual_rms: float
    residual_max: float
    explained: float
    unknowns: int
    determined: int
    condition: float
    standard_error: float
    gradient: Reals
    warnings: tuple[str, ...]


def fit_kernel(pairs: Sequence[Pair], options: FitOptions, threads: int = 1) -> Fit:
    """Find the kernel, and the bias where asked for, that turns every `before` into its `after` with least squares.

    It takes as many threads as it is told, besides those of BLAS.

    >>> before = np.random.default_rng(0).uniform(0, 255, (20, 30, 1))
    >>> after = np.zeros_like(before)
    >>> after[:, 1:-1] = before[:, 2:] - before[:, :-2] + 5
    >>> fit = fit_kernel([Pair(before, after)], FitOptions((1, 3), bias=True))
    >>> fit.weights.round(9) + 0.0, round(fit.bias, 9)
    (array([[-1.,  0.,  1.]]), 5.0)

    Raises
    ------
    FilterError
        where sizes do not match, no pixel is left to fit, or every image is constant, so that a kernel's weights could
        be anything of the right sum (with a ridge they are equal).
    """
    for pair in pairs:
        _check(pair, options)
    shift_in, shift_out = _shifts(pairs) if options.bias else (0.0, 0.0)

    blocks = [block for pair in pairs for block in _blocks(pair, options, shift_in, shift_out)]
    unknown = options.size[0] * options.size[1]
    equations = _Equations.of_none(unknown)
    for part in _in_runs(blocks, partial(_Equations.gathered, unknown), unknown, threads):
        equations.add(part)
    counts = _counted(pairs, options, equations.count)
    if equations.count == 0:
        raise FilterError(_nothing_left(pairs, options, counts))
    constant = all(_is_constant(pair) for pair in pairs)
    if constant and options.ridge == 0.0:
        raise FilterError(_constant(pairs, options))
    problem = _Problem.posed(equations, options)
    flat = problem.solution()
    misfit = _Misfit(flat, np.zeros(unknown))
    for more in _in_runs(
        blocks, partial(_Misfit.of, flat, equations.bias(flat) if options.bias else 0.0), unknown, threads
    ):
        misfit.add(more)
    # The gradient of what was found is rounding, carried through the equations' inverse; a step down it takes it back.
    flat = flat + problem.step(misfit, options.bias)
    bias = equations.bias(flat) + shift_out - shift_in * float(flat.sum()) if options.bias else 0.0
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


def gradient(before: NDArray[Any], error: NDArray[Any], size: Size) -> Reals:
    """Correlate an image (rows, columns) with the error of its response, as large as its windows of `size` allow.

    It is the slope of half the sum of the squared errors along each weight: `gradient[u, v] = sum_yx error[y, x]
    before[y + u, x + v]`, an array of `size`.

    >>> gradient(np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, -1.0]]), (1, 2))
    array([[-1., -2.]])
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(before, np.float64), size)
    return np.asarray(np.einsum("yxuv,yx->uv", windows, np.asarray(error, np.float64)))


def symmetry_orbits(size: Size, symmetry: str) -> NDArray[np.intp]:
    """Number the weights of a kernel so that those which a symmetry makes one have one number.

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


@dataclass(eq=False)
class _Equations:
    """The sums over all used pixels that the normal equations are made of."""

    gram: Reals
    cross: Reals
    sums: Reals
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of_none(cls, weights: int) -> "_Equations":
        return cls(np.zeros((weights, weights)), np.zeros(weights), np.zeros(weights))

    @classmethod
    def gathered(cls, weights: int, blocks: Iterator[Block]) -> "_Equations":
        equations = cls.of_none(weights)
        for windows, targets in blocks:
            equations.gram += windows @ windows.T
            equations.cross += windows @ targets
            equations.sums += windows.sum(axis=1)
            equations.count += targets.size
            equations.total += float(targets.sum())
            equations.squares += float(targets @ targets)
        return equations

    def add(self, other: "_Equations") -> None:
        self.gram += other.gram
        self.cross += other.cross
        self.sums += other.sums
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def centred(self) -> tuple[Reals, Reals]:
        """The equations that are left once the bias is solved for: those of the deviations from the means."""
        means = self.sums / self.count
        return self.gram - np.outer(self.sums, means), self.cross - means * self.total

    def bias(self, weights: Reals) -> float:
        """The best bias for some weights: what the means of response and output differ by."""
        return (self.total - float(self.sums @ weights)) / self.count

    def explained(self, residual: float) -> float:
        variance = self.squares - self.total**2 / self.count
        return 1.0 - residual / variance if variance > 1e-14 * self.squares else float("nan")


@dataclass(frozen=True, eq=False)
class _Problem:
    """The normal equations in numbers that are free: w = start + basis @ free, as symmetry and sum leave them.

    The basis is orthonormal, so that a ridge on `free` is one on the weights, and the least `free` the least kernel.
    """

    start: Reals
    basis: Reals
    right: Reals
    energies: Reals
    patterns: Reals
    shown: NDArray[np.bool_]
    sums: Reals = field(repr=False)
    count: int = 0
    ridge: float = 0.0

    @classmethod
    def posed(cls, equations: _Equations, options: FitOptions) -> "_Problem":
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

    def solution(self) -> Reals:
        return self.start + self._solved(self.right)

    def step(self, misfit: "_Misfit", bias: bool) -> Reals:
        """The way from the weights that have this misfit to the bottom of the bowl, down their gradient."""
        slope = misfit.gradient - self.sums * misfit.total / self.count if bias else misfit.gradient
        return self._solved(-self.basis.T @ (slope + self.ridge * misfit.weights))

    def _solved(self, right: Reals) -> Reals:
        patterns = self.patterns[:, self.shown]
        free: Reals = patterns @ ((patterns.T @ right) / self.energies[self.shown])
        return np.asarray(self.basis @ free)

    def standard_error(self, residual: float, freedom: int) -> float:
        """The largest standard error of a weight, the residuals taken for independent noise of one variance."""
        if self.determined < self.unknowns or freedom < 1:
            return float("inf")
        spread = (self.basis @ self.patterns) ** 2 @ (1.0 / self.energies)
        return float(np.sqrt(residual / freedom * spread.max()))


@dataclass(eq=False)
class _Misfit:
    """The errors of some weights, and their correlation with the input."""

    weights: Reals
    gradient: Reals
    squares: float = 0.0
    largest: float = 0.0
    total: float = 0.0

    @classmethod
    def of(cls, weights: Reals, bias: float, blocks: Iterator[Block]) -> "_Misfit":
        misfit = cls(weights, np.zeros(weights.size))
        for windows, targets in blocks:
            error = weights @ windows + bias - targets
            misfit.gradient += windows @ error
            misfit.squares += float(error @ error)
            misfit.largest = max(misfit.largest, float(np.abs(error).max(initial=0.0)))
            misfit.total += float(error.sum())
        return misfit

    def add(self, other: "_Misfit") -> None:
        self.gradient += other.gradient
        self.squares += other.squares
        self.largest = max(self.largest, other.largest)
        self.total += other.total


def _in_runs(
    blocks: Sequence[Callable[[], Block]], gathered: Callable[[Iterator[Block]], _Sum], weights: int, threads: int
) -> Iterator[_Sum]:
    """Cut the blocks into runs, and give what is `gathered` from each, in order."""
    runs = min(len(blocks), max(2, min(_RUNS, _RUNS_SAMPLES // weights**2)))
    edges = [len(blocks) * number // max(1, runs) for number in range(runs + 1)]
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda first, last: gathered(block() for block in blocks[first:last]), edges, edges[1:])


def _check(pair: Pair, options: FitOptions) -> None:
    height, width, channels = pair.before.shape
    rows, columns = height - options.size[0] + 1, width - options.size[1] + 1
    if min(rows, columns) < 1:
        raise FilterError(f"{pair.name}: no window of {_by(options.size)} lies within an image of {height}x{width}")
    if pair.after.shape[2] != channels:
        raise FilterError(f"{pair.name}: {channels} channels before and {pair.after.shape[2]} after: they must match")
    if pair.after.shape[:2] not in ((height, width), (rows, columns)):
        raise FilterError(
            f"{pair.name}: {height}x{width} before and {_by(pair.after.shape[:2])} after: expected the same size, "
            f"or {rows}x{columns} of extent valid"
        )


def _targets(pair: Pair, options: FitOptions) -> NDArray[Any]:
    """The part of `after` whose windows lie within `before`."""
    rows, columns = (pair.before.shape[axis] - options.size[axis] + 1 for axis in (0, 1))
    if pair.after.shape[:2] == (rows, columns):
        return pair.after
    top, left = options.origin
    return pair.after[top : top + rows, left : left + columns]


def _blocks(pair: Pair, options: FitOptions, shift_in: float, shift_out: float) -> Iterator[Callable[[], Block]]:
    """What makes the windows of used pixels with the outputs there, a block at a time."""
    height, width = options.size
    targets = _targets(pair, options)
    rows, columns, channels = targets.shape
    usable = _usable_windows(pair, options.size)
    samples = max(_LEAST_BLOCK, _BLOCK_SAMPLES // (height * width))
    across = min(columns, samples)
    down = max(1, samples // across)
    for channel in range(channels):
        for top in range(0, rows, down):
            for left in range(0, columns, across):
                place = slice(top, min(top + down, rows)), slice(left, min(left + across, columns))
                yield partial(_block, pair, options.size, targets, usable, channel, place, shift_in, shift_out)


def _block(
    pair: Pair,
    size: Size,
    targets: NDArray[Any],
    usable: NDArray[np.bool_] | None,
    channel: int,
    place: tuple[slice, slice],
    shift_in: float,
    shift_out: float,
) -> Block:
    height, width = size
    given = targets[*place, channel]
    keep = ~_saturated(given)
    if usable is not None:
        keep &= usable[place]
    rows, columns = given.shape
    top, left = place[0].start, place[1].start
    tile = pair.before[top : top + rows + height - 1, left : left + columns + width - 1, channel] - np.float64(shift_in)
    windows = np.empty((height, width, rows, columns))
    windows[...] = np.lib.stride_tricks.sliding_window_view(tile, (rows, columns))
    flat, kept = windows.reshape(height * width, -1), keep.ravel()
    outputs = given.astype(np.float64).ravel() / pair.unit - shift_out
    return (flat, outputs) if kept.all() else (flat[:, kept], outputs[kept])


def _saturated(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a sample tells no response: at an end of an integer's range, or not a finite number."""
    if samples.dtype.kind == "f":
        return np.asarray(~np.isfinite(samples), bool)
    limits = np.iinfo(samples.dtype)
    return np.asarray((samples == limits.min) | (samples == limits.max), bool)


def _usable_windows(pair: Pair, size: Size) -> NDArray[np.bool_] | None:
    """Which windows hold known pixels alone, or None where all do."""
    usable = pair.usable
    if pair.before.dtype.kind == "f":
        finite = np.isfinite(pair.before).all(axis=2)
        usable = finite if usable is None else usable & finite
    if usable is None or usable.all():
        return None
    # Unknown pixels are counted in every window by the sums of the rectangles that reach from the upper left corner.
    sums = np.zeros((usable.shape[0] + 1, usable.shape[1] + 1), np.int64)
    sums[1:, 1:] = (~usable).cumsum(axis=0).cumsum(axis=1)
    height, width = size
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    return np.asarray(inside == 0)


def _counted(pairs: Sequence[Pair], options: FitOptions, used: int) -> Counts:
    border = saturated = unknown = 0
    for pair in pairs:
        targets = _targets(pair, options)
        border += pair.after.size - targets.size
        usable = _usable_windows(pair, options.size)
        if usable is not None:
            unknown += int((~usable).sum()) * targets.shape[2]
        for channel in range(targets.shape[2]):
            ends = _saturated(targets[..., channel])
            saturated += int((ends if usable is None else ends & usable).sum())
    return Counts(used, border, saturated, unknown)


def _shifts(pairs: Sequence[Pair]) -> tuple[float, float]:
    """About the means of inputs and outputs, whole numbers where they are: a bias is then found to full precision.

    Any number would do, since the bias takes up what it leaves; taken off whole numbers, a whole one rounds nothing.
    """
    before, after = pairs[0].before, pairs[0].after

    def middle(samples: NDArray[Any]) -> float:
        finite = samples[np.isfinite(samples)] if samples.dtype.kind == "f" else samples
        return float(np.rint(finite.mean(dtype=np.float64))) if finite.size else 0.0

    return middle(before), middle(after) / pairs[0].unit


def _is_constant(pair: Pair) -> bool:
    known = pair.before if pair.usable is None else pair.before[pair.usable]
    planes = known.reshape(-1, pair.before.shape[2])
    finite = planes[np.isfinite(planes).all(axis=1)] if planes.dtype.kind == "f" else planes
    return finite.size == 0 or bool((finite.min(axis=0) == finite.max(axis=0)).all())


def _constant(pairs: Sequence[Pair], options: FitOptions) -> str:
    what = f"{pairs[0].name}: the image before is" if len(pairs) == 1 else "all images before are"
    tells = "nothing about the weights" if options.bias else "only what the weights sum to"
    return f"{what} constant, which tells {tells}: fit to an image with edges and texture"


def _nothing_left(pairs: Sequence[Pair], options: FitOptions, counts: Counts) -> str:
    where = pairs[0].name if len(pairs) == 1 else "no pair"
    why = "saturated" if counts.saturated >= counts.unknown else "unknown (not finite, or not opaque)"
    return (
        f"{where}: no pixel is left to fit {_by(options.size)} weights to: all outputs away from the border are {why}; "
        "a float or offset output would tell more"
    )


def _warnings(problem: _Problem, used: int, weights: Reals, error: float, *, constant: bool) -> Iterator[str]:
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


def _by(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
