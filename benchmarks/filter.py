"""Time `convcli filter` on a 12-megapixel PNG against a script of five lines on OpenCV, as whole processes.

    python benchmarks/filter.py [--runs 7]

The picture has a photograph's size and noise, and is made here. Both programs read it, apply sobel_x with saturation,
and write a PNG; they are run in turn, with compiled bytecode, and the median of the ratios of neighbours is printed.
"""

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

import convcli

SCRIPT = """
import sys, cv2, numpy as np
image = cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED)
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
cv2.imwrite(sys.argv[2], cv2.filter2D(image, -1, kernel))
"""


def photograph(height: int = 3000, width: int = 4000) -> np.ndarray:
    """Smooth structure of many sizes, with the noise of a sensor."""
    generator = np.random.default_rng(0)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (6, 25, 100, 400):
        coarse = generator.normal(0, 60 / cells**0.3, (cells * 3 // 4, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    picture += generator.normal(120, 2, picture.shape).astype(np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def main() -> None:
    """Measure and print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    package = Path(convcli.__file__).parent
    compileall.compile_dir(package, quiet=2)
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        source, ours, theirs = (str(Path(folder) / name) for name in ("photo.png", "ours.png", "theirs.png"))
        cv2.imwrite(source, photograph())
        options = ["-k", "sobel_x", "--signed", "clip", "-q", "-f", "-o", ours]
        commands = (
            [sys.executable, "-m", "convcli", "filter", source, *options],
            [sys.executable, "-c", SCRIPT, source, theirs],
        )
        pairs = []
        for run in range(runs + 1):
            pair = []
            for command in commands:
                begun = perf_counter()
                subprocess.run(command, check=True, env=environment)
                pair.append(perf_counter() - begun)
            if run:  # the first round only warms the file cache
                pairs.append(pair)
        same = np.array_equal(cv2.imread(ours), cv2.imread(theirs))
        sizes = [Path(path).stat().st_size / 1e6 for path in (ours, theirs)]
    convcli_s, script_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"convcli filter {convcli_s:.2f} s, {sizes[0]:.1f} MB; cv2 script {script_s:.2f} s, {sizes[1]:.1f} MB")
    verdict = "the same" if same else "NOT the same"
    print(f"ratio {statistics.median(a / b for a, b in pairs):.2f}; the pixels are {verdict}")


if __name__ == "__main__":
    main()
