"""PBM, PGM, PPM, PAM and PFM read and written: plain numbers behind a short header.

Source: the pbm, pgm, ppm and pam manual pages of Netpbm; Paul Debevec's PFM (rows from bottom to top).
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.netpbm import header_words, pam_fields
from convcli.image.model import Image, Metadata, check_fits_memory
from convcli.system.output_file import Sink

_MOST_DIGITS = 12
_AGAIN = "get the file again"


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a Netpbm or PFM file.

    Returns
    -------
    Image
        Gray or RGB, of a PAM also with alpha; u8, u16 or, of a PFM, f32. Other largest values become 255 or 65535.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    magic = data[:2]
    alpha = False
    if magic == b"P7":
        kind = "pam"
        pixels, alpha = _read_pam(data, name)
    elif magic in (b"PF", b"Pf"):
        kind, pixels = "pfm", _read_pfm(data, name)
    else:
        kind, pixels = "pnm", _read_pnm(data, name)
    return Image(pixels, alpha, Metadata(stored_size=pixels.shape[:2]), kind)


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode samples that the format of the settings holds to `sink`; nothing is lost."""
    encode = {"pam": _pam, "pfm": _pfm}.get(settings.format, _pnm)
    sink(encode(image.pixels))
    return ()


def _words(data: bytes, number: int, name: str) -> tuple[list[bytes], int]:
    """Return the words of the header behind its magic, and where the samples start: one blank after the last."""
    words, place = header_words(data, number)
    if len(words) < number:
        raise ImageReadError(f"{name}: truncated {data[:2].decode()} file, its header is not whole; {_AGAIN}")
    return words, place + 1


def _whole(word: bytes, what: str, name: str) -> int:
    if not word.isdigit() or len(word) > _MOST_DIGITS or int(word) == 0:
        raise ImageReadError(f"{name}: damaged header, {word[:20].decode('latin-1')!r} is no {what}; {_AGAIN}")
    return int(word)


def _read_pnm(data: bytes, name: str) -> NDArray[Any]:
    kind = data[1] - ord("0")
    bitmap = kind in (1, 4)
    words, start = _words(data, 2 if bitmap else 3, name)
    width, height = _whole(words[0], "width", name), _whole(words[1], "height", name)
    most = 1 if bitmap else _most(words[2], name)
    channels = 3 if kind in (3, 6) else 1
    size = (height, width, channels)
    check_fits_memory(name, size, 1 if most < 256 else 2)
    if kind == 4:
        row_bytes = (width + 7) // 8
        packed = _samples(data, start, height * row_bytes, np.dtype(np.uint8), name).reshape(height, row_bytes)
        values = np.unpackbits(packed, axis=1, count=width).reshape(size)
    elif kind in (1, 2, 3):
        values = _plain(data, start, size, bitmap, name)
    else:
        values = _samples(data, start, height * width * channels, _sample_type(most), name).reshape(size)
    return _full_range(1 - values if bitmap else values, most)


def _most(word: bytes, name: str) -> int:
    most = _whole(word, "largest value", name)
    if most > 65535:
        raise ImageReadError(f"{name}: damaged header, {most} is no largest value (at most 65535); {_AGAIN}")
    return most


def _sample_type(most: int) -> np.dtype[Any]:
    return np.dtype(np.uint8 if most < 256 else ">u2")


def _samples(data: bytes, start: int, count: int, kind: np.dtype[Any], name: str) -> NDArray[Any]:
    missing = start + count * kind.itemsize - len(data)
    if missing > 0:
        raise ImageReadError(f"{name}: truncated {data[:2].decode()} file, {missing} bytes are missing; {_AGAIN}")
    return np.frombuffer(data, kind, count, start)


