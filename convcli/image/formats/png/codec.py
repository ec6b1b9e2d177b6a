"""PNG: its metadata read and written, and its picture decoded and encoded in strips, on all cores.

The strips depend on the picture alone: the bytes are the same whatever the number of threads. They are written as they
are made, a few a thread at a time, so that the file as a whole is never held.

Source: PNG specification, third edition (W3C, 2025).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image.formats import opencv_codec
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.png import CHANNELS, SIGNATURE
from convcli.image.formats.png.chunks import (
    AGAIN,
    ChunkList,
    Header,
    chunk,
    decodes_in_strips,
    header_chunk,
    pieces,
    walk,
)
from convcli.image.formats.png.encoder import Strip, combine_adler, make_strip
from convcli.image.formats.png.records import metadata_chunks, read_metadata
from convcli.image.model import Image, check_fits_memory
from convcli.system.output_file import Sink
from convcli.system.threads import results_in_order

if TYPE_CHECKING:
    from convcli.image.formats.png.inflate import FilteredRows

_ORDER = {b"IHDR": 0, b"PLTE": 1, b"tRNS": 2, b"IDAT": 3, b"IEND": 4}
_COLOUR_TYPES = {1: 0, 3: 2, 2: 4, 4: 6}
_STRIP_BYTES = 2**20


def read(data: bytes | memoryview, name: str, threads: int = 1) -> Image:
    """Decode a PNG.

    Parameters
    ----------
    data : bytes-like
        The whole file.
    name : str
        What messages call it.
    threads : int
        How many to use on a large picture.

    Returns
    -------
    Image
        Gray, gray+alpha, RGB or RGBA, upright; u8 (fewer bits become 0..255) or u16. Notes say what is not kept.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    header, chunks = walk(data, name)
    return read_chunks(data, header, chunks, name, threads)


def read_chunks(
    data: bytes | memoryview,
    header: Header,
    chunks: ChunkList,
    name: str,
    threads: int,
    rows: FilteredRows | None = None,
) -> Image:
    """Decode a PNG whose chunks have been walked, and whose `rows` another thread may be inflating; see `read`."""
    transparent = dict(reversed(chunks)).get(b"tRNS")
    channels = CHANNELS[header.colour_type] + (transparent is not None)
    size = (header.height, header.width, channels)
    check_fits_memory(name, size, 2 if header.bits == 16 else 1, opencv_codec.MOST_PIXELS)
    pixels = None
    if decodes_in_strips(header, chunks):
        from convcli.image.formats.png.inflate import FilteredRows
        from convcli.image.formats.png.strips import decode_strips

        inflated = rows is not None
        pixels = decode_strips(header, rows or FilteredRows(header, chunks), threads, inflated=inflated)
    if pixels is None:
        pixels = _decode(data, header, chunks, transparent, name)
    metadata, notes = read_metadata(chunks, header)
    if metadata.exif is not None:
        from convcli.image.metadata.exif import orientation_of

        orientation = orientation_of(metadata.exif)
        pixels = opencv_codec.turn_upright(pixels, orientation)
        if metadata.resolution is not None and orientation >= 5:
            metadata = replace(metadata, resolution=metadata.resolution[::-1])
    return Image(pixels, pixels.shape[2] in (2, 4), metadata, "png", notes)


def _decode(
    data: bytes | memoryview, header: Header, chunks: ChunkList, transparent: memoryview | None, name: str
) -> NDArray[Any]:
    """Decode the picture as a whole by OpenCV."""
    # libpng warns on stderr of odd profiles and text that OpenCV does not use, so it is given the picture alone; a gray
    # picture's transparent shade, which OpenCV drops, is dealt with below.
    gray = header.colour_type in (0, 4)
    wanted = (b"IHDR", b"PLTE", b"IDAT", b"IEND") + (() if gray else (b"tRNS",))
    picture = data
    kinds = [kind for kind, _ in chunks]
    early = b"tRNS" in kinds and b"PLTE" in kinds and kinds.index(b"tRNS") < kinds.index(b"PLTE")
    if header.mended or early or any(kind not in wanted for kind in kinds):
        # In the order that libpng asks for: some files have the transparency of a palette before it.
        ordered = sorted((part for part in chunks if part[0] in wanted), key=lambda part: _ORDER[part[0]])
        parts = (piece for kind, body in ordered for piece in pieces(kind, body))
        picture = b"".join([SIGNATURE, *parts])
    opaque_colour = header.colour_type in (2, 3) and transparent is None
    pixels = opencv_codec.decode(picture, rgb=opaque_colour, talks=True)
    if pixels is None or pixels.shape[:2] != (header.height, header.width):
        raise ImageReadError(f"{name}: damaged PNG, its picture data cannot be decoded; {AGAIN}")
    if header.colour_type == 4:
        pixels = np.ascontiguousarray(pixels[:, :, ::3])
    elif header.colour_type == 0 and transparent is not None and len(transparent) >= 2:
        pixels = _with_transparent_shade(pixels, int.from_bytes(transparent[:2], "big"), header.bits)
    return pixels


def _with_transparent_shade(pixels: NDArray[Any], shade: int, bits: int) -> NDArray[Any]:
    """Add alpha to a gray picture of which one shade is transparent."""
    if bits < 8:
        shade = shade * 255 // (2**bits - 1)
    alpha = np.where(pixels == shade, 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    return np.concatenate([pixels, alpha], axis=2)


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode an image with its metadata to `sink`, piece by piece.

    Parameters
    ----------
    image : Image
        Gray, gray+alpha, RGB or RGBA, u8 or u16.
    sink : callable
        Called in this thread; no more than a few strips of about a megabyte are held for each thread.
    settings : EncoderSettings
        Its `compression` is `fast`, `balanced` or `small`; the bytes do not depend on its `threads`.

    Returns
    -------
    tuple of str
        Nothing: all that an image says has a place.
    """
    height, width, channels = image.pixels.shape
    sink(SIGNATURE + header_chunk(width, height, 8 * image.pixels.dtype.itemsize, _COLOUR_TYPES[channels]))
    for whole in metadata_chunks(image.metadata, channels, 8 * image.pixels.dtype.itemsize):
        sink(whole)
    # The threads of the pieces end where the sink fails.
    with closing(_picture_pieces(image.pixels, settings.compression, settings.threads)) as picture:
        for piece in picture:
            sink(piece)
    sink(chunk(b"IEND", b""))
    return ()


def _picture_pieces(pixels: NDArray[Any], compression: str, threads: int) -> Generator[bytes | memoryview, None, None]:
    """Filter and deflate the picture strip by strip, on several threads where there are several strips."""
    height = pixels.shape[0]
    row_bytes = pixels.shape[1] * pixels.shape[2] * pixels.dtype.itemsize
    rows = max(1, _STRIP_BYTES // row_bytes)
    strips = -(-height // rows)

    def make(number: int) -> Strip:
        return make_strip(pixels, number * rows, min((number + 1) * rows, height), compression)

    adler = 1
    for number, strip in enumerate(results_in_order(strips, make, threads)):
        adler = combine_adler(adler, strip.adler, strip.length)
        head = b"\x78\x01" if number == 0 else b""
        tail = adler.to_bytes(4, "big") if number == strips - 1 else b""
        yield from pieces(b"IDAT", head, strip.deflated, tail)
