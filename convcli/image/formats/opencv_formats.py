"""BMP, GIF, JPEG 2000 and Radiance HDR: checked for being whole here, decoded and encoded by OpenCV.

Source: Microsoft's BITMAPINFOHEADER; CompuServe GIF89a; ITU-T T.800, annexes A and I; Greg Ward, Radiance file formats.
"""

import re
import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError, ImageWriteError
from convcli.image import memory_check
from convcli.image.formats import isobmff, opencv_codec
from convcli.image.model import Image, Metadata

_AGAIN = "get the file again"
_METRES_PER_INCH = 0.0254
_ALPHA_BIT_FIELDS = 6


def read(data: bytes, name: str) -> Image:
    """Read a BMP, GIF (its first picture), JPEG 2000 or HDR file. Raises ImageReadError."""
    if data.startswith(b"BM"):
        return _read_bmp(data, name)
    if data.startswith(b"GIF8"):
        return _read_gif(data, name)
    if data.startswith(b"#?"):
        return _read_hdr(data, name)
    return _read_jp2(data, name)


def _decode(data: bytes, name: str, title: str, *, rgb: bool = False) -> NDArray[Any]:
    pixels = opencv_codec.decode(data, rgb=rgb)
    if pixels is None:
        raise ImageReadError(f"{name}: truncated or damaged {title}, its picture cannot be decoded; {_AGAIN}")
    return pixels


def _image(
    pixels: NDArray[Any], kind: str, notes: tuple[str, ...] = (), dpi: tuple[float, float] | None = None
) -> Image:
    metadata = Metadata(resolution=dpi, stored_size=pixels.shape[:2])
    return Image(pixels, pixels.shape[2] == 4, metadata, kind, notes)


def _read_bmp(data: bytes, name: str) -> Image:
    if len(data) < 30:
        raise ImageReadError(f"{name}: truncated BMP, its header is not whole; {_AGAIN}")
    start, header = struct.unpack_from("<II", data, 10)
    dpi, compression, listed = None, 0, 0
    if header >= 40 and len(data) >= 54:
        width, height, _, bits, compression, listed, across, down = struct.unpack_from("<iiHHIIii", data, 18)
        if across > 0 and down > 0:
            dpi = (across * _METRES_PER_INCH, down * _METRES_PER_INCH)
    else:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    height = abs(height)
    memory_check.check_pixels(name, (height, abs(width), 4 if bits == 32 else 3), 1, opencv_codec.MOST_PIXELS)
    wanted = (abs(width) * bits + 31) // 32 * 4 * height if compression in (0, 3, 6) else listed
    if start + wanted > len(data):
        raise ImageReadError(f"{name}: truncated BMP, {start + wanted - len(data)} bytes are missing; {_AGAIN}")
    # OpenCV makes the 24 bits of the oldest header gray, and an alpha of what no mask says is one.
    pixels = _decode(data, name, "BMP", rgb=header < 40 and bits == 24)
    if pixels.shape[2] == 4 and not _has_alpha_mask(data, header, compression):
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    return _image(pixels, "bmp", dpi=dpi)


def _has_alpha_mask(data: bytes, header: int, compression: int) -> bool:
    """Whether a BMP states which bits are alpha: in a header of 56 bytes or more, or behind one of 40."""
    stated = header >= 56 or compression == _ALPHA_BIT_FIELDS
    return stated and any(data[66:70])


