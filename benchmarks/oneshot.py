"""Time whole runs of `convcli filter` on a 12-megapixel image, `--backend auto` against each backend named.

    python benchmarks/oneshot.py [--runs 5] [--backends opencv fft kn2row direct]

Every run is a process of its own with an empty cache folder: no profile and no wisdom. The image is an uncompressed
TIFF of RGB bytes, and so is the output, so that filtering shows. Runs of all backends are interleaved; the ratio is the
median of auto's time by that of the fastest. The target is 1.15 at most.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

KERNELS = ("sobel_x", "gaussian:sigma=3", "gabor:sigma=3,theta=30", "disk:radius=7", "disk:radius=20", "box:size=31")
RUN = "import sys; from convcli.__main__ import main; sys.argv[0] = 'convcli'; main()"


def main() -> None:
    """Measure and print each kernel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--backends", nargs="+", default=["opencv", "fft", "kn2row", "direct"])
    options = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        source, output, cache = (Path(folder, name) for name in ("in.tif", "out.tif", "cache"))
        tifffile.imwrite(source, np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), np.uint8))
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}

        def seconds(kernel: str, backend: str) -> float:
            arguments = ["filter", str(source), "-k", kernel, "-o", str(output), "-f", "-q", "--backend", backend]
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, env=environment)
            return time.perf_counter() - start

        for kernel in KERNELS:
            pilots = {name: seconds(kernel, name) for name in ("auto", *options.backends)}
            near = [name for name, spent in pilots.items() if name == "auto" or spent < 2 * min(pilots.values())]
            rounds = [{name: seconds(kernel, name) for name in near} for _ in range(options.runs)]
            medians = {name: statistics.median(each[name] for each in rounds) for name in near}
            fastest = min((name for name in near if name != "auto"), key=medians.__getitem__)
            ratio = statistics.median(each["auto"] / each[fastest] for each in rounds)
            worst = max(worst, ratio)
            shown = ", ".join(f"{name} {spent * 1e3:.0f} ms" for name, spent in medians.items())
            print(f"{kernel:24} auto / {fastest}: {ratio:.2f}   ({shown})", flush=True)
    print(f"the worst: {worst:.2f} (target 1.15)")


if __name__ == "__main__":
    main()
