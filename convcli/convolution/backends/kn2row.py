"""The kn2row backend: a matrix product for each column or tap of the kernel, each of the tile as it lies, added up.

After Anderson, Vasudevan, Keane and Gregg, "Low-memory GEMM-based convolution algorithms for deep neural networks"
(2017): a k x k convolution is k x k convolutions of 1 x 1, which are plain matrix products, moved and added. Nothing is
unrolled, so that it takes no memory beyond one product.

*Channel matrices*, for a bank: for each tap, its matrix (outputs, inputs) times the samples that lie under it. A tile's
rows lie end to end, so that the samples under a tap are one stretch of memory, and one product does for all of them; it
runs over the ends of rows too, and what it gives there is left out in the end.

*Band matrices*, for one kernel on every channel, where those matrices would be single numbers: for each kernel column,
a band matrix of 8 or 16 output rows, made of that column's weights moved down row by row, times each slab of the tile.
The zeros in the band cost arithmetic, but a matrix product does it many times as fast. A kernel wider than high is laid
on its side: a band for each kernel row, and slabs of columns.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.convolution.backends.base import Backend, CorrelationWork, Correlator
from convcli.convolution.backends.blas import LONGEST_SUM, blas_threads, longest_sum
from convcli.convolution.backends.weighted_sums import WeightedSumCorrelator, wide_tile
from convcli.convolution.planning.cost_model import (
    BankSummary,
    CorrelationRequest,
    CostedForm,
    Terms,
    dense_and_separated,
    usual_tiles,
)

# A bank's tile and its sums, all channels together, and the fewest outputs of a tile.
_BANK_SAMPLES, _FEWEST_OUTPUTS = 1 << 18, 2048
# Banks of fewer inputs and outputs than this go plane by plane: a row of 3 outputs is too short for a product.
_FEW_CHANNELS = 16


class _Kn2row(Backend):
    """See the module."""

    name = "kn2row"
    strides = True
    dilates = True

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the dense form and that of passes."""
        return dense_and_separated(_dense_terms, summary, request)

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Wide for one kernel; for a bank, so small that the products stay in the cache."""
        bank, (rows, columns) = work.bank, work.span
        if bank.shared is not None:
            return wide_tile(work)
        outputs = max(_BANK_SAMPLES // max(bank.inputs, bank.outputs), _FEWEST_OUTPUTS)
        height = max(32, rows)
        return height, max(outputs // height, 2 * columns)

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Write the matrices, once for all threads."""
        kernel = work.bank.shared
        if kernel is None:
            products = _channel_products(work)
            return lambda: ChannelMatrices(work, products)
        if _lies_on_its_side(kernel.shape):
            rows = _band_rows(kernel.shape[1], beside=True)
            level = _bands(kernel.T, rows, work.stride[1], work.dilation[1], work.dtype)
            return lambda: LevelBands(work, rows, level)
        rows = _band_rows(kernel.shape[0], beside=False)
        upright = _bands(kernel, rows, work.stride[0], work.dilation[0], work.dtype)
        return lambda: UprightBands(work, rows, upright)

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold BLAS to one thread."""
        return blas_threads(1)


def _lies_on_its_side(size: tuple[int, ...]) -> bool:
    """Whether bands lie along the rows of a kernel: of one that is wider than high."""
    height, width = size
    return 2 * width >= 3 * height and width > 2


def _dense_terms(summary: BankSummary, request: CorrelationRequest) -> Terms:
    tiles = usual_tiles(summary, request)
    if summary.shared:
        samples = request.units * summary.channels
        beside = _lies_on_its_side(summary.size)
        axis = 1 if beside else 0
        taps, reach, stride = summary.size[axis], request.span(summary.size)[axis], request.stride[axis]
        lines, kind = (summary.rows, "level") if beside else (summary.columns, "band")
        # Long bands go in parts, whose sums are added in pairs.
        parts = math.ceil(taps / longest_sum(summary.size))
        beyond = (_band_rows(taps, beside=beside) - 1) * stride
        return {
            "kn2row.sample": samples,
            "kn2row.pass": samples * lines * parts,
            f"kn2row.{kind}": samples * lines * (reach + beyond * parts),
            "kn2row.call": 2.0 * lines * parts * tiles,
        }
    taps = summary.weights * summary.groups
    return {
        "kn2row.sample": request.units * summary.outputs * summary.groups,
        "kn2row.tap": request.units * taps * (summary.inputs + summary.outputs),
        "kn2row.product": request.units * taps * summary.inputs * summary.outputs,
        "kn2row.call": 2.0 * taps * tiles,
        "kn2row.weight": float(taps * summary.inputs * summary.outputs),
    }


# One stretch of a kernel column: (column, its first row, band matrix (outputs, samples read)).
Band = tuple[int, int, NDArray[Any]]


def _band_rows(taps: int, *, beside: bool) -> int:
    """Return the number of outputs of one band: below it calls cost most, above it a band's zeros."""
    return 16 if beside or taps > 8 else 8


