"""Time `convolve(backend="auto")` against the calls that one would write instead, and print the ratio of every cell.

    python benchmarks/grid.py [--images gray rgb] [--sizes 3 5 ...] [--kernels random gaussian ...] [--runs 9]

A cell is an image, a kernel and a size. The rivals are cv2.filter2D on the image as given and on float32,
cv2.sepFilter2D and cv2.boxFilter where the kernel allows, scipy.signal.oaconvolve, and whole-image transforms by
scipy.fft. Each gives the same sample type as ours, padding included; a rival counts where its result lies within
2e-6 sum|w| max|sample| of the exact one (half a step more for bytes), looked at in windows at the corners and in the
middle. Those within twice the fastest are then timed in turn with ours, run after run; the median of the paired ratios
counts. A call of less than 50 ms is timed after an untimed one of its own: what ran before it would else decide between
two that are the same. Both sides have all cores. FFT plans are FFTW's estimates, unless `convcli tune` has kept better
ones. The target is a ratio of 1.15 at most (1.25 in 2 of 100 cells).
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import correlate, oaconvolve

from convcli import convolve, load_kernel
from convcli.convolution.backends.base import refusal
from convcli.convolution.backends.registry import automatic_backends
from convcli.convolution.options import available_threads

SIZES = (3, 5, 7, 9, 11, 13, 15, 21, 31, 51, 101)
KERNELS = {
    "random": None,
    "gaussian": "gaussian:size={size},sigma={sigma}",
    "gabor 0": "gabor:size={size},sigma={sigma},wavelength={wavelength}",
    "gabor 30": "gabor:size={size},sigma={sigma},wavelength={wavelength},theta=30",
    "gabor 45": "gabor:size={size},sigma={sigma},wavelength={wavelength},theta=45",
    "dog": "dog:size={size},sigma={narrow}",
    "box": "box:size={size}",
}
Call = Callable[[], NDArray[Any]]


def weights_of(kind: str, size: int) -> NDArray[np.float64]:
    """The kernel of a cell; a random one has full rank, and weights of either sign that keep bytes within range."""
    spec = KERNELS[kind]
    if spec is None:
        weights = np.random.default_rng(size).uniform(-0.5, 1.0, (size, size))
        return weights / np.abs(weights).sum()
    sigma = size / 6
    return load_kernel(spec.format(size=size, sigma=sigma, wavelength=2.5 * sigma, narrow=sigma / 1.6)).weights


def images() -> dict[str, NDArray[Any]]:
    """The two images: 2048 x 2048 gray float32, 12 megapixels of RGB bytes."""
    generator = np.random.default_rng(0)
    return {
        "gray": generator.random((2048, 2048), np.float32),
        "rgb": generator.integers(0, 256, (3000, 4000, 3), np.uint8),
    }


def as_given(response: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round and saturate floats to bytes by the quickest call that OpenCV has for it."""
    if dtype != np.uint8:
        return response
    flat = response.reshape(response.shape[0], -1)
    return cv2.add(flat, 0.0, dtype=cv2.CV_8U).reshape(response.shape)


