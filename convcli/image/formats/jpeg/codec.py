"""JPEG: its segments walked and checked, its metadata read and put in; the picture itself is OpenCV's.

Source: ITU-T T.81, annex B; CIPA DC-008 (Exif); XMP specification part 3; ICC.1:2022, annex B.4.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image.formats import opencv_codec
from convcli.image.formats.codec import DEFAULT_QUALITY, EncoderSettings
from convcli.image.formats.jpeg import ALONE, FRAMES
from convcli.image.formats.jpeg.tables import quality_of, read_tables, subsampling_of, turned_subsampling
from convcli.image.metadata.exif import orientation_of
from convcli.image.metadata.xmp import without_gain_map
from convcli.image.model import Image, Metadata, check_fits_memory
from convcli.system.output_file import Sink

_START, _END, _SCAN, _TABLES, _COMMENT = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE
_END_MARK = b"\xff\xd9"
_LOSSLESS, _NEAR_LOSSLESS = 0xC3, 0xF7
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_INKS = 4
_DECODABLE = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_MOST_PIXELS_A_BYTE = 1024  # a block of 64 takes at least a bit, and components of half the size share it
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_LONG_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_MORE_PICTURES = b"MPF\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
_LARGEST_BODY = 65533
_LARGEST_ICC_PART = _LARGEST_BODY - len(_ICC) - 2
_CENTIMETRES_PER_INCH = 2.54
# In scan data FF is followed by 00, or is a restart marker, or a fill byte; anything else is the marker that ends it.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_AGAIN = "get the file again"
# What libjpeg prints where a scan is damaged or ends early; of bytes between segments it prints something else.
_SCAN_DAMAGE = re.compile(r"remature end|Huffman|arithmetic|RST|progression|before marker 0xd[0-7]")


@dataclass
class _Parts:
    """What the segments of a file say."""

    width: int = 0
    height: int = 0
    components: int = 0
    frame: int = 0
    bits: int = 8
    exif: bytes | None = None
    xmp: bytes | None = None
    lost: list[str] = field(default_factory=list)
    icc_parts: dict[int, bytes] = field(default_factory=dict)
    icc_count: int = 0
    density: tuple[float, float] | None = None
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    luma_table: int = 0
    factors: list[tuple[int, int]] = field(default_factory=list)
    comments: list[bytes] = field(default_factory=list)
    aspect: tuple[int, int] | None = None
    more_pictures: bool = False
    gain_map: bool = False
    ended: bool = True
    waiting: dict[int, list[int]] = field(default_factory=dict)

    @property
    def quality(self) -> int | None:
        """The quality of the luma, where it can be told."""
        table = self.tables.get(self.luma_table)
        return None if table is None else quality_of(table)

    def icc(self) -> bytes | None:
        """Return the profile, if all its parts are there."""
        wanted = range(1, self.icc_count + 1)
        return (
            b"".join(self.icc_parts[i] for i in wanted) if wanted and all(i in self.icc_parts for i in wanted) else None
        )


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a JPEG.

    Returns
    -------
    Image
        Gray or RGB, upright; u8, or u16 of one with more bits; CMYK becomes RGB. Notes say what is not kept.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large, or of a kind that OpenCV does not decode.
    """
    parts = _walk(data, name)
    channels = 1 if parts.components == 1 else 3
    deep = 2 if parts.bits > 8 else 1
    check_fits_memory(name, (parts.height, parts.width, channels), deep, opencv_codec.MOST_PIXELS)
    notes: list[str] = []
    icc = parts.icc()
    if parts.frame not in _DECODABLE or parts.bits != 8:
        pixels = _decode_unusual(data, parts, name)
    else:
        pixels = _decode(data, parts, name)
        if parts.components == _INKS:
            from convcli.image.formats.jpeg.inks import rgb_of_inks

            pixels, note = rgb_of_inks(data, icc, name)
            notes.append(note)
            icc = None
    orientation = orientation_of(parts.exif)
    resolution = parts.density if orientation < 5 or parts.density is None else parts.density[::-1]
    size = (parts.height, parts.width)
    subsampling = subsampling_of(parts.factors)
    xmp, gain_map = (parts.xmp, False) if parts.xmp is None else without_gain_map(parts.xmp)
    if gain_map or parts.gain_map:
        notes.append("its gain map is dropped, and what its metadata says of it: the picture is the one without HDR")
    elif parts.more_pictures:
        notes.append("its second picture (MPF) is dropped")
    metadata = Metadata(
        parts.exif,
        xmp,
        icc,
        resolution,
        size,
        jpeg_segments=tuple((_COMMENT, comment) for comment in parts.comments),
        jpeg_aspect=parts.aspect if orientation < 5 or parts.aspect is None else parts.aspect[::-1],
        jpeg_quality=parts.quality,
        jpeg_subsampling=subsampling if orientation < 5 else turned_subsampling(subsampling),
    )
    notes += (
        f"its {what} is lost: only EXIF, XMP, profile and resolution are kept" for what in dict.fromkeys(parts.lost)
    )
    return Image(opencv_codec.turn_upright(pixels, orientation), False, metadata, "jpeg", tuple(notes))


