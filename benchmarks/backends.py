"""Time the direct and fft backends against scipy.ndimage and cv2.filter2D, side by side, and print the ratios.

    python benchmarks/backends.py [--size 2048] [--runs 15]

Both sides filter the same float32 image with the same random (full-rank) kernel, padding included, one after the other,
run after run; what counts is the median of the paired ratios. scipy.ndimage has one thread; the others have all cores.
FFT plans are measured beforehand, and the time that takes is printed too.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from scipy import ndimage

from convcli import convolve
from convcli.convolution.backends.fft import measure_plans

DIRECT_SIZES = (3, 5, 7, 9, 11, 13, 15)
FFT_SIZES = (15, 21, 31, 51, 101)


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """Median milliseconds of ours and theirs, and the median of the ratios of neighbouring runs."""
    ours()
    theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    mine, other = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    return mine, other, statistics.median(a / b for a, b in pairs)


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2048, help="height and width of the image")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    image = generator.random((options.size, options.size), np.float32)
    print(
        f"{options.size} x {options.size} float32, random kernels, {os.cpu_count()} cores, "
        f"medians of {options.runs} paired runs"
    )

    print("\nkernel   direct ms   scipy.ndimage.correlate ms   ratio   (at most 0.4)")
    for size in DIRECT_SIZES:
        kernel = generator.standard_normal((size, size))
        weights = kernel.astype(np.float32)
        mine, other, ratio = compare(
            lambda k=kernel: convolve(image, k, backend="direct"),
            lambda w=weights: ndimage.correlate(image, w, mode="mirror"),
            max(3, options.runs if size < 9 else options.runs // 3),
        )
        print(f"{size:4}x{size:<4}{mine:9.1f}{other:26.1f}{ratio:12.2f}")

    print("\nkernel     fft ms   cv2.filter2D f32 ms   ratio   (at most)   planning s")
    for size in FFT_SIZES:
        kernel = generator.standard_normal((size, size))
        planning = seconds(lambda s=size: measure_plans(image.shape, (s, s), image.dtype))
        mine, other, ratio = compare(
            lambda k=kernel: convolve(image, k, backend="fft"),
            lambda k=kernel: cv2.filter2D(image, -1, k),
            options.runs,
        )
        target = 0.6 if size < 31 else 0.5
        print(f"{size:4}x{size:<4}{mine:8.1f}{other:19.1f}{ratio:11.2f}{target:10.1f}{planning:13.2f}")


if __name__ == "__main__":
    main()
