"""Radiance HDR, decoded and encoded by imagecodecs, in memory. Source: Greg Ward, Radiance file formats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_HEADER_BYTES = 65536
_SIZE = re.compile(rb"\r?\n\r?\n([-+])([XY]) +(\d{1,9}) +([-+])([XY]) +(\d{1,9})\r?\n")


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a Radiance HDR file.

    Returns
    -------
    Image
        RGB, f32.

    Raises
    ------
    ImageReadError
        For a file that states no size, is damaged or too large.
    """
    import imagecodecs

    from convcli.image.model import Image, Metadata, check_fits_memory

    match = _SIZE.search(data[:_HEADER_BYTES])
    if match is None:
        raise ImageReadError(f"{name}: truncated or damaged HDR file, it states no size; get the file again")
    height, width = int(match[3]), int(match[6])
    if match[2] != b"Y":
        height, width = width, height
    check_fits_memory(name, (height, width, 3), 4)
    if b"FORMAT=32-bit_rle_xyze" in data[: match.start()]:
        raise ImageReadError(f"{name}: an HDR file of XYZ colours, which is not read; convert it to RGB")
    if (match[2], match[5]) != (b"Y", b"X"):
        raise ImageReadError(f"{name}: an HDR file that is stored column by column, which is not read; turn it")
    # The decoder knows only the usual order of rows and the usual header.
    plain = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (height, width)
    try:
        pixels = imagecodecs.rgbe_decode(plain + data[match.end() :]).reshape(height, width, 3)
    except (RuntimeError, ValueError):
        raise ImageReadError(f"{name}: truncated or damaged HDR file; get the file again") from None
    pixels = pixels[:: -1 if match[1] == b"+" else 1, :: -1 if match[4] == b"-" else 1]
    return Image(pixels.copy(), False, Metadata(stored_size=(height, width)), "hdr")


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode RGB f32 to `sink`; a note says where negative values, which it cannot hold, became 0."""
    import imagecodecs
    import numpy as np

    pixels = image.pixels
    negative = bool((pixels < 0).any())
    clipped = np.maximum(pixels, 0) if negative else np.ascontiguousarray(pixels)
    sink(bytes(imagecodecs.rgbe_encode(clipped, header=True)))
    return ("negative values became 0: Radiance HDR holds none; write .tiff, .pfm or .npy",) if negative else ()


def _decoded_bytes(file: BinaryIO) -> int | None:
    match = _SIZE.search(file.read(_HEADER_BYTES))
    return None if match is None else int(match[3]) * int(match[6]) * 3 * 4


FORMATS = (
    Format(
        name="hdr",
        title="Radiance HDR",
        suffixes=(".hdr", ".pic"),
        codec=__name__,
        depths=("f32",),
        channels=(3,),
        signatures=(b"#?RADIANCE", b"#?RGBE"),
        decoded_bytes=_decoded_bytes,
        rounds_floats=True,
    ),
)
