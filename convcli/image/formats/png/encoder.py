"""Strips of a picture's rows, filtered and deflated for PNG, each on its own.

A strip's deflate ends on a byte boundary (a full flush), so that strips joined are one stream. What is chosen for a
strip depends on its samples alone.

Source: PNG specification, third edition (W3C, 2025), section 9; RFC 1950 and 1951.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)
# How far back a match may lie, as a power of two. ISA-L takes every match that it finds, and in noise a far one costs
# more bits than the samples it stands for.
_NEAR, _FAR = 9, 15
_SAMPLE_BYTES = 2**15
_CACHED_BYTES = 2**16  # of rows that several steps go over in turn
_SMALL_STRIP = 2**15
# Averaging takes as long as the other filters together: it must be worth it.
_AVERAGE_GAIN = 0.97


@dataclass(frozen=True)
class Strip:
    """A strip's deflated rows.

    Parameters
    ----------
    deflated : bytes
        Raw deflate.
    adler, length : int
        The Adler-32 and the length of what it holds.
    """

    deflated: bytes
    adler: int
    length: int


def make_strip(pixels: NDArray[Any], start: int, stop: int, compression: str) -> Strip:
    """Filter and deflate a strip of rows; the last row of the picture ends the stream.

    Parameters
    ----------
    pixels : ndarray
        The whole picture (H, W, C), u8 or u16.
    start, stop : int
        The rows of the strip.
    compression : str
        `fast` (filter Up throughout), `balanced` (a filter for each strip, tried on a few rows) or `small` (a
        filter for each row where that is better, and the best deflate of zlib).

    Returns
    -------
    Strip
        What depends on the samples of these rows, and the one above, alone.
    """
    above = pixels[max(start - 1, 0) : stop]
    if above.dtype.itemsize == 2:
        above = above.astype(">u2")
    lines = np.ascontiguousarray(above).view(np.uint8).reshape(above.shape[0], -1)
    if start == 0:
        lines = np.concatenate([np.zeros_like(lines[:1]), lines])
    step = pixels.shape[2] * pixels.dtype.itemsize
    end = zlib.Z_FINISH if stop == pixels.shape[0] else zlib.Z_FULL_FLUSH
    if compression == "balanced" and lines.size <= _SMALL_STRIP:
        return _small_strip(lines, step, end)
    window = _NEAR
    if compression == "small":
        filtered = _smallest(lines, step)
    elif compression == "fast":
        filtered = filter_rows(lines, step, _UP)
    else:
        kind, window = _choose(lines, step)
        filtered = filter_rows(lines, step, kind)
    flat = filtered.reshape(-1)
    deflated = _deflate(flat, window, end)
    if compression == "small":
        thorough: Any = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
        deflated = min(thorough.compress(flat) + thorough.flush(end), deflated, key=len)
    return Strip(deflated, isal_zlib.adler32(flat), flat.size)


def _small_strip(lines: NDArray[np.uint8], step: int, end: int) -> Strip:
    """Make a strip for which trying a filter takes as long as using it: see that few are tried.

    Of Sub and Up the one with the least sum of |difference|, as for photographs, and none, as for line art.
    """
    near = min(
        (filter_rows(lines, step, kind).reshape(-1) for kind in (_UP, _SUB)),
        key=lambda flat: int(np.abs(flat.view(np.int8)).sum(dtype=np.int64)),
    )
    plain = filter_rows(lines, step, _NONE).reshape(-1)
    deflated, flat = min(
        ((_deflate(near, _NEAR, end), near), (_deflate(plain, _FAR, end), plain)), key=lambda pair: len(pair[0])
    )
    return Strip(deflated, isal_zlib.adler32(flat), flat.size)


def _deflate(flat: NDArray[np.uint8], window: int, end: int = zlib.Z_FINISH) -> bytes:
    deflater: Any = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -window)
    head: bytes = deflater.compress(flat)
    tail: bytes = deflater.flush(end)
    return head + tail if head else tail


def _choose(lines: NDArray[np.uint8], step: int) -> tuple[int, int]:
    """Return a filter and a window for a strip: what deflates a few rows from its middle best."""
    rows = min(max(2, _SAMPLE_BYTES // lines.shape[1]), lines.shape[0] - 1)
    middle = (lines.shape[0] - 1 - rows) // 2
    sample = lines[middle : middle + rows + 1]

    def size(kind: int, window: int) -> int:
        return len(_deflate(filter_rows(sample, step, kind).reshape(-1), window))

    sizes = {kind: size(kind, _NEAR) for kind in (_UP, _SUB, _NONE)}
    kind = min(sizes, key=lambda kind: sizes[kind])
    average = size(_AVERAGE, _NEAR)
    if average < _AVERAGE_GAIN * sizes[kind]:
        kind, sizes[_AVERAGE] = _AVERAGE, average
    return kind, _FAR if size(kind, _FAR) < sizes[kind] else _NEAR


def filter_rows(lines: NDArray[np.uint8], step: int, kind: int) -> NDArray[np.uint8]:
    """Filter rows as PNG does, each behind its filter's number.

    Parameters
    ----------
    lines : ndarray
        Bytes (rows + 1, row bytes); row 0 lies above those that are filtered.
    step : int
        Bytes of a pixel.
    kind : int
        The filter, 0 to 4: None, Sub, Up, Average, Paeth.

    Returns
    -------
    ndarray
        Bytes (rows, row bytes + 1).

    Examples
    --------
    >>> filter_rows(np.array([[0, 0, 0], [5, 7, 8]], np.uint8), 1, 1).tolist()
    [[1, 5, 2, 1]]
    """
    now, above = lines[1:], lines[:-1]
    filtered = np.empty((now.shape[0], now.shape[1] + 1), np.uint8)
    filtered[:, 0] = kind
    out = filtered[:, 1:]
    if kind == _NONE:
        out[...] = now
    elif kind == _UP:
        np.subtract(now, above, out=out)
    else:
        left, rest = now[:, :-step], out[:, step:]
        if kind == _SUB:
            out[:, :step] = now[:, :step]
            np.subtract(now[:, step:], left, out=rest)
        elif kind == _AVERAGE:
            np.subtract(now[:, :step], above[:, :step] >> 1, out=out[:, :step])
            few = max(1, _CACHED_BYTES // lines.shape[1])
            for top in range(0, now.shape[0], few):
                rows = slice(top, top + few)
                a, b, mean = left[rows], above[rows, step:], rest[rows]
                # floor((a + b) / 2) within bytes: what both have, and half of what one has
                np.bitwise_xor(a, b, out=mean)
                np.right_shift(mean, 1, out=mean)
                mean += a & b
                np.subtract(now[rows, step:], mean, out=mean)
        else:
            np.subtract(now[:, :step], above[:, :step], out=out[:, :step])
            np.subtract(now[:, step:], _paeth(left, above[:, step:], above[:, :-step]), out=rest)
    return filtered


def _paeth(left: NDArray[np.uint8], above: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of left, above and corner, the one nearest to left + above - corner, the earlier one on a tie."""
    a, b, c = (part.astype(np.int16) for part in (left, above, corner))
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(to_b <= to_c, above, corner)
    return np.where((to_a <= to_b) & (to_a <= to_c), left, nearest)