def rivals(image: NDArray[Any], weights: NDArray[np.float64], separated: bool, box: bool) -> Iterator[tuple[str, Call]]:
    """What one would write instead."""
    size = weights.shape[0]
    half = size // 2
    dtype = image.dtype
    yield "filter2D", lambda: cv2.filter2D(image, -1, weights)
    if dtype == np.uint8:
        yield "filter2D f32", lambda: as_given(cv2.filter2D(image.astype(np.float32), -1, weights), dtype)
    if separated:
        left, values, right = np.linalg.svd(weights)
        column, row = left[:, 0] * values[0], right[0]
        yield "sepFilter2D", lambda: cv2.sepFilter2D(image, -1, row, column)
    if box:
        yield "boxFilter", lambda: cv2.boxFilter(image, -1, (size, size), borderType=cv2.BORDER_REFLECT_101)
    turned = weights[::-1, ::-1].astype(np.float32)
    kernel = turned if image.ndim == 2 else turned[:, :, np.newaxis]

    def padded() -> NDArray[Any]:
        floats = image.astype(np.float32, copy=False)
        return cv2.copyMakeBorder(floats, half, half, half, half, cv2.BORDER_REFLECT_101)

    yield "oaconvolve", lambda: as_given(oaconvolve(padded(), kernel, "valid", axes=(0, 1)), dtype)

    def whole() -> NDArray[Any]:
        source = padded()
        shape = [scipy.fft.next_fast_len(n, real=True) for n in source.shape[:2]]
        workers = available_threads()
        spectrum = scipy.fft.rfft2(source, shape, axes=(0, 1), workers=workers)
        spectrum *= scipy.fft.rfft2(kernel, shape, axes=(0, 1), workers=workers)
        result = scipy.fft.irfft2(spectrum, shape, axes=(0, 1), workers=workers)
        end_y, end_x = (n + size - 1 for n in image.shape[:2])
        return as_given(np.ascontiguousarray(result[size - 1 : end_y, size - 1 : end_x]), dtype)

    yield "scipy.fft", whole


