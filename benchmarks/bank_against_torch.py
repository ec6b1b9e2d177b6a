"""Time a bank of kernels over a large image, by `conv` and by PyTorch on the CPU in turn, and measure the extra memory.

    python benchmarks/bank_against_torch.py [--megapixels 12] [--outputs 64] [--size 3] [--runs 5] [--backend auto]

The image is (height, width, 3) of random samples, the bank (outputs, 3, size, size) with a bias, padding `same`, all
threads that this process may use. PyTorch gets its own layout, (1, 3, height, width), ready made. Runs take turns, and
the medians are compared, with one run of each before that is not counted: the goal is a ratio of at most 1.3. A further
run of ours in a process of its own tells by how much it raises the peak of memory, the output counted: the goal is less
than three times the output. Results must agree to 1e-4 of the largest |value|. Exits with 1 if a goal is missed.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from convcli.benchmark.memory import peak_extra_bytes
from convcli.convolution.options import available_threads
from convcli.operators.conv import conv, plan_conv

MOST_RATIO, MOST_MEMORY, TOLERANCE = 1.3, 3.0, 1e-4


def image_size(megapixels: float) -> tuple[int, int]:
    """Height and width, 3 to 4."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    return round(megapixels * 1e6 / width), width


def make(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    image = generator.random((*image_size(options.megapixels), 3), dtype=np.float32)
    weights = generator.standard_normal((options.outputs, 3, options.size, options.size)).astype(np.float32)
    return image, weights, generator.standard_normal(options.outputs).astype(np.float32)


def ready(arrays: dict[str, np.ndarray], arguments: dict[str, str]) -> Callable[[], np.ndarray]:
    """Be ready for one run, whose memory is measured."""
    image, weights, bias = (arrays[name] for name in ("image", "weights", "bias"))
    conv(image[:64, :64], weights, bias, padding="same", backend=arguments["backend"])  # so that libraries are loaded
    return lambda: conv(image, weights, bias, padding="same", backend=arguments["backend"])


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--outputs", type=int, default=64)
    parser.add_argument("--size", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--backend", default="auto")
    options = parser.parse_args()

    import torch

    torch.set_num_threads(available_threads())
    image, weights, bias = make(options)
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    bank, summand = torch.from_numpy(weights), torch.from_numpy(bias)
    plan = plan_conv(image.shape, weights, bias, padding="same", backend=options.backend)
    size = f"{options.size} x {options.size}"
    print(f"{image.shape[0]} x {image.shape[1]} x 3 to {options.outputs} channels by {size}: {plan.backend}")

    def by_torch() -> "torch.Tensor":
        with torch.inference_mode():
            return torch.nn.functional.conv2d(planes, bank, summand, padding="same")

    def by_us() -> np.ndarray:
        return conv(image, weights, bias, padding="same", backend=options.backend)

    seconds: dict[str, list[float]] = {"convcli": [], "PyTorch": []}
    for run in range(options.runs + 1):
        for name, function in (("convcli", by_us), ("PyTorch", by_torch)):
            start = time.perf_counter()
            result = function()
            elapsed = time.perf_counter() - start
            if run:
                seconds[name].append(elapsed)
            elif name == "convcli":
                part = result[: min(300, len(result))].copy()
            else:
                expected = result[0, :, : len(part)].permute(1, 2, 0).numpy()
                error = float(np.abs(part - expected).max() / np.abs(expected).max())
            del result
    medians = {name: statistics.median(runs) for name, runs in seconds.items()}
    for name, runs in seconds.items():
        print(f"  {name:8} median {medians[name]:.3f} s, {min(runs):.3f} to {max(runs):.3f} s")
    ratio = medians["convcli"] / medians["PyTorch"]
    print(f"  ratio {ratio:.2f} (goal: at most {MOST_RATIO}); largest error {error:.1e} of the largest |value|")
    failed = ratio > MOST_RATIO or error > TOLERANCE
    arrays = {"image": image, "weights": weights, "bias": bias}
    extra = peak_extra_bytes("bank_against_torch:ready", arrays, {"backend": options.backend})
    if extra is None:
        print("  memory could not be measured")
        return 1
    times = extra / (4 * image.shape[0] * image.shape[1] * options.outputs)
    print(f"  held {extra / 1e6:.0f} MB more at its peak, {times:.2f} times the output (goal: under {MOST_MEMORY:g})")
    failed |= times >= MOST_MEMORY
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
