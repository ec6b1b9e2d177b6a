"""The direct backend: the definition itself, in NumPy alone.

*Shifted copies*: for each weight, the tile moved under it is scaled and added: two passes over data in cache for each
weight. Weights of one size are added up first and scaled once.

*Runs of rows*, where most weights differ: NumPy's own correlation of one dimension takes up to 11 neighbouring weights
of a row in one pass. Rows of the tile lie end to end, so that one call does for all of them.

*Sums of doubling runs*, for a kernel that is one number: runs of 1, 2, 4, 8 ... samples, each the sum of two runs
before it, joined into a run as long as the kernel; first down, then across. A box of n x n takes about 3 log2(n)
additions a sample, and no subtraction: nothing cancels, as it would in running sums.

*Tap by tap*, for a bank that mixes channels and has no such runs, and for what no other way is right for: samples that
are NaN or infinite.

Sums of many terms are taken in a tree of short runs, so that the error of float32 does not grow with the kernel.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Backend, BufferedCorrelator, CorrelationWork, Correlator
from convcli.convolution.backends.weighted_sums import RUN, WeightedSumCorrelator, wide_tile
from convcli.convolution.planning.cost_model import (
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    Terms,
    dense_and_separated,
    usual_tiles,
)

# Weights up to which np.correlate has a fast loop (small_correlate in numpy/_core/src/multiarray/arraytypes.c.src);
# beyond, it takes a dot product for each output, four times as slow.
_LONGEST_RUN = 11
# Rows of a full tile of a bank.
_BANK_ROWS = 128
# All channels of a tile of a bank together, which lie in memory at the same time.
_BANK_SAMPLES = 1 << 21
_MOST_OUTPUTS = 1 << 18


class _Direct(Backend):
    """See the module."""

    name = "direct"
    strides = True
    dilates = True
    boxes = True

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the dense form, that of passes, and sums of doubling runs for a box."""
        if summary.box:
            tiles = usual_tiles(summary, request)
            # Additions a sample of sums of doubling runs, down and across.
            additions = sum(n.bit_length() + n.bit_count() - 1 for n in summary.size)
            samples = request.units * summary.channels
            passes = {"direct.pass": samples * additions, "direct.call": (additions + 3.0) * tiles}
            yield CostedForm(ComputingForm("box"), {"direct.sample": samples, **passes}, tiles)
        yield from dense_and_separated(_dense_terms, summary, request)

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Wide for one kernel; for a bank, as large as its channels allow."""
        bank, (rows, columns) = work.bank, work.span
        if bank.shared is None:
            outputs = min(_MOST_OUTPUTS, _BANK_SAMPLES // max(bank.inputs, bank.outputs))
            return max(_BANK_ROWS, rows), max(outputs // _BANK_ROWS, 64, 2 * columns)
        return wide_tile(work, max(_BANK_ROWS, 2 * rows)) if work.box else wide_tile(work)

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Take the way that fits the kernel."""
        kernel = work.bank.shared
        if work.box and kernel is not None:
            return lambda: DoublingRuns(work, float(kernel[0, 0]))
        weights = work.bank.weights if kernel is None else kernel[np.newaxis, np.newaxis]
        runs = _runs(work, weights)
        cost = sum(map(_cost, runs)) * weights.shape[0] * weights.shape[1]
        if kernel is None:
            if cost < 2 * np.count_nonzero(weights):
                return lambda: RunsOfRows(work, runs)
            return lambda: TapByTap(work)
        terms = _terms(kernel)
        if cost < sum(len(taps) + (weight != 1.0) for weight, taps, _ in terms):
            return lambda: RunsOfRows(work, runs)
        return lambda: ShiftedCopies(work, terms)


def _dense_terms(summary: BankSummary, request: CorrelationRequest) -> Terms:
    # Neighbouring weights of a row may go together, up to 11 of them.
    runs = summary.rows * request.stride[1] * math.ceil(summary.size[1] / request.stride[1] / _LONGEST_RUN)
    by_rows = runs * 4.0 + 0.9 * summary.rows * summary.size[1]
    if summary.shared:
        passes = min(summary.weights + summary.distinct, by_rows)
        planes = summary.channels
        calls = passes
    else:
        passes = min(2 * summary.weights, by_rows) * summary.inputs
        planes = summary.outputs * summary.groups
        calls = passes * planes
    samples = request.units * planes
    calls *= usual_tiles(summary, request)
    return {"direct.sample": samples, "direct.pass": samples * passes, "direct.call": calls}


