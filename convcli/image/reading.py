"""Image files become images: the content says what they are, every end mark is checked, and each is turned upright."""

import os
from typing import BinaryIO

from convcli.errors import ImageReadError
from convcli.image import read_ahead
from convcli.image.formats.registry import format_of
from convcli.image.model import Image
from convcli.system.threads import available_threads

_RECOGNISED_FROM = 256  # bytes, which `format_of` asks for
_FIRST = 2**16  # bytes that are read in one go: of small files, all


def read_image(path: str | os.PathLike[str], *, threads: int | None = None) -> Image:
    """Read an image file of any known format, upright, in RGB(A) order.

    The content decides the format, not the suffix.

    Parameters
    ----------
    path : path
        The file.
    threads : int, optional
        How many cores to use, by default all.

    Returns
    -------
    Image
        Its `pixels` are (height, width, channels), 1 to 4 channels, in the file's own units: u8, u16, i16, f32 or f64.

    Raises
    ------
    ImageReadError
        In one line, when the file is missing, unreadable, truncated, damaged, too large for memory or not an image.
    """
    name = os.fspath(path)
    begun = read_ahead.take(name)
    if begun is not None:
        return begun.image(name, threads or available_threads())
    return decode_image(_read_bytes(name), name, threads=threads)


def decode_image(data: bytes, name: str, *, threads: int | None = None) -> Image:
    """Decode the bytes of an image file; see `read_image`.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int, optional
        How many cores to use, by default all.

    Returns
    -------
    Image
        As from `read_image`.

    Raises
    ------
    ImageReadError
        In one line, when they are truncated, damaged, too large for memory or no image.
    """
    if not data:
        raise ImageReadError(f"{name}: empty file, there is no image in it")
    found = format_of(data)
    if found is None:
        from convcli.image.formats.foreign import description

        raise ImageReadError(f"{name}: not an image: {description(data)}")
    return found.load_codec().read(data, name, threads or available_threads())


def read_all(file: BinaryIO) -> bytes:
    """Read a file whole if it starts as an image does, else no more than its start.

    A device such as /dev/zero has no end, and a film that was meant for another program is long.

    Parameters
    ----------
    file : binary file
        Seekable or not.

    Returns
    -------
    bytes
        All of the file, or at least its first 256 bytes.
    """
    start = file.read(_FIRST) or b""  # None: there is nothing yet in a pipe that does not wait
    if format_of(start) is None and len(start) >= _RECOGNISED_FROM:
        return start
    if len(start) < _FIRST:  # then that was all, as a rule
        more = file.read(_FIRST)
        return start + more + (file.read() or b"") if more else start
    if file.seekable():
        file.seek(-len(start), os.SEEK_CUR)
        return file.read()
    return start + (file.read() or b"")


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
