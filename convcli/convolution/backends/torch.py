"""The torch backend: torch.nn.functional.conv2d of PyTorch, on the CPU or on a GPU by CUDA.

PyTorch is an extra, and takes seconds to load: it is imported when this backend is first asked for. Strides, dilation
and groups are conv2d's own. Its float32 sums of a large kernel are as long as the kernel (a flat image under 31 x 31
errs by three times DESIGN's bound, under 101 x 101 by 50 times), so large kernels go to it in parts, whose responses
are added in pairs. TensorFloat-32, which keeps ten bits of a sample, is off while it computes.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Correlator, TileOwner, WholeImage, Work
from convcli.errors import FilterError
from convcli.system.threads import SharedLimit

# Products that are left to one conv2d; 96 of them, summed one after another, err by 0.6 of DESIGN's bound at most.
_LONGEST_SUM = 96
# Samples of a full tile, all channels together. A GPU is quick once it is started, and waits for whoever starts it.
_SAMPLES = {"cpu": 1 << 18, "cuda": 1 << 24}


class _Torch:
    """See the module. `torch` is the module of PyTorch."""

    name = "torch"
    strides = True
    dilates = True
    separates = False
    boxes = False

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._limit = SharedLimit(self._hold)

    def tile_size(self, work: Work) -> tuple[int, int]:
        """Twice as wide as high; larger on a GPU."""
        rows, columns = work.span
        samples = _SAMPLES[self._device(work)] // max(work.bank.inputs, work.bank.outputs)
        height = max(2 ** (int(math.log2(max(samples, 1))) // 2), 2 * rows, 16)
        return height, max(samples // height, 2 * columns, 16)

    def prepare(self, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Bring the weights to where they are used, once for all threads."""
        torch, device = self._torch, self._device(work)
        parts = [(part, torch.from_numpy(weights).to(device)) for part, weights in _parts(work)]
        return lambda: _Conv2d(work, torch, device, parts)

    def whole(self, image: WholeImage) -> None:
        """PyTorch pads with zeros only."""

    def measure(self, work: Work) -> None:
        """What cuDNN finds by measuring may sum in another order from run to run."""

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold PyTorch to one thread a call, and its GPU library to full precision and one order of sums."""
        return self._limit(1)

    def _device(self, work: Work) -> str:
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
class _Part:
    """Part of every kernel of a bank: its first row and column, and these input channels of each group."""

    row: int
    column: int
    inputs: slice


def _parts(work: Work) -> list[tuple[_Part, NDArray[Any]]]:
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
                part = _Part(u, v, slice(first, first + channels))
                parts.append((part, np.array(weights, work.dtype, order="C")))
    return parts


def _evenly(length: int, most: int) -> int:
    """How long to make pieces of at most `most`, so that they are of one length or nearly.

    >>> _evenly(101, 96), _evenly(15, 6), _evenly(3, 96)
    (51, 5, 3)
    """
    return math.ceil(length / math.ceil(length / max(most, 1)))


class _Conv2d(TileOwner):
    """One thread's calls of conv2d, in planes, as PyTorch has images."""

    def __init__(self, work: Work, torch: Any, device: str, parts: list[tuple[_Part, Any]]) -> None:
        super().__init__(work)
        self._torch, self._device, self._parts = torch, device, parts

    def tile(self, height: int, width: int) -> NDArray[Any]:
        self._planes = self.scratch.array("tile", (self.work.bank.inputs, height, width))
        self.input = self._planes.transpose(1, 2, 0)
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
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

    def _respond(self, planes: Any, size: tuple[int, int], part: _Part, weights: Any) -> Any:
        (down, right), stride, groups = self.work.dilation, self.work.stride, self.work.bank.groups
        taps = weights.shape[2:]
        # What the part's weights read, and not a row or column more, for each would give one more output.
        top, left = part.row * down, part.column * right
        bottom = top + (size[0] - 1) * stride[0] + (taps[0] - 1) * down + 1
        end = left + (size[1] - 1) * stride[1] + (taps[1] - 1) * right + 1
        under = planes[:, part.inputs, top:bottom, left:end].reshape(1, -1, bottom - top, end - left)
        conv2d = self._torch.nn.functional.conv2d
        return conv2d(under, weights, stride=stride, dilation=(down, right), groups=groups)


def __getattr__(name: str) -> _Torch:
    """Make BACKEND when it is first asked for: PyTorch may not be installed.

    Raises
    ------
    FilterError
        where it is not.
    """
    if name != "BACKEND":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import torch
    except ImportError as missing:
        message = "the torch backend needs PyTorch, which is not installed here: pip install 'convcli[torch]'"
        raise FilterError(message) from missing
    backend = globals()["BACKEND"] = _Torch(torch)
    return backend
