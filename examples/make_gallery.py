"""Make the pictures of the README with the program itself: a sheet of filtered images and a page of the terminal.

    python examples/make_gallery.py

Needs convcli installed beside this Python; writes examples/gallery/filters.jpg and examples/gallery/kernels_show.svg.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
GALLERY = HERE / "gallery"
PHOTO = str(HERE / "images" / "photo.png")

SHEET = (
    "",
    "-k sobel",
    "-k gaussian:sigma=6 --linear",
    "-k unsharp:sigma=2,amount=3",
    "-k emboss --gray",
    "-k motion:length=41,angle=20",
    "-k morlet:sigma=3,wavelength=8,theta=90 --gray --scale 0.25",
    "-k log:sigma=2 --gray --signed offset --scale 12",
    "-k kirsch --gray --scale 0.25",
)
COLUMNS, TILE_WIDTH, LABEL_HEIGHT, GAP = 3, 400, 26, 6
INK, PAPER = (60, 50, 40), (250, 250, 250)


def convcli(arguments: str, **environment: str) -> str:
    """Run one command line and return what it prints."""
    command = [sys.executable, "-m", "convcli", *shlex.split(arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment).stdout


def labelled_tile(options: str, folder: str) -> np.ndarray:
    """Filter the photograph, make it small, and write the options under it."""
    path = PHOTO
    if options:
        path = f"{folder}/out.png"
        convcli(f"filter {PHOTO} {options} -o {path} -f -q")
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    height = round(TILE_WIDTH * picture.shape[0] / picture.shape[1])
    tile = np.full((height + LABEL_HEIGHT, TILE_WIDTH, 3), PAPER, np.uint8)
    tile[:height] = cv2.resize(picture, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
    place = 2, height + LABEL_HEIGHT - 8
    cv2.putText(tile, options or "photo.png", place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)
    return tile


def make_sheet() -> None:
    """Lay the tiles out in rows."""
    with tempfile.TemporaryDirectory() as folder:
        tiles = [labelled_tile(options, folder) for options in SHEET]
    tiles = [cv2.copyMakeBorder(t, GAP, 0, GAP, 0, cv2.BORDER_CONSTANT, value=PAPER) for t in tiles]
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    sheet = cv2.copyMakeBorder(np.vstack(rows), 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=PAPER)
    cv2.imwrite(str(GALLERY / "filters.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])


def make_terminal_page() -> None:
    """Show what a terminal shows of one kernel."""
    command = "kernels show gabor:sigma=2,wavelength=6,theta=30"
    shown = convcli(command, FORCE_COLOR="1", COLUMNS="96", COLORTERM="truecolor", TERM="xterm-256color")
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=96, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(f"$ convcli {command}\n{shown.rstrip()}"))
        console.save_svg(str(GALLERY / "kernels_show.svg"), title="convcli")


if __name__ == "__main__":
    GALLERY.mkdir(exist_ok=True)
    make_sheet()
    make_terminal_page()
