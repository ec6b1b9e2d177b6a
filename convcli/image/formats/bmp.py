"""BMP: checked for being whole here, decoded and encoded by OpenCV.

Source: Microsoft's BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_AGAIN = "get the file again"
_METRES_PER_INCH = 0.0254
_CORE_HEADER, _INFO_HEADER, _V3_HEADER = 12, 40, 56  # bytes of three of its headers, by age
_UNCOMPRESSED = (0, 3, 6)
_ALPHA_BIT_FIELDS = 6


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a BMP.

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
        Gray, RGB or RGBA, u8.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    import numpy as np

    from convcli.image.formats import opencv_codec
    from convcli.image.model import Image, Metadata, check_fits_memory

    if len(data) < 30:
        raise ImageReadError(f"{name}: truncated BMP, its header is not whole; {_AGAIN}")
    start, header = struct.unpack_from("<II", data, 10)
    dpi, compression, listed = None, 0, 0
    if header >= _INFO_HEADER and len(data) >= 54:
        width, height, _, bits, compression, listed, across, down = struct.unpack_from("<iiHHIIii", data, 18)
        if across > 0 and down > 0:
            dpi = (across * _METRES_PER_INCH, down * _METRES_PER_INCH)
    else:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    height = abs(height)
    check_fits_memory(name, (height, abs(width), 4 if bits == 32 else 3), 1, opencv_codec.MOST_PIXELS)
    wanted = (abs(width) * bits + 31) // 32 * 4 * height if compression in _UNCOMPRESSED else listed
    if start + wanted > len(data):
        raise ImageReadError(f"{name}: truncated BMP, {start + wanted - len(data)} bytes are missing; {_AGAIN}")
    # OpenCV makes the 24 bits of the oldest header gray, and an alpha of what no mask says is one.
    pixels = opencv_codec.decode_or_raise(data, name, "BMP", rgb=header < _INFO_HEADER and bits == 24)
    if pixels.shape[2] == 4 and not _has_alpha_mask(data, header, compression):
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    return Image(pixels, pixels.shape[2] == 4, Metadata(resolution=dpi, stored_size=pixels.shape[:2]), "bmp")


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray, RGB or RGBA u8 to `sink`, with its resolution; nothing is lost. Raises ImageWriteError."""
    from convcli.image.formats import opencv_codec

    data = bytearray(opencv_codec.encode_or_raise(".bmp", image.pixels, "BMP"))
    if image.metadata.resolution is not None:
        per_metre = (min(2**31 - 1, round(value / _METRES_PER_INCH)) for value in image.metadata.resolution)
        struct.pack_into("<ii", data, 38, *per_metre)
    sink(bytes(data))
    return ()


def _has_alpha_mask(data: bytes, header: int, compression: int) -> bool:
    """Whether a BMP states which bits are alpha: in a header of 56 bytes or more, or behind one of 40."""
    stated = header >= _V3_HEADER or compression == _ALPHA_BIT_FIELDS
    return stated and any(data[66:70])


def _decoded_bytes(file: BinaryIO) -> int | None:
    data = file.read(2048)
    (header,) = struct.unpack_from("<I", data, 14)
    if header < _INFO_HEADER:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        return int(width * height * 3)
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    channels = 3
    if bits == 32:
        channels = 4 if _has_alpha_mask(data, header, compression) else 3
    elif bits <= 8:
        colours = struct.unpack_from("<I", data, 46)[0] or 1 << bits
        palette = data[14 + header : 14 + header + 4 * colours]
        channels = 1 if palette[::4] == palette[1::4] == palette[2::4] else 3
    return int(abs(width) * abs(height) * channels)


FORMATS = (
    Format(
        name="bmp",
        title="BMP",
        suffixes=(".bmp", ".dib"),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3, 4),
        signatures=(b"BM",),
        metadata=("resolution",),
        decoded_bytes=_decoded_bytes,
    ),
)
