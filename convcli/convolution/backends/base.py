"""What a backend is asked for, and what it answers with."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.registry import entry_of
from convcli.convolution.bank import Bank
from convcli.convolution.planning.cost_model import BankSummary, CorrelationRequest, CostedForm, tile_terms
from convcli.kernel.factorize import Passes


@dataclass(frozen=True, eq=False)
class CorrelationWork:
    """One correlation with a bank, the same for all of its tiles.

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
        """Return the buffer (height, width, inputs) that the next tile is to be read into."""
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
    `passes` and `box` are those of a CorrelationWork.
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


class Backend(ABC):
    """One way of correlating. Its module calls the one instance BACKEND.

    Predicting imports no library but numpy, and cv2 in the opencv backend: what else is heavy is imported by `load`.

    Attributes
    ----------
    name : str
        The name of its entry in the registry, and what its cost terms begin with.
    strides, dilates : bool
        Whether it does these itself and better; it is then handed them in its work.
    separates, boxes : bool
        The same of a work's `passes` and `box`: passes are otherwise run as two works of this backend each, and box is
        not asked for.
    """

    name: ClassVar[str]
    strides: ClassVar[bool] = False
    dilates: ClassVar[bool] = False
    separates: ClassVar[bool] = False
    boxes: ClassVar[bool] = False

    def refusal(self, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> str | None:
        """Return in one line why it cannot compute kernels of `size` so, and what to do; None where it can."""
        return None

    @abstractmethod
    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterable[CostedForm]:
        """List the forms in which it can do a request that it does not refuse, with the terms of its own work."""

    def costed_forms(self, summary: BankSummary, request: CorrelationRequest) -> list[CostedForm]:
        """List its forms with all of their terms; none where it cannot do the request.

        >>> nine = BankSummary((9, 9), 81, 9, 9, 1, products=1, mirrored=True, box=True, shared=True)
        >>> forms = get_backend("direct").costed_forms(nine, CorrelationRequest((2048, 2048)))
        >>> [each.form.name for each in forms]
        ['box', 'dense', 'passes']
        """
        if self.refusal(summary.size, request.stride, request.dilation) is not None:
            return []
        found = list(self.forms(summary, request))
        for each in found:
            each.terms[f"{self.name}.run"] = 1.0
            if not each.form.whole:
                each.terms.update(tile_terms(summary, request, strides=self.strides))
        return found

    def load(self) -> None:  # noqa: B027  most backends need nothing but numpy
        """Import the libraries that it computes with.

        Raises
        ------
        FilterError
            where one is not installed.
        """

    @abstractmethod
    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Choose the outputs (height, width) of a full tile, from the work alone: never from the number of threads."""

    @abstractmethod
    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Do what is done once; the function that comes back is called once a thread."""

    def whole(self, image: WholeImage) -> NDArray[Any] | None:
        """Filter a whole image by the library's own padding and threads, or return None where it cannot."""
        return None

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold the library underneath to one thread a call, while our own threads run."""
        return nullcontext()

    def measure(self, work: CorrelationWork) -> None:  # noqa: B027  most backends have nothing to measure
        """Spend time, up to seconds, on finding the fastest way for this work; later runs of the process use it."""


def get_backend(name: str) -> Backend:
    """Import the backend called `name`, one of the registry."""
    backend: Backend = import_module(entry_of(name).module).BACKEND
    return backend


def refusal(
    backend: str, size: tuple[int, int], stride: tuple[int, int] = (1, 1), dilation: tuple[int, int] = (1, 1)
) -> str | None:
    """Return in one line why a backend cannot compute kernels of `size` so, or None where it can, as `auto` always can.

    >>> refusal("winograd", (5, 5))
    'winograd computes 3x3 kernels only, and this one is 5x5: choose kn2row, fft or auto'
    """
    return None if backend == "auto" else get_backend(backend).refusal(size, stride, dilation)


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
        """Return the contiguous array called `name`, its content undefined."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, self._dtype)
        return buffer[:size].reshape(shape)


class BufferedCorrelator:
    """What most correlators have in common: a buffer for the tile, scratch, and a look at the samples."""

    def __init__(self, work: CorrelationWork) -> None:
        self.work = work
        self.scratch = Scratch(work.dtype)
        self.input: NDArray[Any] = np.empty(0)

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Return the buffer (height, width, inputs) that the next tile is to be read into."""
        self.input = self.scratch.array("tile", (height, width, self.work.bank.inputs))
        return self.input

    def has_unsafe_samples(self) -> bool:
        """Whether the tile holds samples that a method other than tap by tap would spread."""
        return not (self.work.finite or all_safe(self.input))


# Samples from which on methods may overflow, by bytes a sample: below the root of the largest float32 and float64.
UNSAFE_MAGNITUDE = {4: 1e18, 8: 1e150}


def all_safe(samples: NDArray[Any]) -> bool:
    """Whether all samples (f32 or f64) are finite and so far from the type's limit that no method overflows.

    >>> all_safe(np.ones(3)), all_safe(np.array([1.0, np.nan]))
    (True, False)
    """
    limit = UNSAFE_MAGNITUDE[samples.dtype.itemsize]
    return bool(samples.max() < limit and samples.min() > -limit)  # false for NaN, which max and min hand on