def _plain(data: bytes, start: int, size: tuple[int, int, int], bitmap: bool, name: str) -> NDArray[Any]:
    """Read samples written as numbers; those of a bitmap need no blanks between them."""
    text = re.sub(rb"#[^\n]*", b"", data[start - 1 :])
    words: list[Any] = list(b"".join(text.split()).decode("latin-1")) if bitmap else text.split()
    count = size[0] * size[1] * size[2]
    if len(words) < count:
        missing = count - len(words)
        raise ImageReadError(f"{name}: truncated {data[:2].decode()} file, {missing} numbers are missing; {_AGAIN}")
    try:
        return np.array([int(word) for word in words[:count]], np.uint16).reshape(size)
    except (ValueError, OverflowError):
        raise ImageReadError(f"{name}: damaged {data[:2].decode()} file, not all of it is numbers; {_AGAIN}") from None


def _full_range(values: NDArray[Any], most: int) -> NDArray[Any]:
    """Stretch 0..most to 0..255, or 0..65535 where most is above 255."""
    target, white = (np.uint8, 255) if most < 256 else (np.uint16, 65535)
    full: NDArray[Any] = values if most == white else np.rint(np.minimum(values, most) * (white / most))
    return full.astype(target)


def _read_pam(data: bytes, name: str) -> tuple[NDArray[Any], bool]:
    stop = data.find(b"ENDHDR\n")
    if stop < 0:
        raise ImageReadError(f"{name}: truncated P7 file, its header is not whole; {_AGAIN}")
    fields = pam_fields(data[:stop])
    width, height, channels = (
        _whole(fields.get(key, b""), key.decode(), name) for key in (b"WIDTH", b"HEIGHT", b"DEPTH")
    )
    most = _most(fields.get(b"MAXVAL", b""), name)
    if channels > 4:
        raise ImageReadError(f"{name}: a PAM of {channels} channels; gray or RGB, with or without alpha, can be read")
    check_fits_memory(name, (height, width, channels), 1 if most < 256 else 2)
    count = height * width * channels
    values = _samples(data, stop + len(b"ENDHDR\n"), count, _sample_type(most), name)
    return _full_range(values.reshape(height, width, channels), most), channels in (2, 4)


def _read_pfm(data: bytes, name: str) -> NDArray[np.float32]:
    words, start = _words(data, 3, name)
    width, height = _whole(words[0], "width", name), _whole(words[1], "height", name)
    try:
        little = float(words[2]) < 0
    except ValueError:
        raise ImageReadError(f"{name}: damaged header, {words[2][:20]!r} is no scale; {_AGAIN}") from None
    channels = 3 if data[:2] == b"PF" else 1
    check_fits_memory(name, (height, width, channels), 4)
    values = _samples(data, start, height * width * channels, np.dtype("<f4" if little else ">f4"), name)
    return values.reshape(height, width, channels)[::-1].astype(np.float32)


def _pnm(pixels: NDArray[Any]) -> bytes:
    """Encode gray or RGB u8 or u16 as binary PGM or PPM."""
    height, width, channels = pixels.shape
    most = np.iinfo(pixels.dtype).max
    head = f"P{6 if channels == 3 else 5}\n{width} {height}\n{most}\n".encode()
    return head + pixels.astype(_sample_type(most)).tobytes()


def _pam(pixels: NDArray[Any]) -> bytes:
    """Encode gray, gray+alpha, RGB or RGBA, u8 or u16, as PAM."""
    height, width, channels = pixels.shape
    most = np.iinfo(pixels.dtype).max
    kind = ("GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA")[channels - 1]
    head = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL {most}\nTUPLTYPE {kind}\nENDHDR\n"
    return head.encode() + pixels.astype(_sample_type(most)).tobytes()


def _pfm(pixels: NDArray[np.float32]) -> bytes:
    """Encode gray or RGB f32 as little-endian PFM, bottom row first."""
    height, width, channels = pixels.shape
    head = f"{'PF' if channels == 3 else 'Pf'}\n{width} {height}\n-1.0\n".encode()
    return head + pixels[::-1].astype("<f4").tobytes()
