"""The opencv backend: cv2.filter2D, and cv2.sepFilter2D for kernels that are a column times a row, or a sum of few.

Whole images go to OpenCV as they are where its own padding and sample types serve, which saves a copy. All else comes
in float tiles: from u8 to f32 filter2D is up to ten times slower than converting first, from 9 x 9 on, and u16 is
slower than float at every size.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import HUGE, Correlator, TileOwner, WholeImage, Work, is_tame
from convcli.convolution.planning.costs import OPENCV_CHANNELS, ROUNDING, SPECTRAL_PLACES
from convcli.kernel.factorize import Passes
from convcli.system.threads import SharedLimit, run_tasks

_BORDERS = {
    "reflect101": cv2.BORDER_REFLECT_101,
    "reflect": cv2.BORDER_REFLECT,
    "replicate": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
}
# Rows that a core sums at a time, of a whole image under a box: fewer mean more seams, which are summed twice.
_STRIP_ROWS = 1024
# The anchor of tiles: only there does sepFilter2D halve its work by the symmetry of a row or column.
_MIDDLE = (-1, -1)


class _OpenCV:
    """See the module."""

    name = "opencv"
    strides = False
    dilates = False
    separates = True
    boxes = True

    def tile_size(self, work: Work) -> tuple[int, int]:
        """Large: OpenCV goes through rows in cache by itself, and a tile's own border is computed in vain."""
        rows, columns = work.span
        return max(256, 4 * rows), max(2048 // work.bank.inputs, 4 * columns)

    def prepare(self, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """There is nothing to prepare."""
        kernel, passes = work.bank.shared, work.passes
        if kernel is None or work.bank.inputs > OPENCV_CHANNELS:
            return lambda: _Planes(work)
        if work.box:
            return lambda: _Box(work, kernel)
        if passes is not None:
            return lambda: _Separable(work, passes)
        return lambda: _Filter2D(work, kernel)

    def whole(self, image: WholeImage) -> NDArray[Any] | None:
        """Filter with OpenCV's own padding and threads, for u8 to u8 and float to the same float."""
        kernel, box = image.kernel, image.box
        pixels = np.ascontiguousarray(image.pixels)
        anchor, border = (image.anchor[1], image.anchor[0]), _BORDERS[image.padding]
        if box and pixels.dtype != np.uint8:
            with _threads(1):
                return _box_in_strips(pixels, kernel, anchor, border, image.threads)
        if pixels.dtype != np.uint8 and _spreads(image) and not _is_tame(pixels):
            return None
        with _threads(image.threads):
            if box:
                result = _box_filter(pixels, kernel, anchor, border)
            elif image.passes is None:
                result = cv2.filter2D(pixels, -1, kernel, anchor=anchor, borderType=border)
            else:
                ((column, row),) = image.passes
                result = cv2.sepFilter2D(pixels, -1, row, column, anchor=anchor, borderType=border)
        return result.reshape(pixels.shape)

    def measure(self, work: Work) -> None:
        """There is nothing to measure."""

    def single_threaded(self) -> AbstractContextManager[object]:
        """OpenCV has one pool of threads for the process."""
        return _threads(1)


class _Tile(TileOwner):
    """Cuts off the border that OpenCV adds: responses are what is valid."""

    def valid(self, response: NDArray[Any]) -> NDArray[Any]:
        height, width = self.input.shape[:2]
        rows, columns = self.work.span
        top, left = rows // 2, columns // 2
        whole = response.reshape(height, width, -1)
        return whole[top : top + height - rows + 1, left : left + width - columns + 1]


class _Filter2D(_Tile):
    def __init__(self, work: Work, kernel: NDArray[np.float64]) -> None:
        super().__init__(work)
        self._kernel = kernel.astype(work.dtype)
        self._by_taps = kernel.size < SPECTRAL_PLACES[work.dtype.itemsize] and _same_zeros(kernel, work.dtype)

    def correlate(self) -> NDArray[Any] | None:
        if not self._by_taps and self.spoilt():
            return None
        response = self.scratch.array("response", self.input.shape)
        cv2.filter2D(self.input, -1, self._kernel, response, _MIDDLE, 0, cv2.BORDER_CONSTANT)
        return self.valid(response)


class _Separable(_Tile):
    """A sum of separable kernels: two one-dimensional passes for each."""

    def __init__(self, work: Work, passes: Passes) -> None:
        super().__init__(work)
        self._passes = [(column.astype(work.dtype), row.astype(work.dtype)) for column, row in passes]

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        total = self.scratch.array("response", self.input.shape)
        for number, (column, row) in enumerate(self._passes):
            response = self.scratch.array("pass", self.input.shape) if number else total
            cv2.sepFilter2D(self.input, -1, row, column, response, _MIDDLE, 0, cv2.BORDER_CONSTANT)
            if number:
                total += response
        return self.valid(total)


def _box_in_strips(
    pixels: NDArray[Any], kernel: NDArray[np.float64], anchor: tuple[int, int], border: int, threads: int
) -> NDArray[Any] | None:
    """Filter strips of rows side by side, for OpenCV sums a whole image on one core; None where samples may spread.

    Each strip is summed as an image of its own, straight into the result; the rows whose windows reach into the next
    strip are then done again. A core looks at the samples of a strip just before it sums them, while it has them.
    """
    height, reach = pixels.shape[0], kernel.shape[0]
    strips = max(1, height // max(_STRIP_ROWS, 4 * reach))
    edges = [height * number // strips for number in range(strips + 1)]
    out = np.empty_like(pixels)
    tame = [False] * strips

    def sum_strip(number: int) -> None:
        strip = slice(edges[number], edges[number + 1])
        tame[number] = _is_tame(pixels[strip])
        _box_filter(pixels[strip], kernel, anchor, border, out[strip])

    def mend(number: int) -> None:
        edge = edges[number + 1]
        around = _box_filter(pixels[edge - 2 * reach : edge + 2 * reach], kernel, anchor, border)
        out[edge - reach : edge + reach] = around[reach : 3 * reach].reshape(-1, *pixels.shape[1:])

    run_tasks(strips, lambda: sum_strip, threads)
    if not all(tame):
        return None
    run_tasks(strips - 1, lambda: mend, threads)
    return out


class _Box(_Tile):
    """A kernel of one weight: running sums, whose time does not depend on the size."""

    def __init__(self, work: Work, kernel: NDArray[np.float64]) -> None:
        super().__init__(work)
        self._kernel = kernel

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        response = self.scratch.array("response", self.input.shape)
        return self.valid(_box_filter(self.input, self._kernel, _MIDDLE, cv2.BORDER_CONSTANT, response))


class _Planes(_Tile):
    """A bank that mixes channels, or has too many: one filter2D for each pair of an output and an input channel."""

    def correlate(self) -> NDArray[Any] | None:
        if self.spoilt():
            return None
        height, width = self.input.shape[:2]
        rows, columns = self.work.span
        inputs = [np.ascontiguousarray(self.input[..., channel]) for channel in range(self.input.shape[2])]
        out = self.scratch.array("out", (height - rows + 1, width - columns + 1, self.work.bank.outputs))
        out[...] = 0
        for output, source, weights in self.work.bank.planes():
            kernel = weights.astype(self.work.dtype)
            response = cv2.filter2D(inputs[source], -1, kernel, None, _MIDDLE, 0, cv2.BORDER_CONSTANT)
            out[..., output] += self.valid(response[..., np.newaxis])[..., 0]
        return out


def _spreads(image: WholeImage) -> bool:
    """Whether samples that are not finite, or huge, may spoil outputs that they should not.

    Even one product without zeros does that: of a symmetric factor, samples are added before they are weighed.
    """
    dtype = image.pixels.dtype
    by_taps = image.passes is None and image.kernel.size < SPECTRAL_PLACES[dtype.itemsize]
    return not (by_taps and _same_zeros(image.kernel, dtype))


def _same_zeros(kernel: NDArray[np.float64], dtype: np.dtype[Any]) -> bool:
    """Whether filter2D, going by taps, leaves out just the zeros: it keeps one tap of a kernel that has no other."""
    taps = np.count_nonzero(kernel)
    return bool(0 < taps == np.count_nonzero(kernel.astype(dtype)))


def _is_tame(pixels: NDArray[Any]) -> bool:
    """As `is_tame`, by one quick look at the sum of squares in double, where that settles it."""
    return bool(cv2.norm(pixels, cv2.NORM_L2SQR) < HUGE[4] ** 2) or is_tame(pixels)


def _box_filter(
    pixels: NDArray[Any], kernel: NDArray[np.float64], anchor: tuple[int, int], border: int, out: Any = None
) -> NDArray[Any]:
    """Sum windows by running sums, of integers for bytes and in double for floats, and weigh them."""
    size, mean = kernel.shape[::-1], float(kernel.flat[0]) * kernel.size
    result: NDArray[Any] = cv2.boxFilter(pixels, -1, size, out, anchor, True, border)
    if abs(mean - 1.0) > ROUNDING:  # never so for bytes
        result *= result.dtype.type(mean)
    return result


def _limit(count: int) -> Callable[[], object]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    return partial(cv2.setNumThreads, before)


_threads = SharedLimit(_limit)


BACKEND = _OpenCV()
