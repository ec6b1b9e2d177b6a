"""What the benchmarks of whole programs share: pictures, the other programs, and processes run side by side and timed.

Times on a shared machine drift. So the programs take turns, and what is told is the median of the ratios of neighbours.
"""

import compileall
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

import convcli

SOBEL_X = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Spent:
    """What a run took: seconds by the clock, and seconds of processor time of it and all its children."""

    wall: float
    cpu: float

    @property
    def busy(self) -> float:
        """The share of all cores that was in use."""
        return self.cpu / (self.wall * CORES)


def photograph(height: int = 3000, width: int = 4000, seed: int = 0) -> np.ndarray:
    """Smooth structure of many sizes, with the noise of a sensor."""
    generator = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (6, 25, 100, 400):
        coarse = generator.normal(0, 60 / cells**0.3, (cells * 3 // 4, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    picture += generator.normal(120, 2, picture.shape).astype(np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def environment() -> dict[str, str]:
    """Compile this package's bytecode, as an installation does, and give the environment in which it is run."""
    package = Path(convcli.__file__).parent
    compileall.compile_dir(package, quiet=2)
    variables = {**os.environ, "PYTHONPATH": str(package.parent)}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


def ours(*arguments: str) -> list[str]:
    """Return the command that runs convcli as it is here."""
    return [sys.executable, "-m", "convcli", *arguments]


def vips_mask(folder: Path) -> Path:
    """Write the kernel as libvips reads it: width, height, scale and offset, then the weights."""
    path = folder / "sobel_x.mat"
    path.write_text("3 3 1 0\n" + "".join(" ".join(map(str, row)) + "\n" for row in SOBEL_X))
    return path


def missing(*programs: str) -> list[str]:
    """Return which programs are not installed, and say of each that it is not measured."""
    absent = [program for program in programs if shutil.which(program) is None]
    for program in absent:
        print(f"{program}: not installed, not measured")
    return absent


def spent_by(command: Sequence[str], variables: Mapping[str, str]) -> Spent:
    """Run a command to its end. Whatever it says is dropped; that it fails is an error."""
    begun = perf_counter()
    process = subprocess.Popen(command, env=dict(variables), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)[:200]}: exit status {process.returncode}")
    return Spent(wall, usage.ru_utime + usage.ru_stime)


def in_turn(
    commands: Mapping[str, Sequence[str]],
    runs: int,
    variables: Mapping[str, str],
    before: Callable[[str], None] = lambda name: None,
) -> dict[str, list[Spent]]:
    """Run all commands in turn, `runs` times after a round that only warms the file cache; `before` each."""
    spent: dict[str, list[Spent]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            before(name)
            taken = spent_by(command, variables)
            if number:
                spent[name].append(taken)
    return spent


def median_wall(runs: Sequence[Spent]) -> float:
    """The median of the times by the clock."""
    return statistics.median(run.wall for run in runs)


def ratio(ours_: Sequence[Spent], theirs: Sequence[Spent]) -> float:
    """The median of the ratios of neighbouring runs: below 1 where ours are faster."""
    return statistics.median(a.wall / b.wall for a, b in zip(ours_, theirs, strict=True))