def is_exact(result: NDArray[Any], image: NDArray[Any], weights: NDArray[np.float64]) -> bool:
    """Whether windows at two corners and in the middle lie within the bound."""
    size, window = weights.shape[0], 24
    height, width = image.shape[:2]
    bound = 2e-6 * float(np.abs(weights).sum()) * float(image.max()) + (0.5 if image.dtype == np.uint8 else 0.0)
    half = size // 2
    for top, left in ((0, 0), (height // 2, width // 2), (height - window, width - window)):
        rows = np.pad(np.arange(height), half, mode="reflect")[top : top + window + size - 1]
        columns = np.pad(np.arange(width), half, mode="reflect")[left : left + window + size - 1]
        patch = image[np.ix_(rows, columns)].astype(np.float64).reshape(len(rows), len(columns), -1)
        got = result[top : top + window, left : left + window].reshape(window, window, -1)
        for channel in range(patch.shape[2]):
            exact = correlate(patch[..., channel], weights, "valid", "direct")
            if image.dtype == np.uint8:
                exact = exact.clip(0, 255)
            if np.abs(got[..., channel] - exact).max() > bound:
                return False
    return True


def seconds(call: Call, settle: bool = False) -> float:
    """Time one call; `settle` runs it once before, so that it does not pay for what another one left in the caches."""
    if settle:
        call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def race(ours: Call, others: dict[str, Call], runs: int, settle: bool) -> tuple[float, dict[str, tuple[float, float]]]:
    """Run all in turn: our median seconds, and for each rival its median and that of the paired ratios ours / its."""
    rounds = [
        (seconds(ours, settle), {name: seconds(call, settle) for name, call in others.items()}) for _ in range(runs)
    ]
    table = {
        name: (
            statistics.median(each[name] for _, each in rounds),
            statistics.median(mine / each[name] for mine, each in rounds),
        )
        for name in others
    }
    return statistics.median(mine for mine, _ in rounds), table


def agree(names: list[str], kinds: list[str], sizes: list[int]) -> None:
    """Compute every cell by every backend, and print which results lie outside the bound."""
    outside, cells = [], 0
    for name, image in images().items():
        for kind in kinds if name in names else ():
            for size in sizes:
                weights = weights_of(kind, size)
                for backend in automatic_backends():
                    if refusal(backend, weights.shape) is None:
                        result = convolve(image, weights, backend=backend, out_dtype=image.dtype, signed="clip")
                        cells += 1
                        if not is_exact(result, image, weights):
                            outside.append(f"{name} {kind} {size} {backend}")
    print(f"{cells} results, {len(outside)} outside the bound: {'; '.join(outside) or 'none'}")


def conclude(over: list[str], cells: int, against_filter2d: dict[bool, list[float]]) -> None:
    """Print what the targets are about."""
    print(f"\n{len(over)} of {cells} cells above 1.15: {'; '.join(over) or 'none'}")
    for full_rank, target in ((True, 0.5), (False, 0.3)):
        ratios = against_filter2d[full_rank]
        if ratios:
            mean = math.exp(statistics.fmean(map(math.log, ratios)))
            kinds = "full-rank kernels" if full_rank else "gaussian, gabor, dog and box"
            print(f"geometric mean against filter2D, {kinds} of 13 and more: {mean:.2f} (target {target})")


def main() -> None:
    """Measure and print all cells, and the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", nargs="+", default=["gray", "rgb"], choices=["gray", "rgb"])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--kernels", nargs="+", default=list(KERNELS), choices=list(KERNELS))
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--agree", action="store_true", help="time nothing; hold every backend to the exact result")
    options = parser.parse_args()
    if options.agree:
        agree(options.images, options.kernels, options.sizes)
        return
    over, cells = [], 0
    against_filter2d: dict[bool, list[float]] = {True: [], False: []}
    print(f"{available_threads()} threads, medians of {options.runs} paired runs; ratios are ours / the rival's")
    for name, image in images().items():
        if name not in options.images:
            continue
        print(f"\n{'x'.join(map(str, image.shape))} {image.dtype}")
        print(
            f"{'kernel':10} {'size':>4} {'auto ms':>8} {'ratio':>6}  {'fastest rival':14} {'/filter2D':>9}  "
            "all within twice, ms"
        )
        pilots: dict[tuple[str, int], float] = {}
        for kind in options.kernels:
            for size in options.sizes:
                weights = weights_of(kind, size)
                kernel = weights
                separated, box = kind in ("gaussian", "gabor 0", "box"), kind == "box"

                def ours(image: NDArray[Any] = image, kernel: NDArray[np.float64] = kernel) -> NDArray[Any]:
                    return convolve(image, kernel, backend=options.backend, out_dtype=image.dtype, signed="clip")

                assert is_exact(ours(), image, weights), f"{name} {kind} {size}: ours is wrong"
                calls, spent = {}, {}
                for rival, call in rivals(image, weights, separated, box):
                    # Transforms take as long whatever the weights are.
                    key = rival, size
                    if rival in ("oaconvolve", "scipy.fft") and pilots.get(key, 0.0) > 3 * min(spent.values()):
                        continue
                    if not is_exact(call(), image, weights):
                        continue
                    calls[rival], spent[rival] = call, min(seconds(call) for _ in range(2))
                    pilots[key] = spent[rival]
                near = {r: c for r, c in calls.items() if spent[r] <= 2 * min(spent.values()) or r == "filter2D"}
                few = 5 if min(spent.values()) < 0.2 else 3
                runs = max(few, min(4 * options.runs, int(options.runs * 0.05 / min(spent.values()))))
                median, table = race(ours, near, runs, settle=min(spent.values()) < 0.05)
                fastest = max(table, key=lambda r: table[r][1])
                ratio = table[fastest][1]
                cells += 1
                if ratio > 1.15:
                    over.append(f"{name} {kind} {size}: {ratio:.2f}")
                plainly = table["filter2D"][1] if "filter2D" in table else math.nan
                if size >= 13 and not math.isnan(plainly):
                    against_filter2d[kind == "random"].append(plainly)
                shown = ", ".join(f"{r} {t * 1e3:.1f}" for r, (t, _) in sorted(table.items(), key=lambda e: e[1][0]))
                print(
                    f"{kind:10} {size:4} {median * 1e3:8.1f} {ratio:6.2f}  {fastest:14} {plainly:9.2f}  {shown}",
                    flush=True,
                )
    conclude(over, cells, against_filter2d)


if __name__ == "__main__":
    main()
