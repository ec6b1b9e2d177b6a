"""The direct backend: the definition itself, in NumPy alone, by whichever of these ways is cheapest.

*Shifted copies*: for each weight, the tile moved under it is scaled and added: two passes over data in cache for each
weight. Weights of one size are added up first and scaled once.

*Band matrix*: for each kernel column, a band matrix of 8 or 16 output rows, made of that column's weights moved down
row by row, times each slab of the tile. The zeros in the band cost arithmetic, but a matrix product does it many times
as fast.

*Column, then row*: a kernel that is the product of both, or the sum of few such, as two one-dimensional kernels each.

Sums of many terms are taken in a tree of short runs, so that the error of float32 does not grow with the kernel.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.convolution.backends.base import Correlator, TileOwner, WholeImage, Work
from convcli.convolution.bank import Bank
from convcli.convolution.threads import SharedLimit
from convcli.kernel.factorize import low_rank

# Outputs of a full tile, rows and samples a row. Smaller ones would fit a core's L2 cache, but two threads that meet at
# the interpreter's lock after every few microseconds wait for each other longer than for the L3 cache.
_TILE_ROWS, _TILE_SAMPLES = 128, 2048
# A kernel that is the sum of more products than this is left as it is.
_MOST_PRODUCTS = 4
# Terms summed one after another before sums are added in pairs; float32's error stays a tenth of DESIGN's bound.
_RUN = 32


class _Direct:
    """See the module."""

    name = "direct"
    strides = True
    dilates = True
    separates = False
    boxes = False

    def tile_size(self, work: Work) -> tuple[int, int]:
        """Wide: long rows are what makes a pass over an array cheap."""
        width = max(_TILE_SAMPLES // max(work.bank.inputs, work.bank.outputs), 4 * work.span[1])
        return _TILE_ROWS, width

    def prepare(self, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Choose between the ways."""
        kernel = work.bank.shared
        if kernel is None:
            return lambda: ChannelMatrices(work)
        passes = low_rank(kernel, _MOST_PRODUCTS)
        if passes is not None:
            products = [_one_dimensional(work, column, row) for column, row in passes]
            if 1.2 * sum(_cost(part) for product in products for part in product) < _cost(work):
                makers = [(_plain(upright), _plain(level)) for upright, level in products]
                return lambda: ColumnsThenRows(work, makers)
        return _plain(work)

    def whole(self, image: WholeImage) -> None:
        """There is no library underneath."""

    def measure(self, work: Work) -> None:
        """There is nothing to measure."""

    def single_threaded(self) -> AbstractContextManager[object]:
        """Matrix products run on BLAS, which has threads of its own."""
        return _blas_threads(1)


@cache
def _thread_pools() -> Any:
    """Find the libraries with thread pools of their own: looking for them takes a millisecond or two."""
    from threadpoolctl import ThreadpoolController  # only where this backend runs

    return ThreadpoolController()


def _limit(count: int) -> Callable[[], object]:
    pools = [pool for pool in _thread_pools().lib_controllers if pool.user_api == "blas"]
    before = [pool.num_threads for pool in pools]
    # threadpoolctl 3.8 leaves OpenBLAS to the first thread that ever asked, and is deaf to all others, without a word.
    setters = [getattr(pool, "_real_set_num_threads", pool.set_num_threads) for pool in pools]

    def set_all(counts: list[int]) -> None:
        for setter, number in zip(setters, counts, strict=True):
            setter(number)

    set_all([count] * len(pools))
    return partial(set_all, before)


_blas_threads = SharedLimit(_limit)


class _Taps(TileOwner):
    """Cuts from the tile what lies under one weight, and sums many terms."""

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

    def pairwise(self, write: Callable[[int, NDArray[Any]], None], first: int, last: int, out: NDArray[Any]) -> None:
        """Sum terms `first` to `last` - 1 into `out`, in runs that are then added in pairs; no terms leave it as it is.

        `write(index, out)` writes one term.
        """
        if last - first <= _RUN:
            for index in range(first, last):
                term = out if index == first else self.scratch.array("term", out.shape)
                write(index, term)
                if index != first:
                    out += term
            return
        middle = (first + last) // 2
        self.pairwise(write, first, middle, out)
        other = self.scratch.array(f"sum of {last - middle}", out.shape)
        self.pairwise(write, middle, last, other)
        out += other


