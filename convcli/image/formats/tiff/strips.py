"""A picture's strips as a TIFF holds them: packed to their bits, predicted and compressed, on several threads.

Source: TIFF 6.0, sections 9 (PackBits), 13 (LZW) and 14 (the horizontal predictor); Photoshop TIFF technical notes
(deflate).
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from convcli.system.threads import results_in_order

ByteOrder = Literal["<", ">"]

NONE, LZW, DEFLATE, PACKBITS = "none", "lzw", "deflate", "packbits"

CODES = {NONE: 1, LZW: 5, DEFLATE: 8, PACKBITS: 32773}  # of the tag Compression
_ISAL_LEVEL = 2


def compression_for(asked: str, was: str | None) -> str:
    """Return how to compress a TIFF.

    Parameters
    ----------
    asked : str
        `fast` not at all, `small` by deflate, `balanced` as the file `was`.
    was : str or None
        The compression of the TIFF that the picture comes from.

    Returns
    -------
    str
        `none`, `lzw`, `deflate` or `packbits`; deflate for what only some programs read.

    Examples
    --------
    >>> compression_for("balanced", "lzw")
    'lzw'
    >>> compression_for("balanced", None)
    'none'
    """
    if asked == "small":
        return DEFLATE
    if asked == "fast" or was is None:
        return NONE
    return was if was in CODES else DEFLATE


def predicts(compression: str, pixels: NDArray[Any], bits: int) -> bool:
    """Whether samples are stored as their differences from those on their left."""
    return compression in (LZW, DEFLATE) and pixels.dtype.kind in "ui" and bits == 8 * pixels.dtype.itemsize


def exact_bits(pixels: NDArray[Any], bits: int | None) -> int:
    """Return the bits in which samples go back to the file they came from, where each is one of that depth's values.

    Parameters
    ----------
    pixels : ndarray
        Samples of full range.
    bits : int or None
        Significant bits of the file.

    Returns
    -------
    int
        `bits` where that loses nothing, else those of the sample type.

    Examples
    --------
    >>> exact_bits(np.array([0, 85, 255], np.uint8), 2), exact_bits(np.array([0, 86], np.uint8), 2)
    (2, 8)
    """
    full = 8 * pixels.dtype.itemsize
    if bits is None or pixels.dtype not in (np.uint8, np.uint16) or not (full == 16) * 8 < bits < full:
        return full
    most = 2**full - 1
    values = np.arange(2**bits) * (most / (2**bits - 1))
    known = np.zeros(most + 1, bool)
    known[np.rint(values).astype(np.int64)] = True
    rows = max(1, 2**18 // max(1, pixels[0].size))
    every = all(known[pixels[start : start + rows]].all() for start in range(0, len(pixels), rows))
    return bits if every else full


def encoded_strips(
    pixels: NDArray[Any], rows: int, compression: str, byteorder: ByteOrder, bits: int, *, thorough: bool, threads: int
) -> Iterator[bytes]:
    """Yield the strips of a picture in order.

    Parameters
    ----------
    pixels : ndarray
        Samples (H, W, C).
    rows : int
        Of a strip.
    compression : str
        `none`, `lzw`, `deflate` or `packbits`.
    byteorder : str
        `<` or `>`.
    bits : int
        Of a stored sample.
    thorough : bool
        Whether to take the best deflate of zlib.
    threads : int
        How many cores to use.
    """
    compress = _compressor(compression, thorough)
    predicted = predicts(compression, pixels, bits)

    def encode(number: int) -> bytes:
        strip = pixels[number * rows : (number + 1) * rows]
        if bits != 8 * pixels.dtype.itemsize:
            return compress(_packed(strip, bits))
        if predicted:
            strip = np.concatenate([strip[:, :1], strip[:, 1:] - strip[:, :-1]], axis=1)
        strip = np.ascontiguousarray(strip.astype(strip.dtype.newbyteorder(byteorder), copy=False))
        return compress(strip.reshape(strip.shape[0], -1).view(np.uint8))

    return results_in_order(-(-pixels.shape[0] // rows), encode, threads)


def _compressor(compression: str, thorough: bool) -> Callable[[NDArray[np.uint8]], bytes]:
    """Return what compresses the bytes (rows, bytes of a row) of a strip."""
    if compression == NONE:
        return lambda rows: rows.tobytes()
    if compression == DEFLATE:

        def deflate(rows: NDArray[np.uint8]) -> bytes:
            data: Any = rows.reshape(-1)
            deflated: bytes = isal_zlib.compress(data, _ISAL_LEVEL)
            return min(deflated, zlib.compress(data, 9), key=len) if thorough else deflated

        return deflate
    import imagecodecs

    if compression == LZW:
        return lambda rows: bytes(imagecodecs.lzw_encode(rows.tobytes()))
    return lambda rows: b"".join(bytes(imagecodecs.packbits_encode(row.tobytes())) for row in rows)


def _packed(strip: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Pack samples of full range to fewer bits each, rows beginning at whole bytes."""
    most = np.iinfo(strip.dtype).max
    codes = np.rint(strip * ((2**bits - 1) / most)).astype(np.uint16)
    places = np.arange(bits - 1, -1, -1, dtype=np.uint16)
    ones = (codes[..., np.newaxis] >> places & 1).astype(np.uint8)
    return np.packbits(ones.reshape(strip.shape[0], -1), axis=1)