def _decode(data: bytes, parts: _Parts, name: str) -> NDArray[Any]:
    """Decode by OpenCV; raise where libjpeg, which goes on for itself, says that a scan is damaged."""
    said: list[str] = []
    whole = data if parts.ended else data + _END_MARK
    pixels = opencv_codec.decode(whole, rgb=parts.components != 1, talks=True, said=said)
    if any("remature end" in line for line in said):
        raise ImageReadError(f"{name}: truncated or damaged JPEG, its scan ends early; {_AGAIN}")
    if any(_SCAN_DAMAGE.search(line) for line in said):
        raise ImageReadError(f"{name}: damaged JPEG, its scan holds codes that mean nothing; {_AGAIN}")
    if pixels is None or pixels.shape[:2] != (parts.height, parts.width):
        raise ImageReadError(f"{name}: damaged JPEG, its picture data cannot be decoded; {_AGAIN}")
    return pixels


def _decode_unusual(data: bytes, parts: _Parts, name: str) -> NDArray[Any]:
    """Decode a lossless JPEG, or one of 12 bits, by imagecodecs; more than 8 bits become 0..65535."""
    import imagecodecs

    if parts.frame == _LOSSLESS:
        kind, decode = "lossless", imagecodecs.jpegsof3_decode
    elif parts.frame == _NEAR_LOSSLESS:
        kind, decode = "JPEG-LS", imagecodecs.jpegls_decode
    else:
        kind = "hierarchical" if parts.bits == 8 else f"{parts.bits}-bit"
        decode = imagecodecs.jpeg8_decode
    if parts.components == _INKS or not parts.ended or (parts.bits == 8 and kind == "hierarchical"):
        raise ImageReadError(f"{name}: a {kind} JPEG, which is not decoded; convert it to PNG or TIFF")
    try:
        pixels = decode(data)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:60]
        raise ImageReadError(
            f"{name}: a {kind} JPEG, which is not decoded ({reason}); convert it to PNG or TIFF"
        ) from None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape != (parts.height, parts.width, parts.components):
        raise ImageReadError(f"{name}: a {kind} JPEG, which is not decoded; convert it to PNG or TIFF")
    white = np.iinfo(pixels.dtype).max
    if parts.bits not in (8, 16):
        pixels = np.rint(pixels * (white / (2**parts.bits - 1))).astype(pixels.dtype)
    return np.ascontiguousarray(pixels)


def _walk(data: bytes, name: str) -> _Parts:
    """Check that all segments are whole up to the end mark, also behind each scan, and collect what they say."""
    parts = _Parts()
    for marker, body in _segments(data, name):
        if (marker in FRAMES or marker == _NEAR_LOSSLESS) and parts.frame == 0:
            parts.frame = marker
            _read_frame(body, parts, name)
        elif marker == _TABLES:
            parts.tables.update(read_tables(body))
        elif marker == _COMMENT:
            parts.comments.append(bytes(body))
        elif marker == _SCAN and parts.frame in _PROGRESSIVE:
            _note_scan(body, parts)
        elif marker == _END:
            parts.ended = False
        elif 0xE0 <= marker <= 0xEF:
            _read_application(marker, body, parts)
    if not parts.ended and any(any(planes) for planes in parts.waiting.values()):
        raise ImageReadError(f"{name}: truncated JPEG, it ends after {len(data)} bytes, before its last scan; {_AGAIN}")
    if parts.width == 0 or parts.height == 0:
        raise ImageReadError(f"{name}: damaged JPEG, it states no size; {_AGAIN}")
    if parts.frame in _HUFFMAN and parts.width * parts.height > _MOST_PIXELS_A_BYTE * len(data):
        raise ImageReadError(
            f"{name}: damaged JPEG, {len(data)} bytes cannot make {parts.width} x {parts.height} pixels; {_AGAIN}"
        )
    return parts


