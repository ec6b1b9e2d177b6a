"""JPEG XL: its header and boxes read here, the picture decoded and encoded by libjxl through imagecodecs.

Source: ISO/IEC 18181-1, annex D (headers), and 18181-2 (boxes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.errors import ImageReadError, ImageWriteError, UsageError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_TITLE = "JPEG XL"
_AGAIN = "get the file again"
_BARE, _BOXED = b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _SPOT, _FILTER_ARRAY = 0, 2, 5  # types of extra channels
_BLACK = 4
_GRAY, _D65, _SRGB_PRIMARIES, _SRGB_TRANSFER, _LINEAR = 1, 1, 1, 13, 8
_HEADER_BYTES = 4096
_LOSSLESS = 100
# (bits, added): how many bits follow each of four selectors, and what is added to them.
_SIDE = ((9, 1), (13, 1), (18, 1), (30, 1))
_ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))


class _Bits:
    """Reads bits, the lowest of each byte first; beyond the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self.value, self.place = int.from_bytes(data, "little"), 0

    def take(self, count: int) -> int:
        found = self.value >> self.place & (1 << count) - 1
        self.place += count
        return found

    def choice(self, *kinds: tuple[int, int]) -> int:
        bits, added = kinds[self.take(2)]
        return self.take(bits) + added


@dataclass
class _Header:
    """What a codestream says before its first frame."""

    height: int
    width: int
    bits: int = 8
    floats: bool = False
    moving: bool = False
    gray: bool = False
    alpha: bool = False
    multiplied: bool = False
    others: int = 0
    black: bool = False
    own_colours: bool = False
    transfer: int = 0
    transfer_place: int = 0

    @property
    def channels(self) -> int:
        return (1 if self.gray else 3) + self.alpha


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = 8 * (bits.take(5) + 1) if small else bits.choice(*_SIDE)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height, height * across // down
    return height, 8 * (bits.take(5) + 1) if small else bits.choice(*_SIDE)


def _depth(bits: _Bits) -> tuple[int, bool]:
    if not bits.take(1):
        return bits.choice((0, 8), (0, 10), (0, 12), (6, 1)), False
    depth = bits.choice((0, 32), (0, 16), (0, 24), (6, 1))
    bits.take(4)
    return depth, True


def _skip_preview(bits: _Bits) -> None:
    kinds = ((0, 16), (0, 32), (5, 1), (9, 33)) if bits.take(1) else ((6, 1), (8, 65), (10, 321), (12, 1345))
    bits.choice(*kinds)
    if not bits.take(3):
        bits.choice(*kinds)


def _header(stream: bytes) -> _Header:
    bits = _Bits(stream[2:_HEADER_BYTES])
    found = _Header(*_size(bits))
    if bits.take(1):  # all as usual
        return found
    if bits.take(1):
        turned = bits.take(3) + 1
        if bits.take(1):
            _size(bits)
        if bits.take(1):
            _skip_preview(bits)
        found.moving = bool(bits.take(1))
        if found.moving:
            bits.choice((0, 100), (0, 1000), (10, 1), (30, 1))
            bits.choice((0, 1), (0, 1001), (8, 1), (10, 1))
            bits.choice((0, 0), (3, 0), (16, 0), (32, 0))
            bits.take(1)
        if turned >= 5:
            found.height, found.width = found.width, found.height
    found.bits, found.floats = _depth(bits)
    bits.take(1)
    for _ in range(bits.choice((0, 0), (0, 1), (4, 2), (12, 1))):
        _read_extra(bits, found)
    bits.take(1)  # whether colours are in the codec's own space, which decoding undoes
    if not bits.take(1):
        profile = bits.take(1)
        found.gray = bits.choice(*_ENUM) == _GRAY
        found.own_colours = bool(profile) or not _is_srgb(bits, found)
    return found


def _is_srgb(bits: _Bits, found: _Header) -> bool:
    """Whether white, primaries and transfer function, which come next, are those of sRGB."""
    if bits.choice(*_ENUM) != _D65 or (not found.gray and bits.choice(*_ENUM) != _SRGB_PRIMARIES) or bits.take(1):
        return False
    found.transfer_place = bits.place + 2  # behind the selector
    found.transfer = bits.choice(*_ENUM)
    return found.transfer == _SRGB_TRANSFER


