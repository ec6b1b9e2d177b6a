"""What it costs to ignore missing samples, against the plain run of the same image and kernel.

    python benchmarks/missing.py [--share 0.001] [--repeats 5]

Scattered samples are missing, by a nodata value or by a mask. The two runs take turns, and the medians are compared.
"""

import argparse
import statistics
import time

import numpy as np

from convcli import convolve, load_kernel

KERNELS = ("gaussian:sigma=0.8,size=3", "sobel_x", "gaussian:sigma=2", "gabor:size=31", "box:size=15")
PADDINGS = ("reflect101", "none")


def images(share: float) -> dict[str, tuple[np.ndarray, dict[str, object], type]]:
    """Return pictures, what says which of their samples are missing, and the type of the output."""
    random = np.random.default_rng(0)
    gray = random.uniform(1, 255, (2048, 2048)).astype(np.float32)
    gray[random.random(gray.shape) < share] = -9999
    rgb = random.integers(1, 255, (3000, 4000, 3), dtype=np.uint8)
    mask = random.random(rgb.shape[:2]) >= share
    return {
        "gray f32 2048 x 2048, nodata": (gray, {"nodata": -9999.0}, np.float32),
        "RGB u8 4000 x 3000, mask": (rgb, {"mask": mask}, np.uint8),
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, nargs="+", default=[0.001, 0.05], help="of the samples that are missing")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for share in arguments.share:
        for name, (image, missing, dtype) in images(share).items():
            for spec in KERNELS:
                kernel = load_kernel(spec)
                for padding in PADDINGS:
                    options = {"out_dtype": dtype, "padding": "reflect101"}
                    others = {**options, "padding": padding, **(missing if padding != "none" else {})}
                    plain, ignoring = [], []
                    for _ in range(arguments.repeats + 1):
                        for times, run in ((plain, options), (ignoring, others)):
                            start = time.perf_counter()
                            convolve(image, kernel, **run)
                            times.append(time.perf_counter() - start)
                    one, two = (statistics.median(times[1:]) for times in (plain, ignoring))
                    what = "no padding" if padding == "none" else f"{share:.1%} missing"
                    print(f"{name:32} {spec:26} {what:14} {one:8.4f} s {two:8.4f} s {two / one:6.2f}", flush=True)


if __name__ == "__main__":
    main()
