"""The fft backend: overlap-save in tiles that stay in the core's cache, by FFTW through pyFFTW.

A tile's spectrum times the conjugate of the kernel's is the spectrum of their circular correlation; its outputs whose
window does not wrap round are the valid ones, and neighbouring tiles overlap by the rest (Oppenheim and Schafer,
Discrete-Time Signal Processing, 8.7.3). The cost hardly depends on the kernel's size.

Plans are FFTW's estimates, which cost nothing to make, unless it knows of measured ones: `measure_plans` has it
measure for the rest of the process, and `convcli tune` for all later ones.
"""

import math
import threading
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from convcli.convolution.backends.base import UNSAFE_MAGNITUDE, Backend, CorrelationWork, Correlator
from convcli.convolution.planning.cost_model import BankSummary, ComputingForm, CorrelationRequest, CostedForm
from convcli.convolution.planning.profile import stored_wisdom, wisdom_refused

# Lengths with small prime factors only, which FFTW does in fast steps.
_LENGTHS = (
    *(1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 288, 320, 384, 400, 480, 512, 576, 640, 768),
    *(1024, 1280, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384),
)
# A tile and its spectrum of this many bytes each still fit a core's cache; beyond, a sample costs _SPILL more for each
# doubling. Calls cost as much as _CALLS samples times passes, mostly in threads waiting for the interpreter's lock.
_CACHED_BYTES = 600_000
_SPILL = 0.15
_CALLS = 400_000
# Of a thread's planes.
_MOST_BYTES = 48 << 20
# Of spectra kept.
_KEPT_BYTES = 32 << 20

# The spectrum of a bank's kernel, by its output and its input within the group.
Spectra = Callable[[int, int], NDArray[Any]]
_planner = threading.Lock()  # FFTW's planner is the one part of it that is not safe to call from several threads


class _FFT(Backend):
    """See the module."""

    name = "fft"

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the one form."""
        span, every, scale = request.span(summary.size), request.every, request.itemsize / 4
        channels, pairs = summary.channels, summary.inputs * summary.outputs * summary.groups
        outputs = channels if summary.shared else summary.outputs * summary.groups
        size = transform_size(
            every, span, request.itemsize, planes=channels if summary.shared else 2 * channels + outputs
        )
        tiles = tile_count(every, span, size)
        samples, cost = size[0] * size[1] * scale, transform_cost(size, request.itemsize) * scale
        terms = {
            "fft.transform": tiles * cost * (channels + outputs) / 2,
            "fft.sample": tiles * samples * (channels + outputs) / 2,
            "fft.call": tiles * (channels + outputs),
        }
        if not summary.shared:
            terms["fft.product"] = tiles * samples * pairs
            terms["fft.spectrum"] = cost * pairs * (1 if keeps_spectra(size, pairs, request.itemsize) else tiles)
        if request.cold:
            terms["fft.load"] = 1.0
            terms["fft.spectrum"] = cost
        yield CostedForm(ComputingForm("dense"), terms, tiles)

    def load(self) -> None:
        """Import pyFFTW, which takes tens of milliseconds."""
        import_module("pyfftw")

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Return the outputs of the transform that makes the whole cheapest."""
        height, width = _size(work)
        return height - work.span[0] + 1, width - work.span[1] + 1

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Transform the kernels, once for all threads."""
        _recall_wisdom()
        size = _size(work)
        spectra = _kernel_spectra(work, size)
        return lambda: _OverlapSave(work, size, spectra)

    def measure(self, work: CorrelationWork) -> None:
        """Have FFTW measure its plans."""
        measure_plans(work.output, work.span, work.dtype, _planes(work))


def transform_cost(size: tuple[int, int], itemsize: int) -> float:
    """Return what one transform of `size` there and back costs, in samples times passes.

    That is n (log2 n + 8), and more where it leaves the cache.
    """
    samples = size[0] * size[1]
    spilled = 1.0 + _SPILL * max(0.0, math.log2(samples * itemsize / _CACHED_BYTES))
    return samples * (math.log2(samples) + 8) * spilled


def keeps_spectra(size: tuple[int, int], count: int, itemsize: int) -> bool:
    """Whether the spectra of `count` kernels are few enough to be kept for all tiles.

    >>> keeps_spectra((64, 64), 9, 4), keeps_spectra((320, 320), 4096, 4)
    (True, False)
    """
    return size[0] * (size[1] // 2 + 1) * 2 * itemsize * count <= _KEPT_BYTES


def tile_count(output: tuple[int, int], span: tuple[int, int], size: tuple[int, int]) -> int:
    """Count the transforms of `size` that cover `output` under a kernel of `span`; each loses span - 1 to its edges.

    >>> tile_count((100, 100), (5, 5), (64, 64))
    4
    """
    return math.ceil(output[0] / (size[0] - span[0] + 1)) * math.ceil(output[1] / (size[1] - span[1] + 1))


@lru_cache(maxsize=64)
def transform_size(output: tuple[int, int], span: tuple[int, int], itemsize: int, planes: int = 1) -> tuple[int, int]:
    """Choose the transform (height, width) that makes the whole cheapest by `transform_cost`.

    Each thread holds `planes` of that size at a time, in a few megabytes where that leaves any choice.

    >>> transform_size((2048, 2048), (15, 15), 4)
    (320, 320)
    """

    def candidates(axis: int) -> list[int]:
        enough = next((n for n in _LENGTHS if n >= output[axis] + span[axis] - 1), None)
        lengths = [n for n in _LENGTHS if n >= 2 * span[axis] and (enough is None or n <= enough)]
        if enough is not None and enough not in lengths:
            lengths.append(enough)
        return lengths or [1 << (2 * span[axis]).bit_length()]

    def cost(size: tuple[int, int]) -> float:
        return tile_count(output, span, size) * (transform_cost(size, itemsize) + _CALLS)

    sizes = [(h, w) for h in candidates(0) for w in candidates(1)]
    small = [size for size in sizes if math.prod(size) * itemsize * planes <= _MOST_BYTES]
    return min(small or [min(sizes, key=math.prod)], key=cost)


def _planes(work: CorrelationWork) -> int:
    """Return the number of planes of a transform's size that a thread holds."""
    bank = work.bank
    return bank.inputs if bank.shared is not None else 2 * bank.inputs + bank.outputs


