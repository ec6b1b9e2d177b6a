"""GIF: checked for being whole here, its first picture decoded by OpenCV.

Source: CompuServe, Graphics Interchange Format, version 89a.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image

_AGAIN = "get the file again"
_HEADER_BYTES = 13
_PICTURE, _EXTENSION, _END = 0x2C, 0x21, 0x3B


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode the first picture of a GIF.

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
        RGB or RGBA, u8, with a note where there are more pictures.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    import numpy as np

    from convcli.image.formats import opencv_codec
    from convcli.image.model import Image, Metadata, check_fits_memory

    if len(data) <= _HEADER_BYTES:
        raise _truncated(data, name)
    width, height = struct.unpack_from("<HH", data, 6)
    check_fits_memory(name, (height, width, 4), 1, opencv_codec.MOST_PIXELS)
    pictures = _count_pictures(data, name)
    pixels = opencv_codec.decode_or_raise(data, name, "GIF")
    if pixels.shape[2] == 4 and pixels[:, :, 3].all():  # OpenCV gives every animation an alpha
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    notes = (f"{pictures} pictures: only the first is used",) if pictures > 1 else ()
    return Image(pixels, pixels.shape[2] == 4, Metadata(stored_size=pixels.shape[:2]), "gif", notes)


def _count_pictures(data: bytes, name: str) -> int:
    """Count the pictures up to the end mark, checking that all blocks are whole."""
    place = _HEADER_BYTES + _table_bytes(data[10])
    pictures = 0
    while True:
        if place >= len(data):
            raise _truncated(data, name)
        kind = data[place]
        if kind == _END:
            return pictures
        if kind == _PICTURE and place + 10 < len(data):
            pictures += 1
            place += 10 + _table_bytes(data[place + 9]) + 1
        elif kind == _EXTENSION:
            place += 2
        else:
            raise ImageReadError(f"{name}: damaged GIF, an unknown block at byte {place}; {_AGAIN}")
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1


def _truncated(data: bytes, name: str) -> ImageReadError:
    return ImageReadError(f"{name}: truncated GIF, it ends after {len(data)} bytes without its end mark; {_AGAIN}")


def _table_bytes(flags: int) -> int:
    """Size of a table of colours in bytes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _decoded_bytes(file: BinaryIO) -> int | None:
    """Compute the size of RGBA: whether there is an alpha is only known once all is decoded."""
    file.seek(6)
    width, height = struct.unpack("<HH", file.read(4))
    return int(width * height * 4)


FORMATS = (
    Format(
        name="gif",
        title="GIF",
        suffixes=(".gif",),
        codec=__name__,
        depths=("u8",),
        channels=(3, 4),
        signatures=(b"GIF87a", b"GIF89a"),
        decoded_bytes=_decoded_bytes,
        only_read="with its 256 colours",
    ),
)
