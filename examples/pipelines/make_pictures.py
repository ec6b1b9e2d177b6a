"""Make the pictures of README.md beside this script with the program itself.

    python examples/pipelines/make_pictures.py

Needs convcli installed beside this Python; writes examples/pipelines/pictures/.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from make_inputs import PART

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
PHOTO = HERE.parent / "images" / "photo.png"
SCRATCHED, DIGIT = HERE / "inputs" / "scratched.png", HERE / "inputs" / "digit.png"

EDGES = ("canny", "sobel_magnitude", "dog_edges", "compass_kirsch", "compass_robinson")
BLENDED = ("--set", f"other={HERE / 'inputs' / 'night.jpg'}", "--set", f"mask={HERE / 'inputs' / 'lamp.jpg'}")
ARITHMETIC = ("retinex", "local_contrast", "guided_filter", "blend", "frangi")
LABEL_HEIGHT, GAP = 24, 6
INK, PAPER = (60, 50, 40), (250, 250, 250)


def run(pipeline: str, image: Path, folder: Path, *options: str) -> Path:
    """Put an image through a pipeline; returns where the result is."""
    output = folder / f"{pipeline}.png"
    command = [sys.executable, "-m", "convcli", "run", pipeline, str(image), "-o", str(output)]
    subprocess.run([*command, "-f", "-q", *options], check=True)
    return output


def tile(picture: np.ndarray, width: int, label: str = "") -> np.ndarray:
    """Make a picture `width` pixels wide, with a line under it."""
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    height = round(width * picture.shape[0] / picture.shape[1])
    shrinks = width < picture.shape[1]
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)
    if not label:
        return small
    line = np.full((LABEL_HEIGHT, width, 3), PAPER, np.uint8)
    cv2.putText(line, label, (2, LABEL_HEIGHT - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)
    return np.vstack([small, line])


def lay_out(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Lay tiles of one size out in rows, on paper."""
    framed = [cv2.copyMakeBorder(each, GAP, 0, GAP, 0, cv2.BORDER_CONSTANT, value=PAPER) for each in tiles]
    rows = [np.hstack(framed[first : first + columns]) for first in range(0, len(framed), columns)]
    return cv2.copyMakeBorder(np.vstack(rows), 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=PAPER)


def read(path: Path) -> np.ndarray:
    """Read a picture without its opacity."""
    return cv2.imread(str(path), cv2.IMREAD_COLOR)


def save(name: str, picture: np.ndarray, quality: int) -> None:
    """Write a picture of the page."""
    cv2.imwrite(str(PICTURES / name), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def edges(folder: Path) -> None:
    """Show the photograph and what finds edges in it."""
    # Lines one pixel wide would fade when made smaller: a part is shown as it is.
    part = slice(100, 367), slice(150, 550)
    tiles = [tile(read(PHOTO)[part], 400, "photo.png, a part")]
    tiles += [tile(read(run(name, PHOTO, folder))[part], 400, name) for name in EDGES]
    save("edges.jpg", lay_out(tiles, 3), 80)


def gabor(folder: Path) -> None:
    """Show the contact sheet as it is, smaller."""
    sheet = read(run("gabor_bank", PHOTO, folder, "--contact-sheet"))
    save("gabor_bank.jpg", tile(sheet, 800), 80)


def arithmetic(folder: Path) -> None:
    """Show the photograph and what pipelines of arithmetic make of it."""
    tiles = [tile(read(PHOTO), 320, "photo.png")]
    for name in ARITHMETIC:
        tiles.append(tile(read(run(name, PHOTO, folder, *(BLENDED if name == "blend" else ()))), 320, name))
    save("arithmetic.jpg", lay_out(tiles, 3), 68)


def repair(folder: Path) -> None:
    """Show damage, repair and truth side by side."""
    found = read(run("inpaint", SCRATCHED, folder))
    pictures = {"scratched.png": read(SCRATCHED), "inpaint": found, "undamaged": read(PHOTO)[PART]}
    save("inpaint.jpg", lay_out([tile(picture, 480, name) for name, picture in pictures.items()], 3), 85)


def networks(folder: Path) -> None:
    """Show maps of the first layers of two networks."""
    run("lenet5", DIGIT, folder, "--contact-sheet", "--save-steps", str(folder / "steps"))
    (first,) = (folder / "steps").glob("*_c1.png")
    sheet = read(first)
    digits = tile(sheet, 2 * sheet.shape[1], "lenet5, step c1")
    maps = tile(read(run("mobilenet_block", PHOTO, folder, "--contact-sheet")), 800)
    maps = tile(maps[: len(digits) - LABEL_HEIGHT], 800, "mobilenet_block, a part of the sheet")
    save("networks.jpg", lay_out([np.hstack([digits, maps])], 1), 80)


def main() -> None:
    """Make all of them."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for make in (edges, gabor, arithmetic, repair, networks):
            make(Path(name))


if __name__ == "__main__":
    main()
