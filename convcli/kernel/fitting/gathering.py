"""The sums over pixels that a fit is solved from: the normal equations, and the misfit of given weights.

Windows of the images are laid out side by side, block by block, so that memory stays at some megabytes whatever the
images' size. Sums are taken over the same runs of blocks whatever the number of threads, so that no bit of the result
depends on it.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from convcli.kernel.fitting.request import FitOptions, Pair, Size
from convcli.kernel.weights import Weights

Block = tuple[Weights, Weights]  # windows, (weights, pixels), and the outputs there, (pixels,)
_Sum = TypeVar("_Sum")

# Windows are laid out side by side, this many samples at a time: 4 MB, which stays in the cache. Each block's products
# are added to the equations, so that where these are large it is made of this many windows at least: 32 MB for 63x63.
_BLOCK_SAMPLES, _LEAST_BLOCK = 1 << 19, 1024
# Runs of blocks, and the samples that the runs' matrices hold at most.
_RUNS, _RUNS_SAMPLES = 64, 1 << 25


@dataclass(frozen=True)
class SampleCounts:
    """How many samples of the outputs were used, and how many were left out for which reason.

    Attributes
    ----------
    used : int
        Samples that the sums run over.
    border : int
        Samples whose window does not lie within the image.
    saturated : int
        Samples at an end of their range, or not finite.
    unknown : int
        Samples whose window holds a pixel that is not known.
    """

    used: int = 0
    border: int = 0
    saturated: int = 0
    unknown: int = 0


@dataclass(eq=False)
class NormalEquations:
    """The sums over used pixels that the normal equations are made of.

    Attributes
    ----------
    gram : array (weights, weights)
        Sums of products of the samples under two weights.
    cross : array (weights,)
        Sums of products of the sample under a weight and the output.
    sums : array (weights,)
        Sums of the samples under a weight.
    count : int
        How many pixels there are.
    total, squares : float
        Sums of the outputs and of their squares.
    """

    gram: Weights
    cross: Weights
    sums: Weights
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of_none(cls, weights: int) -> "NormalEquations":
        """Return the equations of no pixel yet."""
        return cls(np.zeros((weights, weights)), np.zeros(weights), np.zeros(weights))

    @classmethod
    def gathered(cls, weights: int, blocks: Iterator[Block]) -> "NormalEquations":
        """Return the equations of some blocks of pixels."""
        equations = cls.of_none(weights)
        for windows, targets in blocks:
            equations.gram += windows @ windows.T
            equations.cross += windows @ targets
            equations.sums += windows.sum(axis=1)
            equations.count += targets.size
            equations.total += float(targets.sum())
            equations.squares += float(targets @ targets)
        return equations

    def add(self, other: "NormalEquations") -> None:
        """Add the sums over other pixels."""
        self.gram += other.gram
        self.cross += other.cross
        self.sums += other.sums
        self.count += other.count
        self.total += other.total
        self.squares += other.squares

    def centred(self) -> tuple[Weights, Weights]:
        """Return matrix and right side once the bias is solved for: those of the deviations from the means."""
        means = self.sums / self.count
        return self.gram - np.outer(self.sums, means), self.cross - means * self.total

    def bias(self, weights: Weights) -> float:
        """Return the best bias for some weights: what the means of response and output differ by."""
        return (self.total - float(self.sums @ weights)) / self.count

    def explained(self, residual: float) -> float:
        """Return 1 less a sum of squared errors over that of the outputs' deviations; NaN where these are all zero."""
        variance = self.squares - self.total**2 / self.count
        return 1.0 - residual / variance if variance > 1e-14 * self.squares else float("nan")


@dataclass(eq=False)
class Misfit:
    """The errors of some weights over used pixels, and the errors' correlation with the input.

    Attributes
    ----------
    weights, gradient : array (weights,)
        The weights, and the slope of half the sum of squared errors along each.
    squares, largest, total : float
        Sum of the squared errors, the largest absolute error, and the sum of errors.
    """

    weights: Weights
    gradient: Weights
    squares: float = 0.0
    largest: float = 0.0
    total: float = 0.0

    @classmethod
    def of(cls, weights: Weights, bias: float, blocks: Iterator[Block]) -> "Misfit":
        """Return the misfit over some blocks of pixels."""
        misfit = cls(weights, np.zeros(weights.size))
        for windows, targets in blocks:
            error = weights @ windows + bias - targets
            misfit.gradient += windows @ error
            misfit.squares += float(error @ error)
            misfit.largest = max(misfit.largest, float(np.abs(error).max(initial=0.0)))
            misfit.total += float(error.sum())
        return misfit

    def add(self, other: "Misfit") -> None:
        """Add the errors over other pixels."""
        self.gradient += other.gradient
        self.squares += other.squares
        self.largest = max(self.largest, other.largest)
        self.total += other.total