def _size(work: CorrelationWork) -> tuple[int, int]:
    return transform_size(work.output, work.span, work.dtype.itemsize, _planes(work))


class _OverlapSave:
    """One thread's transforms, in planes: each channel of a tile lies by itself."""

    def __init__(self, work: CorrelationWork, size: tuple[int, int], spectra: Spectra) -> None:
        import pyfftw

        self._work, self._spectra = work, spectra
        height, width = size
        self._planes = _aligned(work.bank.inputs, size, work.dtype)
        # One kernel on every channel: responses go back where the tile was, for a third buffer would leave the cache.
        alike = work.bank.shared is not None
        self._out = self._planes if alike else _aligned(work.bank.outputs, size, work.dtype)
        kind = np.result_type(work.dtype, np.complex64)
        kept = 0 if alike else work.bank.inputs
        self._input_spectra = _aligned(kept, (height, width // 2 + 1), kind)
        self._product = pyfftw.empty_aligned((height, width // 2 + 1), kind)
        self._forward, self._inverse = _plans(self._planes[0], self._product, "FFTW_ESTIMATE")
        self._filled = 0, 0

    def tile(self, height: int, width: int) -> NDArray[Any]:
        if (height, width) != self._planes.shape[1:]:
            self._planes[...] = 0  # what an earlier, larger tile left must not reach this one's rounding
        self._filled = height, width
        tile: NDArray[Any] = self._planes[:, :height, :width].transpose(1, 2, 0)
        return tile

    def correlate(self) -> NDArray[Any] | None:
        done = self._correlate_bank() if self._work.bank.shared is None else self._correlate_channels()
        if not done:
            return None
        (height, width), (rows, columns) = self._filled, self._work.span
        response: NDArray[Any] = self._out[:, : height - rows + 1, : width - columns + 1].transpose(1, 2, 0)
        return response

    def _correlate_channels(self) -> bool:
        spectrum = self._spectra(0, 0)
        for plane, out in zip(self._planes, self._out, strict=True):
            if not self._transform(plane, self._product):
                return False
            if not self._multiply_back(self._product, spectrum, out):
                return False
        return True

    def _transform(self, plane: NDArray[Any], spectrum: NDArray[Any]) -> bool:
        """Transform a channel; whether its samples are fit to be transformed."""
        self._forward.update_arrays(plane, spectrum)
        self._forward.execute()
        if self._work.finite:
            return True
        # The first of these is the sum of all samples: never finite where one is not. Where huge samples cancel in it,
        # they do not in the lowest frequencies as well. A look at three numbers, where one at all samples takes longer.
        down, right = min(1, spectrum.shape[0] - 1), min(1, spectrum.shape[1] - 1)
        looked_at = spectrum[0, 0], spectrum[0, right], spectrum[down, 0]
        return all(abs(value) < UNSAFE_MAGNITUDE[spectrum.dtype.itemsize // 2] for value in looked_at)

    def _correlate_bank(self) -> bool:
        for plane, spectrum in zip(self._planes, self._input_spectra, strict=True):
            if not self._transform(plane, spectrum):
                return False
        bank, total = self._work.bank, np.empty_like(self._product)
        inputs, outputs = bank.inputs // bank.groups, bank.outputs // bank.groups
        for output in range(bank.outputs):
            total[...] = 0
            for index in range(inputs):
                source = output // outputs * inputs + index
                np.multiply(self._input_spectra[source], self._spectra(output, index), out=self._product)
                total += self._product
            if not self._multiply_back(total, None, self._out[output]):
                return False
        return True

    def _multiply_back(self, spectrum: NDArray[Any], factor: NDArray[Any] | None, out: NDArray[Any]) -> bool:
        """Transform a product back; whether no frequency overflowed, for one that did reaches every output."""
        if factor is None:
            np.copyto(self._product, spectrum)
        else:
            np.multiply(spectrum, factor, out=self._product)
        self._inverse.update_arrays(self._product, out)
        self._inverse.execute()
        return self._work.finite or math.isfinite(out[0, 0])


def _aligned(count: int, size: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros (count, *size), each plane of which begins where FFTW's plan for the first one wants it."""
    import pyfftw

    samples, unit = math.prod(size), pyfftw.simd_alignment // dtype.itemsize
    planes: NDArray[Any] = pyfftw.zeros_aligned((count, math.ceil(samples / unit) * unit), dtype)
    # Not by reshape, which may give an axis of one sample another stride than the plan was made for.
    return as_strided(planes, (count, *size), (planes.strides[0], size[1] * dtype.itemsize, dtype.itemsize))


def _kernel_spectra(work: CorrelationWork, size: tuple[int, int]) -> Spectra:
    """Transform each kernel in float64: its conjugate spectrum with FFTW's missing 1 / n in it.

    Those of a large bank are made again for each tile: all of them together are many times the image.
    """
    bank = work.bank
    kind = np.result_type(work.dtype, np.complex64)
    if bank.shared is not None:
        shared = _latest_spectra(bank.shared.tobytes(), bank.size, size, kind)
        return lambda output, index: shared
    outputs, inputs = bank.weights.shape[:2]
    if keeps_spectra(size, outputs * inputs, work.dtype.itemsize):
        kept = [[_spectrum(weights, size, kind) for weights in each] for each in bank.weights]
        return lambda output, index: kept[output][index]
    return lambda output, index: _spectrum(bank.weights[output, index], size, kind)


def _spectrum(weights: NDArray[np.float64], size: tuple[int, int], kind: np.dtype[Any]) -> NDArray[Any]:
    spectrum: NDArray[Any] = (np.conj(np.fft.rfft2(weights, size)) / math.prod(size)).astype(kind)
    return spectrum


@lru_cache(maxsize=4)
def _latest_spectra(
    weights: bytes, kernel_size: tuple[int, int], size: tuple[int, int], kind: np.dtype[Any]
) -> NDArray[Any]:
    """Keep the spectra of the kernels in use: a folder of images is filtered with the same ones again and again."""
    return _spectrum(np.frombuffer(weights).reshape(kernel_size), size, kind)


@cache
def _recall_wisdom() -> None:
    """Import into FFTW the wisdom that `convcli tune` kept, once in a process."""
    import pyfftw

    wisdom = stored_wisdom()
    if wisdom is not None and not all(pyfftw.import_wisdom(wisdom)):
        wisdom_refused()


def _plans(real: NDArray[Any], spectrum: NDArray[Any], effort: str) -> tuple[Any, Any]:
    """Plan the transform of `real` into `spectrum` and back, for one thread."""
    import pyfftw

    with _planner:
        forward = pyfftw.FFTW(real, spectrum, axes=(0, 1), flags=(effort,), threads=1)
        flags = (effort, "FFTW_DESTROY_INPUT")
        inverse = pyfftw.FFTW(spectrum, real, axes=(0, 1), direction="FFTW_BACKWARD", flags=flags, threads=1)
    return forward, inverse


def measure_plans(output: tuple[int, int], span: tuple[int, int], dtype: np.dtype[Any], planes: int = 1) -> None:
    """Have FFTW measure which transform is fastest for this output size and kernel span; takes up to a few seconds.

    FFTW remembers the answer as wisdom, for the rest of the process.
    """
    import pyfftw

    height, width = transform_size(output, span, dtype.itemsize, planes)
    real = pyfftw.empty_aligned((height, width), dtype)
    spectrum = pyfftw.empty_aligned((height, width // 2 + 1), np.result_type(dtype, np.complex64))
    _plans(real, spectrum, "FFTW_MEASURE")


BACKEND = _FFT()
