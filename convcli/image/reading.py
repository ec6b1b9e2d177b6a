"""Image files become images: the content says what they are, every end mark is checked, and each is turned upright."""

import importlib
import os
from typing import BinaryIO

from convcli.errors import ImageReadError
from convcli.image import read_ahead
from convcli.image.model import Image
from convcli.system.ordered_results import available_threads

# What a file starts with, what that makes it, and the module that reads it: each is loaded when one of its files comes.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "others"),
    (b"GIF87a", "others"),
    (b"GIF89a", "others"),
    (b"#?RADIANCE", "others"),
    (b"#?RGBE", "others"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "others"),
    (b"\xff\x4f\xff\x51", "others"),
    (b"\x93NUMPY", "npy"),
)
_NETPBM = (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"F", b"f")
_BLANKS = (b" ", b"\t", b"\r", b"\n")
_AVIF_BRANDS = (b"avif", b"avis")
# What people do try, and what to do about it.
_FOREIGN = (
    (b"%PDF", "a PDF document; export its page as PNG"),
    (b"8BPS", "a Photoshop document; export it as PNG or TIFF"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image; convert it to TIFF"),
    (b"\xff\x0a", "a JPEG XL image; convert it to PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image; convert it to PNG"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
)
_MODULES = {"jpeg": "jpeg.codec", "tiff": "tiff.codec", "others": "opencv_formats"}
_SHOWN_START = 40
_TELLING_START = 256  # bytes, from which `sniff` knows
_FIRST = 2**16  # bytes that are read in one go: of small files, all


def read_image(path: str | os.PathLike[str], *, threads: int | None = None) -> Image:
    """Read an image file of any known format, upright, in RGB(A) order.

    The content decides the format, not the suffix. The result's `pixels` are (height, width, channels), 1 to 4
    channels, in the file's own units: u8, u16, i16, f32 or f64. `threads` is how many cores to use, by default all.

    Raises
    ------
    ImageReadError
        in one line, when the file is missing, unreadable, truncated, damaged, too large for memory or not an image.
    """
    name = os.fspath(path)
    begun = read_ahead.take(name)
    if begun is not None:
        from convcli.image.formats.png import codec as png

        return png.read_chunks(begun.data, begun.header, begun.chunks, name, threads or available_threads(), begun.rows)
    return decode_image(_read_bytes(name), name, threads=threads)


def decode_image(data: bytes, name: str, *, threads: int | None = None) -> Image:
    """Decode the bytes of an image file; `name` is what messages call it. As `read_image` otherwise."""
    if not data:
        raise ImageReadError(f"{name}: empty file, there is no image in it")
    kind = sniff(data)
    if kind is None:
        raise ImageReadError(f"{name}: not an image: {_description(data)}")
    if kind == "png":
        from convcli.image.formats.png import codec as png

        return png.read(data, name, threads or available_threads())
    module = importlib.import_module(f"convcli.image.formats.{_MODULES.get(kind, kind)}")
    image: Image = module.read(data, name)
    return image


def read_all(file: BinaryIO) -> bytes:
    """Read a file as far as it is of use: of what does not start as an image does, no more than its start.

    A device such as /dev/zero has no end, and a film that was meant for another program is long.
    """
    start = file.read(_FIRST) or b""  # None: there is nothing yet in a pipe that does not wait
    if sniff(start) is None and len(start) >= _TELLING_START:
        return start
    if len(start) < _FIRST:  # then that was all, as a rule
        more = file.read(_FIRST)
        return start + more + (file.read() or b"") if more else start
    if file.seekable():
        file.seek(-len(start), os.SEEK_CUR)
        return file.read()
    return start + (file.read() or b"")


def sniff(data: bytes) -> str | None:
    """Tell which of our modules reads a file that starts so, None where none does.

    >>> sniff(b"\\xff\\xd8\\xff\\xe0")
    'jpeg'
    """
    if data[:1] == b"P" and data[1:2] in _NETPBM and data[2:3] in _BLANKS:
        return "netpbm"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        length = min(int.from_bytes(data[:4], "big"), 256)
        brands = [data[8:12], *(data[at : at + 4] for at in range(16, length, 4))]
        return "avif" if any(brand in _AVIF_BRANDS for brand in brands) else None
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def _description(data: bytes) -> str:
    for start, description in _FOREIGN:
        if data.startswith(start):
            return description
    if data[4:8] == b"ftyp":
        return "HEIF or a video, which OpenCV does not decode; convert it to JPEG or PNG"
    start = data[:_SHOWN_START]
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return f"it is text, starting {' '.join(start.decode().split())!r}"
    return f"it starts with the bytes {start[:8].hex(' ')}, as none of the known formats does"


def _read_bytes(name: str) -> bytes:
    try:
        with open(name, "rb", buffering=0) as file:
            return read_all(file)
    except FileNotFoundError:
        raise ImageReadError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise ImageReadError(f"{name}: a directory, not an image; name a file in it") from None
    except PermissionError:
        raise ImageReadError(f"{name}: no permission to read it; check its mode and owner") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageReadError(f"{name!r}: cannot be read: {reason}") from None
    except MemoryError:
        raise ImageReadError(f"{name}: larger than the memory there is; cut it in parts") from None