class UsedPixels:
    """The used pixels of some pairs of images, in blocks, and the sums over them.

    Parameters
    ----------
    pairs : sequence of Pair
        The images.
    options : FitOptions
        Size, anchor and bias of the kernel.
    threads : int
        How many threads gather at once, besides those of BLAS.
    """

    def __init__(self, pairs: Sequence[Pair], options: FitOptions, threads: int) -> None:
        self._pairs = pairs
        self._options = options
        self._threads = threads
        self._unknown = options.size[0] * options.size[1]
        # Taken off the samples before they are squared, and put back into the bias.
        self.shift_in, self.shift_out = _shifts(pairs) if options.bias else (0.0, 0.0)
        self._blocks = [block for pair in pairs for block in _blocks(pair, options, self.shift_in, self.shift_out)]

    def equations(self) -> NormalEquations:
        """Return the normal equations of all used pixels."""
        total = NormalEquations.of_none(self._unknown)
        for part in self._in_runs(partial(NormalEquations.gathered, self._unknown)):
            total.add(part)
        return total

    def misfit(self, weights: Weights, bias: float) -> Misfit:
        """Return the misfit of some weights, (rows * columns,), and a bias, over all used pixels."""
        total = Misfit(weights, np.zeros(self._unknown))
        for part in self._in_runs(partial(Misfit.of, weights, bias)):
            total.add(part)
        return total

    def counts(self, used: int) -> SampleCounts:
        """Return how many samples were used, which `equations` counts, and left out."""
        return _counted(self._pairs, self._options, used)

    def _in_runs(self, gathered: Callable[[Iterator[Block]], _Sum]) -> Iterator[_Sum]:
        """Cut the blocks into runs, and yield what is `gathered` from each, in order."""
        blocks = self._blocks
        runs = min(len(blocks), max(2, min(_RUNS, _RUNS_SAMPLES // self._unknown**2)))
        edges = [len(blocks) * number // max(1, runs) for number in range(runs + 1)]
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(lambda first, last: gathered(block() for block in blocks[first:last]), edges, edges[1:])


def _targets(pair: Pair, options: FitOptions) -> NDArray[Any]:
    """Return the part of `after` whose windows lie within `before`."""
    rows, columns = (pair.before.shape[axis] - options.size[axis] + 1 for axis in (0, 1))
    if pair.after.shape[:2] == (rows, columns):
        return pair.after
    top, left = options.origin
    return pair.after[top : top + rows, left : left + columns]


def _blocks(pair: Pair, options: FitOptions, shift_in: float, shift_out: float) -> Iterator[Callable[[], Block]]:
    """Yield functions that return the windows of used pixels with the outputs there, a block each."""
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
    """Return where samples say nothing of the response: at an end of an integer's range, or not finite."""
    if samples.dtype.kind == "f":
        return np.asarray(~np.isfinite(samples), bool)
    limits = np.iinfo(samples.dtype)
    return np.asarray((samples == limits.min) | (samples == limits.max), bool)


def _usable_windows(pair: Pair, size: Size) -> NDArray[np.bool_] | None:
    """Return which windows hold known pixels alone, or None where all do."""
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


def _counted(pairs: Sequence[Pair], options: FitOptions, used: int) -> SampleCounts:
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
    return SampleCounts(used, border, saturated, unknown)


def _shifts(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return numbers about the means of inputs and outputs, so that a bias is found to full precision.

    Any number would do, since the bias takes up what it leaves; a whole one taken off whole numbers rounds nothing.
    """
    before, after = pairs[0].before, pairs[0].after

    def middle(samples: NDArray[Any]) -> float:
        finite = samples[np.isfinite(samples)] if samples.dtype.kind == "f" else samples
        return float(np.rint(finite.mean(dtype=np.float64))) if finite.size else 0.0

    return middle(before), middle(after) / pairs[0].unit
