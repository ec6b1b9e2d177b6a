"""Time `backend="auto"` against each of convcli's own backends, and print how far from the fastest it is.

    python benchmarks/choice.py [--images small gray rgb large strided banks] [--runs 9]

Cells are images from 64 x 64 to 8000 x 6000, kernels from 3 x 3 to 51 x 51, strides, and banks. All calls of a
cell are run in turn, plans warm; the ratio is the median over the runs of auto's time by that of the fastest backend.
A backend that is predicted to take six times as long as the best, or was seen to take twice as long, is not timed
further. The target is a ratio of at most 1.15 in 95 of 100 cells; `convcli tune` must not make it worse.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from grid import weights_of

from convcli.convolution.backends.registry import automatic_backends
from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions, available_threads
from convcli.convolution.plan import ConvolutionPlan, plan_bank, plan_convolution
from convcli.convolution.planning.profile import current_profile
from convcli.errors import UsageError
from convcli.image.tone import Finish
from convcli.kernel.model import Kernel

Planner = Callable[[ConvolveOptions], ConvolutionPlan]
Cell = tuple[str, tuple[int, int, int], str, Planner, int]

FEW = (
    ("random", 3),
    ("random", 7),
    ("random", 13),
    ("random", 31),
    ("gaussian", 5),
    ("gaussian", 21),
    ("gabor 30", 15),
)
MANY = (
    *(("random", size) for size in (3, 5, 7, 9, 11, 13, 15, 21, 31, 51)),
    *(("gaussian", size) for size in (3, 5, 9, 15, 31, 51)),
    *(("gabor 30", size) for size in (5, 9, 13, 21, 31)),
    *(("dog", size) for size in (7, 15, 25)),
    *(("box", size) for size in (3, 7, 15, 51)),
)


def depthwise(size: tuple[int, int, int], dtype: str, kind: str, side: int) -> Planner:
    """Plan one kernel on every channel, into samples of the image's type."""
    kernel = Kernel(kind, weights_of(kind, side))
    return lambda options: plan_convolution(size, dtype, kernel, options, Finish(np.dtype(dtype)))