class TapByTap(_Taps):
    """The definition, no cleverer: right for NaN, infinite and huge samples, which meet nonzero weights only."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        self._taps: list[list[tuple[int, int, int, float]]] = [[] for _ in range(work.bank.outputs)]
        for output, source, weights in work.bank.planes():
            self._taps[output] += [(source, u, v, float(weights[u, v])) for u, v in np.argwhere(weights).tolist()]

    def correlate(self) -> NDArray[Any]:
        out = self.scratch.array("out", (*self.output_size(), self.work.bank.outputs))
        total = self.scratch.array("total", out.shape[:2])
        for output, taps in enumerate(self._taps):
            total[...] = 0
            self.pairwise(partial(self._write_tap, taps), 0, len(taps), total)
            out[..., output] = total
        return out

    def _write_tap(self, taps: list[tuple[int, int, int, float]], index: int, out: NDArray[Any]) -> None:
        source, u, v, weight = taps[index]
        np.multiply(self.under(u, v)[..., source], self.work.dtype.type(weight), out=out)


class ShiftedCopies(_Taps):
    """One kernel on every channel, as a sum of shifted and scaled copies."""

    def __init__(self, work: Work, kernel: NDArray[np.float64]) -> None:
        super().__init__(work)
        self._terms = _terms(kernel)

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        shape = (*self.output_size(), self.work.bank.inputs)
        out = self.scratch.array("out", shape)
        if self._terms:
            self.pairwise(self._write_term, 0, len(self._terms), out)
        else:
            out[...] = 0
        return out

    def _write_term(self, index: int, out: NDArray[Any]) -> None:
        weight, (first_tap, *others), signs = self._terms[index]
        first = self.under(*first_tap)
        for tap, add in zip(others, signs, strict=True):
            (np.add if add else np.subtract)(first, self.under(*tap), out=out)
            first = out
        if weight != 1.0 or not others:
            np.multiply(first, self.work.dtype.type(weight), out=out)


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


class BandMatrices(_Taps):
    """One kernel on every channel, as products of band matrices with slabs of rows, one call a kernel column."""

    def __init__(self, work: Work, rows: int, bands: list[tuple[int, NDArray[Any]]]) -> None:
        super().__init__(work)
        self._rows, self._bands = rows, bands

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Give a buffer that goes on, with zeros, to a whole number of slabs."""
        stride, span = self.work.stride[0], self.work.span[0]
        outputs = (height - span) // stride + 1
        whole = (math.ceil(outputs / self._rows) * self._rows - 1) * stride + span
        self._whole = self.scratch.array("tile", (whole, width, self.work.bank.inputs))
        self._whole[height:] = 0
        self.input = self._whole[:height]
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        (height, width), channels = self.output_size(), self.work.bank.inputs
        blocks = math.ceil(height / self._rows)
        out = self.scratch.array("out", (blocks, self._rows, width * channels))
        self.pairwise(self._write_band, 0, len(self._bands), out)
        return out.reshape(-1, width, channels)[:height]

    def _write_band(self, index: int, out: NDArray[Any]) -> None:
        column, band = self._bands[index]
        blocks, rows, samples = out.shape
        channels, (stride, step) = self.work.bank.inputs, self.work.stride
        left = column * self.work.dilation[1]
        if step == 1:
            moved = self._whole.reshape(self._whole.shape[0], -1)[:, left * channels : left * channels + samples]
        else:
            moved = self.scratch.array("moved", (self._whole.shape[0], samples))
            right = left + (samples // channels - 1) * step + 1
            np.copyto(moved.reshape(-1, samples // channels, channels), self._whole[:, left:right:step])
        # Slab after slab, each overlapping the next by what its last rows read: no copy, and one call for all.
        below, beside = moved.strides
        slabs = as_strided(
            moved, (blocks, band.shape[1], samples), (rows * stride * below, below, beside), writeable=False
        )
        np.matmul(band, slabs, out=out)


def _band_rows(kernel_height: int) -> int:
    """How many output rows one band makes: below this its calls cost most, above it its zeros."""
    return 8 if kernel_height <= 8 else 16


def _band_matrices(kernel: NDArray[np.float64], work: Work, rows: int) -> list[tuple[int, NDArray[Any]]]:
    """Write each kernel column that has a nonzero weight as a band matrix: (column, (rows, rows it reads))."""
    step, down = work.stride[0], work.dilation[0]
    bands = []
    for column in np.flatnonzero(kernel.any(axis=0)).tolist():
        band = np.zeros((rows, (rows - 1) * step + work.span[0]), work.dtype)
        for row in range(rows):
            band[row, row * step : row * step + work.span[0] : down] = kernel[:, column]
        bands.append((column, band))
    return bands


class ChannelMatrices(_Taps):
    """A bank that mixes channels: for each tap, the samples under it times that tap's matrix of weights."""

    def __init__(self, work: Work) -> None:
        super().__init__(work)
        bank = work.bank
        grouped = bank.weights.reshape(bank.groups, bank.outputs // bank.groups, *bank.weights.shape[1:])
        # (groups, rows, columns, inputs, outputs), each tap's matrix contiguous for the product.
        self._matrices = np.ascontiguousarray(grouped.transpose(0, 3, 4, 2, 1), work.dtype)
        self._taps = [(u, v) for u in range(bank.size[0]) for v in range(bank.size[1])]

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        bank = self.work.bank
        out = self.scratch.array("out", (*self.output_size(), bank.outputs))
        inputs, outputs = bank.inputs // bank.groups, bank.outputs // bank.groups
        total = self.scratch.array("total", (*out.shape[:2], outputs))
        for group in range(bank.groups):
            write = partial(self._write_tap, self._matrices[group], slice(group * inputs, (group + 1) * inputs))
            self.pairwise(write, 0, len(self._taps), total)
            out[..., group * outputs : (group + 1) * outputs] = total
        return out

    def _write_tap(self, matrices: NDArray[Any], channels: slice, index: int, out: NDArray[Any]) -> None:
        u, v = self._taps[index]
        np.matmul(self.under(u, v)[..., channels], matrices[u, v], out=out)


class ColumnsThenRows(TileOwner):
    """One kernel on every channel, as a sum of products: a column's response is the tile of a row."""

    def __init__(self, work: Work, makers: Sequence[tuple[Callable[[], Correlator], Callable[[], Correlator]]]) -> None:
        super().__init__(work)
        self._products = [(column(), row()) for column, row in makers]

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        total: NDArray[Any] | None = None
        for column, row in self._products:
            np.copyto(column.tile(*self.input.shape[:2]), self.input)
            upright = column.correlate()
            assert upright is not None  # of a tile that is not spoilt
            np.copyto(row.tile(*upright.shape[:2]), upright)
            response = row.correlate()
            assert response is not None
            total = response if total is None else np.add(total, response, out=total)
        return total


def _one_dimensional(work: Work, column: NDArray[np.float64], row: NDArray[np.float64]) -> tuple[Work, Work]:
    """Split the work of a product: first down, then across."""
    (down, across), (below, beside), channels = work.stride, work.dilation, work.bank.inputs
    upright = Bank.depthwise(column[:, np.newaxis], channels)
    level = Bank.depthwise(row[np.newaxis], channels)
    return (
        Work(upright, work.dtype, work.output, (down, 1), (below, 1), finite=True),
        Work(level, work.dtype, work.output, (1, across), (1, beside), finite=True),
    )


def _plain(work: Work) -> Callable[[], Correlator]:
    """Choose between shifted copies and band matrices for one kernel."""
    kernel = work.bank.shared
    assert kernel is not None
    if _band_cost(work, kernel) < _shifted_cost(kernel):
        rows = _band_rows(kernel.shape[0])
        bands = _band_matrices(kernel, work, rows)
        return lambda: BandMatrices(work, rows, bands)
    return lambda: ShiftedCopies(work, kernel)


def _cost(work: Work) -> float:
    """What one kernel costs by the cheaper of both, in passes over the output."""
    assert work.bank.shared is not None
    return min(_band_cost(work, work.bank.shared), _shifted_cost(work.bank.shared))


def _shifted_cost(kernel: NDArray[np.float64]) -> float:
    return sum(len(taps) + (weight != 1.0) for weight, taps, _ in _terms(kernel))


def _band_cost(work: Work, kernel: NDArray[np.float64]) -> float:
    """In passes over the output: measured, on two cores, for 3 x 3 to 15 x 15."""
    columns = int(kernel.any(axis=0).sum())
    reach = (_band_rows(kernel.shape[0]) - 1) * work.stride[0] + work.span[0]
    return columns * (2.7 + 0.065 * reach)


BACKEND = _Direct()