def _read_gif(data: bytes, name: str) -> Image:
    truncated = ImageReadError(f"{name}: truncated GIF, it ends after {len(data)} bytes without its end mark; {_AGAIN}")
    if len(data) < 14:
        raise truncated
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    memory_check.check_pixels(name, (height, width, 4), 1, opencv_codec.MOST_PIXELS)
    place = 13 + _table_bytes(flags)
    pictures = 0
    while True:
        if place >= len(data):
            raise truncated
        kind = data[place]
        if kind == 0x3B:
            break
        if kind == 0x2C and place + 10 < len(data):
            pictures += 1
            place += 10 + _table_bytes(data[place + 9]) + 1
        elif kind == 0x21:
            place += 2
        else:
            raise ImageReadError(f"{name}: damaged GIF, an unknown block at byte {place}; {_AGAIN}")
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    notes = (f"{pictures} pictures: only the first is used",) if pictures > 1 else ()
    pixels = _decode(data, name, "GIF")
    if pixels.shape[2] == 4 and pixels[:, :, 3].all():  # OpenCV gives every animation an alpha
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    return _image(pixels, "gif", notes)


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _read_hdr(data: bytes, name: str) -> Image:
    match = re.search(rb"\n\n[-+][XY] (\d{1,9}) [-+][XY] (\d{1,9})\n", data[:65536])
    if match is None:
        raise ImageReadError(f"{name}: truncated or damaged HDR file, it states no size; {_AGAIN}")
    memory_check.check_pixels(name, (int(match[1]), int(match[2]), 3), 4, opencv_codec.MOST_PIXELS)
    return _image(_decode(data, name, "HDR file"), "hdr")


def _read_jp2(data: bytes, name: str) -> Image:
    stream: bytes | memoryview = data
    if not data.startswith(b"\xff\x4f\xff\x51"):
        stream = dict(isobmff.boxes(memoryview(data), name, "JPEG 2000")).get(b"jp2c", memoryview(b""))
    if len(stream) < 42 or not bytes(stream[-64:]).rstrip(b"\0").endswith(b"\xff\xd9"):
        raise ImageReadError(f"{name}: truncated JPEG 2000, its end mark is missing; {_AGAIN}")
    right, low, left, top = struct.unpack_from(">4I", stream, 8)
    channels = int.from_bytes(stream[40:42], "big")
    bits = (stream[42] & 0x7F) + 1 if len(stream) > 42 else 8
    size = (max(0, low - top), max(0, right - left), channels)
    memory_check.check_pixels(name, size, 1 if bits <= 8 else 2, opencv_codec.MOST_PIXELS)
    if channels == 2:
        raise ImageReadError(f"{name}: a JPEG 2000 of gray and alpha, which OpenCV does not decode; convert it to PNG")
    pixels = _decode(data, name, "JPEG 2000")
    if bits not in (8, 16) and pixels.dtype.kind == "u":
        white = np.iinfo(pixels.dtype).max
        pixels = np.rint(np.minimum(pixels, 2**bits - 1) * (white / (2**bits - 1))).astype(pixels.dtype)
    return _image(pixels, "jp2")


def encode_bmp(pixels: NDArray[Any], resolution: tuple[float, float] | None) -> bytes:
    """Encode gray, RGB or RGBA u8 as BMP, with its resolution."""
    data = bytearray(_encode(".bmp", "BMP", pixels))
    if resolution is not None:
        struct.pack_into("<ii", data, 38, *(min(2**31 - 1, round(value / _METRES_PER_INCH)) for value in resolution))
    return bytes(data)


def encode_hdr(pixels: NDArray[np.float32]) -> tuple[bytes, tuple[str, ...]]:
    """Encode RGB f32 as Radiance HDR, which holds no negative values; a note says where there were some."""
    negative = bool((pixels < 0).any())
    data = _encode(".hdr", "Radiance HDR", np.maximum(pixels, 0) if negative else pixels)
    notes = ("negative values became 0: Radiance HDR holds none; write .tiff, .pfm or .npy",) if negative else ()
    return data, notes


def encode_jp2(pixels: NDArray[Any], quality: int | None) -> bytes:
    """Encode gray, RGB or RGBA, u8 or u16, as JPEG 2000; `quality` 1 to 100, by default 100, which loses nothing."""
    # Told nothing, OpenCV takes a quarter of the bytes.
    parameters = [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 10 * (100 if quality is None else quality)]
    return _encode(".jp2", "JPEG 2000", pixels, parameters)


def _encode(suffix: str, title: str, pixels: NDArray[Any], parameters: list[int] | None = None) -> bytes:
    encoded = opencv_codec.encode(suffix, pixels, parameters or [])
    if encoded is None:
        raise ImageWriteError(
            f"OpenCV could not encode {pixels.shape[1]} x {pixels.shape[0]} pixels as {title}: write .png"
        )
    return encoded.tobytes()