def _bands(kernel: NDArray[np.float64], rows: int, stride: int, dilation: int, dtype: np.dtype[Any]) -> list[Band]:
    """Write each kernel column that has a nonzero weight as band matrices of not too many taps."""
    bands, most = [], longest_sum((len(kernel), kernel.shape[1]))
    for column in np.flatnonzero(kernel.any(axis=0)).tolist():
        for first in range(0, len(kernel), most):
            taps = kernel[first : first + most, column]
            span = (len(taps) - 1) * dilation + 1
            band = np.zeros((rows, (rows - 1) * stride + span), dtype)
            for row in range(rows):
                band[row, row * stride : row * stride + span : dilation] = taps
            bands.append((column, first, band))
    return bands


class UprightBands(WeightedSumCorrelator):
    """One kernel on every channel: band matrices times slabs of rows."""

    def __init__(self, work: CorrelationWork, rows: int, bands: list[Band]) -> None:
        super().__init__(work)
        self._rows, self._bands = rows, bands

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Return a buffer that goes on, with zeros, to a whole number of slabs."""
        stride, span = self.work.stride[0], self.work.span[0]
        outputs = (height - span) // stride + 1
        whole = (math.ceil(outputs / self._rows) * self._rows - 1) * stride + span
        self._whole = super().tile(max(whole, height), width)
        self._whole[height:] = 0
        self.input = self._whole[:height]
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        """Sum one product a kernel column."""
        if self.has_unsafe_samples():
            return None
        (height, width), channels = self.output_size(), self.work.bank.inputs
        blocks = math.ceil(height / self._rows)
        out = self.scratch.array("out", (blocks, self._rows, width * channels))
        if not self._bands:
            out[...] = 0
        self.pairwise(self._band, 0, len(self._bands), out)
        return out.reshape(-1, width, channels)[:height]

    def _band(self, index: int, out: NDArray[Any]) -> NDArray[Any]:
        column, first, band = self._bands[index]
        blocks, rows, samples = out.shape
        channels, (stride, step) = self.work.bank.inputs, self.work.stride
        top, left = first * self.work.dilation[0], column * self.work.dilation[1]
        if step == 1:
            moved = self._whole.reshape(self._whole.shape[0], -1)[top:, left * channels : left * channels + samples]
        else:
            right = left + (samples // channels - 1) * step + 1
            kept = self._whole[top:, left:right:step]
            moved = self.scratch.array("moved", (len(kept), samples))
            np.copyto(moved.reshape(kept.shape), kept)
        # Slab after slab, each overlapping the next by what its last rows read: no copy, and one call for all.
        below, beside = moved.strides
        slabs = as_strided(
            moved, (blocks, band.shape[1], samples), (rows * stride * below, below, beside), writeable=False
        )
        return np.matmul(band, slabs, out=out)


class LevelBands(WeightedSumCorrelator):
    """One kernel on every channel, laid on its side: slabs of columns times band matrices."""

    planar = True

    def __init__(self, work: CorrelationWork, columns: int, bands: list[Band]) -> None:
        super().__init__(work)
        self._columns = columns
        self._bands = [(row, first, np.ascontiguousarray(band.T)) for row, first, band in bands]

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Return a buffer that goes on, with zeros, to a whole number of slabs."""
        stride, span = self.work.stride[1], self.work.span[1]
        outputs = (width - span) // stride + 1
        whole = (math.ceil(outputs / self._columns) * self._columns - 1) * stride + span
        self._whole = super().tile(height, max(whole, width))
        self._whole[:, width:] = 0
        self.input = self._whole[:, :width]
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        """Sum one product a kernel row."""
        if self.has_unsafe_samples():
            return None
        height, width = self.output_size()
        blocks = math.ceil(width / self._columns)
        out = self.samples("out", height, blocks * self._columns, self.work.bank.inputs)
        # (channels, blocks, height, columns): slab beside slab, each written where it belongs.
        channel, below, beside = out.strides[2], out.strides[0], out.strides[1]
        shape = (out.shape[2], blocks, height, self._columns)
        slabs = as_strided(out, shape, (channel, self._columns * beside, below, beside))
        if not self._bands:
            slabs[...] = 0
        self.pairwise(self._band, 0, len(self._bands), slabs)
        return out[:, :width]

    def _band(self, index: int, out: NDArray[Any]) -> NDArray[Any]:
        row, first, band = self._bands[index]
        channels, blocks, height, columns = out.shape
        stride, step = self.work.stride
        moved = self._whole[row * self.work.dilation[0] :, first * self.work.dilation[1] :]
        below, beside, channel = moved.strides
        slabs = as_strided(
            moved,
            (channels, blocks, height, len(band)),
            (channel, columns * step * beside, stride * below, beside),
            writeable=False,
        )
        return np.matmul(slabs, band, out=out)


