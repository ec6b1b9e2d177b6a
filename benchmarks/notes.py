"""Print what looking at a picture for notes costs, as a share of a run from file to file.

    python benchmarks/notes.py [--runs 200]

`convcli filter` looks at some pixels of each picture that it has made, to say where it came out saturated or black.
Each case is a size of image and a kernel. The first share is that of the time in `picture_notes` in the time of
`convcli filter` as a command, by medians, and should stay below 1%. The second is that in the time from file to file
within a process that has made others, as in a batch: below 1% where there is nothing to note and the image is of some
size; a note that is due computes responses again, for a fraction of a millisecond.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
from rivals import photograph

from convcli.convolution.options import ConvolveOptions
from convcli.process import kernel_chain
from convcli.process.kernel_operation import FilterOptions, load_kernels
from convcli.process.output_files import OutputOptions
from convcli.process.shell import process_image
from convcli.process.tone_options import ToneOptions

SIDES = (256, 640, 2048)
KERNELS = ("sharpen", "sobel_x", "gaussian:sigma=3", "scharr_x", "gabor", "2")


def main() -> None:
    """Time each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    spent: list[float] = []
    look = kernel_chain.picture_notes

    def timed(*given: Any) -> list[str]:
        started = perf_counter()
        notes = look(*given)
        spent.append(perf_counter() - started)
        return notes

    kernel_chain.picture_notes = timed
    print("side  kernel            command ms  run ms  notes us  of command  of run  note")
    with tempfile.TemporaryDirectory() as folder:
        source, output = str(Path(folder, "photo.png")), str(Path(folder, "out.png"))
        for side in SIDES:
            cv2.imwrite(source, photograph(side, side))
            for kernel in KERNELS:
                output_options = OutputOptions(existing="overwrite")
                operation = load_kernels(FilterOptions((kernel,), ConvolveOptions(), ToneOptions(), output_options))
                whole, notes = [], ()
                spent.clear()
                for _ in range(max(5, runs * SIDES[0] // side)):
                    started = perf_counter()
                    notes = process_image(source, output, operation).notes
                    whole.append(perf_counter() - started)
                run, looking = statistics.median(whole), statistics.median(spent)
                command = statistics.median(_command(source, output, kernel) for _ in range(5))
                told = "saturated" if "saturated" in "".join(notes) else "-"
                times = f"{1e3 * command:10.0f}  {1e3 * run:6.1f}  {1e6 * looking:8.0f}"
                print(f"{side:4}  {kernel:16}  {times}  {looking / command:10.2%}  {looking / run:6.2%}  {told}")


def _command(source: str, output: str, kernel: str) -> float:
    """Return the seconds of a whole process."""
    started = perf_counter()
    command = [sys.executable, "-m", "convcli", "filter", source, "-k", kernel, "-o", output, "-f", "-q"]
    subprocess.run(command, check=True)
    return perf_counter() - started


if __name__ == "__main__":
    main()
