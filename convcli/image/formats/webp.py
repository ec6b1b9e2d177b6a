"""WebP: its chunks walked and checked, its metadata read and put in; the picture itself is OpenCV's.

Source: RFC 9649 (WebP image format).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.codec import DEFAULT_QUALITY, EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image, Metadata
    from convcli.system.output_file import Sink

_PICTURES = (b"VP8 ", b"VP8L", b"ANMF")
_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x10, 0x08, 0x04
_LOSSLESS_ALPHA = 0x10  # in the fifth byte of a lossless picture
_LOSSLESS = 101  # as OpenCV's quality
_EXIF_PREFIX = b"Exif\0\0"
_AGAIN = "get the file again"
_LEAST_BYTES = 32  # of a file that OpenCV looks at


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a WebP, the first picture of an animation.

    Returns
    -------
    Image
        RGB or RGBA, u8, upright.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    from convcli.image.formats import opencv_codec
    from convcli.image.metadata.exif import orientation_of
    from convcli.image.model import Image, Metadata, check_fits_memory

    chunks = list(_chunks(data, name))
    kinds = dict(reversed(chunks))
    picture = next((kind for kind, _ in chunks if kind in _PICTURES), None)
    if picture is None:
        raise ImageReadError(f"{name}: truncated or damaged WebP, it holds no picture; {_AGAIN}")
    height, width = _size(kinds, picture, name)
    check_fits_memory(name, (height, width, 4), 1, opencv_codec.MOST_PIXELS)
    pixels = opencv_codec.decode(data.ljust(_LEAST_BYTES, b"\0"))  # what lies behind the picture is not read
    if pixels is None or pixels.shape[:2] != (height, width):
        raise ImageReadError(f"{name}: damaged WebP, its picture cannot be decoded; {_AGAIN}")
    exif, xmp, icc = (bytes(kinds[kind]) if kind in kinds else None for kind in (b"EXIF", b"XMP ", b"ICCP"))
    metadata = Metadata(exif.removeprefix(_EXIF_PREFIX) if exif else None, xmp, icc, None, (height, width))
    notes = ("an animation: only its first picture is used",) if picture == b"ANMF" else ()
    pixels = opencv_codec.turn_upright(pixels, orientation_of(metadata.exif))
    return Image(pixels, pixels.shape[2] == 4, metadata, "webp", notes)


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(data)
    stop = 8 + int.from_bytes(view[4:8], "little")
    if stop > len(data):
        raise ImageReadError(f"{name}: truncated WebP, {stop - len(data)} bytes are missing; {_AGAIN}")
    place = 12
    while place + 8 <= stop:
        length = int.from_bytes(view[place + 4 : place + 8], "little")
        if place + 8 + length > stop:
            raise ImageReadError(f"{name}: truncated or damaged WebP, a chunk at byte {place} is cut; {_AGAIN}")
        yield bytes(view[place : place + 4]), view[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _size(kinds: dict[bytes, memoryview], picture: bytes, name: str) -> tuple[int, int]:
    """Return height and width from the extended header, or the picture's own."""
    head = kinds.get(b"VP8X")
    if head is not None and len(head) >= 10:
        return 1 + int.from_bytes(head[7:10], "little"), 1 + int.from_bytes(head[4:7], "little")
    body = kinds[picture]
    if picture == b"VP8L" and len(body) >= 5:
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed >> 14 & 0x3FFF), 1 + (packed & 0x3FFF)
    if picture == b"VP8 " and len(body) >= 10:
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return height, width
    raise ImageReadError(f"{name}: damaged WebP, it states no size; {_AGAIN}")


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode RGB or RGBA u8 with its metadata to `sink`; quality 100 loses nothing. Raises ImageWriteError."""
    from convcli.image.formats import opencv_codec

    quality = settings.quality or DEFAULT_QUALITY
    parameters = (opencv_codec.WEBP_QUALITY, _LOSSLESS if quality == 100 else quality)
    sink(_with_metadata(opencv_codec.encode_or_raise(".webp", image.pixels, "WebP", parameters), image))
    return ()


def _with_metadata(data: bytes, image: Image) -> bytes:
    """Put the metadata of an image into its WebP."""
    metadata: Metadata = image.metadata
    added = [(b"EXIF", metadata.exif, _EXIF_FLAG), (b"XMP ", metadata.xmp, _XMP_FLAG)]
    if metadata.icc is None and all(body is None for _, body, _ in added):
        return data
    height, width, channels = image.size
    flags = _ALPHA_FLAG if channels == 4 else 0
    parts = []
    if metadata.icc is not None:
        flags |= _ICC_FLAG
        parts.append(_chunk(b"ICCP", metadata.icc))
    parts += [_chunk(kind, bytes(body)) for kind, body in _chunks(data, "WebP") if kind != b"VP8X"]
    for kind, body, flag in added:
        if body is not None:
            flags |= flag
            parts.append(_chunk(kind, body))
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    whole = b"".join([b"WEBP", _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size), *parts])
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)


def _recognise(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def _decoded_bytes(file: BinaryIO) -> int | None:
    """Compute it from the first chunk, which says size and alpha."""
    head = file.read(64)
    kind, body = head[12:16], memoryview(head)[20:]
    if kind not in (b"VP8X", b"VP8L", b"VP8 "):
        return None
    height, width = _size({kind: body}, kind, "")
    alpha = (kind == b"VP8X" and body[0] & _ALPHA_FLAG) or (kind == b"VP8L" and body[4] & _LOSSLESS_ALPHA)
    return height * width * (4 if alpha else 3)


FORMATS = (
    Format(
        name="webp",
        title="WebP",
        suffixes=(".webp",),
        codec=__name__,
        depths=("u8",),
        channels=(3, 4),
        recognise=_recognise,
        metadata=("exif", "xmp", "icc"),
        encoder_options=("quality",),
        decoded_bytes=_decoded_bytes,
        sides=(1, 16383),
    ),
)
