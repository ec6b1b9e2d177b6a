"""Make the example pictures anew: `python examples/images/make_images.py [FOLDER]`. Takes some minutes.

All of them are computed here, from nothing but numbers, and always come out the same on one version of NumPy.
"""

import struct
import sys
from pathlib import Path

import numpy as np
from drawings import balloon, lighthouse, moon
from still_life import render

from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.jpeg import codec as jpeg
from convcli.image.metadata.tiff_directories import serialise
from convcli.image.model import Image, Metadata
from convcli.image.writing import write_image

HERE = Path(__file__).parent
SRGB = ((b"sRGB", b"\0"),)


def exif_on_its_side(width: int, height: int) -> bytes:
    """Return an EXIF block of a camera held upright: the stored picture is to be turned by 90 degrees clockwise."""

    def text(words: str) -> tuple[int, int, bytes]:
        body = words.encode() + b"\0"
        return 2, len(body), body

    def long(value: int) -> tuple[int, int, bytes]:
        return 4, 1, struct.pack("<I", value)

    tree = {
        0x010E: text("A lighthouse at dusk, drawn by convcli's examples"),
        0x0112: (3, 1, struct.pack("<H", 6)),
        0x8298: text("CC0"),
        0x8769: {0x9000: (7, 4, b"0232"), 0xA002: long(width), 0xA003: long(height)},
    }
    return b"II*\0" + struct.pack("<I", 8) + serialise(tree, "<", 8)


def main(folder: Path) -> None:
    """Write all example pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    upright = lighthouse()
    stored = np.ascontiguousarray(np.rot90(upright))
    exif = exif_on_its_side(stored.shape[1], stored.shape[0])
    on_its_side = Image(stored, metadata=Metadata(exif=exif, resolution=(300, 300)))
    with (folder / "portrait_exif6.jpg").open("wb") as file:  # not by write_image, which says that it is upright
        jpeg.write(on_its_side, file.write, EncoderSettings("jpeg", quality=90))
    write_image(folder / "sprite.png", Image(balloon(), alpha=True), compression="small")
    write_image(folder / "moon_16bit.png", moon(), compression="small")
    photo = Image(render(), metadata=Metadata(png_colour=SRGB, resolution=(72, 72)))
    write_image(folder / "photo.png", photo, compression="small")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
