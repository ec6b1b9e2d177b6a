"""A large PNG decoded strip by strip, on several threads, while its stream is still being inflated.

Inflating is most of what decoding takes, and zlib, which libpng does it by, is slow. So the stream is inflated by
ISA-L; each strip of filtered rows is then wrapped up as a small PNG of its own, deflated without compression, for
libpng to undo the filters. A strip whose first row is filtered by the row above it is given that row, decoded.
"""

import threading
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from convcli.image.formats import opencv_codec
from convcli.image.formats.png import CHANNELS, SIGNATURE
from convcli.image.formats.png.chunks import STRIP_BYTES, Header, chunk, header_chunk, pieces
from convcli.image.formats.png.inflate import FilteredRows
from convcli.system.threads import run_tasks

_STORED = 0xFFFF  # what a block without compression holds at most
_SUB = 1
_END = chunk(b"IEND", b"")


def decode_strips(header: Header, rows: FilteredRows, threads: int, *, inflated: bool = False) -> NDArray[Any] | None:
    """Decode a picture while its rows are being inflated.

    Parameters
    ----------
    header : Header
        What IHDR says.
    rows : FilteredRows
        The rows, inflated here, on one of the threads, unless `inflated`.
    threads : int
        How many to use.
    inflated : bool
        Whether `rows` have been inflated, or another thread does it.

    Returns
    -------
    ndarray or None
        Samples (H, W, C), u8 or u16; None where the stream is not sound.
    """
    dtype = np.uint16 if header.bits == 16 else np.uint8
    pixels: NDArray[Any] = np.empty((header.height, header.width, CHANNELS[header.colour_type]), dtype)
    height = max(1, STRIP_BYTES // rows.row)
    strips = [(top, min(top + height, header.height)) for top in range(0, header.height, height)]
    done = [threading.Event() for _ in strips]
    failed: list[int] = []

    def do(number: int) -> None:
        top, bottom = strips[number]
        try:
            if not failed and rows.wait_for(bottom):
                leans = top > 0 and rows.bytes[top * rows.row] > _SUB
                if leans:
                    done[number - 1].wait()  # taken by a thread before this one was
                if not failed and not _decode_strip(header, rows, pixels, top, bottom, leans):
                    failed.append(number)
        finally:
            done[number].set()

    run_tasks(len(strips), lambda: do, threads, first=None if inflated else rows.inflate)
    return None if failed or rows.damaged else pixels


def _decode_strip(header: Header, rows: FilteredRows, pixels: NDArray[Any], top: int, bottom: int, leans: bool) -> bool:
    """Have libpng undo the filters of rows top to bottom, into `pixels`; return whether it could."""
    filtered = memoryview(rows.bytes)[top * rows.row : bottom * rows.row]
    above = b"\0" + _as_stored(pixels[top - 1]) if leans else b""
    body = b"".join(_stored_stream(above, filtered))
    size = header.width, bottom - top + leans, header.bits, header.colour_type
    file = b"".join([SIGNATURE, header_chunk(*size), *pieces(b"IDAT", body), _END])
    strip = opencv_codec.decode(file, rgb=header.colour_type == 2)
    if strip is None or strip.shape[:2] != (size[1], size[0]):
        return False
    if header.colour_type == 4:
        strip = strip[:, :, ::3]  # OpenCV makes gray with alpha RGBA
    if strip.dtype != pixels.dtype or strip.shape[2] != pixels.shape[2]:
        return False
    pixels[top:bottom] = strip[leans:]
    return True


def _as_stored(row: NDArray[Any]) -> bytes:
    return row.astype(row.dtype.newbyteorder(">"), copy=False).tobytes()


def _stored_stream(above: bytes, filtered: memoryview) -> list[bytes | memoryview]:
    """Return a zlib stream of blocks that hold bytes as they are (RFC 1951, section 3.2.4), in pieces."""
    parts: list[bytes | memoryview] = [b"\x78\x01"]
    if above:
        parts += _stored_blocks(memoryview(above), last=False)
    parts += _stored_blocks(filtered, last=True)
    return [*parts, isal_zlib.adler32(filtered, isal_zlib.adler32(above)).to_bytes(4, "big")]


def _stored_blocks(data: memoryview, last: bool) -> list[bytes | memoryview]:
    blocks: list[bytes | memoryview] = []
    for at in range(0, len(data), _STORED):
        part = data[at : at + _STORED]
        final = last and at + len(part) == len(data)
        blocks += (bytes([final]) + len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little"), part)
    return blocks
