"""Which transforms an overlap-save convolution is cut into, known before FFTW is loaded."""

import math
from functools import lru_cache

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


def transform_cost(size: tuple[int, int], itemsize: int) -> float:
    """Tell what one transform of `size` there and back costs, in samples times passes: n (log2 n + 8), and more where
    it leaves the cache.
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
