"""Files that are read whole and are never large: kernels, pipelines, settings."""

import codecs
import stat
from pathlib import Path
from typing import BinaryIO

from convcli.errors import UsageError

MAX_TEXT_BYTES = 4 << 20


class SmallFileError(UsageError):
    """A file that is missing, unreadable or too large; `where` is the file."""


def read_file(path: Path, kind: str, most: int = MAX_TEXT_BYTES) -> bytes:
    """Read a file of at most `most` bytes.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What messages call such a file, such as `kernel file`.
    most : int
        The most bytes it may have.

    Returns
    -------
    bytes
        All of it.

    Raises
    ------
    SmallFileError
        Naming the file.
    """
    where = str(path)
    if _is_named_pipe(path):
        raise SmallFileError("is a pipe, which may never end", where=where, advice=f"save what it holds as a {kind}")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            data = file.read(most + 1)  # a pipe or a growing file does not show its size
    except FileNotFoundError:
        raise SmallFileError(f"no such {kind}", where=where) from None
    except IsADirectoryError:
        raise SmallFileError("is a folder", where=where, advice="name a file in it") from None
    except OSError as error:
        raise SmallFileError(f"cannot be read: {error.strerror}", where=where) from error
    except ValueError as error:
        raise SmallFileError("cannot be read: no name of a file holds a NUL", where=repr(where)) from error
    if size > most:
        raise SmallFileError(f"has {size} bytes; a {kind} has at most {most}", where=where)
    _check_length(data, where, kind, most)
    return data


def _is_named_pipe(path: Path) -> bool:
    """Whether a file is a FIFO that somebody made; what a shell makes of `<(command)` is read."""
    try:
        return (
            stat.S_ISFIFO(path.stat().st_mode) and not path.is_relative_to("/dev") and not path.is_relative_to("/proc")
        )
    except (OSError, ValueError):
        return False  # opening it says what is wrong


def read_stream(file: BinaryIO, where: str, kind: str, most: int = MAX_TEXT_BYTES) -> bytes:
    """Read a stream to its end, as `read_file` reads a file."""
    data = file.read(most + 1)
    _check_length(data, where, kind, most)
    return data


def _check_length(data: bytes, where: str, kind: str, most: int) -> None:
    if len(data) > most:
        raise SmallFileError(f"has more than {most} bytes, the most that a {kind} may have", where=where)


def decode_text(data: bytes, where: str) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 behind a byte order mark, as PowerShell writes it.

    Raises
    ------
    SmallFileError
        For anything else, naming the first byte that is none.

    Examples
    --------
    >>> decode_text("1 2".encode("utf-16"), "k.txt"), decode_text(b"1 2", "k.txt")
    ('1 2', '1 2')
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SmallFileError(f"is not UTF-8 text (byte {error.start})", where=where) from error
