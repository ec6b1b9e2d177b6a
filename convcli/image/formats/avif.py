"""AVIF: its boxes checked, turned as its own rotation and mirror say, its metadata; the picture itself is libavif's.

imagecodecs decodes still pictures, of every depth and range; OpenCV the first picture of an animation, and encodes.

Source: AV1 Image File Format 1.1; ISO/IEC 23008-12, sections 6.5.10 (irot) and 6.5.12 (imir).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.codec import DEFAULT_QUALITY, EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.image.formats import isobmff
    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_TITLE = "AVIF"
_PROFILES = (b"prof", b"rICC")
_AGAIN = "get the file again"
_BRANDS = (b"avif", b"avis")
_BRANDS_END = 256
_HEADER_BYTES = 65536
_MOST_PIXELS, _LONGEST_SIDE = 16384 * 16384, 32768
_ALPHA_URN = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode an AVIF, the first picture of an animation.

    Returns
    -------
    Image
        Gray or RGB with or without alpha, upright; u8, or u16 (10 and 12 bits, made 0..65535).

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    import numpy as np

    from convcli.image.formats import isobmff
    from convcli.image.model import Image, Metadata, check_fits_memory

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
    check_fits_memory(name, (height, width, 4), 2 if deep else 1)
    if height * width > _MOST_PIXELS or max(height, width) > _LONGEST_SIDE:
        raise ImageReadError(
            f"{name}: {width} x {height} pixels are more than libavif decodes, {_LONGEST_SIDE} a side and "
            f"{_MOST_PIXELS:,} in all; convert it to TIFF"
        )
    moving = b"moov" in top
    pixels = _decode_moving(data, name) if moving else _decode_still(data, name, threads)
    if pixels.dtype == np.uint16:
        pixels = _full_range(pixels, properties)
    # There may be two colour properties: a profile, and numbers that name a standard space.
    profiles = [bytes(body[4:]) for kind, body in items.properties if kind == b"colr" and bytes(body[:4]) in _PROFILES]
    icc = profiles[0] if profiles else None
    exif = items.body(data, b"Exif")
    # Four bytes before the block say how far into the rest it starts.
    exif = exif[4 + int.from_bytes(exif[:4], "big") :] if exif is not None and len(exif) > 4 else None
    metadata = Metadata(exif, items.body(data, b"mime"), icc, None, pixels.shape[:2])
    notes = ("an animation: only its first picture is used",) if moving else ()
    return Image(_turned(pixels, items.properties), pixels.shape[2] in (2, 4), metadata, "avif", notes)


def _decode_still(data: bytes, name: str, threads: int) -> NDArray[Any]:
    import imagecodecs

    from convcli.system.captured_stderr import library_messages

    try:
        with library_messages():
            pixels = imagecodecs.avif_decode(data, numthreads=threads)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        quoted = str(error).split("'")
        reason = quoted[1] if len(quoted) > 2 else "its picture cannot be decoded"
        raise ImageReadError(f"{name}: an AVIF that libavif does not take ({reason}); convert it to PNG") from None
    height, width, *channels = pixels.shape
    return pixels.reshape(height, width, channels[0] if channels else 1)


def _decode_moving(data: bytes, name: str) -> NDArray[Any]:
    from convcli.image.formats import opencv_codec

    pixels = opencv_codec.decode(data, talks=True)
    if pixels is None:
        raise ImageReadError(f"{name}: an animated AVIF, which OpenCV does not decode; convert it to PNG")
    return pixels


def _full_range(pixels: NDArray[Any], properties: dict[bytes, memoryview]) -> NDArray[Any]:
    """Stretch 10 or 12 bits, as they are decoded, to 16."""
    setup = properties.get(b"av1C", memoryview(bytes(4)))
    bits = 12 if setup[2] & 0x20 else 10
    return pixels << (16 - bits) | pixels >> (2 * bits - 16)


def _turned(pixels: NDArray[Any], properties: list[isobmff.Box]) -> NDArray[Any]:
    """Rotate and mirror as the file says, in its order. No decoder does, and EXIF's orientation does not count."""
    import numpy as np

    for kind, body in properties:
        if kind == b"irot" and body:
            pixels = np.rot90(pixels, body[0] & 3)
        elif kind == b"imir" and body:
            pixels = pixels[:, ::-1] if body[0] & 1 else pixels[::-1]
    return np.ascontiguousarray(pixels)


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray, RGB or RGBA u8 with its metadata to `sink`, at quality 1 to 100. Raises ImageWriteError."""
    from convcli.image.formats import opencv_codec

    metadata = image.metadata
    blocks = [
        (kind, body)
        for kind, body in (
            (opencv_codec.EXIF_BLOCK, metadata.exif),
            (opencv_codec.XMP_BLOCK, metadata.xmp),
            (opencv_codec.ICC_BLOCK, metadata.icc),
        )
        if body
    ]
    parameters = (opencv_codec.AVIF_QUALITY, settings.quality or DEFAULT_QUALITY)
    sink(opencv_codec.encode_or_raise(".avif", image.pixels, _TITLE, parameters, blocks))
    return ()


def _recognise(start: bytes) -> bool:
    if start[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(start[:4], "big"), _BRANDS_END)
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, end, 4))]
    return any(brand in _BRANDS for brand in brands)


def _decoded_bytes(file: BinaryIO) -> int | None:
    """Compute it from the largest size, the most channels and bits that the properties of any picture in it say."""
    head = file.read(_HEADER_BYTES)
    sizes = [struct.unpack_from(">II", head, at + 8) for at in _places(head, b"ispe")]
    if not sizes:
        return None
    pixel_bits = [head[at + 9 : at + 9 + head[at + 8]] for at in _places(head, b"pixi")]
    gray = max(map(len, pixel_bits), default=3) == 1
    channels = 4 if _ALPHA_URN in head else 1 if gray else 3
    deep = any(bits > 8 for each in pixel_bits for bits in each)
    return int(max(height * width for width, height in sizes) * channels * (2 if deep else 1))


def _places(data: bytes, kind: bytes) -> list[int]:
    """Return where the boxes of a kind have its name."""
    places, at = [], data.find(kind)
    while at >= 0:
        places.append(at)
        at = data.find(kind, at + 4)
    return places


FORMATS = (
    Format(
        name="avif",
        title=_TITLE,
        suffixes=(".avif",),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3, 4),
        recognise=_recognise,
        metadata=("exif", "xmp", "icc"),
        encoder_options=("quality",),
        decoded_bytes=_decoded_bytes,
        sides=(1, 32768),
    ),
)
