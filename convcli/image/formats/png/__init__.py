"""PNG: its description here; chunks, inflating, decoding and encoding in strips in the modules beside.

Source: PNG specification, third edition (W3C, 2025).
"""

import struct
from typing import BinaryIO

from convcli.image.formats.registry import Format

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # of the decoded picture, by colour type


def _decoded_bytes(file: BinaryIO) -> int | None:
    file.seek(16)
    width, height, bits, colour_type = struct.unpack(">IIBB", file.read(10))
    place, transparent = 33, 0
    while not transparent:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind in (b"IDAT", b"IEND"):
            break
        transparent = int(kind == b"tRNS")
        place += 12 + length
    return int(width * height * (CHANNELS[colour_type] + transparent) * (2 if bits == 16 else 1))


FORMATS = (
    Format(
        name="png",
        title="PNG",
        suffixes=(".png",),
        codec="convcli.image.formats.png.codec",
        depths=("u8", "u16"),
        channels=(1, 2, 3, 4),
        signatures=(SIGNATURE,),
        metadata=("exif", "xmp", "icc", "resolution", "png_colour", "png_chunks"),
        encoder_options=("compression",),
        decoded_bytes=_decoded_bytes,
        advised=True,
    ),
)
