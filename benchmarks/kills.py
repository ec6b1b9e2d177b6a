"""Kill `convcli batch` at random moments, many times, and look at what it leaves.

    python benchmarks/kills.py [--kills 200] [--files 300] [--seed 1]

Runs over the same images are killed (-9) at random moments, half of them together with their processes at work and half
alone, and taken up with --existing skip; when all is done, the output folder is emptied and it starts over. After each
kill every output that is visible must have the bytes of an undisturbed run; at each end, there must be all of them and
no temporary file.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from rivals import environment

SIDE = 200


def main() -> None:
    """Kill, look and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_images(folder / "in", options.files, generator)
        started = time.monotonic()
        finish(folder, "undisturbed")
        whole_run = time.monotonic() - started
        expected = contents(folder / "undisturbed")

        kills = resumed = ends = seen = 0
        while kills < options.kills:
            process = start(folder, "out", new_group=True)
            time.sleep(generator.uniform(0, whole_run))
            if process.poll() is None:
                kills += 1
                if generator.random() < 0.5:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()
            found = contents(folder / "out")
            for path, data in found.items():
                if data != expected[path]:
                    raise SystemExit(f"kill {kills}: {path} is visible and not whole")
            seen += len(found)
            if process.returncode == 0:
                check_end(folder, expected)
                ends += 1
                shutil.rmtree(folder / "out")
            else:
                resumed += bool(found)
        finish(folder, "out")
        check_end(folder, expected)
    print(f"{kills} kills in runs over {options.files} images, {resumed} of them with outputs to take up")
    print(f"{seen} outputs seen after them, all whole and as those of an undisturbed run ({whole_run:.2f} s)")
    print(f"{ends + 1} ends, each with all {options.files} outputs, the same bytes, and no temporary file")


def make_images(folder: Path, count: int, generator: np.random.Generator) -> None:
    folder.mkdir()
    for number in range(count):
        coarse = generator.integers(0, 256, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:04}.png"), cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def start(folder: Path, output: str, *, new_group: bool = False) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "convcli", "batch", str(folder / "in"), "-k", "gaussian:sigma=2", "-q"]
    command += ["-o", str(folder / output), "--existing", "skip"]
    return subprocess.Popen(command, env=environment(), start_new_session=new_group)


def finish(folder: Path, output: str) -> None:
    if start(folder, output).wait() != 0:
        raise SystemExit(f"the run into {output} failed")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that people see, with its bytes."""
    paths = folder.rglob("*") if folder.is_dir() else ()
    return {path.name: path.read_bytes() for path in paths if path.is_file() and ".convcli" not in path.parts}


def check_end(folder: Path, expected: dict[str, bytes]) -> None:
    if contents(folder / "out") != expected:
        raise SystemExit("the end of a resumed run is not that of an undisturbed one")
    if left := list((folder / "out" / ".convcli" / "tmp").iterdir()):
        raise SystemExit(f"left behind: {left}")


if __name__ == "__main__":
    main()
