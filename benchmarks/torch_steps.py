"""Hold convolution and pooling steps against PyTorch over random shapes and options, and print the largest errors.

    python benchmarks/torch_steps.py [--cases 200] [--seed 0] [--store FILE.npz]

Each step gets `--cases` random cases: shapes, kernels, strides, dilations, paddings, groups and modes. An error counts
as the largest difference over the largest |value| of PyTorch's result, and may be 1e-4 at most; sizes must be equal,
and where PyTorch refuses a case for its sizes, or gives nothing, we must refuse it. `--store` writes a few small cases
of each step, with PyTorch's results, for the test suite. Exits with 1 if any case differs.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from torch_cases import STEPS, ours, random_case

TOLERANCE = 1e-4
# Cases that are stored: more of the steps with many options.
STORED = {"conv": 14, "transposed_conv": 10, "max_pool": 8, "average_pool": 8}
STORED_OF_OTHERS = 4


def planes(array: np.ndarray) -> torch.Tensor:
    """(H, W, C) to (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))[None]


def pixels(tensor: torch.Tensor) -> np.ndarray:
    """(1, C, H, W) to (H, W, C)."""
    return tensor[0].permute(1, 2, 0).contiguous().numpy()


def tensor(array: np.ndarray | None) -> torch.Tensor | None:
    return None if array is None else torch.from_numpy(array)


def conv(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    weights = arrays["weights"]
    module = torch.nn.Conv2d(
        weights.shape[1] * options["groups"], len(weights), weights.shape[2:], bias="bias" in arrays, **options
    )
    module.weight.data = torch.from_numpy(weights)
    if "bias" in arrays:
        module.bias.data = torch.from_numpy(arrays["bias"])
    return module(planes(arrays["x"]))


def transposed_conv(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    x, weights, bias = planes(arrays["x"]), tensor(arrays["weights"]), tensor(arrays.get("bias"))
    return F.conv_transpose2d(x, weights, bias, **options)


def max_pool(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    kernel, rest = options["kernel"], {k: v for k, v in options.items() if k not in ("kernel", "ceil")}
    return F.max_pool2d(planes(arrays["x"]), kernel, ceil_mode=options["ceil"], **rest)


def average_pool(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    return F.avg_pool2d(
        planes(arrays["x"]),
        options["kernel"],
        options["stride"],
        options["padding"],
        ceil_mode=options["ceil"],
        count_include_pad=options["count_padding"],
        divisor_override=options["divisor"],
    )


def batch_norm(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    mean, variance, scale, shift = (tensor(arrays.get(k)) for k in ("mean", "variance", "scale", "shift"))
    return F.batch_norm(planes(arrays["x"]), mean, variance, scale, shift, eps=options["epsilon"])


def upsample(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    align = options["align_corners"] if options["mode"] == "bilinear" else None
    scale = tuple(float(s) for s in options["scale"])
    return F.interpolate(planes(arrays["x"]), scale_factor=scale, mode=options["mode"], align_corners=align)


def pixel_shuffle(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    return F.pixel_shuffle(planes(arrays["x"]), options["factor"])


def pixel_unshuffle(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    return F.pixel_unshuffle(planes(arrays["x"]), options["factor"])


def activation(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    x = planes(arrays["x"])
    functions: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "relu": F.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, options["slope"]),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "softmax": lambda x: F.softmax(x, dim=1),
    }
    return functions[options["name"]](x)


def linear(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    flat = planes(arrays["x"]).flatten(1)
    return F.linear(flat, tensor(arrays["weights"]), tensor(arrays.get("bias")))[:, :, None, None]


def attention(arrays: dict[str, np.ndarray], options: dict[str, Any]) -> torch.Tensor:
    x = planes(arrays["x"])
    query, key, value = (
        F.conv2d(x, tensor(arrays[name])[:, :, None, None]).flatten(2).transpose(1, 2)
        for name in ("query", "key", "value")
    )
    heads = options["heads"]
    split = [each.unflatten(2, (heads, -1)).transpose(1, 2) for each in (query, key, value)]
    joined = F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
    return joined.transpose(1, 2).unflatten(2, x.shape[2:])


TORCH = {name: globals()[name] for name in STEPS}


def compare(step: str, arrays: dict[str, np.ndarray], options: dict[str, Any]) -> tuple[float, np.ndarray | None]:
    """The error of one case, infinite where sizes or refusals differ, and PyTorch's result where it has one."""
    try:
        with torch.inference_mode():
            expected, reason = pixels(TORCH[step](arrays, options)), "an empty result"
    except RuntimeError as refused:
        expected, reason = None, str(refused)
    if expected is not None and expected.size == 0:
        expected = None
    try:
        result = ours(step, arrays, options)
    except ValueError as refused:
        if expected is not None:
            print(f"  refused by us alone: {step} {options}: {refused}")
        return (0.0 if expected is None else float("inf")), None
    if expected is None:
        print(f"  refused by PyTorch alone: {step} {arrays['x'].shape} {options}: {reason.splitlines()[0]}")
        return float("inf"), None
    if result.shape != expected.shape:
        print(f"  {step} {options}: of shape {result.shape}, not {expected.shape}")
        return float("inf"), expected
    largest = float(np.abs(expected).max(initial=0.0, where=np.isfinite(expected))) or 1.0
    with np.errstate(invalid="ignore"):
        difference = np.where(result == expected, 0.0, result - expected)
    return float(np.abs(difference).max()) / largest, expected


def main() -> int:
    """Run all; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200, help="of each step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", nargs="*", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--store", type=Path, help="write a few small cases of each step with PyTorch's results")
    options = parser.parse_args()
    start, total, worst_of_all = time.perf_counter(), 0, 0.0
    stored: dict[str, np.ndarray] = {}
    print(f"PyTorch {torch.__version__}; error as a part of the largest |value|, at most {TOLERANCE:g}")
    for step in options.steps:
        worst, refused, kept = 0.0, 0, 0
        for number in range(options.cases):
            generator = np.random.default_rng([options.seed, list(STEPS).index(step), number])
            arrays, chosen = random_case(step, generator, small=options.store is not None)
            error, expected = compare(step, arrays, chosen)
            refused += expected is None and error == 0.0
            if not error <= TOLERANCE:
                print(f"  DIFFERS by {error:g}: {step} case {number}: {chosen}")
            worst = max(worst, error)
            if expected is not None and kept < STORED.get(step, STORED_OF_OTHERS):
                kept += 1
                stored |= {f"{step}/{kept}/{name}": array for name, array in arrays.items()}
                stored[f"{step}/{kept}/options"] = np.array(json.dumps(chosen))
                stored[f"{step}/{kept}/expected"] = expected
        print(f"  {step:16}{options.cases:6} cases{refused:5} refused by both{worst:12.2e}")
        total, worst_of_all = total + options.cases, max(worst_of_all, worst)
    print(f"{total} cases in {time.perf_counter() - start:.0f} s, largest error {worst_of_all:.2e}")
    if options.store is not None:
        np.savez_compressed(options.store, **stored)
        print(f"{options.store}: {len(stored)} arrays, {options.store.stat().st_size} bytes")
    return 0 if worst_of_all <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
