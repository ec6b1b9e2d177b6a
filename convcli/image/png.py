"""PNG: its chunks walked and checked, its metadata, and an encoder that uses all cores.

The encoder filters and deflates strips of rows side by side. Each strip's deflate ends on a byte boundary (a full
flush), so that the strips joined are one stream, whose Adler-32 is computed from the strips'. The strips depend on the
picture alone: the bytes are the same whatever the number of threads.

Source: PNG specification, third edition (W3C, 2025); RFC 1950 and 1951.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image import codec, memory
from convcli.image.exif import orientation_of
from convcli.image.model import Image, Metadata

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_SAMPLES = {**_CHANNELS, 3: 1}
_MOST_INFLATION = 1032  # deflate turns at most 258 bytes into two bits
_COLOUR_TYPES = {1: 0, 3: 2, 2: 4, 4: 6}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_COLOUR_CHUNKS = (b"cICP", b"sRGB", b"gAMA", b"cHRM")
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_LARGEST_METADATA = 64 * 2**20  # what a compressed text or profile may grow to: enough for any real one
_METRES_PER_INCH = 0.0254
_STRIP_BYTES = 2**20
_SAMPLE_ROWS = 8

_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    bits: int
    colour_type: int


def read(data: bytes, name: str) -> Image:
    """Read a PNG: gray, gray+alpha, RGB or RGBA, u8 (fewer bits become 0..255) or u16. Raises ImageReadError."""
    header, chunks = _walk(data, name)
    kinds = dict(reversed(chunks))
    transparent = kinds.get(b"tRNS")
    gray = header.colour_type in (0, 4)
    channels = _CHANNELS[header.colour_type] + (transparent is not None)
    size = (header.height, header.width, channels)
    memory.check_pixels(name, size, 2 if header.bits == 16 else 1, codec.MOST_PIXELS)
    # libpng warns on stderr of odd profiles and text that OpenCV does not use, so it is given the picture alone; a gray
    # picture's transparent shade, which OpenCV drops, is dealt with below.
    wanted = (b"IHDR", b"PLTE", b"IDAT", b"IEND") + (() if gray else (b"tRNS",))
    picture = b"".join([SIGNATURE, *(_chunk(kind, body) for kind, body in chunks if kind in wanted)])
    opaque_colour = header.colour_type in (2, 3) and transparent is None
    pixels = codec.decode(picture, rgb=opaque_colour)
    if pixels is None or pixels.shape[:2] != (header.height, header.width):
        raise ImageReadError(f"{name}: damaged PNG, its picture data cannot be decoded; get the file again")
    if header.colour_type == 4:
        pixels = np.ascontiguousarray(pixels[:, :, ::3])
    elif header.colour_type == 0 and transparent is not None and len(transparent) >= 2:
        pixels = _with_transparent_shade(pixels, int.from_bytes(transparent[:2], "big"), header.bits)
    metadata, notes = _metadata(chunks, header)
    orientation = orientation_of(metadata.exif)
    pixels = codec.turn_upright(pixels, orientation) if orientation != 1 else pixels
    if metadata.resolution is not None and orientation >= 5:
        metadata = _with_swapped_resolution(metadata)
    return Image(pixels, pixels.shape[2] in (2, 4), metadata, "png", notes)


def _with_transparent_shade(pixels: NDArray[Any], shade: int, bits: int) -> NDArray[Any]:
    """Add alpha to a gray picture of which one shade is transparent."""
    if bits < 8:
        shade = shade * 255 // (2**bits - 1)
    alpha = np.where(pixels == shade, 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    return np.concatenate([pixels, alpha], axis=2)


def _with_swapped_resolution(metadata: Metadata) -> Metadata:
    return replace(metadata, resolution=metadata.resolution[::-1] if metadata.resolution else None)


def _walk(data: bytes, name: str) -> tuple[_Header, list[tuple[bytes, memoryview]]]:
    """Check that all chunks are whole up to IEND, and return the header and every chunk with its body."""
    view = memoryview(data)
    chunks: list[tuple[bytes, memoryview]] = []
    place = len(SIGNATURE)
    while True:
        if place + 12 > len(data):
            raise ImageReadError(
                f"{name}: truncated PNG, it ends after {len(data)} bytes without its end mark; {_AGAIN}"
            )
        length = int.from_bytes(view[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        stop = place + 8 + length
        if stop + 4 > len(data):
            shown = kind.decode("latin-1")
            raise ImageReadError(
                f"{name}: truncated PNG, its {shown} chunk wants {stop + 4 - len(data)} more bytes; {_AGAIN}"
            )
        sound = isal_zlib.crc32(view[place + 4 : stop]) == int.from_bytes(view[stop : stop + 4], "big")
        critical = not kind[0] & 0x20
        if not sound and critical:
            raise ImageReadError(
                f"{name}: damaged PNG, wrong checksum in {kind.decode('latin-1')!r} at {place}; {_AGAIN}"
            )
        if sound:
            chunks.append((kind, view[place + 8 : stop]))
        if kind == b"IEND":
            return _header(chunks, name), chunks
        place = stop + 4


_AGAIN = "get the file again"


def _header(chunks: list[tuple[bytes, memoryview]], name: str) -> _Header:
    kind, body = chunks[0]
    if kind != b"IHDR" or len(body) != 13:
        raise ImageReadError(f"{name}: damaged PNG, it does not start with its header; {_AGAIN}")
    width, height, bits, colour_type, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if (
        not (0 < width < 2**31 and 0 < height < 2**31)
        or bits not in _DEPTHS.get(colour_type, ())
        or compression
        or filtering
        or interlace > 1
    ):
        raise ImageReadError(f"{name}: damaged PNG, its header is not one that PNG allows; {_AGAIN}")
    deflated = sum(len(body) for kind, body in chunks if kind == b"IDAT")
    if deflated == 0:
        raise ImageReadError(f"{name}: damaged PNG, it holds no picture data; {_AGAIN}")
    if width * height * bits * _SAMPLES[colour_type] // 8 > _MOST_INFLATION * (deflated + 16):
        raise ImageReadError(
            f"{name}: damaged PNG, {deflated} bytes of picture data cannot make {width} x {height} pixels; {_AGAIN}"
        )
    return _Header(width, height, bits, colour_type)


def _metadata(chunks: list[tuple[bytes, memoryview]], header: _Header) -> tuple[Metadata, tuple[str, ...]]:
    exif = xmp = icc = resolution = None
    colour: list[tuple[bytes, bytes]] = []
    notes, texts = [], []
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
        elif kind in _TEXT_CHUNKS:
            texts.append(bytes(view[:80]).partition(b"\0")[0].decode("latin-1"))
        elif kind == b"acTL":
            notes.append("an animation: only its first picture is used")
    if texts:
        named = ", ".join(dict.fromkeys(texts))
        notes.append(f"its text is lost ({named}): only EXIF, XMP, profile and resolution are kept")
    size = (header.height, header.width)
    return Metadata(exif, xmp, icc, resolution, size, tuple(colour)), tuple(notes)


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


def encode(pixels: NDArray[Any], metadata: Metadata, *, compression: str, threads: int) -> bytes:
    """Encode (H, W, C) u8 or u16 samples, C from 1 (gray) to 4 (RGBA), with its metadata.

    `compression` is `fast`, `balanced` or `small`. The bytes do not depend on `threads`.
    """
    height, width, channels = pixels.shape
    bits = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    before = [_chunk(b"IHDR", header), *_metadata_chunks(metadata)]
    return b"".join([SIGNATURE, *before, *_picture_chunks(pixels, compression, threads), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, body: bytes | memoryview) -> bytes:
    checksum = isal_zlib.crc32(body, isal_zlib.crc32(kind))
    return b"".join([len(body).to_bytes(4, "big"), kind, body, checksum.to_bytes(4, "big")])


def _metadata_chunks(metadata: Metadata) -> Iterator[bytes]:
    """Give the chunks in the order that PNG asks for: colour before the picture, and a profile in place of sRGB."""
    for kind, body in metadata.png_colour:
        if not (kind == b"sRGB" and metadata.icc is not None):
            yield _chunk(kind, body)
    if metadata.icc is not None:
        yield _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc, 9))
    if metadata.resolution is not None:
        across, down = (round(value / _METRES_PER_INCH) for value in metadata.resolution)
        if 0 < across < 2**31 and 0 < down < 2**31:
            yield _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    if metadata.exif is not None:
        yield _chunk(b"eXIf", metadata.exif)
    if metadata.xmp is not None:
        yield _chunk(b"iTXt", _XMP_KEYWORD + bytes(5) + metadata.xmp)


def _picture_chunks(pixels: NDArray[Any], compression: str, threads: int) -> Iterator[bytes]:
    """Filter and deflate the picture strip by strip, on several threads where there are several strips."""
    height = pixels.shape[0]
    row_bytes = pixels.shape[1] * pixels.shape[2] * pixels.dtype.itemsize
    rows = max(1, _STRIP_BYTES // row_bytes)
    starts = range(0, height, rows)

    def deflate(start: int) -> tuple[bytes, int, int]:
        stop = min(start + rows, height)
        return _deflate_strip(pixels, start, stop, compression, last=stop == height)

    adler = 1
    for index, (deflated, checksum, length) in enumerate(_map(deflate, starts, threads)):
        adler = _combine_adler(adler, checksum, length)
        head = b"\x78\x01" if index == 0 else b""
        tail = adler.to_bytes(4, "big") if index == len(starts) - 1 else b""
        yield _chunk(b"IDAT", head + deflated + tail)


def _map(
    work: Callable[[int], tuple[bytes, int, int]], starts: range, threads: int
) -> Iterator[tuple[bytes, int, int]]:
    if threads < 2 or len(starts) < 2:
        yield from map(work, starts)
        return
    from concurrent.futures import ThreadPoolExecutor  # a small picture needs none

    with ThreadPoolExecutor(min(threads, len(starts))) as pool:
        yield from pool.map(work, starts)


def _combine_adler(first: int, second: int, second_length: int) -> int:
    """Return the Adler-32 of two pieces in a row from the checksums of each (RFC 1950: a = 1 + sum, b = sum of a's).

    >>> one, two = b"strip of rows", b" and the next"
    >>> _combine_adler(zlib.adler32(one), zlib.adler32(two), len(two)) == zlib.adler32(one + two)
    True
    """
    base = 65521
    first_a, first_b = first & 0xFFFF, first >> 16
    second_a, second_b = second & 0xFFFF, second >> 16
    a = (first_a + second_a - 1) % base
    b = (first_b + second_b + second_length * (first_a - 1)) % base
    return b << 16 | a


def _deflate_strip(pixels: NDArray[Any], start: int, stop: int, compression: str, last: bool) -> tuple[bytes, int, int]:
    """Filter and deflate rows start to stop; return the raw deflate, and Adler-32 and length of what it holds."""
    above = pixels[max(start - 1, 0) : stop]
    if above.dtype.itemsize == 2:
        above = above.astype(">u2")
    lines = np.ascontiguousarray(above).view(np.uint8).reshape(above.shape[0], -1)
    if start == 0:
        lines = np.concatenate([np.zeros_like(lines[:1]), lines])
    step = pixels.shape[2] * pixels.dtype.itemsize
    if compression == "small":
        filtered = _smallest(lines, step)
    else:
        filtered = _filter(lines, step, _UP if compression == "fast" else _best_filter(lines, step))
    flat = filtered.reshape(-1)
    end = zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH
    deflater: Any = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    deflated = deflater.compress(flat) + deflater.flush(end)
    if compression == "small":
        thorough: Any = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
        deflated = min(thorough.compress(flat) + thorough.flush(end), deflated, key=len)
    return deflated, isal_zlib.adler32(flat), flat.size


def _filter(lines: NDArray[np.uint8], step: int, kind: int) -> NDArray[np.uint8]:
    """Filter rows 1.. of `lines` (row 0 lies above them), each behind its filter's number; `step` bytes a pixel."""
    now, above = lines[1:], lines[:-1]
    filtered = np.empty((now.shape[0], now.shape[1] + 1), np.uint8)
    filtered[:, 0] = kind
    out = filtered[:, 1:]
    if kind == 0:
        out[...] = now
    elif kind == _UP:
        np.subtract(now, above, out=out)
    else:
        out[:, :step] = now[:, :step]
        left = now[:, :-step]
        if kind == _SUB:
            np.subtract(now[:, step:], left, out=out[:, step:])
        elif kind == _AVERAGE:
            mean = (left.astype(np.uint16) + above[:, step:]) >> 1
            out[:, :step] -= above[:, :step] >> 1
            np.subtract(now[:, step:], mean.astype(np.uint8), out=out[:, step:])
        else:
            out[:, :step] -= above[:, :step]
            np.subtract(now[:, step:], _paeth(left, above[:, step:], above[:, :-step]), out=out[:, step:])
    return filtered


def _paeth(left: NDArray[np.uint8], above: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of left, above and corner, the one nearest to left + above - corner, the earlier one on a tie."""
    a, b, c = (part.astype(np.int16) for part in (left, above, corner))
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(to_b <= to_c, above, corner)
    return np.where((to_a <= to_b) & (to_a <= to_c), left, nearest)


def _best_filter(lines: NDArray[np.uint8], step: int) -> int:
    """Choose none, Sub or Up for a strip: whichever deflates a few rows from its middle best."""
    middle = max(0, (lines.shape[0] - 1 - _SAMPLE_ROWS) // 2)
    sample = lines[middle : middle + _SAMPLE_ROWS + 1]
    return min((_UP, _SUB, 0), key=lambda kind: len(isal_zlib.compress(_filter(sample, step, kind).reshape(-1), 1)))


def _smallest(lines: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Filter a strip in six ways, and return the one that deflates best.

    Five use one filter throughout; in the sixth each row has the one with the least sum of |difference|, as the PNG
    specification advises (which is not always best: noise and line art are better off otherwise).
    """
    candidates = [_filter(lines, step, kind) for kind in (0, _SUB, _UP, _AVERAGE, _PAETH)]
    costs = np.array([np.abs(c[:, 1:].view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64) for c in candidates])
    best = costs.argmin(axis=0)
    candidates.append(np.stack(candidates)[best, np.arange(best.size)])
    return min(candidates, key=lambda rows: len(isal_zlib.compress(rows.reshape(-1), 1)))
