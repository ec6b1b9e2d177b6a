"""Time `convcli batch` on thousands of small images against a bare loop of OpenCV, and programs started once a file.

    python benchmarks/small_files.py [--files 2000] [--runs 5] [--started 100]

The images are 64 x 64 PNGs in colour, made here. All programs apply sobel_x with saturation. What is started once a
file is run on `--started` of them only, and told per file: `xargs -P2 convert` and `gm`, a shell loop of `convcli
filter`, and `convcli filter` under xargs. The target is 1.3 of the bare loop, which is one process.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from rivals import CORES, environment, in_turn, median_wall, missing, ours, photograph, ratio, spent_by

LOOP = """
import os, sys, cv2, numpy as np
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
os.makedirs(sys.argv[2], exist_ok=True)
for name in sorted(os.listdir(sys.argv[1])):
    image = cv2.imread(os.path.join(sys.argv[1], name), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(os.path.join(sys.argv[2], name), cv2.filter2D(image, -1, kernel))
"""
WEIGHTS = "-1,0,1,-2,0,2,-1,0,1"


def main() -> None:
    """Measure and print all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--started", type=int, default=100)
    options = parser.parse_args()
    absent = missing("convert", "gm", "xargs")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "in", options.files)
        make_images(folder / "few", options.started)
        variables = environment()
        per_file = {}

        quick = {
            "convcli batch": ours("batch", str(folder / "in"), *kernel(), "-o", str(folder / "out")),
            "bare loop": [sys.executable, "-c", LOOP, str(folder / "in"), str(folder / "out")],
        }
        spent = in_turn(quick, options.runs, variables, lambda _: shutil.rmtree(folder / "out", ignore_errors=True))
        for program, runs in spent.items():
            per_file[program] = median_wall(runs) / options.files
        for program, command in once_a_file(folder, absent).items():
            shutil.rmtree(folder / "out", ignore_errors=True)
            (folder / "out").mkdir()
            per_file[program] = spent_by(["sh", "-c", command], variables).wall / options.started
            if len(list((folder / "out").iterdir())) != options.started:
                raise SystemExit(f"{program} wrote not all files")
    for program, seconds in per_file.items():
        print(f"{program:28} {1e3 * seconds:8.3f} ms a file  {seconds / per_file['convcli batch']:8.1f} times batch")
    print(f"convcli batch / bare loop: {ratio(*spent.values()):.2f} (target 1.30)")


def kernel() -> list[str]:
    """Return the options that all runs of convcli have."""
    return ["-k", "sobel_x", "--signed", "clip", "-q"]


def make_images(folder: Path, number: int) -> None:
    """Cut small pictures from a photograph."""
    folder.mkdir()
    picture = photograph(1200, 1600)
    places = np.random.default_rng(1).integers(0, 1100, (number, 2))
    for index, (y, x) in enumerate(places):
        cv2.imwrite(str(folder / f"{index:05}.png"), picture[y : y + 64, x : x + 64])


def once_a_file(folder: Path, absent: list[str]) -> dict[str, str]:
    """Return shell commands that start a program for each file."""
    few, out = f"'{folder}/few/'", f"'{folder}/out/'"
    filter_ = " ".join(f"'{word}'" for word in ours("filter"))
    options = " ".join(kernel())
    commands = {"shell loop, convcli filter": f"cd {few}; for f in *; do {filter_} $f {options} -o {out}$f; done"}
    if "xargs" in absent:
        return commands
    start = f"cd {few}; ls | xargs -P{CORES} -I{{}}"
    commands[f"xargs -P{CORES}, convcli filter"] = f"{start} {filter_} {{}} {options} -o {out}{{}}"
    if "convert" not in absent:
        morphology = f"-morphology Correlate '3x3: {WEIGHTS}'"
        commands[f"xargs -P{CORES}, convert"] = f"{start} convert {{}} {morphology} {out}{{}}"
    if "gm" not in absent:
        commands[f"xargs -P{CORES}, gm convert"] = f"{start} gm convert {{}} -convolve '{WEIGHTS}' {out}{{}}"
    return commands


if __name__ == "__main__":
    main()