# One tap's share of one group: (row, column, its input channels, matrix (inputs, outputs)).
Product = tuple[int, int, slice, NDArray[Any]]


def _channel_products(work: CorrelationWork) -> list[list[Product]]:
    """Write the matrix of each tap, for each group; inputs in blocks of at most LONGEST_SUM."""
    bank = work.bank
    inputs, outputs = bank.weights.shape[1], bank.outputs // bank.groups
    groups: list[list[Product]] = []
    for group in range(bank.groups):
        weights = bank.weights[group * outputs : (group + 1) * outputs]
        groups.append([])
        for u, v in np.argwhere(weights.any(axis=(0, 1))).tolist():
            for first in range(0, inputs, LONGEST_SUM):
                block = weights[:, first : first + LONGEST_SUM, u, v].T
                start = group * inputs + first
                matrix = np.ascontiguousarray(block, work.dtype)
                groups[-1].append((u, v, slice(start, start + len(block)), matrix))
    return groups


class ChannelMatrices(WeightedSumCorrelator):
    """A bank that mixes channels: for each tap, the samples under it times that tap's matrix of weights."""

    def __init__(self, work: CorrelationWork, products: list[list[Product]]) -> None:
        super().__init__(work)
        self._products = products
        self._outputs = work.bank.outputs // work.bank.groups
        self.planar = max(work.bank.weights.shape[1], self._outputs) < _FEW_CHANNELS

    def correlate(self) -> NDArray[Any] | None:
        """Sum one product a tap, over rows that lie end to end."""
        if self.has_unsafe_samples():
            return None
        height, width = self.output_size()
        row = self.origin(0, 0)[0].shape[1]
        out = self.samples("out", height, row, self.work.bank.outputs)
        stretch = (height - 1) * row + width
        ends_to_end = self._flat(out, 0, stretch)
        for group, products in enumerate(self._products):
            channels = slice(group * self._outputs, (group + 1) * self._outputs)
            total = ends_to_end[channels] if self.planar else ends_to_end[:, channels]
            if not products:
                total[...] = 0
            self.pairwise(partial(self._product, products, stretch), 0, len(products), total)
        return out[:, :width]

    def _flat(self, samples: NDArray[Any], start: int, stretch: int) -> NDArray[Any]:
        """Return a stretch of rows end to end: (samples, channels), or (channels, samples) if planar."""
        if self.planar:
            return samples.transpose(2, 0, 1).reshape(samples.shape[2], -1)[:, start : start + stretch]
        return samples.reshape(-1, samples.shape[2])[start : start + stretch]

    def _product(self, products: list[Product], stretch: int, index: int, out: NDArray[Any]) -> NDArray[Any]:
        u, v, channels, matrix = products[index]
        part, top, left = self.origin(u, v)
        samples = self._flat(part, top * part.shape[1] + left, stretch)
        # With one input there is nothing to sum, and BLAS takes twenty times as long as a multiplication.
        multiply: Callable[..., NDArray[Any]] = np.multiply if len(matrix) == 1 else np.matmul
        if self.planar:
            return multiply(matrix.T, samples[channels], out=out)
        return multiply(samples[:, channels], matrix, out=out)


BACKEND = _Kn2row()
