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

from convcli.convolution.backends.base import Correlator, TileOwner, WholeImage, Work, is_tame
from convcli.convolution.threads import SharedLimit
from convcli.kernel.factorize import Passes, low_rank

_BORDERS = {
    "reflect101": cv2.BORDER_REFLECT_101,
    "reflect": cv2.BORDER_REFLECT,
    "replicate": cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
}
# From these numbers of weights on filter2D multiplies spectra, of which a NaN fills the whole image
# (opencv/modules/imgproc/src/filter.dispatch.cpp).
_SPECTRAL_WEIGHTS = {"uint8": 121, "float32": 121, "float64": 50}
# Above this, filter2D is faster on float tiles than on u8.
_BYTES_WEIGHTS = 49
# Up to this, filter2D is as quick as a sum of several separable kernels.
_QUICK_WEIGHTS = 100
# The longest column plus row that float32 sums one after another inside DESIGN's bound: a flat image under 101 + 101
# reaches half of it.
_SEPARABLE_LENGTHS = 202
# More channels than this OpenCV 5 takes for a third dimension (CV_CN_MAX; 512 in OpenCV 4).
_MOST_CHANNELS = 128
# The anchor of tiles: only there does sepFilter2D halve its work by the symmetry of a row or column.
_MIDDLE = (-1, -1)


class _OpenCV:
    """See the module."""

    name = "opencv"
    strides = False
    dilates = False
    separates = False
    boxes = False

    def tile_size(self, work: Work) -> tuple[int, int]:
        """Large: OpenCV goes through rows in cache by itself, and a tile's own border is computed in vain."""
        rows, columns = work.span
        return max(256, 4 * rows), max(2048 // work.bank.inputs, 4 * columns)

    def prepare(self, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Find out whether the kernel is separable."""
        kernel = work.bank.shared
        if kernel is None or work.bank.inputs > _MOST_CHANNELS:
            return lambda: _Planes(work)
        passes = separable_passes(kernel, work.dtype)
        if passes is not None:
            return lambda: _Separable(work, passes)
        return lambda: _Filter2D(work, kernel)

    def whole(self, image: WholeImage) -> NDArray[Any] | None:
        """Filter with OpenCV's own padding and threads, for u8 to u8 and float to the same float."""
        kernel, name = image.kernel, image.dtype.name
        if image.pixels.shape[2] > _MOST_CHANNELS or image.pixels.dtype != image.dtype or name not in _SPECTRAL_WEIGHTS:
            return None
        if image.padding not in _BORDERS or (image.padding == "constant" and np.any(image.padding_value)):
            return None
        passes = separable_passes(kernel, image.dtype)
        if passes is None and name == "uint8" and kernel.size > _BYTES_WEIGHTS:
            return None
        if passes is not None and len(passes) > 1:
            return None  # their sum is faster taken in tiles that stay in the cache
        pixels = np.ascontiguousarray(image.pixels)
        by_taps = passes is None and kernel.size < _SPECTRAL_WEIGHTS[name]
        if name != "uint8" and not by_taps and not is_tame(pixels):
            return None
        anchor, border = (image.anchor[1], image.anchor[0]), _BORDERS[image.padding]
        with _threads(image.threads):
            if passes is None:
                result = cv2.filter2D(pixels, -1, kernel, anchor=anchor, borderType=border)
            else:
                ((column, row),) = passes
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
        self._by_taps = kernel.size < _SPECTRAL_WEIGHTS[work.dtype.name]

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


def separable_passes(kernel: NDArray[np.float64], dtype: np.dtype[Any]) -> Passes | None:
    """Write a kernel as few products, where their passes are quicker than it is, and still exact enough."""
    lengths = sum(kernel.shape)
    if lengths >= kernel.size or (dtype != np.float64 and lengths > _SEPARABLE_LENGTHS):
        return None
    most = 1 if kernel.size <= _QUICK_WEIGHTS else int(kernel.size / (1.2 * lengths))
    return low_rank(kernel, most)


def _limit(count: int) -> Callable[[], object]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    return partial(cv2.setNumThreads, before)


_threads = SharedLimit(_limit)


BACKEND = _OpenCV()
