"""What a PNG says beside its picture, read into metadata and written from it.

Source: PNG specification, third edition (W3C, 2025), sections 11.3.2 to 11.3.6.
"""

import struct
import zlib
from collections.abc import Iterator

from convcli.image.formats.png.chunks import ChunkList, Header, chunk
from convcli.image.model import Metadata

_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_COLOUR_CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI", b"sBIT")
_LOST = {b"hIST": "histogram", b"sPLT": "suggested palette"}
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_LARGEST_METADATA = 64 * 2**20  # what a compressed text or profile may grow to: enough for any real one
_METRES_PER_INCH = 0.0254
_PALETTE, _WIDE = 3, 257  # u8 to u16: 255 becomes 65535


def read_metadata(chunks: ChunkList, header: Header) -> tuple[Metadata, tuple[str, ...]]:
    """Return what chunks say, and notes of what is not kept.

    Parameters
    ----------
    chunks : list of (bytes, memoryview)
        All chunks of the file.
    header : Header
        What its IHDR says.

    Returns
    -------
    Metadata, tuple of str
        A background is brought to 16 bits of gray or RGB, whatever the picture is stored in.
    """
    exif = xmp = icc = resolution = None
    colour: list[tuple[bytes, bytes]] = []
    others: list[tuple[bytes, bytes]] = []
    notes: list[str] = []
    palette = dict(reversed(chunks)).get(b"PLTE")
    for kind, view in chunks:
        if kind == b"eXIf":
            exif = bytes(view)
        elif kind == b"iCCP":
            icc = _inflate(bytes(view).partition(b"\0")[2][1:])
            if icc is None:
                notes.append("its damaged colour profile is ignored")
        elif kind == b"iTXt" and bytes(view[: len(_XMP_KEYWORD) + 1]) == _XMP_KEYWORD + b"\0":
            xmp = _international_text(bytes(view[len(_XMP_KEYWORD) + 1 :]))
        elif kind == b"pHYs" and len(view) == 9 and view[8] == 1:
            across, down = struct.unpack(">II", view[:8])
            resolution = (across * _METRES_PER_INCH, down * _METRES_PER_INCH)
        elif kind in _COLOUR_CHUNKS:
            colour.append((kind, bytes(view)))
        elif kind in (*_TEXT_CHUNKS, b"tIME") or (kind == b"pHYs" and len(view) == 9):
            others.append((kind, bytes(view)))
        elif kind == b"bKGD":
            background = _background(bytes(view), palette, header)
            if background is not None:
                others.append((kind, background))
        elif kind in _LOST:
            notes.append(f"its {_LOST[kind]} is dropped: the colours are others now")
        elif kind == b"acTL":
            notes.append("an animation: only its first picture is used")
    size = (header.height, header.width)
    kept = Metadata(exif, xmp, icc, resolution, size, tuple(colour), png_chunks=tuple(others))
    return kept, tuple(dict.fromkeys(notes))


def _background(body: bytes, palette: memoryview | None, header: Header) -> bytes | None:
    if header.colour_type == _PALETTE:
        place = 3 * body[0] if body else 0
        if palette is None or place + 3 > len(palette):
            return None
        return struct.pack(">3H", *(value * _WIDE for value in palette[place : place + 3]))
    if len(body) not in (2, 6):
        return None
    most = (1 << header.bits) - 1
    values = struct.unpack(f">{len(body) // 2}H", body)
    return struct.pack(f">{len(values)}H", *(min(value, most) * 65535 // most for value in values))


def _inflate(data: bytes) -> bytes | None:
    """Inflate a profile or text, refusing damage and one that would grow beyond all measure."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, _LARGEST_METADATA)
    except zlib.error:
        return None
    return text if inflater.eof else None


def _international_text(body: bytes) -> bytes | None:
    """Return the text of an iTXt chunk behind its keyword: flag, method, language, translated keyword, text."""
    fields = body[2:].split(b"\0", 2)
    if len(body) < 2 or len(fields) < 3:
        return None
    return _inflate(fields[2]) if body[0] == 1 else fields[2]


def metadata_chunks(metadata: Metadata, channels: int, bits: int) -> Iterator[bytes]:
    """Yield the chunks in the order that PNG asks for: colour before the picture, and a profile in place of sRGB.

    Parameters
    ----------
    metadata : Metadata
        What there is to say.
    channels, bits : int
        Of the picture: 1 to 4, 8 or 16.
    """
    for kind, body in metadata.png_colour:
        held = _significant(body, channels, bits) if kind == b"sBIT" else body
        if held and not (kind == b"sRGB" and metadata.icc is not None):
            yield chunk(kind, held)
    if metadata.icc is not None:
        yield chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc, 9))
    if metadata.resolution is not None:
        across, down = (round(value / _METRES_PER_INCH) for value in metadata.resolution)
        if 0 < across < 2**31 and 0 < down < 2**31:
            yield chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    for kind, body in metadata.png_chunks:
        if kind == b"bKGD":
            values = [
                value if bits == 16 else round(value / _WIDE) for value in struct.unpack(f">{len(body) // 2}H", body)
            ]
            if len(values) == (1 if channels < 3 else 3):
                yield chunk(kind, struct.pack(f">{len(values)}H", *values))
        else:
            yield chunk(kind, body)
    if metadata.exif is not None:
        yield chunk(b"eXIf", metadata.exif)
    if metadata.xmp is not None:
        yield chunk(b"iTXt", _XMP_KEYWORD + bytes(5) + metadata.xmp)


def _significant(body: bytes, channels: int, bits: int) -> bytes:
    """Return the significant bits of channels that may have got alpha; nothing where they are of another picture."""
    colours = 1 if channels < 3 else 3
    if len(body) < colours or (colours == 1 and len(body) > 2) or max(body) > bits or 0 in body:
        return b""
    return body[:channels] if len(body) >= channels else body[:colours] + bytes([bits])
