"""The direct backend: the definition itself, in NumPy alone, by whichever of two ways is cheaper.

*Shifted copies*: for each weight, the tile moved under it is scaled and added. Two passes over data that stays in the
core's second-level cache, for each weight; weights of one size are added up first and scaled once.

*Band matrix*: for each kernel column, a band matrix of 32 output rows, made of that column's weights moved down row by
row, times a slab of the tile. The zeros in the band cost arithmetic, but a matrix product does it many times as fast.

Sums of many terms are taken in a tree of short runs, so that the error of float32 does not grow with the kernel.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Correlator, Scratch, WholeImage, Work

# Samples of output in a tile: three such arrays of float32 fill half of a core's L2 cache of 1 MiB.
_TILE_SAMPLES = 40_000
# Output rows that one band matrix makes; below it the band's share of zeros grows, above it the number of them.
_BAND_ROWS = 32
# Terms summed one after another before sums are added in pairs; float32's error stays a tenth of DESIGN's bound.
_RUN = 32
# What one row of a band's reach costs, in passes over the output.
_BAND_ROW_COST = 0.03


class _Direct:
    """See the module."""

    name = "direct"
    strides = True
    dilates = True

    def tile_size(self, work: Work) -> tuple[int, int]:
        """About square in samples, but wide: long rows are what makes a pass over an array cheap."""
        channels = max(work.bank.inputs, work.bank.outputs)
        width = max(1024 // channels, 4 * work.span[1], 16)
        height = max(_TILE_SAMPLES // (width * channels), _BAND_ROWS)
        return height // _BAND_ROWS * _BAND_ROWS, width

    def prepare(self, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Choose between the two ways."""
        if work.bank.shared is None:
            return lambda: ChannelMatrices(work)
        kernel = work.bank.shared
        if _prefers_band(work, kernel):
            bands = _bands(kernel, work)
            return lambda: BandMatrices(work, bands)
        return lambda: ShiftedCopies(work, kernel)

    def whole(self, image: WholeImage) -> None:
        """There is no library underneath."""

    def single_threaded(self) -> AbstractContextManager[object]:
        """Matrix products run on BLAS, which has threads of its own."""
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 (only where this backend runs)

        return ThreadpoolController().limit(limits=1, user_api="blas") or nullcontext()