def _smallest(lines: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Filter a strip in six ways, and return the one that deflates best.

    Five use one filter throughout; in the sixth each row has the one with the least sum of |difference|, as the PNG
    specification advises (which is not always best: noise and line art are better off otherwise).
    """
    candidates = [filter_rows(lines, step, kind) for kind in (_NONE, _SUB, _UP, _AVERAGE, _PAETH)]
    costs = np.array([np.abs(c[:, 1:].view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64) for c in candidates])
    best = costs.argmin(axis=0)
    candidates.append(np.stack(candidates)[best, np.arange(best.size)])
    return min(candidates, key=lambda rows: len(_deflate(rows.reshape(-1), _FAR)))


def combine_adler(first: int, second: int, second_length: int) -> int:
    """Return the Adler-32 of two pieces in a row from the checksums of each.

    By RFC 1950, a is 1 + the sum of the bytes, and b the sum of the values of a.

    Parameters
    ----------
    first, second : int
        The checksums.
    second_length : int
        Bytes of the second piece.

    Returns
    -------
    int
        The checksum of both.

    Examples
    --------
    >>> one, two = b"strip of rows", b" and the next"
    >>> combine_adler(zlib.adler32(one), zlib.adler32(two), len(two)) == zlib.adler32(one + two)
    True
    """
    base = 65521
    first_a, first_b = first & 0xFFFF, first >> 16
    second_a, second_b = second & 0xFFFF, second >> 16
    a = (first_a + second_a - 1) % base
    b = (first_b + second_b + second_length * (first_a - 1)) % base
    return b << 16 | a
