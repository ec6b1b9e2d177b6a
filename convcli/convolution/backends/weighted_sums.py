"""What the backends that go from weight to weight share: the samples under a weight, and sums of many terms."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import BufferedCorrelator, CorrelationWork

Term = Callable[[int, NDArray[Any]], NDArray[Any]]
# Terms summed one after another before sums are added in pairs; float32's error stays a tenth of the error bound of
# docs/numerics.md.
RUN = 32
# Outputs of a full tile of one kernel, rows and samples a row. Smaller ones would fit a core's L2 cache, but two
# threads that meet at the interpreter's lock every few microseconds wait for each other longer than for the L3 cache.
_ROWS, _SAMPLES = 128, 2048
# Samples that such a tile reads, where a stride makes it read more than it answers: 8 MB in float32.
_MOST_READ = 1 << 21


def wide_tile(work: CorrelationWork, rows: int = _ROWS) -> tuple[int, int]:
    """Choose a tile for one kernel on every channel: long rows are what makes a pass over an array cheap.

    >>> from convcli.convolution.bank import Bank
    >>> kernel = Bank.depthwise(np.ones((5, 5)), 3)
    >>> [wide_tile(CorrelationWork(kernel, np.dtype(np.float32), (4000, 6000), stride)) for stride in ((1, 1), (8, 8))]
    [(128, 682), (128, 85)]
    """
    (down, across), inputs = work.stride, work.bank.inputs
    read = (rows - 1) * down + work.span[0]
    width = min(_SAMPLES // inputs, _MOST_READ // (read * across * inputs))
    return rows, max(width, 4 * work.span[1] // across, 1)


class WeightedSumCorrelator(BufferedCorrelator):
    """Cuts from the tile what lies under one weight, and sums many terms.

    A tile with a stride is taken apart first: samples under one weight lie `stride` apart, and those that do are copied
    side by side, once for all of the weights that read them. Samples that no weight reads are not looked at.
    """

    planar = False  # whether each channel lies by itself

    def __init__(self, work: CorrelationWork) -> None:
        super().__init__(work)
        self._parts: dict[tuple[int, int], NDArray[Any]] = {}

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Return the buffer (height, width, inputs) that the next tile is to be read into."""
        self._parts.clear()
        self.input = self.samples("tile", height, width, self.work.bank.inputs)
        return self.input

    def samples(self, name: str, height: int, width: int, channels: int) -> NDArray[Any]:
        """Return the scratch called `name`, (height, width, channels), each channel by itself if `planar`."""
        if self.planar:
            return self.scratch.array(name, (channels, height, width)).transpose(1, 2, 0)
        return self.scratch.array(name, (height, width, channels))

    def output_size(self) -> tuple[int, int]:
        """Rows and columns of outputs that the tile in hand is for."""
        (height, width), span, stride = self.input.shape[:2], self.work.span, self.work.stride
        return (height - span[0]) // stride[0] + 1, (width - span[1]) // stride[1] + 1

    def under(self, u: int, v: int) -> NDArray[Any]:
        """Return the samples (h, w, inputs) that weight (u, v) meets, one for each output."""
        height, width = self.output_size()
        part, top, left = self.origin(u, v)
        return part[top : top + height, left : left + width]

    def origin(self, u: int, v: int) -> tuple[NDArray[Any], int, int]:
        """Where weight (u, v) lies for the first output: (the part of the tile that it reads, row, column)."""
        stride, dilation = self.work.stride, self.work.dilation
        (top, down), (left, right) = divmod(u * dilation[0], stride[0]), divmod(v * dilation[1], stride[1])
        if stride == (1, 1):
            return self.input, top, left
        part = self._parts.get((down, right))
        if part is None:
            # All parts are of one size, so that their rows can lie end to end; the last row or column may be missing.
            height, width = (-(-n // step) for n, step in zip(self.input.shape[:2], stride, strict=True))
            spread = self.input[down :: stride[0], right :: stride[1]]
            part = self.samples(f"part {down} {right}", height, width, self.input.shape[2])
            part[len(spread) :] = 0
            part[:, spread.shape[1] :] = 0
            np.copyto(part[: len(spread), : spread.shape[1]], spread)
            self._parts[down, right] = part
        return part, top, left

    def pairwise(self, term: Term, first: int, last: int, out: NDArray[Any]) -> None:
        """Sum terms `first` to `last` - 1 into `out`, in runs that are then added in pairs; no terms leave it as it is.

        `term(index, room)` answers one term, in `room` or in an array of its own.
        """
        if last - first <= RUN:
            for index in range(first, last):
                if index == first:
                    summand = term(index, out)
                    if summand is not out:
                        np.copyto(out, summand)
                else:
                    out += term(index, self.scratch.array("term", out.shape))
            return
        middle = (first + last) // 2
        self.pairwise(term, first, middle, out)
        other = self.scratch.array(f"sum of {last - middle}", out.shape)
        self.pairwise(term, middle, last, other)
        out += other
