"""JPEG 2000: checked for being whole here, decoded and encoded by OpenCV. Source: ITU-T T.800, annexes A and I."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_AGAIN = "get the file again"
_CODESTREAM = b"\xff\x4f\xff\x51"
_END_MARK = b"\xff\xd9"
_SIZE_BYTES = 43  # of the codestream, up to the bits of its first component
_HEADER_BYTES = 65536
_LOSSLESS = 100


class _Size(NamedTuple):
    """What a codestream's SIZ marker says; `bits` are those of a sample."""

    height: int
    width: int
    channels: int
    bits: int

    @property
    def sample_bytes(self) -> int:
        return 1 if self.bits <= 8 else 2


def _size_of(stream: bytes | memoryview) -> _Size:
    right, low, left, top = struct.unpack_from(">4I", stream, 8)
    (channels,) = struct.unpack_from(">H", stream, 40)
    bits = (stream[42] & 0x7F) + 1 if len(stream) >= _SIZE_BYTES else 8
    return _Size(max(0, low - top), max(0, right - left), channels, bits)


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a JPEG 2000 file or codestream.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int
        Not heeded.

    Returns
    -------
    Image
        Gray, RGB or RGBA; u8, or u16 (9 to 15 bits made 0..65535).

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large, or has gray with alpha.
    """
    import numpy as np

    from convcli.image.formats import isobmff, opencv_codec
    from convcli.image.model import Image, Metadata, check_fits_memory

    stream: bytes | memoryview = data
    if not data.startswith(_CODESTREAM):
        stream = dict(isobmff.boxes(memoryview(data), name, "JPEG 2000")).get(b"jp2c", memoryview(b""))
    if len(stream) < _SIZE_BYTES - 1 or not bytes(stream[-64:]).rstrip(b"\0").endswith(_END_MARK):
        raise ImageReadError(f"{name}: truncated JPEG 2000, its end mark is missing; {_AGAIN}")
    size = _size_of(stream)
    check_fits_memory(name, size[:3], size.sample_bytes, opencv_codec.MOST_PIXELS)
    if size.channels == 2:
        raise ImageReadError(f"{name}: a JPEG 2000 of gray and alpha, which OpenCV does not decode; convert it to PNG")
    pixels = opencv_codec.decode_or_raise(data, name, "JPEG 2000")
    if size.bits not in (8, 16) and pixels.dtype.kind == "u":
        white, most = np.iinfo(pixels.dtype).max, 2**size.bits - 1
        pixels = np.rint(np.minimum(pixels, most) * (white / most)).astype(pixels.dtype)
    return Image(pixels, pixels.shape[2] == 4, Metadata(stored_size=pixels.shape[:2]), "jp2")


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray, RGB or RGBA, u8 or u16, to `sink`; by default at quality 100, which loses nothing."""
    from convcli.image.formats import opencv_codec

    # Told nothing, OpenCV takes a quarter of the bytes.
    thousandths = 10 * (_LOSSLESS if settings.quality is None else settings.quality)
    sink(
        opencv_codec.encode_or_raise(
            ".jp2", image.pixels, "JPEG 2000", (opencv_codec.JPEG2000_COMPRESSION, thousandths)
        )
    )
    return ()


def _decoded_bytes(file: BinaryIO) -> int | None:
    head = file.read(_HEADER_BYTES)
    start = head.find(_CODESTREAM)
    if start < 0:
        return None
    size = _size_of(head[start : start + _SIZE_BYTES])
    return size.height * size.width * size.channels * size.sample_bytes


FORMATS = (
    Format(
        name="jp2",
        title="JPEG 2000",
        suffixes=(".jp2",),
        aliases=("jpeg2000", "j2k"),
        read_suffixes=(".j2k", ".j2c", ".jpc", ".jpf"),
        codec=__name__,
        depths=("u8", "u16"),
        channels=(1, 3, 4),
        signatures=(b"\0\0\0\x0cjP  \r\n\x87\n", _CODESTREAM),
        encoder_options=("quality",),
        decoded_bytes=_decoded_bytes,
        sides=(32, 2**31 - 1),  # OpenCV halves it five times
    ),
)