def bank(size: tuple[int, int, int], outputs: int, side: int, groups: int) -> Planner:
    """Plan a bank that mixes channels, padded to the same size."""
    inputs = size[2] // groups
    weights = np.random.default_rng(side).standard_normal((outputs, inputs, side, side)) / (inputs * side * side)
    return lambda options: plan_bank(size, "float32", Bank(weights, groups), options, (side // 2, side // 2))


def cells(groups: list[str]) -> Iterator[Cell]:
    """List (name, image size, sample type, how to plan, stride)."""
    images: list[tuple[str, str, tuple[int, int, int], str, Any]] = [
        ("small", "64x64 f32", (64, 64, 1), "float32", MANY),
        ("small", "64x64 RGB u8", (64, 64, 3), "uint8", FEW),
        ("gray", "2048x2048 f32", (2048, 2048, 1), "float32", MANY),
        ("rgb", "4000x3000 RGB u8", (3000, 4000, 3), "uint8", FEW),
        ("large", "8000x6000 f32", (6000, 8000, 1), "float32", FEW),
        ("large", "8000x6000 u8", (6000, 8000, 1), "uint8", FEW),
    ]
    for group, title, size, dtype, kernels in images:
        if group in groups:
            for kind, side in kernels:
                yield f"{title} {kind} {side}", size, dtype, depthwise(size, dtype, kind, side), 1
    if "strided" in groups:
        for stride in (2, 4):
            for kind, side in FEW:
                size = (2048, 2048, 1)
                yield (
                    f"2048x2048 f32 {kind} {side} / {stride}",
                    size,
                    "float32",
                    depthwise(size, "float32", kind, side),
                    stride,
                )
    if "banks" in groups:
        for inputs, outputs, side, length, parts, stride in (
            *((3, 64, 3, 224, 1, 1), (3, 64, 7, 224, 1, 2), (16, 16, 3, 256, 1, 1), (16, 16, 5, 256, 1, 1)),
            *((64, 64, 1, 112, 1, 1), (64, 64, 3, 112, 1, 1), (64, 64, 3, 112, 1, 2), (64, 64, 5, 56, 1, 1)),
            *((32, 32, 7, 112, 1, 1), (8, 8, 11, 256, 1, 1), (128, 128, 3, 28, 1, 1), (64, 64, 3, 112, 8, 1)),
            *((256, 256, 3, 14, 1, 1), (3, 16, 5, 512, 1, 1)),
        ):
            size = (length, length, inputs)
            name = f"{length}x{length}, {inputs} to {outputs}, {side}x{side}{f' / {stride}' if stride > 1 else ''}"
            yield (
                f"{name}{f' in {parts} groups' if parts > 1 else ''}",
                size,
                "float32",
                bank(size, outputs, side, parts),
                stride,
            )


def samples(size: tuple[int, int, int], dtype: str) -> Any:
    """A random image."""
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, size, np.uint8) if dtype == "uint8" else generator.random(size, np.float32)


def seconds(call: Callable[[], object], inner: int, settle: bool = False) -> float:
    """Time one of several calls in a row; `settle` runs it once before, so that it finds its own caches."""
    if settle:
        call()
    start = time.perf_counter()
    for _ in range(inner):
        call()
    return (time.perf_counter() - start) / inner


def race(plan: Planner, pixels: Any, stride: int, runs: int) -> tuple[str, dict[str, tuple[float, float]]]:
    """Time all in turn: (what auto took, for each its median seconds and the median of auto's time by its)."""
    strides = (stride, stride)
    auto = plan(ConvolveOptions(stride=strides))
    calls = {"auto": partial(auto.run, pixels)}
    for name in automatic_backends():
        try:
            named = plan(ConvolveOptions(stride=strides, backend=name))
        except UsageError:
            continue
        if named.seconds < 6 * auto.seconds:
            calls[name] = partial(named.run, pixels)
    pilots = {name: min(seconds(call, 1) for _ in range(3)) for name, call in calls.items()}
    best = min(pilots.values())
    near = {name: call for name, call in calls.items() if pilots[name] <= 2 * best or name in ("auto", auto.backend)}
    inner = max(1, int(0.002 / best))
    rounds = [{name: seconds(call, inner, best < 0.05) for name, call in near.items()} for _ in range(runs)]
    table = {
        name: (
            statistics.median(each[name] for each in rounds),
            statistics.median(each["auto"] / each[name] for each in rounds),
        )
        for name in near
    }
    return auto.backend, table


def main() -> None:
    """Measure and print all cells."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choices = ["small", "gray", "rgb", "large", "strided", "banks"]
    parser.add_argument("--images", nargs="+", default=choices, choices=choices)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    profile = current_profile()
    print(f"{available_threads()} threads, {profile.source} coefficients, medians of {options.runs} runs in turn")
    print(f"{'cell':44} {'auto took':9} {'auto ms':>8} {'ratio':>6}  others, ms")
    ratios = {}
    for name, size, dtype, plan, stride in cells(options.images):
        took, table = race(plan, samples(size, dtype), stride, options.runs)
        ratio = max(against for other, (_, against) in table.items() if other != "auto")
        ratios[name] = ratio
        others = ", ".join(
            f"{o} {t * 1e3:.3g}" for o, (t, _) in sorted(table.items(), key=lambda e: e[1]) if o != "auto"
        )
        print(f"{name:44} {took:9} {table['auto'][0] * 1e3:8.3g} {ratio:6.2f}  {others}", flush=True)
    within = sum(ratio <= 1.15 for ratio in ratios.values())
    print(f"\n{within} of {len(ratios)} cells within 1.15 of the fastest; the worst {max(ratios.values()):.2f}")
    for name, ratio in ratios.items():
        if ratio > 1.15:
            print(f"  {name}: {ratio:.2f}")


if __name__ == "__main__":
    main()