class _TileOwner:
    """Holds the tile, and cuts from it what lies under one weight."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.scratch = Scratch(work.dtype)
        self.input: NDArray[Any] = np.empty(0)

    def tile(self, height: int, width: int) -> NDArray[Any]:
        self.input = self.scratch.array("tile", (height, width, self.work.bank.inputs))
        return self.input

    def output_size(self) -> tuple[int, int]:
        (height, width), span, stride = self.input.shape[:2], self.work.span, self.work.stride
        return (height - span[0]) // stride[0] + 1, (width - span[1]) // stride[1] + 1

    def under(self, u: int, v: int) -> NDArray[Any]:
        """The samples (h, w, inputs) that weight (u, v) meets, one for each output."""
        height, width = self.output_size()
        (down, right), (step_y, step_x) = self.work.dilation, self.work.stride
        top, left = u * down, v * right
        return self.input[
            top : top + (height - 1) * step_y + 1 : step_y, left : left + (width - 1) * step_x + 1 : step_x
        ]

    def pairwise(self, add_term: Callable[[int, NDArray[Any], bool], None], first: int, last: int, out: NDArray[Any]) -> None:
        """Sum terms `first` to `last` - 1 into `out`, in runs that are then added in pairs.

        `add_term(index, out, fresh)` writes its term (fresh) or adds it.
        """
        if last - first <= _RUN:
            for index in range(first, last):
                add_term(index, out, index == first)
            return
        middle = (first + last) // 2
        self.pairwise(add_term, first, middle, out)
        other = self.scratch.array(f"sum of {last - middle}", out.shape)
        self.pairwise(add_term, middle, last, other)
        out += other


class TapByTap(_TileOwner):
    """The definition and nothing cleverer: right for NaN, infinite and huge samples, which meet nonzero weights only."""

    def correlate(self) -> NDArray[Any]:
        bank = self.work.bank
        out = self.scratch.array("out", (*self.output_size(), bank.outputs))
        term = self.scratch.array("term", out.shape[:2])
        out[...] = 0
        for output, source, weights in bank.planes():
            response = out[..., output]
            for u, v in np.argwhere(weights):
                np.multiply(self.under(u, v)[..., source], self.work.dtype.type(weights[u, v]), out=term)
                response += term
        return out


class ShiftedCopies(_TileOwner):
    """One kernel on every channel, as a sum of shifted and scaled copies."""

    def __init__(self, work: Work, kernel: NDArray[np.float64]) -> None:
        super().__init__(work)
        self._terms = _terms(kernel)

    def correlate(self) -> NDArray[Any]:
        shape = (*self.output_size(), self.work.bank.inputs)
        out = self.scratch.array("out", shape)
        if self._terms:
            self.pairwise(self._add_term, 0, len(self._terms), out)
        else:
            out[...] = 0
        return out

    def _add_term(self, index: int, total: NDArray[Any], fresh: bool) -> None:
        weight, ((first_u, first_v), *others), signs = self._terms[index]
        first = self.under(first_u, first_v)
        if not others and weight == 1.0 and not fresh:
            total += first
            return
        term = total if fresh else self.scratch.array("term", total.shape)
        if others:
            for (u, v), add in zip(others, signs, strict=True):
                (np.add if add else np.subtract)(first, self.under(u, v), out=term)
                first = term
            if weight != 1.0:
                term *= self.work.dtype.type(weight)
        else:
            np.multiply(first, self.work.dtype.type(weight), out=term)
        if not fresh:
            total += term


def _terms(kernel: NDArray[np.float64]) -> list[tuple[float, list[tuple[int, int]], list[bool]]]:
    """Gather the nonzero weights by size, so that each size is multiplied once.

    A term is (weight of its first tap, taps, for each later tap whether it has the first one's sign); it has at most
    _RUN taps.
    """
    by_size: dict[float, list[tuple[int, int]]] = {}
    for u, v in np.argwhere(kernel).tolist():
        by_size.setdefault(abs(float(kernel[u, v])), []).append((u, v))
    terms = []
    for taps in by_size.values():
        for start in range(0, len(taps), _RUN):
            run = taps[start : start + _RUN]
            weight = float(kernel[run[0]])
            terms.append((weight, run, [float(kernel[tap]) == weight for tap in run[1:]]))
    return terms


class BandMatrices(_TileOwner):
    """One kernel on every channel, as products of band matrices with slabs of rows."""

    def __init__(self, work: Work, bands: list[tuple[int, NDArray[Any]]]) -> None:
        super().__init__(work)
        self._bands = bands

    def correlate(self) -> NDArray[Any]:
        (height, width), channels = self.output_size(), self.work.bank.inputs
        out = self.scratch.array("out", (height, width * channels))
        for top in range(0, height, _BAND_ROWS):
            rows = min(_BAND_ROWS, height - top)
            self._correlate_rows(top, out[top : top + rows])
        return out.reshape(height, width, channels)

    def _correlate_rows(self, top: int, out: NDArray[Any]) -> None:
        rows, samples = out.shape
        reach = (rows - 1) * self.work.stride[0] + self.work.span[0]
        first = top * self.work.stride[0]
        slab = self.input[first : first + reach]
        channels, step = self.work.bank.inputs, self.work.stride[1]

        def add_band(index: int, total: NDArray[Any], fresh: bool) -> None:
            column, band = self._bands[index]
            left = column * self.work.dilation[1]
            if step == 1:
                moved = slab.reshape(reach, -1)[:, left * channels : left * channels + samples]
            else:
                moved = self.scratch.array("moved", (reach, samples))
                right = left + (samples // channels - 1) * step + 1
                np.copyto(moved.reshape(reach, -1, channels), slab[:, left:right:step])
            product = total if fresh else self.scratch.array("product", total.shape)
            np.matmul(band[:rows, :reach], moved, out=product)
            if not fresh:
                total += product

        self.pairwise(add_band, 0, len(self._bands), out)


def _bands(kernel: NDArray[np.float64], work: Work) -> list[tuple[int, NDArray[Any]]]:
    """Write each kernel column that has a nonzero weight as a band matrix: (column, (_BAND_ROWS, rows it reads))."""
    step, down = work.stride[0], work.dilation[0]
    reach = (_BAND_ROWS - 1) * step + work.span[0]
    bands = []
    for column in np.flatnonzero(kernel.any(axis=0)).tolist():
        band = np.zeros((_BAND_ROWS, reach), work.dtype)
        for row in range(_BAND_ROWS):
            band[row, row * step : row * step + work.span[0] : down] = kernel[:, column]
        bands.append((column, band))
    return bands


class ChannelMatrices(_TileOwner):
    """A bank that mixes channels: for each tap, the samples under it times that tap's matrix of weights."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        bank = work.bank
        grouped = bank.weights.reshape(bank.groups, bank.outputs // bank.groups, *bank.weights.shape[1:])
        # (groups, rows, columns, inputs, outputs), each tap's matrix contiguous for the product.
        self._matrices = np.ascontiguousarray(grouped.transpose(0, 3, 4, 2, 1), work.dtype)
        self._taps = [(u, v) for u in range(bank.size[0]) for v in range(bank.size[1])]

    def correlate(self) -> NDArray[Any]:
        bank = self.work.bank
        out = self.scratch.array("out", (*self.output_size(), bank.outputs))
        inputs, outputs = bank.inputs // bank.groups, bank.outputs // bank.groups
        total = self.scratch.array("total", (*out.shape[:2], outputs))
        for group in range(bank.groups):
            from_channels = slice(group * inputs, (group + 1) * inputs)
            matrices = self._matrices[group]

            def add_tap(index: int, sum_: NDArray[Any], fresh: bool) -> None:
                u, v = self._taps[index]
                product = sum_ if fresh else self.scratch.array("product", sum_.shape)
                np.matmul(self.under(u, v)[..., from_channels], matrices[u, v], out=product)  # noqa: B023 (called at once)
                if not fresh:
                    sum_ += product

            self.pairwise(add_tap, 0, len(self._taps), total)
            out[..., group * outputs : (group + 1) * outputs] = total
        return out


def _prefers_band(work: Work, kernel: NDArray[np.float64]) -> bool:
    """Compare the two ways by their passes over the output; constants from benchmarks/direct_methods.py."""
    terms = _terms(kernel)
    shifted = sum(len(taps) + (weight != 1.0) for weight, taps, _ in terms)
    columns = int(kernel.any(axis=0).sum())
    reach = (_BAND_ROWS - 1) * work.stride[0] + work.span[0]
    return columns * (1 + reach * _BAND_ROW_COST) < shifted


BACKEND = _Direct()