def _read_application(marker: int, body: memoryview, parts: _Parts) -> None:
    """Collect what an application segment says: JFIF, EXIF, XMP, a profile, or pictures behind this one."""
    start = bytes(body[:64])
    if marker == 0xE0 and start.startswith(b"JFIF\0") and len(body) >= 12:
        unit, across, down = struct.unpack(">BHH", body[7:12])
        parts.density = _density(unit, across, down)
        if unit == 0 and across and down and across != down:
            parts.aspect = across, down
    elif marker == 0xE1 and start.startswith(_EXIF) and parts.exif is None:
        parts.exif = bytes(body[len(_EXIF) :])
    elif marker == 0xE1 and start.startswith(_XMP) and parts.xmp is None:
        parts.xmp = bytes(body[len(_XMP) :])
    elif marker == 0xE1 and start.startswith(_LONG_XMP):
        parts.lost.append("extended XMP")
    elif marker == 0xE2 and start.startswith(_ICC) and len(body) > len(_ICC) + 2:
        index, parts.icc_count = body[len(_ICC)], body[len(_ICC) + 1]
        parts.icc_parts[index] = bytes(body[len(_ICC) + 2 :])
    elif marker == 0xE2:
        parts.more_pictures |= start.startswith(_MORE_PICTURES)
        parts.gain_map |= start.startswith(_ISO_GAIN_MAP)
    elif marker == 0xED:
        parts.lost.append("IPTC block")


def _read_frame(body: memoryview, parts: _Parts, name: str) -> None:
    if len(body) < 6:
        raise ImageReadError(f"{name}: damaged JPEG, its frame header is too short; {_AGAIN}")
    parts.bits, parts.height, parts.width, parts.components = struct.unpack(">BHHB", body[:6])
    components = [body[at : at + 3] for at in range(6, min(len(body) - 2, 6 + 3 * parts.components), 3)]
    parts.factors = [(sampling >> 4, sampling & 15) for _, sampling, _ in components]
    parts.luma_table = components[0][2] if components else 0
    if parts.frame in _PROGRESSIVE:
        parts.waiting = {component[0]: [1] * 64 for component in components}


def _note_scan(body: memoryview, parts: _Parts) -> None:
    """Note which bits of which coefficients a scan brings: of each, `waiting` holds whether bits are still to come."""
    count = body[0] if len(body) else 0
    if len(body) < 4 + 2 * count:
        return
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    for place in range(count):
        waiting = parts.waiting.get(body[1 + 2 * place])
        if waiting is not None and first <= last < 64:
            waiting[first : last + 1] = [bits & 15] * (last + 1 - first)


def _segments(data: bytes, name: str) -> Iterator[tuple[int, memoryview]]:
    """Yield each segment's marker and body, and the end mark's where there is none; raise where a segment is cut."""
    view = memoryview(data)
    truncated = ImageReadError(
        f"{name}: truncated JPEG, it ends after {len(data)} bytes without its end mark; {_AGAIN}"
    )
    place, scans = 2, 0
    while True:
        if place + 2 > len(data) or data[place] != 0xFF:
            # Others pass over stray bytes between segments, and do without the end mark, and so is it done here.
            found = _MARKER_IN_SCAN.search(data, place)
            if found is None and scans:
                yield _END, view[:0]
                return
            if found is None:
                raise truncated
            place = found.start()
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        place += 2
        if marker == _END:
            if scans == 0:
                raise ImageReadError(f"{name}: damaged JPEG, it holds no picture data; {_AGAIN}")
            return
        if marker in ALONE:
            continue
        length = int.from_bytes(view[place : place + 2], "big")
        if place + max(length, 2) > len(data):
            raise truncated
        if length < 2:
            raise ImageReadError(f"{name}: damaged JPEG, a segment of no length at byte {place}; {_AGAIN}")
        yield marker, view[place + 2 : place + length]
        place += length
        if marker == _SCAN:
            scans += 1
            found = _MARKER_IN_SCAN.search(data, place)
            if found is None:
                yield _END, view[:0]
                return
            place = found.start()