class TapByTap(WeightedSumCorrelator):
    """The definition, no cleverer: right for NaN, infinite and huge samples, which meet nonzero weights only."""

    planar = True

    def __init__(self, work: CorrelationWork) -> None:
        super().__init__(work)
        self._taps: list[list[tuple[int, int, int, float]]] = [[] for _ in range(work.bank.outputs)]
        for output, source, weights in work.bank.planes():
            self._taps[output] += [(source, u, v, float(weights[u, v])) for u, v in np.argwhere(weights).tolist()]

    def correlate(self) -> NDArray[Any]:
        """Sum each output channel's taps."""
        out = self.samples("out", *self.output_size(), self.work.bank.outputs)
        for output, taps in enumerate(self._taps):
            total = out[..., output]
            total[...] = 0
            self.pairwise(partial(self._tap, taps), 0, len(taps), total)
        return out

    def _tap(self, taps: list[tuple[int, int, int, float]], index: int, out: NDArray[Any]) -> NDArray[Any]:
        source, u, v, weight = taps[index]
        factor = self.work.dtype.type(weight)
        if factor == 0.0:  # too small for float32, and still not zero: infinity times it is infinity
            factor = np.copysign(np.finfo(self.work.dtype).tiny, weight, dtype=self.work.dtype)
        np.multiply(self.under(u, v)[..., source], factor, out=out)
        return out


# Weights of one size: (the first one's weight, taps, for each later tap whether it has the first one's sign).
_SameSize = tuple[float, list[tuple[int, int]], list[bool]]


class ShiftedCopies(WeightedSumCorrelator):
    """One kernel on every channel, as a sum of shifted and scaled copies."""

    def __init__(self, work: CorrelationWork, terms: list[_SameSize]) -> None:
        super().__init__(work)
        self._terms = terms

    def correlate(self) -> NDArray[Any] | None:
        """Sum the terms; a weight of several taps is multiplied once."""
        if self.has_unsafe_samples():
            return None
        out = self.scratch.array("out", (*self.output_size(), self.work.bank.inputs))
        if self._terms:
            self.pairwise(self._term, 0, len(self._terms), out)
        else:
            out[...] = 0
        return out

    def _term(self, index: int, out: NDArray[Any]) -> NDArray[Any]:
        weight, (first_tap, *others), signs = self._terms[index]
        first = self.under(*first_tap)
        for tap, add in zip(others, signs, strict=True):
            first = (np.add if add else np.subtract)(first, self.under(*tap), out=out)
        if weight == 1.0:
            return first
        np.multiply(first, self.work.dtype.type(weight), out=out)
        return out


def _terms(kernel: NDArray[np.float64]) -> list[_SameSize]:
    """Gather the nonzero weights by size, so that each size is multiplied once; RUN taps a term at most."""
    by_size: dict[float, list[tuple[int, int]]] = {}
    for u, v in np.argwhere(kernel).tolist():
        by_size.setdefault(abs(float(kernel[u, v])), []).append((u, v))
    terms = []
    for taps in by_size.values():
        for start in range(0, len(taps), RUN):
            run = taps[start : start + RUN]
            weight = float(kernel[run[0]])
            terms.append((weight, run, [float(kernel[tap]) == weight for tap in run[1:]]))
    return terms


# Neighbouring weights of a row, for a whole bank: (row, column of the first, weights (outputs, inputs, length)).
_Run = tuple[int, int, NDArray[Any]]


def _runs(work: CorrelationWork, weights: NDArray[np.float64]) -> list[_Run]:
    """Cut the rows of kernels into runs of weights, as even as they get, whose samples lie side by side.

    They do not where a stride drops what lies between; where a dilation leaves samples out, zeros are put in.
    """
    stride, dilation = work.stride[1], work.dilation[1]
    runs = []
    for u in range(weights.shape[2]):
        used = weights[:, :, u].any(axis=(0, 1))
        for phase in range(stride):
            columns = [v for v in np.flatnonzero(used).tolist() if v * dilation % stride == phase]
            if not columns:
                continue
            places = np.array(columns) * dilation // stride
            span = int(places[-1] - places[0]) + 1
            length = math.ceil(span / math.ceil(span / _LONGEST_RUN))
            for start in range(int(places[0]), int(places[-1]) + 1, length):
                among = np.flatnonzero((places >= start) & (places < start + length))
                if not among.size:
                    continue
                offsets, own = places[among] - places[among[0]], [columns[index] for index in among]
                run = np.zeros((*weights.shape[:2], int(offsets[-1]) + 1), work.dtype)
                run[..., offsets] = weights[:, :, u, own]
                runs.append((u, own[0], run))
    return runs


