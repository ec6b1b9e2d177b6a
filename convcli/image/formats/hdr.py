"""Radiance HDR, decoded and encoded by OpenCV. Source: Greg Ward, Radiance file formats."""

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
_SIZE = re.compile(rb"\n\n[-+][XY] (\d{1,9}) [-+][XY] (\d{1,9})\n")


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a Radiance HDR file.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int
        Not heeded.

    Returns
    -------
    Image
        RGB, f32.

    Raises
    ------
    ImageReadError
        For a file that states no size, is damaged or too large.
    """
    from convcli.image.formats import opencv_codec
    from convcli.image.model import Image, Metadata, check_fits_memory

    match = _SIZE.search(data[:_HEADER_BYTES])
    if match is None:
        raise ImageReadError(f"{name}: truncated or damaged HDR file, it states no size; get the file again")
    check_fits_memory(name, (int(match[1]), int(match[2]), 3), 4, opencv_codec.MOST_PIXELS)
    pixels = opencv_codec.decode_or_raise(data, name, "HDR file")
    return Image(pixels, False, Metadata(stored_size=pixels.shape[:2]), "hdr")


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode RGB f32 to `sink`; a note says where negative values, which it cannot hold, became 0."""
    import numpy as np

    from convcli.image.formats import opencv_codec

    pixels = image.pixels
    negative = bool((pixels < 0).any())
    sink(opencv_codec.encode_or_raise(".hdr", np.maximum(pixels, 0) if negative else pixels, "Radiance HDR"))
    return ("negative values became 0: Radiance HDR holds none; write .tiff, .pfm or .npy",) if negative else ()


def _decoded_bytes(file: BinaryIO) -> int | None:
    match = _SIZE.search(file.read(_HEADER_BYTES))
    return None if match is None else int(match[1]) * int(match[2]) * 3 * 4


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
