"""The torch backend: torch.nn.functional.conv2d of PyTorch, on the CPU or on a GPU by CUDA.

PyTorch is an extra, and takes seconds to load: it is imported when this backend is first chosen. Strides, dilation and
groups are conv2d's own. Its float32 sums of a large kernel are as long as the kernel: a flat image under 31 x 31 errs
by three times the error bound of docs/numerics.md, under 101 x 101 by 50 times. Large kernels therefore go to it in
parts, whose responses are added in pairs. TensorFloat-32, which keeps ten bits of a sample, is off while it computes.
What cuDNN finds by measuring may sum in another order from run to run, so nothing is measured.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Backend, BufferedCorrelator, CorrelationWork, Correlator
from convcli.convolution.planning.cost_model import (
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    usual_tiles,
)
from convcli.errors import FilterError
from convcli.system.threads import SharedLimit

# Products that are left to one conv2d; 96 of them, summed one after another, err by 0.6 of the error bound of
# docs/numerics.md at most.
_LONGEST_SUM = 96
# Samples of a full tile, all channels together. A GPU is quick once it is started, and waits for whoever starts it.
_SAMPLES = {"cpu": 1 << 18, "cuda": 1 << 24}


class _Torch(Backend):
    """See the module."""

    name = "torch"
    strides = True
    dilates = True

    def __init__(self) -> None:
        self._limit = SharedLimit(self._hold)

    @cached_property
    def _torch(self) -> Any:
        try:
            import torch
        except ImportError as missing:
            message = "the torch backend needs PyTorch, which is not installed here: pip install 'convcli[torch]'"
            raise FilterError(message) from missing
        return torch

    def load(self) -> None:
        """Import PyTorch."""
        _ = self._torch

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the one form."""
        tiles, (height, width) = usual_tiles(summary, request), summary.size
        terms = {
            "torch.sample": request.units * (summary.channels + summary.outputs * summary.groups),
            "torch.product": request.units * height * width * summary.channels * summary.outputs,
            "torch.call": float(tiles),
        }
        if request.cold:
            terms["torch.load"] = 1.0
        yield CostedForm(ComputingForm("dense"), terms, tiles)

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Twice as wide as high; larger on a GPU."""
        rows, columns = work.span
        samples = _SAMPLES[self._device(work)] // max(work.bank.inputs, work.bank.outputs)
        height = max(2 ** (int(math.log2(max(samples, 1))) // 2), 2 * rows, 16)
        return height, max(samples // height, 2 * columns, 16)

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Bring the weights to where they are used, once for all threads."""
        torch, device = self._torch, self._device(work)
        parts = [(part, torch.from_numpy(weights).to(device)) for part, weights in _parts(work)]
        return lambda: _Conv2d(work, torch, device, parts)

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold PyTorch to one thread a call, and its GPU library to full precision and one order of sums."""
        return self._limit(1)

    def _device(self, work: CorrelationWork) -> str:
        available = self._torch.cuda.is_available()
        if work.device == "cuda" and not available:
            raise FilterError("device cuda was asked for, but PyTorch finds no GPU here: choose device cpu or auto")
        return "cuda" if available and work.device != "cpu" else "cpu"

    def _hold(self, count: int) -> Callable[[], object]:
        torch, cudnn = self._torch, self._torch.backends.cudnn
        threads, deterministic, benchmark = torch.get_num_threads(), cudnn.deterministic, cudnn.benchmark
        # PyTorch 2.9 has a switch a kind of operation, and does not want the older one to be touched as well.
        conv = getattr(cudnn, "conv", None)
        precision = cudnn.allow_tf32 if conv is None else conv.fp32_precision

        def switch(threads: int, deterministic: bool, benchmark: bool, precision: Any) -> None:
            torch.set_num_threads(threads)
            cudnn.deterministic, cudnn.benchmark = deterministic, benchmark
            if conv is None:
                cudnn.allow_tf32 = precision
            else:
                conv.fp32_precision = precision

        switch(count, True, False, False if conv is None else "ieee")
        return lambda: switch(threads, deterministic, benchmark, precision)


@dataclass(frozen=True)
class _BankPart:
    """Part of every kernel of a bank: its first row and column, and these input channels of each group."""

    row: int
    column: int
    inputs: slice


def _parts(work: CorrelationWork) -> list[tuple[_BankPart, NDArray[Any]]]:
    """Cut a bank into parts of at most _LONGEST_SUM products an output."""
    bank = work.bank
    inputs, (height, width) = bank.weights.shape[1], bank.size
    channels = _evenly(inputs, _LONGEST_SUM)
    columns = _evenly(width, _LONGEST_SUM // channels)
    rows = _evenly(height, _LONGEST_SUM // (channels * columns))
    parts = []
    for first in range(0, inputs, channels):
        for u in range(0, height, rows):
            for v in range(0, width, columns):
                weights = bank.weights[:, first : first + channels, u : u + rows, v : v + columns]
                part = _BankPart(u, v, slice(first, first + channels))
                parts.append((part, np.array(weights, work.dtype, order="C")))
    return parts


def _evenly(length: int, most: int) -> int:
    """Return the length of pieces of at most `most` that are of one length or nearly.

    >>> _evenly(101, 96), _evenly(15, 6), _evenly(3, 96)
    (51, 5, 3)
    """
    return math.ceil(length / math.ceil(length / max(most, 1)))


class _Conv2d(BufferedCorrelator):
    """One thread's calls of conv2d, in planes, as PyTorch has images."""

    def __init__(self, work: CorrelationWork, torch: Any, device: str, parts: list[tuple[_BankPart, Any]]) -> None:
        super().__init__(work)
        self._torch, self._device, self._parts = torch, device, parts

    def tile(self, height: int, width: int) -> NDArray[Any]:
        self._planes = self.scratch.array("tile", (self.work.bank.inputs, height, width))
        self.input = self._planes.transpose(1, 2, 0)
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        if self.has_unsafe_samples():
            return None
        groups = self.work.bank.groups
        (inputs, height, width), span, stride = self._planes.shape, self.work.span, self.work.stride
        size = (height - span[0]) // stride[0] + 1, (width - span[1]) // stride[1] + 1
        with self._torch.inference_mode():
            planes = self._torch.from_numpy(self._planes).to(self._device)
            response = self._sum(planes.view(groups, inputs // groups, height, width), size, 0, len(self._parts))
            planes_out: NDArray[Any] = response[0].cpu().numpy()
        return planes_out.transpose(1, 2, 0)

    def _sum(self, planes: Any, size: tuple[int, int], first: int, last: int) -> Any:
        """Add the responses of parts `first` to `last` - 1 in pairs."""
        if last - first == 1:
            return self._respond(planes, size, *self._parts[first])
        middle = (first + last) // 2
        return self._sum(planes, size, first, middle).add_(self._sum(planes, size, middle, last))

    def _respond(self, planes: Any, size: tuple[int, int], part: _BankPart, weights: Any) -> Any:
        (down, right), stride, groups = self.work.dilation, self.work.stride, self.work.bank.groups
        taps = weights.shape[2:]
        # What the part's weights read, and not a row or column more, for each would give one more output.
        top, left = part.row * down, part.column * right
        bottom = top + (size[0] - 1) * stride[0] + (taps[0] - 1) * down + 1
        end = left + (size[1] - 1) * stride[1] + (taps[1] - 1) * right + 1
        under = planes[:, part.inputs, top:bottom, left:end].reshape(1, -1, bottom - top, end - left)
        conv2d = self._torch.nn.functional.conv2d
        return conv2d(under, weights, stride=stride, dilation=(down, right), groups=groups)


BACKEND = _Torch()
