"""Show that the memory of `convcli batch` does not grow with the number of files.

    python benchmarks/batch_memory.py [--files 200 2000] [--side 256]

For each number of files: the peak of the memory of all processes together, what they share counted once (PSS, by
/proc/PID/smaps_rollup, looked at every few milliseconds), and of the one that leads. Linux only.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from rivals import environment

SECONDS_BETWEEN = 0.005
KINDS = 20  # of images, of which the others are copies


def main() -> None:
    """Measure and print each number of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--side", type=int, default=256)
    options = parser.parse_args()
    peaks = []
    for files in options.files:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_images(folder / "in", files, options.side)
            together, leader = peak(folder)
        peaks.append(together)
        print(f"{files:6} files: {together / 1e6:7.1f} MB in all processes, {leader / 1e6:6.1f} MB in the leading one")
    if len(peaks) > 1:
        grown = (peaks[-1] - peaks[0]) / (options.files[-1] - options.files[0])
        print(f"{grown:+.0f} bytes a file (the images have {3 * options.side**2} each)")


def make_images(folder: Path, count: int, side: int) -> None:
    folder.mkdir()
    generator = np.random.default_rng(1)
    for number in range(count):
        path = folder / f"{number:05}.png"
        if number < KINDS:
            coarse = generator.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
            cv2.imwrite(str(path), cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))
        else:
            shutil.copy(folder / f"{number % KINDS:05}.png", path)


def peak(folder: Path) -> tuple[int, int]:
    """Run a batch; return the most bytes that its processes had together, and the leading one alone."""
    command = [sys.executable, "-m", "convcli", "batch", str(folder / "in"), "-k", "gaussian:sigma=2", "-q"]
    process = subprocess.Popen([*command, "-o", str(folder / "out")], env=environment())
    together = leader = 0
    while process.poll() is None:
        sizes = [held_by(pid) for pid in family(process.pid)]
        together, leader = max(together, sum(sizes)), max(leader, sizes[0])
        time.sleep(SECONDS_BETWEEN)
    if process.returncode != 0:
        raise SystemExit("the run failed")
    return together, leader


def family(pid: int) -> list[int]:
    """A process, and what it has started."""
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        words = []
    return [pid, *map(int, words)]


def held_by(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # it has ended
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    if not os.path.exists("/proc/self/smaps_rollup"):
        raise SystemExit("this needs Linux's /proc")
    main()
