"""The im2col backend: the windows under the kernel unrolled into a matrix, and one product with the weights.

After Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing" (2006).
The matrix of a whole image would be as many times its size as the kernel has weights; here it is that of one tile, and
of so much of the kernel at a time that it stays in a few megabytes. Blocks of a kernel are also what keeps float32
exact: their sums are added in pairs.

*Windows of rows*, for one kernel on every channel: each row of the tile is unrolled along the kernel's columns. The
rows under the kernel then lie one after another, as one matrix, for one output row as for the next: a row serves all
the output rows that meet it, so it is copied as often as the kernel is wide, not as often as it has weights.

*Windows of channels*, for a bank of many channels: rows unrolled in the same way, and a product for each kernel row.

*Windows of planes*, for a bank of few channels: unrolled as in the paper, a row of the matrix for each weight, which is
a copy of one plane's rows.

Strides and dilation cost nothing: only the samples that meet a weight are copied.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
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

# Samples that are unrolled at once, but for what the rows of a strip share with the next: 2 MB in float32.
_UNROLLED = 1 << 19
# Rows of a tile of a bank: more where its few channels leave room.
_BANK_ROWS, _MANY_OUTPUTS = (32, 128), 1 << 14
# Banks of fewer inputs a group than this are unrolled plane by plane, and those of fewer outputs answer in planes.
_FEW_CHANNELS = 16
# Kernel columns that are unrolled side by side for a bank, at most.
_COLUMNS_AT_ONCE = 6


class _Im2col(Backend):
    """See the module."""

    name = "im2col"
    strides = True
    dilates = True

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the dense form and that of passes."""
        return dense_and_separated(_dense_terms, summary, request)

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Wide for one kernel, which is unrolled in strips; for a bank, as large as what is unrolled at once allows."""
        bank = work.bank
        if _by_rows(work):
            return wide_tile(work)
        taps = bank.weights.shape[1] * bank.size[0] * bank.size[1]
        outputs = _UNROLLED // max(min(taps, LONGEST_SUM), bank.outputs // bank.groups)
        height = _BANK_ROWS[outputs >= _MANY_OUTPUTS]
        return height, max(outputs // height, 32)

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Write the weights as matrices, once for all threads."""
        if _by_rows(work):
            parts = _parts(work)
            return lambda: WindowsOfRows(work, parts)
        if work.bank.weights.shape[1] < _FEW_CHANNELS:
            planes = _plane_blocks(work)
            return lambda: WindowsOfPlanes(work, planes)
        blocks = _channel_blocks(work)
        return lambda: WindowsOfChannels(work, blocks)

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold BLAS to one thread."""
        return blas_threads(1)


def _dense_terms(summary: BankSummary, request: CorrelationRequest) -> Terms:
    (height, width), tiles = summary.size, usual_tiles(summary, request)
    if summary.shared:
        # A row is unrolled along the kernel's columns, once for all output rows that read it.
        unrolled = request.every[0] * request.output[1] * width * summary.channels * request.itemsize / 4
        return {
            "im2col.sample": request.units * summary.channels,
            "im2col.unroll": unrolled,
            "im2col.window": request.units * height * width * summary.channels,
            "im2col.call": 2.0 * width * tiles,
        }
    columns = width * (height if summary.inputs < _FEW_CHANNELS else 1)
    outputs = summary.outputs * summary.groups
    return {
        "im2col.sample": request.units * outputs,
        "im2col.bank_unroll": request.units * columns * summary.channels,
        "im2col.product": request.units * height * width * summary.channels * summary.outputs,
        "im2col.call": float(columns * summary.groups * tiles),
        "im2col.weight": float(height * width * summary.inputs * outputs),
    }


def _by_rows(work: CorrelationWork) -> bool:
    """Whether neighbouring outputs share rows, in an order in which those of one output lie together."""
    stride, dilation = work.stride[0], work.dilation[0]
    return work.bank.shared is not None and (stride == 1 or (dilation == 1 and stride <= work.bank.size[0]))


def _columns_at_once(size: tuple[int, int]) -> int:
    """Return how many kernel columns one product takes: as even as they get, and so few that sums are not too long."""
    most = max(1, longest_sum(size) // size[0])
    return math.ceil(size[1] / math.ceil(size[1] / most))


@dataclass(frozen=True, eq=False)
class _KernelPart:
    """Part of a kernel, from (row, column) on: its weights, row by row, as a matrix (1, weights)."""

    row: int
    column: int
    columns: int
    weights: NDArray[Any]


def _parts(work: CorrelationWork) -> list[_KernelPart]:
    kernel = work.bank.shared
    assert kernel is not None
    height, width = kernel.shape
    at_once, most = _columns_at_once(work.bank.size), longest_sum(work.bank.size)
    parts = []
    for column in range(0, width, at_once):
        for row in range(0, height, most):
            part = kernel[row : row + most, column : column + at_once]
            if part.any():
                parts.append(_KernelPart(row, column, part.shape[1], part.reshape(1, -1).astype(work.dtype)))
    return parts


class WindowsOfRows(WeightedSumCorrelator):
    """One kernel on every channel: a row of weights times the unrolled rows under it."""

    def __init__(self, work: CorrelationWork, parts: list[_KernelPart]) -> None:
        super().__init__(work)
        self._parts_of_kernel = parts
        # Where a stride takes a row apart, each channel is kept by itself, for copies of single pixels are slow.
        self.planar = work.stride[1] > 1
        self._unrolled_column = -1

    def correlate(self) -> NDArray[Any] | None:
        """Sum one product a part of the kernel, in strips of rows that are unrolled at once."""
        if self.has_unsafe_samples():
            return None
        (height, width), channels = self.output_size(), self.work.bank.inputs
        # A dilation of d leaves d images, of every d-th row each, that have nothing to do with each other.
        apart, samples = self.work.dilation[0], width * channels
        rows = math.ceil(height / apart)
        out = self.scratch.array("out", (rows, apart, 1, samples))
        columns = max((part.columns for part in self._parts_of_kernel), default=1)
        at_once = max(_UNROLLED // (columns * samples * apart * self.work.stride[0]), 1)
        for first in range(0, rows, at_once):
            strip = out[first : first + at_once].swapaxes(0, 1)
            if not self._parts_of_kernel:
                strip[...] = 0
            self._unrolled_column = -1
            self.pairwise(partial(self._part, first), 0, len(self._parts_of_kernel), strip)
        shape = (-1, channels, width) if self.planar else (-1, width, channels)
        response = out.reshape(shape)[:height]
        return response.transpose(0, 2, 1) if self.planar else response

    def _part(self, first: int, index: int, out: NDArray[Any]) -> NDArray[Any]:
        part, stride = self._parts_of_kernel[index], self.work.stride[0]
        apart, rows, _, samples = out.shape
        lines = range(first * stride, (first + rows - 1) * stride + self.work.bank.size[0])
        unrolled = self._unroll(part, lines, samples)
        image, line, _, beside = unrolled.strides
        # The windows of one output row after another, which overlap: no copy, and one call for all.
        windows = as_strided(
            unrolled[:, part.row :],
            (apart, rows, part.weights.shape[1], samples),
            (image, stride * line, samples * beside, beside),
            writeable=False,
        )
        return np.matmul(part.weights, windows, out=out)

    def _unroll(self, part: _KernelPart, lines: range, samples: int) -> NDArray[Any]:
        """Unroll rows `lines` of each image along the part's columns: (images, lines, columns, samples)."""
        apart, (gap, step) = self.work.dilation[0], (self.work.dilation[1], self.work.stride[1])
        unrolled = self.scratch.array("unrolled", (apart, len(lines), part.columns, samples))
        if part.column == self._unrolled_column:
            return unrolled
        self._unrolled_column = part.column
        width = samples // self.work.bank.inputs
        for image in range(apart):
            source = self.input[image::apart][lines.start : lines.stop]
            unrolled[image, len(source) :] = 0
            for column in range(part.columns):
                left = (part.column + column) * gap
                under = source[:, left : left + (width - 1) * step + 1 : step]
                if self.planar:
                    under = under.transpose(0, 2, 1)
                np.copyto(unrolled[image, : len(source), column].reshape(under.shape), under)
        return unrolled


