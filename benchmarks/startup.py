"""How long `convcli filter` takes to start: whole processes on a 64 x 64 PNG, against `python -c "import cv2"`.

    python benchmarks/startup.py

The two are run in turn, both with compiled bytecode, and the median of the ratios of neighbours is printed. The target
is at most 1.8.
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

import convcli

TARGET = 1.8


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the start-up of convcli filter against that of cv2.")
    parser.add_argument("--runs", type=int, default=30, help="how many pairs of processes to measure")
    runs = parser.parse_args().runs

    package = Path(convcli.__file__).parent
    compileall.compile_dir(package, quiet=2)
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "small.png"
        write_image(image)
        options = ["-k", "sobel_x", "-q", "-f", "-o", str(Path(folder) / "out.png")]
        out = str(Path(folder) / "out")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import cv2": [sys.executable, "-c", "import cv2"],
            "convcli --version": [sys.executable, "-m", "convcli", "--version"],
            "convcli batch": [sys.executable, "-m", "convcli", "batch", str(image), *options[:-1], out],
            "convcli filter": [sys.executable, "-m", "convcli", "filter", str(image), *options],
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(runs + 1):
            for name, command in commands.items():
                spent = measure(command, environment)
                if run:  # the first round only warms the file cache and the bytecode
                    seconds[name].append(spent)

    for name, spent in seconds.items():
        print(f"{name:18} median {1e3 * statistics.median(spent):6.1f} ms   least {1e3 * min(spent):6.1f} ms")
    ratios = [a / b for a, b in zip(seconds["convcli filter"], seconds["import cv2"], strict=True)]
    print(f"convcli filter / import cv2: {statistics.median(ratios):.2f} (target: at most {TARGET})")


def measure(command: list[str], environment: dict[str, str]) -> float:
    begun = perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return perf_counter() - begun


def write_image(path: Path) -> None:
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    convcli.write_image(path, pixels)


if __name__ == "__main__":
    main()
