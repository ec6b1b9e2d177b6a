"""Time `convcli filter` on a 12-megapixel PNG against OpenCV and libvips, as whole processes; and the encoder alone.

    python benchmarks/filter.py [--runs 7] [--megapixels 12]

The picture has a photograph's size and noise, and is made here. All programs read it, apply sobel_x with saturation,
and write a PNG: convcli, a script of five lines on OpenCV, and `vips conv` with `[compression=1]` and its integer
arithmetic, the faster. They are run in turn, with compiled bytecode, and the median of the ratios of neighbours is
printed. The targets are 0.65 of the script, 0.8 of vips, 1.05 of the size of OpenCV's file, and for the encoder alone
0.25 of cv2.imencode.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from rivals import SOBEL_X, environment, in_turn, median_wall, missing, ours, photograph, ratio, vips_mask

from convcli.image.formats.registry import format_for
from convcli.image.writing import as_image, encode_image

SCRIPT = """
import sys, cv2, numpy as np
image = cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED)
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
cv2.imwrite(sys.argv[2], cv2.filter2D(image, -1, kernel))
"""


def main() -> None:
    """Measure and print all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--megapixels", type=float, default=12)
    options = parser.parse_args()
    side = (options.megapixels * 1e6 / 12) ** 0.5
    picture = photograph(round(3 * side), round(4 * side))
    with tempfile.TemporaryDirectory() as folder:
        whole_processes(Path(folder), picture, options.runs)
    edges = cv2.filter2D(picture, -1, np.array(SOBEL_X, np.float32))
    for name, pixels in (("the photograph", picture), ("its edges", edges)):
        encoder(name, pixels, options.runs)


def whole_processes(folder: Path, picture: np.ndarray, runs: int) -> None:
    """Compare whole programs, from file to file."""
    source = str(folder / "photo.png")
    outputs = {name: folder / f"{name}.png" for name in ("convcli", "script", "vips")}
    cv2.imwrite(source, picture)
    options = ["-k", "sobel_x", "--signed", "clip", "-q", "-f", "-o", str(outputs["convcli"])]
    commands = {
        "convcli": ours("filter", source, *options),
        "script": [sys.executable, "-c", SCRIPT, source, str(outputs["script"])],
    }
    if not missing("vips"):
        target = f"{outputs['vips']}[compression=1]"
        commands["vips"] = ["vips", "conv", source, target, str(vips_mask(folder)), "--precision", "integer"]
    spent = in_turn(commands, runs, environment())
    for name in commands:
        print(f"{name:8} {median_wall(spent[name]):6.2f} s   {outputs[name].stat().st_size / 1e6:5.1f} MB")
    bytes_ = [outputs[name].stat().st_size for name in ("convcli", "script")]
    print(f"convcli / script: {ratio(spent['convcli'], spent['script']):.2f} (target 0.65)")
    if "vips" in commands:
        print(f"convcli / vips: {ratio(spent['convcli'], spent['vips']):.2f} (target 0.80)")
    print(f"bytes, convcli / script: {bytes_[0] / bytes_[1]:.3f} (target 1.05)")
    same = np.array_equal(*(cv2.imread(str(outputs[name])) for name in ("convcli", "script")))
    print(f"the pixels are {'the same' if same else 'NOT the same'}")


def encoder(name: str, pixels: np.ndarray, runs: int) -> None:
    """Compare the encoders alone, in memory, on all cores."""
    cores = cv2.getNumberOfCPUs()
    rgb = np.ascontiguousarray(pixels[..., ::-1])
    encoders = (
        lambda: encode_image(as_image(rgb), format_for("a.png"), threads=cores)[0],
        lambda: cv2.imencode(".png", pixels)[1],
    )
    pairs = []
    for number in range(runs + 1):
        pair = []
        for encode in encoders:
            begun = perf_counter()
            encode()
            pair.append(perf_counter() - begun)
        if number:
            pairs.append(pair)
    mine, theirs = (1e3 * statistics.median(column) for column in zip(*pairs, strict=True))
    sizes = [len(encode()) for encode in encoders]
    print(
        f"encoding {name}: {mine:.0f} ms, cv2.imencode {theirs:.0f} ms, ratio "
        f"{statistics.median(a / b for a, b in pairs):.2f} (target 0.25), of the bytes {sizes[0] / sizes[1]:.3f}"
    )


if __name__ == "__main__":
    main()