@dataclass(frozen=True, eq=False)
class _Block:
    """What is unrolled at once of a group of a bank: these kernel columns of these input channels.

    `matrices` holds (kernel row, matrix (columns x channels, outputs)).
    """

    columns: range
    channels: slice
    matrices: list[tuple[int, NDArray[Any]]]


def _channel_blocks(work: CorrelationWork) -> list[list[_Block]]:
    bank = work.bank
    inputs, outputs, (height, width) = bank.weights.shape[1], bank.outputs // bank.groups, bank.size
    at_once = min(width, _COLUMNS_AT_ONCE)
    most = LONGEST_SUM // at_once
    channels = math.ceil(inputs / math.ceil(inputs / most))
    groups: list[list[_Block]] = []
    for group in range(bank.groups):
        weights = bank.weights[group * outputs : (group + 1) * outputs]
        groups.append([])
        for column in range(0, width, at_once):
            columns = range(column, min(column + at_once, width))
            for first in range(0, inputs, channels):
                part = weights[:, first : first + channels, :, columns.start : columns.stop]
                matrices = [
                    (u, np.ascontiguousarray(part[:, :, u].transpose(2, 1, 0).reshape(-1, outputs), work.dtype))
                    for u in range(height)
                    if part[:, :, u].any()
                ]
                start = group * inputs + first
                groups[-1].append(_Block(columns, slice(start, start + part.shape[1]), matrices))
    return groups