def _read_extra(bits: _Bits, found: _Header) -> None:
    if bits.take(1):  # opacity as usual
        found.others += found.alpha
        found.alpha = True
        return
    kind = bits.choice(*_ENUM)
    _depth(bits)
    bits.choice((0, 0), (0, 3), (0, 4), (3, 1))
    bits.take(8 * bits.choice((0, 0), (4, 0), (5, 16), (10, 48)))
    if kind == _ALPHA:
        multiplied = bool(bits.take(1))
        if not found.alpha:
            found.alpha, found.multiplied = True, multiplied
            return
    elif kind == _SPOT:
        bits.take(64)
    elif kind == _FILTER_ARRAY:
        bits.choice((0, 1), (2, 0), (4, 3), (8, 19))
    found.black |= kind == _BLACK
    found.others += 1


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a JPEG XL, the first picture of an animation.

    Returns
    -------
    Image
        Gray or RGB with or without alpha, upright; u8, u16 (9 to 15 bits made 0..65535) or f32. Notes say what is lost.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    import imagecodecs
    import numpy as np

    from convcli.image.model import Image, Metadata, check_fits_memory
    from convcli.system.captured_stderr import library_messages

    stream, exif, xmp, packed = _unpacked(data, name)
    header = _header(stream)
    size = (header.height, header.width, header.channels)
    check_fits_memory(name, size, 4 if header.floats else 2 if header.bits > 8 else 1)
    if header.black or (not header.floats and header.bits > 16):
        kind = "inks (CMYK)" if header.black else f"{header.bits} bits a sample"
        raise ImageReadError(f"{name}: a JPEG XL of {kind}, which is not read; convert it to TIFF")
    try:
        with library_messages():
            pixels = imagecodecs.jpegxl_decode(data, index=0 if header.moving else None, numthreads=threads)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        word = "truncated" if "MORE_INPUT" in str(error) else "truncated or damaged"
        raise ImageReadError(f"{name}: {word} JPEG XL, its picture cannot be decoded; {_AGAIN}") from None
    pixels = pixels.reshape(*pixels.shape[:2], -1) if pixels.ndim <= 3 else pixels
    if pixels.shape != size and pixels.shape[:3] != size:
        raise ImageReadError(f"{name}: a JPEG XL of extra channels, which is not read; convert it to TIFF")
    pixels = _full_range(pixels, header)
    notes = []
    if header.own_colours:
        notes.append("its colour space, which is not sRGB, is not kept: samples are read as they stand")
    if header.others:
        notes.append(f"{header.others} extra channels are not read")
    if header.moving:
        notes.append("an animation: only its first picture is used")
    if packed:
        notes.append("its compressed metadata is not read")
    if exif is not None:
        from convcli.image.metadata.exif import correct_exif, has_structure

        if has_structure(exif):  # the decoder has turned the picture: the block must say so
            exif = correct_exif(exif, None, (header.height, header.width))[0]
    metadata = Metadata(exif, xmp, stored_size=(header.height, header.width))
    return Image(np.ascontiguousarray(pixels), header.alpha, metadata, "jxl", tuple(notes))


def _unpacked(data: bytes, name: str) -> tuple[bytes, bytes | None, bytes | None, bool]:
    """Return the start of the codestream, EXIF, XMP, and whether there is compressed metadata."""
    if data.startswith(_BARE):
        return data[:_HEADER_BYTES], None, None, False
    from convcli.image.formats import isobmff

    parts, exif, xmp, packed = [], None, None, False
    for kind, body in isobmff.boxes(memoryview(data), name, _TITLE):
        if kind == b"jxlc":
            parts.append(bytes(body[:_HEADER_BYTES]))
        elif kind == b"jxlp":
            parts.append(bytes(body[4:_HEADER_BYTES]))
        elif kind == b"Exif" and len(body) > 8:
            exif = bytes(body[4 + int.from_bytes(body[:4], "big") :])
        elif kind == b"xml ":
            xmp = bytes(body)
        packed |= kind == b"brob"
    stream = b"".join(parts)
    if not stream.startswith(_BARE):
        raise ImageReadError(f"{name}: truncated or damaged JPEG XL, it holds no picture; {_AGAIN}")
    return stream, exif or None, xmp, packed


