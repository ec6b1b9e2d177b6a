"""Hold convolve() against scipy in float64 over a whole grid of options, and print the largest errors.

    python benchmarks/accuracy.py

Paddings x backends x depths x kernels x extents x flip x (anchor, stride, dilation), on images smaller and larger than
the kernels, which are of full rank, separable, a sum of two separable ones, and boxes; each as a float response and,
for integer images, rounded and saturated too. Errors are given in units of the bound that is promised:
2e-6 * sum|weights| * max|sample| in float32, 1e-13 in float64. Exits with 1 if any
exceeds it.
"""

import itertools
import sys
import time
from pathlib import Path

import numpy as np

from convcli import convolve
from convcli.convolution.backends.base import refusal
from convcli.convolution.backends.registry import automatic_backends
from convcli.convolution.options import EXTENTS

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from oracle import DTYPES, KERNELS, PADDED_MODES, bound, random_image, random_kernel, reference

WEIGHTS = {name: random_kernel(size) for name, size in KERNELS.items()} | {
    "separable": np.outer([1.0, 4, 6, 4, 1], [-1.0, 0, 1]),
    "two products": np.add.outer(np.arange(7.0), np.arange(5.0) ** 2),
    "box": np.full((5, 8), 1 / 40),
}
SHAPES = ((21, 34), (7, 6, 3))
GEOMETRIES = (
    ("default", (1, 1), (1, 1)),
    ("first", (1, 1), (1, 1)),
    ("last", (2, 3), (1, 1)),
    ("default", (1, 1), (2, 3)),
    ("default", (3, 2), (2, 1)),
)


def main() -> int:
    """Run the grid; the exit status."""
    start, cases, refused = time.perf_counter(), 0, 0
    worst: dict[tuple[str, str], float] = {}
    failures = []
    grid = itertools.product(PADDED_MODES, DTYPES, SHAPES, WEIGHTS, EXTENTS, (False, True), GEOMETRIES)
    for padding, depth, shape, kernel, extent, flip, (anchor_name, stride, dilation) in grid:
        image, weights = random_image(shape, DTYPES[depth]), WEIGHTS[kernel]
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, weights.shape, strict=True)]
        if extent == "valid" and any(span > n for span, n in zip(spans, shape, strict=False)):
            refused += 1
            continue
        last = weights.shape[0] - 1, weights.shape[1] - 1
        options = {
            "padding": padding,
            "padding_value": 12.5 if padding == "constant" else 0.0,
            "extent": extent,
            "flip": flip,
            "anchor": {"default": None, "first": (0, 0), "last": last}[anchor_name],
            "stride": stride,
            "dilation": dilation,
        }
        expected, largest = reference(image, weights, **options)
        allowed = bound(weights, largest, double=depth == "f64")
        able = [name for name in automatic_backends() if refusal(name, weights.shape, stride, dilation) is None]
        for backend, rounded in itertools.product(able, (False, True) if image.dtype.kind in "ui" else (False,)):
            result = convolve(
                image,
                weights,
                backend=backend,
                out_dtype=image.dtype if rounded else None,
                signed="clip" if rounded else "auto",
                **options,
            )
            exact, slack = expected, 0.0
            if rounded:
                limits, slack = np.iinfo(image.dtype), 0.5
                exact = np.clip(expected, limits.min, limits.max)
            error = max(float(np.abs(result - exact).max()) - slack, 0.0) / allowed
            key = backend, f"{depth} -> {depth if rounded or depth == 'f64' else 'f32'}"
            worst[key] = max(worst.get(key, 0.0), error)
            cases += 1
            if not error <= 1.0:
                failures.append((error, backend, depth, kernel, shape, options))
    print(
        f"{cases} cases in {time.perf_counter() - start:.0f} s; "
        f"{refused} combinations left out (valid, with a kernel larger than the image)"
    )
    print("largest error, in units of the bound; for integer outputs, what is beyond half a step")
    for (backend, depth), error in sorted(worst.items()):
        print(f"  {backend:9}{depth:12}{error:8.3f}")
    for failure in failures[:20]:
        print("OUTSIDE THE BOUND:", *failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
