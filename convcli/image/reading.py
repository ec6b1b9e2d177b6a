"""Image files become images: the content says what they are, every end mark is checked, and each is turned upright."""

import importlib
import os

from convcli.errors import ImageReadError
from convcli.image.model import Image

# What a file starts with, what that makes it, and the module that reads it: each is loaded when one of its files comes.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
)
_SHOWN_START = 40


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read an image file of any known format, upright, in RGB(A) order.

    The content decides the format, not the suffix. The result's `pixels` are (height, width, channels), 1 to 4
    channels, in the file's own units: u8, u16, i16, f32 or f64.

    Raises
    ------
    ImageReadError
        in one line, when the file is missing, unreadable, truncated, damaged, too large for memory or not an image.
    """
    name = os.fspath(path)
    return decode_image(_read_bytes(name), name)


def decode_image(data: bytes, name: str) -> Image:
    """Decode the bytes of an image file; `name` is what messages call it. As `read_image` otherwise."""
    if not data:
        raise ImageReadError(f"{name}: empty file, there is no image in it")
    kind = sniff(data)
    if kind is None:
        raise ImageReadError(f"{name}: not an image: {_description(data)}")
    module = importlib.import_module(f"convcli.image.{kind}")
    image: Image = module.read(data, name)
    return image


def sniff(data: bytes) -> str | None:
    """Tell the kind of image file from how it starts, None where it is not one that we read.

    >>> sniff(b"\\xff\\xd8\\xff\\xe0")
    'jpeg'
    """
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)


def _description(data: bytes) -> str:
    start = data[:_SHOWN_START]
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in start):
        return f"it is text, starting {' '.join(start.decode().split())!r}"
    return f"it starts with the bytes {start[:8].hex(' ')}, as none of the known formats does"


def _read_bytes(name: str) -> bytes:
    try:
        with open(name, "rb") as file:  # noqa: PTH123 (pathlib costs start-up)
            return file.read()
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
