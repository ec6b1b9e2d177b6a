"""PNG's chunks: walked and checked in a file, and made. Imports neither numpy nor cv2.

Source: PNG specification, third edition (W3C, 2025), sections 5 and 11.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from isal import isal_zlib
from isal.isal_zlib import IsalError

from convcli.errors import ImageReadError
from convcli.image.formats.png import CHANNELS, SIGNATURE

AGAIN = "get the file again"
STRIP_BYTES = 2**19  # of rows that are decoded at a time

_LEAST_STRIPS = 4
_SAMPLES = {**CHANNELS, 3: 1}
_MOST_INFLATION = 1032  # deflate turns at most 258 bytes into two bits
_PIECE = 2**16  # of compressed bytes that are checked at a time
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}

ChunkList = list[tuple[bytes, memoryview]]


@dataclass(frozen=True)
class Header:
    """What IHDR says.

    Parameters
    ----------
    width, height : int
        In pixels.
    bits : int
        Of a sample: 1, 2, 4, 8 or 16.
    colour_type : int
        0 gray, 2 RGB, 3 palette, 4 gray+alpha, 6 RGBA.
    interlaced : bool
        Whether the rows are interlaced.
    mended : bool
        Whether its end mark is missing, or a checksum is wrong though the picture data is right by its own.
    """

    width: int
    height: int
    bits: int
    colour_type: int
    interlaced: bool
    mended: bool = False

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of samples, without its filter's number before it."""
        return (self.width * self.bits * _SAMPLES[self.colour_type] + 7) // 8

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel, at least one."""
        return max(1, self.bits * _SAMPLES[self.colour_type] // 8)


def walk(data: bytes | memoryview, name: str) -> tuple[Header, ChunkList]:
    """Check that all chunks are whole up to IEND.

    Parameters
    ----------
    data : bytes-like
        The whole file.
    name : str
        What messages call it.

    Returns
    -------
    Header, list of (bytes, memoryview)
        What IHDR says, and every chunk's type and body; a damaged chunk that may be missing is left out.

    Raises
    ------
    ImageReadError
        For a file that is cut short or damaged, or holds what its readers must know and this one does not.
    """
    view = memoryview(data)
    chunks: ChunkList = []
    place = len(SIGNATURE)
    doubted = False
    while True:
        if place + 12 > len(view):
            if any(kind == b"IDAT" for kind, _ in chunks):
                header = _header(chunks, name)
                _check_stream(chunks, name)  # others read what has all but its end mark
                return replace(header, mended=True), [*chunks, (b"IEND", view[:0])]
            raise ImageReadError(
                f"{name}: truncated PNG, it ends after {len(view)} bytes without its end mark; {AGAIN}"
            )
        length = int.from_bytes(view[place : place + 4], "big")
        kind = bytes(view[place + 4 : place + 8])
        if not kind.isalpha():
            raise ImageReadError(f"{name}: damaged PNG, no chunk at byte {place}; {AGAIN}")
        shown = kind.decode("ascii")
        stop = place + 8 + length
        if stop + 4 > len(view):
            raise ImageReadError(
                f"{name}: truncated PNG, its {shown} chunk wants {stop + 4 - len(view)} more bytes; {AGAIN}"
            )
        sound = isal_zlib.crc32(view[place + 4 : stop]) == int.from_bytes(view[stop : stop + 4], "big")
        critical = not kind[0] & 0x20
        doubted |= not sound and kind == b"IDAT"
        if not sound and critical and kind != b"IDAT":
            raise ImageReadError(f"{name}: damaged PNG, wrong checksum in {shown!r} at {place}; {AGAIN}")
        if critical and kind not in _CRITICAL:
            raise ImageReadError(
                f"{name}: a PNG with a chunk {shown!r}, which nobody may pass over and is not known here; save it anew"
            )
        if sound or kind == b"IDAT":
            chunks.append((kind, view[place + 8 : stop]))
        if kind == b"IEND":
            header = _header(chunks, name)
            if doubted:
                _check_stream(chunks, name)
            return replace(header, mended=doubted), chunks
        place = stop + 4


def _check_stream(chunks: ChunkList, name: str) -> None:
    """Check the picture's stream by its own checksum, where that of a chunk is wrong or the end mark missing."""
    inflater = isal_zlib.decompressobj()
    try:
        for _, body in (part for part in chunks if part[0] == b"IDAT"):
            for start in range(0, len(body), _PIECE):
                inflater.decompress(body[start : start + _PIECE])
    except IsalError:  # type: ignore[misc]  # which the stub takes for a class of its own
        raise ImageReadError(f"{name}: damaged PNG, wrong checksum in its picture data; {AGAIN}") from None
    if not inflater.eof:
        raise ImageReadError(f"{name}: truncated PNG, its picture data ends early; {AGAIN}")


def _header(chunks: ChunkList, name: str) -> Header:
    kind, body = chunks[0]
    if kind != b"IHDR" or len(body) != 13:
        raise ImageReadError(f"{name}: damaged PNG, it does not start with its header; {AGAIN}")
    width, height, bits, colour_type, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if (
        not (0 < width < 2**31 and 0 < height < 2**31)
        or bits not in _DEPTHS.get(colour_type, ())
        or compression
        or filtering
        or interlace > 1
    ):
        raise ImageReadError(f"{name}: damaged PNG, its header is not one that PNG allows; {AGAIN}")
    deflated = sum(len(body) for kind, body in chunks if kind == b"IDAT")
    if deflated == 0:
        raise ImageReadError(f"{name}: damaged PNG, it holds no picture data; {AGAIN}")
    if width * height * bits * _SAMPLES[colour_type] // 8 > _MOST_INFLATION * (deflated + 16):
        raise ImageReadError(
            f"{name}: damaged PNG, {deflated} bytes of picture data cannot make {width} x {height} pixels; {AGAIN}"
        )
    return Header(width, height, bits, colour_type, bool(interlace))


def decodes_in_strips(header: Header, chunks: ChunkList) -> bool:
    """Whether a picture is of a kind and size that is inflated and decoded in strips: whole bytes, opaque, large."""
    large = header.height * header.row_bytes >= _LEAST_STRIPS * STRIP_BYTES and header.row_bytes < STRIP_BYTES
    plain = not header.interlaced and header.bits >= 8 and header.colour_type != 3
    return large and plain and all(kind != b"tRNS" for kind, _ in chunks)


def header_chunk(width: int, height: int, bits: int, colour_type: int) -> bytes:
    """Return the IHDR chunk of a picture that is not interlaced."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))


def chunk(kind: bytes, body: bytes | memoryview) -> bytes:
    """Return a chunk in one piece.

    >>> chunk(b"IEND", b"").hex(" ", 4)
    '00000000 49454e44 ae426082'
    """
    return b"".join(pieces(kind, body))


def pieces(kind: bytes, *bodies: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """Yield the pieces of a chunk whose body is in pieces, none of which is copied."""
    checksum = isal_zlib.crc32(kind)
    for body in bodies:
        checksum = isal_zlib.crc32(body, checksum)
    yield sum(map(len, bodies)).to_bytes(4, "big") + kind
    yield from bodies
    yield checksum.to_bytes(4, "big")
