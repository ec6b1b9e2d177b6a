"""AVIF: its boxes checked, turned as its own rotation and mirror say, its metadata; the picture itself is OpenCV's.

Source: AV1 Image File Format 1.1; ISO/IEC 23008-12, sections 6.5.10 (irot) and 6.5.12 (imir).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError, ImageWriteError
from convcli.image import memory_check
from convcli.image.formats import isobmff, opencv_codec
from convcli.image.model import Image, Metadata

_TITLE = "AVIF"
_PROFILES = (b"prof", b"rICC")
_AGAIN = "get the file again"


def read(data: bytes, name: str) -> Image:
    """Read an AVIF: gray, RGB or RGBA, u8 (8 bit) or u16 (10 and 12 bit, made 0..65535). Raises ImageReadError."""
    top = dict(isobmff.boxes(memoryview(data), name, _TITLE))
    if b"meta" not in top:
        raise ImageReadError(f"{name}: truncated or damaged AVIF, it does not describe its picture; {_AGAIN}")
    items = isobmff.items(top[b"meta"], name, _TITLE)
    for places in items.extents.values():
        if any(start + length > len(data) for start, length in places):
            raise ImageReadError(f"{name}: truncated AVIF, the end of its picture is missing; {_AGAIN}")
    properties = dict(items.properties)
    size = properties.get(b"ispe", memoryview(bytes(12)))
    width, height = (int.from_bytes(size[at : at + 4], "big") for at in (4, 8))
    deep = any(depth > 8 for depth in properties.get(b"pixi", memoryview(b""))[5:])
    memory_check.check_pixels(name, (height, width, 4), 2 if deep else 1, opencv_codec.MOST_PIXELS)
    pixels = opencv_codec.decode(data)
    if pixels is None:
        raise ImageReadError(f"{name}: damaged AVIF, its picture cannot be decoded; {_AGAIN}")
    if pixels.dtype == np.uint16:
        pixels = _full_range(pixels, properties)
    # There may be two colour properties: a profile, and numbers that name a standard space.
    profiles = [bytes(body[4:]) for kind, body in items.properties if kind == b"colr" and bytes(body[:4]) in _PROFILES]
    icc = profiles[0] if profiles else None
    exif = items.body(data, b"Exif")
    # Four bytes before the block say how far into the rest it starts.
    exif = exif[4 + int.from_bytes(exif[:4], "big") :] if exif is not None and len(exif) > 4 else None
    metadata = Metadata(exif, items.body(data, b"mime"), icc, None, pixels.shape[:2])
    notes = ("an animation: only its first picture is used",) if b"moov" in top else ()
    return Image(_turned(pixels, items.properties), pixels.shape[2] == 4, metadata, "avif", notes)


def _full_range(pixels: NDArray[Any], properties: dict[bytes, memoryview]) -> NDArray[Any]:
    """Stretch 10 or 12 bits, as OpenCV gives them, to 16."""
    setup = properties.get(b"av1C", memoryview(bytes(4)))
    bits = 12 if setup[2] & 0x20 else 10
    return pixels << (16 - bits) | pixels >> (2 * bits - 16)


def _turned(pixels: NDArray[Any], properties: list[isobmff.Box]) -> NDArray[Any]:
    """Rotate and mirror as the file says, in its order. OpenCV does neither, and EXIF's orientation does not count."""
    for kind, body in properties:
        if kind == b"irot" and body:
            pixels = np.rot90(pixels, body[0] & 3)
        elif kind == b"imir" and body:
            pixels = pixels[:, ::-1] if body[0] & 1 else pixels[::-1]
    return np.ascontiguousarray(pixels)


def encode(pixels: NDArray[Any], metadata: Metadata, *, quality: int) -> bytes:
    """Encode (H, W, 1, 3 or 4) u8 samples at quality 1 to 100 with metadata."""
    height, width = pixels.shape[:2]
    parts = [
        (kind, np.frombuffer(body, np.uint8))
        for kind, body in (
            (cv2.IMAGE_METADATA_EXIF, metadata.exif),
            (cv2.IMAGE_METADATA_XMP, metadata.xmp),
            (cv2.IMAGE_METADATA_ICCP, metadata.icc),
        )
        if body
    ]
    encoded = opencv_codec.encode_with_metadata(".avif", pixels, parts, [opencv_codec.AVIF_QUALITY, quality])
    if encoded is None:
        raise ImageWriteError(f"OpenCV could not encode {width} x {height} pixels as AVIF: write .png")
    return encoded.tobytes()
