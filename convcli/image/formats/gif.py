"""GIF: its first picture decoded by Pillow; its blocks counted here. Source: CompuServe, GIF version 89a."""

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

    Returns
    -------
    Image
        RGB or RGBA, u8, with a note where there are more pictures; a frame beyond the canvas makes the canvas larger.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    import numpy as np

    from convcli.image.formats import pillow_codec
    from convcli.image.model import check_fits_memory, check_plausible

    if len(data) <= _HEADER_BYTES:
        raise ImageReadError(f"{name}: truncated GIF, it ends after {len(data)} bytes; {_AGAIN}")
    width, height = struct.unpack_from("<HH", data, 6)
    pictures, whole, (low, right) = _walk(data)
    if not pictures:
        raise ImageReadError(f"{name}: truncated or damaged GIF, it holds no picture; {_AGAIN}")
    if not whole and pictures == 1:
        raise ImageReadError(f"{name}: truncated GIF, its picture is not whole; {_AGAIN}")
    height, width = max(height, low), max(width, right)
    check_fits_memory(name, (height, width, 4), 1)
    check_plausible(name, "GIF", (height, width), len(data), pillow_codec.MOST_PIXELS_A_BYTE)
    pixels, _ = pillow_codec.decode(data, name, "GIF", "GifImagePlugin", "GifImageFile")
    if pixels.shape[2] < 3:
        pixels = np.concatenate([np.repeat(pixels[:, :, :1], 3, axis=2), pixels[:, :, 1:]], axis=2)
    if pixels.shape[2] == 4 and pixels[:, :, 3].all():
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    notes = (f"{pictures} pictures: only the first is used",) if pictures > 1 else ()
    return pillow_codec.image(pixels, "gif", notes=notes)


def _walk(data: bytes) -> tuple[int, bool, tuple[int, int]]:
    """Count the pictures; return whether the last of them is whole, and how far down and right the first one goes."""
    place = _HEADER_BYTES + _table_bytes(data[10])
    pictures, extent = 0, (0, 0)
    while place < len(data):
        kind = data[place]
        if kind == _PICTURE and place + 10 < len(data):
            left, top, width, height = struct.unpack_from("<4H", data, place + 1)
            if not pictures:
                extent = top + height, left + width
            pictures += 1
            place += 10 + _table_bytes(data[place + 9]) + 1
        elif kind == _EXTENSION:
            place += 2
        else:
            return pictures, True, extent  # the end mark, or what others pass over too
        while place < len(data) and data[place]:
            place += 1 + data[place]
        if place >= len(data):
            return pictures, place == len(data) and kind == _PICTURE, extent
        place += 1
    return pictures, True, extent


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
