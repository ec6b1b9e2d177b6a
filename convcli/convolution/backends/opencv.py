"""The opencv backend: cv2.filter2D, and cv2.sepFilter2D for kernels that are a column times a row, or a sum of few.

Whole images go to OpenCV as they are where its own padding and sample types serve, which saves a copy. All else comes
in float tiles: from u8 to f32 filter2D is up to ten times slower than converting first, from 9 x 9 on, and u16 is
slower than float at every size.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import (
    UNSAFE_MAGNITUDE,
    Backend,
    BufferedCorrelator,
    CorrelationWork,
    Correlator,
    WholeImage,
    all_safe,
)
from convcli.convolution.padding import PADDINGS
from convcli.convolution.planning.cost_model import (
    ROUNDING,
    SHIPPED_CORES,
    TILE_SAMPLES,
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    Terms,
)
from convcli.kernel.factorize import Passes
from convcli.system.threads import SharedLimit, run_tasks

_BORDERS = {mode.name: getattr(cv2, mode.opencv) for mode in PADDINGS if mode.opencv and mode.opencv_filters}
# filter2D multiplies spectra from so many places of a kernel on, of which a NaN fills the whole image
# (opencv/modules/imgproc/src/filter.dispatch.cpp), by bytes a sample.
_SPECTRAL_PLACES = {1: 130, 4: 130, 8: 50}
# More channels than this OpenCV 5 takes for a third dimension (CV_CN_MAX; 512 in OpenCV 4).
_MOST_CHANNELS = 128
# The longest column plus row that its float32 sums one after another inside the error bound of docs/numerics.md: a flat
# image under 101 + 101 reaches half of it.
_SEQUENTIAL_LENGTHS = 202
# Integers that are made floats at once, sooner than threads would have shared their tiles: 16 MB of float32.
_FEW_SAMPLES = 1 << 22
# Times that a kernel may be as long as the image for OpenCV to mirror the image by itself.
_MOST_FOLDS = 16
# Rows that a core sums at a time, of a whole image under a box: fewer mean more seams, which are summed twice.
_STRIP_ROWS = 1024
# The anchor of tiles: only there does sepFilter2D halve its work by the symmetry of a row or column.
_MIDDLE = (-1, -1)


class _OpenCV(Backend):
    """See the module."""

    name = "opencv"
    separates = True
    boxes = True

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the forms in tiles and, where its own padding and sample types serve, on the whole image."""
        if not summary.shared or summary.channels > _MOST_CHANNELS:
            yield _planes_form(summary, request)
            return
        yield from _whole_forms(summary, request)
        yield from _tiled_forms(summary, request)

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Large: OpenCV goes through rows in cache by itself, and a tile's own border is computed in vain."""
        rows, columns = work.span
        return max(256, 4 * rows), max(2048 // work.bank.inputs, 4 * columns)

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Choose the correlator; there is nothing else to prepare."""
        kernel, passes = work.bank.shared, work.passes
        if kernel is None or work.bank.inputs > _MOST_CHANNELS:
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
        if pixels.dtype != np.uint8 and _spreads(image) and not _whole_is_safe(pixels):
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

    def single_threaded(self) -> AbstractContextManager[object]:
        """OpenCV has one pool of threads for the process."""
        return _threads(1)


def pads_alike(source: str, target: str, padding: str, zero: bool) -> bool:
    """Whether OpenCV pads and filters a whole image of `source` samples into `target` ones just as we do.

    >>> pads_alike("uint8", "uint8", "reflect", True), pads_alike("uint8", "float32", "reflect", True)
    (True, False)
    """
    same = source == target and target in ("uint8", "float32", "float64")
    return same and padding in _BORDERS and (padding != "constant" or zero)


def _planes_form(summary: BankSummary, request: CorrelationRequest) -> CostedForm:
    """One filter2D for each pair of an output and an input channel."""
    tiles, places = _tiles(summary, request), math.prod(request.span(summary.size))
    planes = _samples(summary, request) * summary.outputs
    calls = 2.0 * summary.inputs * summary.outputs * summary.groups * tiles
    terms = {**_filter2d_terms(places, summary.weights, planes, request.itemsize), "opencv.plane": planes}
    return CostedForm(ComputingForm("dense"), {**terms, "opencv.call": calls}, tiles)


def _whole_forms(summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
    """List OpenCV's ways with a whole image, which it shares among threads by itself, undilated."""
    whole, terms = request.whole, {"opencv.call": 1.0}
    if whole is None or _folds_too_often(summary, request, whole.padding):
        return
    samples, converts = _samples(summary, request), False
    if not pads_alike(whole.source, whole.target, whole.padding, whole.zero):
        few = request.kept * summary.channels <= _FEW_SAMPLES
        converts = few and not request.finished and pads_alike(whole.target, whole.target, whole.padding, whole.zero)
        if not converts:
            return
        terms["tile.read"] = samples
    ways = _byte_terms if whole.target == "uint8" else _float_terms
    for name, own in ways(summary, request, samples):
        yield CostedForm(ComputingForm(name, whole=True), {**terms, **own}, SHIPPED_CORES)


def _folds_too_often(summary: BankSummary, request: CorrelationRequest, padding: str) -> bool:
    """Whether OpenCV would mirror positions beyond the image so often that the time grows with the kernel's square.

    It folds a position by one width of the image at a time, and takes minutes for a kernel of 300,000 over two pixels;
    no signal is heard meanwhile. Tiles are padded by index instead, in one step however far a position lies outside.
    """
    folds = (taps / length for taps, length in zip(summary.size, request.output, strict=True))
    return padding.startswith("reflect") and max(folds) > _MOST_FOLDS


def _byte_terms(summary: BankSummary, request: CorrelationRequest, samples: float) -> Iterator[tuple[str, Terms]]:
    spectral = math.prod(summary.size) >= _SPECTRAL_PLACES[1]
    dense = {"opencv.byte_spectrum": samples} if spectral else {"opencv.byte_tap": samples * summary.weights}
    yield "dense", {"opencv.byte": samples, **dense}
    if summary.products == 1:
        lengths = _lengths(summary, summary.size)
        yield "passes", {"opencv.byte_pass": samples, "opencv.byte_length": samples * lengths}
    if summary.mean:
        yield "box", {"opencv.byte_box": samples * _box_effort(summary, 0.25)}


def _float_terms(summary: BankSummary, request: CorrelationRequest, samples: float) -> Iterator[tuple[str, Terms]]:
    yield "dense", _filter2d_terms(math.prod(summary.size), summary.weights, samples, request.itemsize)
    if summary.products == 1 and _exact_in_sequence(summary.size, request.itemsize):
        yield "passes", {"opencv.pass": samples, "opencv.length": samples * _lengths(summary, summary.size)}
    if summary.box and request.itemsize == 4:
        yield "box", {"opencv.whole_box": samples * _box_effort(summary)}


def _tiled_forms(summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
    size, tiles, products = request.span(summary.size), _tiles(summary, request), summary.products
    # A tile's own border is computed in vain.
    beyond = ((n + k - 1) / n for n, k in zip(_large_tile(summary, request), size, strict=True))
    samples = _samples(summary, request) * math.prod(beyond)
    common = {"opencv.tile": samples, "opencv.call": 3.0 * tiles}
    dense = _filter2d_terms(math.prod(size), summary.weights, samples, request.itemsize)
    yield CostedForm(ComputingForm("dense"), {**common, **dense}, tiles)
    if products and _exact_in_sequence(size, request.itemsize):
        lengths = samples * _lengths(summary, size) * products
        passes = {"opencv.pass": samples * products, "opencv.length": lengths, "opencv.add": samples * (products - 1)}
        yield CostedForm(ComputingForm("passes"), {**common, **passes}, tiles)
    # Running sums err too much for double precision.
    if summary.box and request.dilation == (1, 1) and request.itemsize == 4:
        yield CostedForm(ComputingForm("box"), {**common, "opencv.box": samples * _box_effort(summary)}, tiles)


def _samples(summary: BankSummary, request: CorrelationRequest) -> float:
    """Count the samples of the response at stride 1, in units of float32."""
    return request.every[0] * request.every[1] * summary.channels * request.itemsize / 4


def _lengths(summary: BankSummary, size: tuple[int, int]) -> int:
    """Count the multiplications a sample of both passes of a product: symmetry halves them."""
    return sum((n + 1) // 2 if summary.mirrored else n for n in size)


def _box_effort(summary: BankSummary, few: float = 0.4) -> float:
    """Return the part of the time of a large box that one takes: OpenCV has special sums of 3 and 5."""
    return few if max(summary.size) <= 5 else 1.0


def _filter2d_terms(places: int, taps: int, samples: float, itemsize: int) -> Terms:
    if places >= _SPECTRAL_PLACES[itemsize]:
        return {"opencv.spectrum" if itemsize == 4 else "opencv.double_spectrum": samples}
    # In double precision filter2D goes without the processor's wide instructions.
    return {"opencv.dense": samples, "opencv.tap" if itemsize == 4 else "opencv.double_tap": samples * taps}


def _exact_in_sequence(size: tuple[int, int], itemsize: int) -> bool:
    return itemsize == 8 or sum(size) <= _SEQUENTIAL_LENGTHS


def _tiles(summary: BankSummary, request: CorrelationRequest) -> int:
    return math.prod(math.ceil(n / most) for n, most in zip(request.every, _large_tile(summary, request), strict=True))


def _large_tile(summary: BankSummary, request: CorrelationRequest) -> tuple[int, int]:
    """Rows and columns of a tile, as the cost model takes them."""
    (height, width), (rows, columns) = request.every, request.span(summary.size)
    return min(height, max(256, 4 * rows)), min(width, max(TILE_SAMPLES // summary.channels or 1, 4 * columns))


class _Tile(BufferedCorrelator):
    """Cuts off the border that OpenCV adds: responses are what is valid."""

    def valid(self, response: NDArray[Any]) -> NDArray[Any]:
        height, width = self.input.shape[:2]
        rows, columns = self.work.span
        top, left = rows // 2, columns // 2
        whole = response.reshape(height, width, -1)
        return whole[top : top + height - rows + 1, left : left + width - columns + 1]


class _Filter2D(_Tile):
    def __init__(self, work: CorrelationWork, kernel: NDArray[np.float64]) -> None:
        super().__init__(work)
        self._kernel = kernel.astype(work.dtype)
        self._by_taps = kernel.size < _SPECTRAL_PLACES[work.dtype.itemsize] and _same_zeros(kernel, work.dtype)

    def correlate(self) -> NDArray[Any] | None:
        if not self._by_taps and self.has_unsafe_samples():
            return None
        response = self.scratch.array("response", self.input.shape)
        cv2.filter2D(self.input, -1, self._kernel, response, _MIDDLE, 0, cv2.BORDER_CONSTANT)
        return self.valid(response)


class _Separable(_Tile):
    """A sum of separable kernels: two one-dimensional passes for each."""

    def __init__(self, work: CorrelationWork, passes: Passes) -> None:
        super().__init__(work)
        self._passes = [(column.astype(work.dtype), row.astype(work.dtype)) for column, row in passes]

    def correlate(self) -> NDArray[Any] | None:
        if self.has_unsafe_samples():
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
    safe = [False] * strips

    def sum_strip(number: int) -> None:
        strip = slice(edges[number], edges[number + 1])
        safe[number] = _whole_is_safe(pixels[strip])
        _box_filter(pixels[strip], kernel, anchor, border, out[strip])

    def mend(number: int) -> None:
        edge = edges[number + 1]
        around = _box_filter(pixels[edge - 2 * reach : edge + 2 * reach], kernel, anchor, border)
        out[edge - reach : edge + reach] = around[reach : 3 * reach].reshape(-1, *pixels.shape[1:])

    run_tasks(strips, lambda: sum_strip, threads)
    if not all(safe):
        return None
    run_tasks(strips - 1, lambda: mend, threads)
    return out


class _Box(_Tile):
    """A kernel of one weight: running sums, whose time does not depend on the size."""

    def __init__(self, work: CorrelationWork, kernel: NDArray[np.float64]) -> None:
        super().__init__(work)
        self._kernel = kernel

    def correlate(self) -> NDArray[Any] | None:
        if self.has_unsafe_samples():
            return None
        response = self.scratch.array("response", self.input.shape)
        return self.valid(_box_filter(self.input, self._kernel, _MIDDLE, cv2.BORDER_CONSTANT, response))


class _Planes(_Tile):
    """A bank that mixes channels, or has too many: one filter2D for each pair of an output and an input channel."""

    def correlate(self) -> NDArray[Any] | None:
        if self.has_unsafe_samples():
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
    by_taps = image.passes is None and image.kernel.size < _SPECTRAL_PLACES[dtype.itemsize]
    return not (by_taps and _same_zeros(image.kernel, dtype))


def _same_zeros(kernel: NDArray[np.float64], dtype: np.dtype[Any]) -> bool:
    """Whether filter2D, going by taps, leaves out just the zeros: it keeps one tap of a kernel that has no other."""
    taps = np.count_nonzero(kernel)
    return bool(0 < taps == np.count_nonzero(kernel.astype(dtype)))


def _whole_is_safe(pixels: NDArray[Any]) -> bool:
    """As `all_safe`, by one quick look at the sum of squares in double, where that settles it."""
    return bool(cv2.norm(pixels, cv2.NORM_L2SQR) < UNSAFE_MAGNITUDE[4] ** 2) or all_safe(pixels)


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