class WindowsOfChannels(WeightedSumCorrelator):
    """A bank of many channels: rows unrolled along the kernel's columns, times a matrix for each kernel row."""

    def __init__(self, work: CorrelationWork, groups: list[list[_Block]]) -> None:
        super().__init__(work)
        self._groups = [[(block, u, matrix) for block in blocks for u, matrix in block.matrices] for blocks in groups]
        self._unrolled: dict[int, NDArray[Any]] = {}
        self._of: _Block | None = None

    def correlate(self) -> NDArray[Any] | None:
        """Sum one product a block and kernel row."""
        if self.has_unsafe_samples():
            return None
        size, outputs = self.output_size(), self.work.bank.outputs // self.work.bank.groups
        out = self.scratch.array("out", (*size, self.work.bank.outputs))
        flat = out.reshape(-1, self.work.bank.outputs)
        self._of = None
        for group, products in enumerate(self._groups):
            total = flat[:, group * outputs : (group + 1) * outputs]
            if not products:
                total[...] = 0
            self.pairwise(partial(self._product, products), 0, len(products), total)
        return out

    def _product(self, products: list[tuple[_Block, int, NDArray[Any]]], index: int, out: NDArray[Any]) -> NDArray[Any]:
        block, u, matrix = products[index]
        top, phase = divmod(u * self.work.dilation[0], self.work.stride[0])
        height, width = self.output_size()
        unrolled = self._unroll(block, u, phase)
        return np.matmul(unrolled[top * width : (top + height) * width], matrix, out=out)

    def _unroll(self, block: _Block, u: int, phase: int) -> NDArray[Any]:
        """Unroll all rows that lie whole strides from kernel row `u`: (rows x outputs, columns x channels)."""
        if self._of is not block:
            self._of = block
            self._unrolled.clear()
        if phase not in self._unrolled:
            width, channels = self.output_size()[1], block.channels.stop - block.channels.start
            rows = self.origin(u, block.columns[0])[0].shape[0]
            shape = (rows, width, len(block.columns), channels)
            unrolled = self.scratch.array(f"unrolled {phase}", shape)
            for number, v in enumerate(block.columns):
                part, _, left = self.origin(u, v)
                np.copyto(unrolled[:, :, number], part[:, left : left + width, block.channels])
            self._unrolled[phase] = unrolled.reshape(rows * width, -1)
        return self._unrolled[phase]


# What is unrolled at once of a group of a bank, and the product's matrix (outputs, taps): (channel, row, column) a tap.
_Plane = tuple[list[tuple[int, int, int]], NDArray[Any]]


def _plane_blocks(work: CorrelationWork) -> list[list[_Plane]]:
    bank = work.bank
    inputs, outputs = bank.weights.shape[1], bank.outputs // bank.groups
    groups: list[list[_Plane]] = []
    for group in range(bank.groups):
        weights = bank.weights[group * outputs : (group + 1) * outputs]
        taps = np.argwhere(weights.any(axis=0))
        groups.append([])
        for some in np.array_split(taps, math.ceil(len(taps) / LONGEST_SUM) or 1):
            matrix = np.ascontiguousarray(weights[:, some[:, 0], some[:, 1], some[:, 2]], work.dtype)
            places = [(group * inputs + channel, u, v) for channel, u, v in some.tolist()]
            if places:
                groups[-1].append((places, matrix))
    return groups


class WindowsOfPlanes(WeightedSumCorrelator):
    """A bank of few channels: a row of the unrolled matrix for each weight, copied from a plane."""

    planar = True

    def __init__(self, work: CorrelationWork, groups: list[list[_Plane]]) -> None:
        super().__init__(work)
        self._groups = groups

    def correlate(self) -> NDArray[Any] | None:
        """Sum one product a block of taps."""
        if self.has_unsafe_samples():
            return None
        (height, width), bank = self.output_size(), self.work.bank
        outputs = bank.outputs // bank.groups
        flat = self.scratch.array("out", (bank.outputs, height * width))
        if outputs >= _FEW_CHANNELS:
            flat = flat.reshape(height * width, bank.outputs).T
        for group, planes in enumerate(self._groups):
            total = flat[group * outputs : (group + 1) * outputs]
            if not planes:
                total[...] = 0
            self.pairwise(partial(self._product, planes), 0, len(planes), total)
        if outputs >= _FEW_CHANNELS:
            return flat.T.reshape(height, width, bank.outputs)
        return flat.reshape(bank.outputs, height, width).transpose(1, 2, 0)

    def _product(self, planes: list[_Plane], index: int, out: NDArray[Any]) -> NDArray[Any]:
        places, matrix = planes[index]
        height, width = self.output_size()
        unrolled = self.scratch.array("unrolled", (len(places), height, width))
        for row, (channel, u, v) in zip(unrolled, places, strict=True):
            np.copyto(row, self.under(u, v)[..., channel])
        return np.matmul(matrix, unrolled.reshape(len(places), -1), out=out)


BACKEND = _Im2col()