def _full_range(pixels: NDArray[Any], header: _Header) -> NDArray[Any]:
    """Stretch samples of other than 8, 16 or 32 bits, and divide colours by the opacity they are multiplied with."""
    import numpy as np

    if pixels.dtype.kind == "f":
        pixels = pixels.astype(np.float32, copy=False)
        white = 1.0
    else:
        white = float(np.iinfo(pixels.dtype).max)
        if 2**header.bits - 1 != white:
            pixels = np.rint(pixels * (white / (2**header.bits - 1))).astype(pixels.dtype)
    if not header.multiplied:
        return pixels
    opacity = pixels[:, :, -1:].astype(np.float64)
    colours = np.where(opacity > 0, pixels[:, :, :-1] * white / np.where(opacity > 0, opacity, 1), 0)
    if pixels.dtype.kind != "f":
        colours = np.minimum(np.rint(colours), white)
    return np.concatenate([colours.astype(pixels.dtype), pixels[:, :, -1:]], axis=2)


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray or RGB, with or without alpha, to `sink`; by default at quality 100, which loses nothing."""
    import imagecodecs

    quality = _LOSSLESS if settings.quality is None else settings.quality
    lossless = quality == _LOSSLESS
    metadata = image.metadata
    boxed = metadata.exif is not None or metadata.xmp is not None
    height, width, channels = image.pixels.shape
    deep = image.pixels.dtype.itemsize > 1
    if deep and not lossless:
        # The encoder would take 16 bits for linear light, and lose what the eye sees.
        raise UsageError("JPEG XL of 16 bits is written without loss: leave --quality out, or say --depth u8")
    try:
        data = imagecodecs.jpegxl_encode(
            image.pixels[:, :, 0] if channels == 1 else image.pixels,
            lossless=lossless,
            distance=None if lossless else _distance(quality),
            usecontainer=boxed,
            numthreads=settings.threads,
        )
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise ImageWriteError(f"{width} x {height} pixels cannot be encoded as JPEG XL ({error}): write .png") from None
    sink(_marked_srgb(bytes(data)) if deep else bytes(data))
    if metadata.exif is not None:
        sink(_box(b"Exif", bytes(4) + metadata.exif))
    if metadata.xmp is not None:
        sink(_box(b"xml ", metadata.xmp))
    return ()


def _marked_srgb(data: bytes) -> bytes:
    """Return a file, which the encoder marks as linear light where samples have 16 bits, marked as sRGB.

    Both words have four bits behind the same selector, and nothing else of a file without loss depends on them.
    """
    start = 0 if data.startswith(_BARE) else data.index(_BARE, data.index(b"jxl", len(_BOXED)) + 4)
    header = _header(data[start : start + _HEADER_BYTES])
    if header.transfer != _LINEAR:
        return data
    place = 8 * (start + 2) + header.transfer_place
    value = int.from_bytes(data[place // 8 : place // 8 + 2], "little")
    value = value & ~(15 << place % 8) | (_SRGB_TRANSFER - 2) << place % 8
    return data[: place // 8] + value.to_bytes(2, "little") + data[place // 8 + 2 :]


def _distance(quality: int) -> float:
    """Return libjxl's measure of loss for a quality, as its own tools do.

    >>> round(_distance(90), 2), round(_distance(10), 2)
    (1.0, 15.27)
    """
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25


def _box(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def _decoded_bytes(file: BinaryIO) -> int | None:
    stream = file.read(_HEADER_BYTES)
    if not stream.startswith(_BARE):
        start = stream.find(_BARE, stream.find(b"jxl") + 4)
        if start < 0:
            return None
        stream = stream[start:]
    header = _header(stream)
    return header.height * header.width * header.channels * (4 if header.floats else 2 if header.bits > 8 else 1)


FORMATS = (
    Format(
        name="jxl",
        title=_TITLE,
        suffixes=(".jxl",),
        aliases=("jpegxl",),
        codec=__name__,
        depths=("u8", "u16"),
        channels=(1, 2, 3, 4),
        signatures=(_BARE, _BOXED),
        metadata=("exif", "xmp"),
        encoder_options=("quality",),
        decoded_bytes=_decoded_bytes,
        sides=(1, 2**18),
    ),
)
