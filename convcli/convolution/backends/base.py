"""What a backend is asked for, and what it answers with."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.kernel.factorize import Passes


@dataclass(frozen=True, eq=False)
class Work:
    """One correlation, the same for all of its tiles.

    `dtype` (float32 or float64) is what tiles arrive in and responses leave in. `output` is the (height, width) of the
    whole response. `stride` and `dilation` are (1, 1) unless the backend declares that it does them itself. `finite`
    says that no sample can be NaN, infinite or huge, as is so of integers.

    What is known of a kernel shared by all channels, and chosen above the backends: `passes` are the few products
    column x row that it is the sum of, to be run as one-dimensional passes; `box` says that all its weights are one
    number, and that running sums are to be used. `device` (auto, cpu, cuda) is where to compute, for a backend that can
    choose.
    """

    bank: Bank
    dtype: np.dtype[Any]
    output: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    finite: bool = False
    passes: Passes | None = None
    box: bool = False
    device: str = "auto"

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns of the image under one output: d (k - 1) + 1."""
        (height, width), (down, right) = self.bank.size, self.dilation
        return down * (height - 1) + 1, right * (width - 1) + 1

    def reach(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of padded input that `height` x `width` outputs read."""
        return (height - 1) * self.stride[0] + self.span[0], (width - 1) * self.stride[1] + self.span[1]


class Correlator(Protocol):
    """The work of one thread: it owns its scratch, and answers one tile at a time."""

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Give the buffer (height, width, inputs) that the next tile is to be read into."""
        ...

    def correlate(self) -> NDArray[Any] | None:
        """Correlate that tile; the response (h, w, outputs) is the caller's to change until the next tile.

        None hands the tile on: it holds NaN, infinite or huge samples, which this method would spread.
        """
        ...


@dataclass(frozen=True, eq=False)
class WholeImage:
    """A whole image to be filtered at once, for a backend that pads by itself and has threads of its own.

    `anchor` is given in the kernel as it is laid on; `dtype` is that of the result: rounded and saturated if integer.
    `passes` and `box` are those of a Work.
    """

    pixels: NDArray[Any]
    kernel: NDArray[np.float64]
    anchor: tuple[int, int]
    padding: str
    padding_value: float | tuple[float, ...]
    dtype: np.dtype[Any]
    threads: int
    passes: Passes | None = None
    box: bool = False


class Backend(Protocol):
    """One way of correlating.

    `strides` and `dilates` say whether it does these itself and better; it is then handed them in its Work. So do
    `separates` and `boxes` of the Work's `passes` and `box`: passes are otherwise run as two works of this backend
    each, and box is not asked for.
    """

    name: str
    strides: bool
    dilates: bool
    separates: bool
    boxes: bool

    def tile_size(self, work: Work) -> tuple[int, int]:
        """Choose the outputs (height, width) of a full tile, from the work alone: never from the number of threads."""
        ...

    def prepare(self, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Do what is done once; the function that comes back is called once a thread."""
        ...

    def whole(self, image: WholeImage) -> NDArray[Any] | None:
        """Filter a whole image by the library's own padding and threads, or answer None where it cannot."""
        ...

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold the library underneath to one thread a call, while our own threads run."""
        ...

    def measure(self, work: Work) -> None:
        """Spend time, up to seconds, on finding the fastest way for this work; later runs of the process use it."""
        ...


class Scratch:
    """Buffers that are used again from tile to tile: fresh memory costs a page fault every 4 KiB.

    >>> scratch = Scratch(np.dtype(np.float32))
    >>> scratch.array("sum", (2, 3)).shape
    (2, 3)
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._buffers: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Give the contiguous array called `name`, its content undefined."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, self._dtype)
        return buffer[:size].reshape(shape)


class TileOwner:
    """What most correlators have in common: a buffer for the tile, scratch, and a look at the samples."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.scratch = Scratch(work.dtype)
        self.input: NDArray[Any] = np.empty(0)

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Give the buffer (height, width, inputs) that the next tile is to be read into."""
        self.input = self.scratch.array("tile", (height, width, self.work.bank.inputs))
        return self.input

    def spoilt(self) -> bool:
        """Whether the tile holds samples that a method other than tap by tap would spread."""
        return not (self.work.finite or is_tame(self.input))


# Samples from which on methods may overflow, by bytes a sample: below the root of the largest float32 and float64.
HUGE = {4: 1e18, 8: 1e150}


def is_tame(samples: NDArray[Any]) -> bool:
    """Tell whether all samples (f32 or f64) are finite and so far from the type's limit that no method overflows.

    >>> is_tame(np.ones(3)), is_tame(np.array([1.0, np.nan]))
    (True, False)
    """
    limit = HUGE[samples.dtype.itemsize]
    return bool(samples.max() < limit and samples.min() > -limit)  # false for NaN, which max and min hand on