def _density(unit: int, across: int, down: int) -> tuple[float, float] | None:
    per_inch = {1: 1.0, 2: _CENTIMETRES_PER_INCH}.get(unit)
    return (across * per_inch, down * per_inch) if per_inch is not None and across and down else None


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray or RGB u8 with its metadata to `sink`.

    Parameters
    ----------
    image : Image
        Where it comes from a JPEG, its quality and chroma subsampling are those by default; else 95 and 4:2:0.
    sink : callable
        Called with the whole file.
    settings : EncoderSettings
        Its `quality` is heeded.

    Returns
    -------
    tuple of str
        Notes of what had no room.

    Raises
    ------
    ImageWriteError
        Where OpenCV cannot encode it.
    """
    metadata = image.metadata
    quality = settings.quality or metadata.jpeg_quality or DEFAULT_QUALITY
    parameters = [opencv_codec.JPEG_QUALITY, quality]
    if metadata.jpeg_subsampling is not None:
        parameters += [opencv_codec.JPEG_SUBSAMPLING, opencv_codec.JPEG_SUBSAMPLINGS[metadata.jpeg_subsampling]]
    data = opencv_codec.encode_or_raise(".jpg", image.pixels, "JPEG", parameters, advice=".png or .tiff")
    body_start = 2
    if data[2:4] == b"\xff\xe0":
        body_start = 4 + int.from_bytes(data[4:6], "big")
    metadata, notes = _with_room(metadata)
    sink(
        b"".join(
            [
                data[:2],
                _jfif(metadata.resolution, metadata.jpeg_aspect),
                *_metadata_segments(metadata),
                data[body_start:],
            ]
        )
    )
    return notes


def _with_room(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """Take out the blocks that are too long for a segment."""
    notes = []
    if metadata.exif is not None and len(_EXIF) + len(metadata.exif) > _LARGEST_BODY:
        metadata = replace(metadata, exif=None)
        notes.append("EXIF is lost: JPEG has room for 64 KB of it")
    if metadata.xmp is not None and len(_XMP) + len(metadata.xmp) > _LARGEST_BODY:
        metadata = replace(metadata, xmp=None)
        notes.append("XMP is lost: JPEG has room for 64 KB of it")
    if metadata.icc is not None and len(metadata.icc) > 255 * _LARGEST_ICC_PART:
        metadata = replace(metadata, icc=None)
        notes.append("the colour profile is lost: JPEG has room for 16 MB of it")
    return metadata, tuple(notes)


def _jfif(resolution: tuple[float, float] | None, aspect: tuple[int, int] | None) -> bytes:
    """Build the JFIF segment, in whole dots an inch or a centimetre, whichever is nearer the truth."""
    unit, (across, down) = 0, aspect or (1, 1)
    if resolution is not None:
        choices = []
        for code, scale in ((1, 1.0), (2, 1 / _CENTIMETRES_PER_INCH)):
            exact = [value * scale for value in resolution]
            error = max(abs(round(value) - value) / value for value in exact) if min(exact) > 0 else np.inf
            choices.append((error, code, [round(value) for value in exact]))
        error, code, (x, y) = min(choices)
        if error < 0.5 and max(x, y) < 65536:
            unit, across, down = code, x, y
    return _segment(0xE0, b"JFIF\0\x01\x01" + struct.pack(">BHHBB", unit, across, down, 0, 0))


def _metadata_segments(metadata: Metadata) -> Iterator[bytes]:
    if metadata.exif is not None:
        yield _segment(0xE1, _EXIF + metadata.exif)
    if metadata.xmp is not None:
        yield _segment(0xE1, _XMP + metadata.xmp)
    if metadata.icc is not None:
        parts = [metadata.icc[i : i + _LARGEST_ICC_PART] for i in range(0, len(metadata.icc), _LARGEST_ICC_PART)]
        for index, part in enumerate(parts, start=1):
            yield _segment(0xE2, _ICC + bytes([index, len(parts)]) + part)
    for marker, body in metadata.jpeg_segments:
        yield _segment(marker, body)


def _segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
