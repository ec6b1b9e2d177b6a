"""Time `convcli batch` on a folder of photographs against a pool of OpenCV processes and other programs under xargs.

    python benchmarks/folder.py [--photos 48] [--runs 5] [--slow-runs 1] [--only png|jpeg]

The photographs, of 2.5 megapixels, are made here; once they are PNG and once JPEG, which all programs write at the same
quality and chroma subsampling. All apply sobel_x with saturation. The pool is the best that one would write: a process
for each core, with one thread each, that take photographs as they come. `xargs -P2` runs vips, ImageMagick's convert
and gm once a file; vips writes PNG as it does unless told otherwise and, faster, by `[compression=1]`. The programs are
run in turn, those last ones after the others and `--slow-runs` times. The targets are 0.65 (PNG) and 1.05 (JPEG) of the
pool's time, 4 times (PNG) and twice (JPEG) the throughput of vips, and both cores busy to 90%.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from rivals import (
    CORES,
    Spent,
    environment,
    in_turn,
    median_wall,
    missing,
    ours,
    photograph,
    ratio,
    spent_by,
    vips_mask,
)

QUALITY = 90
TARGETS = {"png": (0.65, 4.0), "jpeg": (1.05, 2.0)}

# The folder of the inputs, that of the outputs, the number of processes.
POOL = f"""
import os, sys
from multiprocessing import Pool
import cv2, numpy as np
cv2.setNumThreads(1)
KERNEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
JPEG = [cv2.IMWRITE_JPEG_QUALITY, {QUALITY}, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]

def work(name):
    image = cv2.imread(os.path.join(sys.argv[1], name), cv2.IMREAD_UNCHANGED)
    out = os.path.join(sys.argv[2], name)
    cv2.imwrite(out, cv2.filter2D(image, -1, KERNEL), JPEG if name.endswith("jpg") else [])

if __name__ == "__main__":
    os.makedirs(sys.argv[2], exist_ok=True)
    with Pool(int(sys.argv[3])) as pool:
        for _ in pool.imap_unordered(work, sorted(os.listdir(sys.argv[1]))):
            pass
"""
WEIGHTS = "-1,0,1,-2,0,2,-1,0,1"
OTHERS = ("vips", "vips fast", "convert", "gm")


def main() -> None:
    """Measure and print both formats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=48)
    parser.add_argument("--megapixels", type=float, default=2.5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow-runs", type=int, default=1)
    parser.add_argument("--only", choices=TARGETS)
    options = parser.parse_args()
    absent = missing("vips", "convert", "gm", "xargs")
    for format_ in [options.only] if options.only else TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), format_, options, absent)


def measure(folder: Path, format_: str, options: argparse.Namespace, absent: list[str]) -> None:
    """Compare all programs on one format."""
    source, suffix = folder / "in", {"png": "png", "jpeg": "jpg"}[format_]
    source.mkdir()
    side = (options.megapixels * 1e6 / 12) ** 0.5
    jpeg = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    for number in range(options.photos):
        picture = photograph(round(3 * side), round(4 * side), seed=number % 8)
        cv2.imwrite(str(source / f"{number:04}.{suffix}"), picture, jpeg if suffix == "jpg" else [])
    targets = {name: folder / name for name in ("convcli", "pool", *OTHERS)}

    def clear(name: str) -> None:
        shutil.rmtree(targets[name], ignore_errors=True)
        if name not in ("convcli", "pool"):
            targets[name].mkdir()

    variables = environment()
    arguments = ["-k", "sobel_x", "--signed", "clip", "-q", "-o", str(targets["convcli"])]
    quick = {
        "convcli": ours("batch", str(source), *arguments, *(["--quality", str(QUALITY)] if suffix == "jpg" else [])),
        "pool": [sys.executable, "-c", POOL, str(source), str(targets["pool"]), str(CORES)],
    }
    spent = in_turn(quick, options.runs, variables, clear)
    for name, command in slow(folder, source, targets, suffix, absent).items():
        spent[name] = []
        for _ in range(options.slow_runs):
            clear(name)
            spent[name].append(spent_by(command, variables))
    report(format_, spent, targets, options)


def slow(folder: Path, source: Path, targets: dict[str, Path], suffix: str, absent: list[str]) -> dict[str, list[str]]:
    """Return the commands that run other programs once a file, as many at a time as there are cores."""
    if "xargs" in absent:
        return {}
    input_, outputs = f"{source}/{{}}", {name: f"{target}/{{}}" for name, target in targets.items()}
    quality = ["-quality", str(QUALITY), "-sampling-factor", "2x2"] if suffix == "jpg" else []
    saving = f"[Q={QUALITY},subsample_mode=on]" if suffix == "jpg" else ""
    mask = str(vips_mask(folder))
    vips = {"vips": saving} if suffix == "jpg" else {"vips": saving, "vips fast": "[compression=1]"}
    commands = {
        **{
            name: ["vips", "conv", input_, outputs[name] + saving, mask, "--precision", "integer"]
            for name, saving in vips.items()
        },
        "convert": ["convert", input_, "-morphology", "Correlate", f"3x3: {WEIGHTS}", *quality, outputs["convert"]],
        "gm": ["gm", "convert", input_, "-convolve", WEIGHTS, *quality, outputs["gm"]],
    }
    under = ["sh", "-c", f'ls "$0" | xargs -P{CORES} -I{{}} "$@"', str(source)]
    return {name: [*under, *command] for name, command in commands.items() if name.split()[0] not in absent}


def report(format_: str, spent: dict[str, list[Spent]], targets: dict[str, Path], options: argparse.Namespace) -> None:
    """Print the times and the ratios."""
    print(f"{options.photos} {format_} photographs of {options.megapixels:g} MP")
    for name, runs in spent.items():
        written = sorted(targets[name].glob("[0-9]*"))
        if len(written) != options.photos:
            raise SystemExit(f"{name} wrote {len(written)} files of {options.photos}")
        seconds, bytes_ = median_wall(runs), sum(path.stat().st_size for path in written)
        busy = statistics.median(run.busy for run in runs)
        speed = options.photos * options.megapixels / seconds
        print(f"  {name:9} {seconds:6.2f} s  {speed:6.1f} MP/s  {bytes_ / 1e6:6.1f} MB  cores busy {busy:4.0%}")
    most, least = TARGETS[format_]
    print(f"  convcli / pool: {ratio(spent['convcli'], spent['pool']):.2f} (target {most}); busy: target 90%")
    for name in OTHERS:
        if name in spent:
            times = median_wall(spent[name]) / median_wall(spent["convcli"])
            print(f"  {times:.1f} times the throughput of {name}" + (f" (target {least:g})" if "vips" in name else ""))
    pictures = [cv2.imread(str(sorted(targets[name].glob("[0-9]*"))[0])).astype(int) for name in ("convcli", "pool")]
    print(f"  largest difference of a sample in the first picture: {np.abs(pictures[0] - pictures[1]).max()}")


if __name__ == "__main__":
    main()
