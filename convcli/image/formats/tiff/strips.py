"""A picture's strips as a TIFF holds them, compressed on several threads: by ISA-L or zlib, or by OpenCV's libtiff.

Source: TIFF 6.0, sections 9 (PackBits), 13 (LZW) and 14 (the horizontal predictor); Photoshop TIFF technical notes
(deflate).
"""

import zlib
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from convcli.errors import ImageWriteError
from convcli.image.formats import opencv_codec
from convcli.image.metadata.tiff_directories import Block
from convcli.system.threads import results_in_order

ByteOrder = Literal["<", ">"]

NONE, LZW, DEFLATE, PACKBITS = "none", "lzw", "deflate", "packbits"

CODES = {NONE: 1, LZW: 5, PACKBITS: 32773}  # of the tag Compression
_LIBTIFF = {LZW: opencv_codec.TIFF_LZW, PACKBITS: opencv_codec.TIFF_PACKBITS}
_MOST_BYTES = 2**32 - 2**26  # from here on tifffile writes BigTIFF, whose directory is not one of `Block`
_HORIZONTAL, _PLAIN = 2, 1
_ISAL_LEVEL = 2
_COMPRESSION, _STRIP_OFFSET, _STRIP_BYTES = 259, 273, 279


def compression_for(asked: str, was: str | None, pixels: NDArray[Any], byteorder: ByteOrder) -> str:
    """Return how to compress a TIFF.

    What libtiff is not at hand for is deflated: gray with alpha, samples that are not u8 or u16, u16 in the other
    order, 4 GB; and so is what was compressed in ways that only some programs read.

    Parameters
    ----------
    asked : str
        `fast` not at all, `small` by deflate, `balanced` as the file `was`, where it can be.
    was : str or None
        The compression of the TIFF that the picture comes from.
    pixels : ndarray
        Samples (H, W, C).
    byteorder : str
        `<` or `>`.

    Returns
    -------
    str
        `none`, `lzw`, `deflate` or `packbits`.

    Examples
    --------
    >>> compression_for("balanced", "lzw", np.zeros((4, 4, 3), np.uint8), "<")
    'lzw'
    >>> compression_for("balanced", None, np.zeros((4, 4, 3), np.uint8), "<")
    'none'
    """
    if asked == "small":
        return DEFLATE
    if asked == "fast" or was in (None, NONE):
        return NONE
    by_libtiff = pixels.dtype == np.uint8 or (pixels.dtype == np.uint16 and byteorder == "<")
    by_libtiff = by_libtiff and pixels.shape[2] != 2 and pixels.nbytes < _MOST_BYTES
    return was if was in _LIBTIFF and by_libtiff else DEFLATE


def predicts(compression: str, pixels: NDArray[Any]) -> bool:
    """Whether samples are stored as their differences from those on their left."""
    return compression in (LZW, DEFLATE) and pixels.dtype.kind in "ui"


def compressed_strips(
    pixels: NDArray[Any], rows: int, compression: str, byteorder: ByteOrder, *, thorough: bool, threads: int
) -> Iterator[bytes]:
    """Yield the compressed strips of a picture in order.

    Parameters
    ----------
    pixels : ndarray
        Samples (H, W, C).
    rows : int
        Of a strip.
    compression : str
        `lzw`, `deflate` or `packbits`.
    byteorder : str
        `<` or `>`.
    thorough : bool
        Whether to take the best deflate of zlib.
    threads : int
        How many cores to use.

    Raises
    ------
    ImageWriteError
        Where OpenCV cannot compress a strip.
    """

    def compress(number: int) -> bytes:
        strip = pixels[number * rows : (number + 1) * rows]
        if compression != DEFLATE:
            return _by_libtiff(strip, compression)
        if predicts(compression, pixels):
            strip = np.concatenate([strip[:, :1], strip[:, 1:] - strip[:, :-1]], axis=1)
        flat = np.ascontiguousarray(strip.astype(strip.dtype.newbyteorder(byteorder), copy=False)).reshape(-1)
        data: Any = flat.view(np.uint8)
        deflated: bytes = isal_zlib.compress(data, _ISAL_LEVEL)
        return min(deflated, zlib.compress(data, 9), key=len) if thorough else deflated

    return results_in_order(-(-pixels.shape[0] // rows), compress, threads)


def declare_compression(written: memoryview, compression: str) -> None:
    """Make a TIFF that says it is deflated say that it is compressed by LZW or PackBits, which its strips are.

    tifffile writes no such word without imagecodecs, though it need not compress anything.
    """
    block = Block(written)
    for entry in block.entries(block.word(4)):
        if entry.tag == _COMPRESSION and compression in _LIBTIFF:
            block.set_integer(entry, CODES[compression])


def _by_libtiff(strip: NDArray[Any], compression: str) -> bytes:
    """Have OpenCV write a TIFF of one strip, and take that out of it."""
    predictor = _HORIZONTAL if predicts(compression, strip) else _PLAIN
    settings = [opencv_codec.TIFF_COMPRESSION, _LIBTIFF[compression], opencv_codec.TIFF_PREDICTOR, predictor]
    settings += [opencv_codec.TIFF_STRIP_ROWS, strip.shape[0]]
    encoded = opencv_codec.encode(".tiff", np.ascontiguousarray(strip), settings)
    if encoded is None:
        raise ImageWriteError(f"OpenCV could not compress a TIFF by {compression}: say --compression fast")
    data = encoded.tobytes()
    block = Block(data)
    numbers = {entry.tag: block.integer(entry) for entry in block.entries(block.word(4))}
    start, length = numbers.get(_STRIP_OFFSET), numbers.get(_STRIP_BYTES)
    if start is None or length is None or start + length > len(data):
        raise ImageWriteError(f"OpenCV's TIFF compressed by {compression} is not one strip: say --compression fast")
    return data[start : start + length]