def _cost(run: _Run) -> float:
    """In passes over the output; measured for runs of 3 to 11."""
    length = run[2].shape[2]
    return 2.0 if length == 1 else 4.0 + 0.9 * length


class RunsOfRows(WeightedSumCorrelator):
    """Sums of np.correlate's responses to runs of weights, in planes whose rows lie end to end."""

    planar = True

    def __init__(self, work: CorrelationWork, runs: list[_Run]) -> None:
        super().__init__(work)
        bank = work.bank
        # For each output channel: (input channel, row, column of the first weight, weights).
        self._runs: list[list[tuple[int, int, int, NDArray[Any]]]]
        if bank.shared is not None:
            self._runs = [[(channel, u, v, weights[0, 0]) for u, v, weights in runs] for channel in range(bank.inputs)]
            return
        inputs, outputs = bank.weights.shape[1], bank.outputs // bank.groups
        self._runs = [
            [
                (output // outputs * inputs + source, u, v, weights[output, source])
                for u, v, weights in runs
                for source in range(inputs)
            ]
            for output in range(bank.outputs)
        ]

    def correlate(self) -> NDArray[Any] | None:
        """Sum each output channel's runs, also over the ends of rows, and leave out what these give."""
        if self.has_unsafe_samples():
            return None
        height, width = self.output_size()
        row = self.origin(0, 0)[0].shape[1]
        out = self.samples("out", height, row, self.work.bank.outputs)
        stretch = (height - 1) * row + width
        for channel, runs in enumerate(self._runs):
            total = out[..., channel].reshape(-1)[:stretch]
            if not runs:
                total[...] = 0
            self.pairwise(partial(self._run, runs), 0, len(runs), total)
        return out[:, :width]

    def _run(self, runs: list[tuple[int, int, int, NDArray[Any]]], index: int, room: NDArray[Any]) -> NDArray[Any]:
        source, u, v, weights = runs[index]
        part, top, left = self.origin(u, v)
        start = top * part.shape[1] + left
        samples = part[..., source].reshape(-1)[start : start + len(room) + len(weights) - 1]
        if len(weights) == 1:
            np.multiply(samples, weights[0], out=room)
            return room
        return np.correlate(samples, weights, "valid")


class DoublingRuns(BufferedCorrelator):
    """A constant kernel on every channel, as sums of runs that double in length."""

    def __init__(self, work: CorrelationWork, weight: float) -> None:
        super().__init__(work)
        self._weight = weight

    def correlate(self) -> NDArray[Any] | None:
        """Sum down, then across what rows a stride keeps, then scale."""
        if self.has_unsafe_samples():
            return None
        (rows, columns), (down, right), (step_y, step_x) = self.work.bank.size, self.work.dilation, self.work.stride
        upright = self._sum_runs("upright", self.input, 0, rows, down, step_y)
        level = self._sum_runs("level", upright, 1, columns, right, step_x)
        out = self.scratch.array("out", level.shape)
        np.multiply(level, self.work.dtype.type(self._weight), out=out)
        return out

    def _sum_runs(self, name: str, samples: NDArray[Any], axis: int, taps: int, gap: int, step: int) -> NDArray[Any]:
        """Sum `taps` samples, `gap` apart along an axis, from every `step`-th place on; may answer a view."""

        def cut(array: NDArray[Any], first: int, last: int, every: int = 1) -> NDArray[Any]:
            return array[first:last:every] if axis == 0 else array[:, first:last:every]

        last = samples.shape[axis] - (taps - 1) * gap
        runs, length, done = samples, 1, 0
        total: NDArray[Any] | None = None
        while True:
            if taps & length:
                piece = cut(runs, done * gap, done * gap + last, step)
                done += length
                if done == taps:
                    return piece if total is None else np.add(total, piece, out=total)
                if total is None:
                    total = self.scratch.array(f"{name} total", piece.shape)
                    np.copyto(total, piece)
                else:
                    total += piece
            longer = runs.shape[axis] - length * gap
            shape = (longer, *runs.shape[1:]) if axis == 0 else (len(runs), longer, runs.shape[2])
            # In turn: what is written must not be what is read.
            doubled = self.scratch.array(f"{name} of {2 * length % 3}", shape)
            runs = np.add(cut(runs, 0, longer), cut(runs, length * gap, length * gap + longer), out=doubled)
            length *= 2


BACKEND = _Direct()
