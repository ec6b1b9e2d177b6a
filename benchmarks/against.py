"""Time two checkouts of convcli against each other: the same commands in turn, as whole processes, and their ratios.

    python benchmarks/against.py CHECKOUT CHECKOUT [--only start filter folder small backends] [--runs 5]

The two are run in turn, with compiled bytecode, by this Python; the first may be the commit before a change. For each
case it prints the second's share of the first's: of the time by the clock and of processor time, as the median of the
ratios of neighbours and as the ratio of the least times; for single files also that of the peak of memory, as Linux
keeps it (VmHWM). `--instructions` adds the instructions of one start, as valgrind counts them, which a busy machine
does not change. A change to the paths of an image should stay below 1.03.
"""

import argparse
import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from rivals import photograph

CASES = ("start", "filter", "folder", "small", "backends")
SOBEL = ["-k", "sobel_x", "--signed", "clip", "-q"]
BACKENDS = {
    "direct": "box:size=5",
    "fft": "gabor:sigma=7",
    "im2col": "gabor:sigma=3",
    "kn2row": "gabor:sigma=3",
    "opencv": "gabor:sigma=3",
    "winograd": "laplacian",
}
# Run `convolve` on an image some times; print the least seconds of one call.
CONVOLVE = """
import sys
from time import perf_counter
import numpy as np
from convcli import convolve, load_kernel
backend, spec, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
image = np.random.default_rng(0).random((size, size), np.float32)
kernel = load_kernel(spec)
def spend():
    begun = perf_counter()
    convolve(image, kernel, backend=backend)
    return perf_counter() - begun
spend()
print(min(spend() for _ in range(5)))
"""


# Run the command line and print its own peak of memory in KiB. What waiting for a process tells of its memory includes
# that of the process which started it.
PEAK = """
import os, sys
end = os._exit
def leave(status):
    with open("/proc/self/status") as file:
        print(*(line.split()[1] for line in file if line.startswith("VmHWM")), flush=True)
    end(status)
os._exit = leave
from convcli.__main__ import main
main()
"""


@dataclass(frozen=True)
class Run:
    """What one run took: seconds by the clock, and seconds of processor time of it and its children."""

    wall: float
    cpu: float


def main() -> None:
    """Measure the cases that are asked for, and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs; the start is run ten times as often")
    parser.add_argument("--instructions", action="store_true", help="count those of one start a side, by valgrind")
    options = parser.parse_args()
    checkouts = [path.resolve() for path in options.checkouts]
    for checkout in checkouts:
        compileall.compile_dir(checkout / "convcli", quiet=2)

    print(f"{'second / first':32}   wall  least    cpu  least")
    with tempfile.TemporaryDirectory() as name:
        for case in options.only:
            folder = Path(name) / case
            folder.mkdir()
            runs = 10 * options.runs if case == "start" else options.runs
            if case == "backends":
                race_backends(checkouts, runs)
                continue
            command = prepare(case, folder)
            pairs = [[spent_by(command, checkout, folder / "out") for checkout in checkouts] for _ in range(runs + 1)]
            report(case, pairs[1:])
            if case in ("start", "filter"):
                words = [sys.executable, "-c", PEAK, *command]
                peaks = [min(int(output_of(words, checkout)) for _ in range(3)) for checkout in checkouts]
                print(f"{f'{case}, peak of memory':32}{peaks[1] / peaks[0]:7.3f}   {peaks[1] / 1024:.0f} MiB")
            if case == "start" and options.instructions:
                counts = [counted_by(command, checkout) for checkout in checkouts]
                print(f"{f'{case}, instructions':32}{counts[1] / counts[0]:7.3f}", flush=True)


def prepare(case: str, folder: Path) -> list[str]:
    """Make the inputs of a case, and return the arguments of convcli."""
    out = str(folder / "out")
    if case in ("start", "filter"):
        image = photograph()[:64, :64] if case == "start" else photograph()
        cv2.imwrite(str(folder / "image.png"), image)
        return ["filter", str(folder / "image.png"), *SOBEL, "-o", f"{out}.png", "-f"]
    images = folder / "in"
    images.mkdir()
    if case == "folder":
        for number in range(48):
            cv2.imwrite(str(images / f"{number:02}.png"), photograph(1370, 1826, seed=number % 8))
    else:
        picture = photograph(1200, 1600)
        for number, (y, x) in enumerate(np.random.default_rng(1).integers(0, 1100, (2000, 2))):
            cv2.imwrite(str(images / f"{number:04}.png"), picture[y : y + 64, x : x + 64])
    return ["batch", str(images), *SOBEL, "-o", out]


def environment(checkout: Path) -> dict[str, str]:
    """Return the variables under which a checkout is run, with the bytecode that lies beside it."""
    variables = {**os.environ, "PYTHONPATH": str(checkout)}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        variables.pop(name, None)
    return variables


def spent_by(command: list[str], checkout: Path, out: Path) -> Run:
    """Run convcli of a checkout to its end; that it fails is an error."""
    shutil.rmtree(out, ignore_errors=True)
    words = [sys.executable, "-m", "convcli", *command]
    begun = perf_counter()
    process = subprocess.Popen(words, env=environment(checkout), cwd=checkout, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit status {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime)


def counted_by(command: list[str], checkout: Path) -> int:
    """Return the instructions that one run takes in user code, by valgrind, which takes fifty times as long."""
    words = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        sys.executable,
        "-m",
        "convcli",
        *command,
    ]
    variables = {**environment(checkout), "PYTHONHASHSEED": "0"}
    done = subprocess.run(words, env=variables, cwd=checkout, capture_output=True, text=True, check=True)
    return int(done.stderr.rpartition("Collected :")[2].split()[0])


def report(case: str, pairs: list[list[Run]]) -> None:
    """Print the ratios of one case."""
    cells = []
    for field in ("wall", "cpu"):
        first, second = ([getattr(run, field) for run in side] for side in zip(*pairs, strict=True))
        cells += [statistics.median(b / a for a, b in zip(first, second, strict=True)), min(second) / min(first)]
    print(f"{case:32}{''.join(f'{cell:7.3f}' for cell in cells)}", flush=True)


def race_backends(checkouts: list[Path], runs: int) -> None:
    """Compare the least times of a call of `convolve` by each backend, on 2048 x 2048 floats."""
    for backend, spec in BACKENDS.items():
        words = [sys.executable, "-c", CONVOLVE, backend, spec, "2048"]
        pairs = []
        for _ in range(runs):
            outputs = [
                subprocess.run(
                    words, env=environment(checkout), cwd=checkout, capture_output=True, text=True, check=True
                )
                for checkout in checkouts
            ]
            pairs.append([float(done.stdout) for done in outputs])
        first, second = zip(*pairs, strict=True)
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{f'{backend}, {spec}':32}{ratio:7.3f}{min(second) / min(first):7.3f}", flush=True)


def output_of(words: list[str], checkout: Path) -> str:
    """Return what a command prints under the variables of a checkout."""
    done = subprocess.run(words, env=environment(checkout), cwd=checkout, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
