"""Output files: whether one may be written, asked before anything is computed, and writing it whole or not at all.

Imports neither numpy nor cv2.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

from convcli.errors import ImageWriteError, OutputError, OutputExistsError, UsageError

Sink = Callable[[bytes | memoryview], object]

_BUFFER = 2**16  # larger pieces go to the system as they are
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

EXISTING = ("error", "skip", "overwrite")

# Temporary files of this process that are not whole yet.
_unfinished: set[str] = set()


def check_destination(
    path: str | os.PathLike[str], existing: str = "error", inputs: Sequence[str | os.PathLike[str]] = ()
) -> str:
    """Check whether an output may be written, touching nothing.

    An input is never replaced, also not through a link. A device or FIFO may always be written to.

    Parameters
    ----------
    path : path
        The output.
    existing : str
        What to do where it exists: `error`, `skip` or `overwrite`.
    inputs : sequence of path
        The files it is made from.

    Returns
    -------
    str
        `write` or `skip`.

    Raises
    ------
    OutputExistsError
        When the output exists and `existing` is `error`.
    UsageError
        When the output is one of the inputs, or `existing` is not a known word.
    OutputError
        When its folder is missing or not writable, or the path is a folder.

    Examples
    --------
    >>> check_destination(os.devnull)
    'write'
    """
    if existing not in EXISTING:
        raise UsageError(f"unknown policy {existing!r} for an existing output: expected {', '.join(EXISTING)}")
    name = os.fspath(path)
    try:
        found = os.stat(name)
    except (FileNotFoundError, NotADirectoryError):
        _check_folder(name)
        return "write"
    except (OSError, ValueError) as error:
        raise OutputError(f"{name!r}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(found.st_mode):
        raise OutputError("a folder, not a file; name a file in it", where=name)
    if is_stream(name, found.st_mode):
        return "write"
    for source in inputs:
        if _same_file(found, source):
            raise UsageError(
                f"the output is the input {os.fspath(source)!r}", where=name, advice="choose another name with -o"
            )
    if existing == "skip":
        return "skip"
    if existing == "error":
        raise OutputExistsError(
            "exists already", where=name, advice="say -f to replace it, or choose another name with -o"
        )
    _check_folder(name)
    return "write"


def is_stream(name: str, mode: int) -> bool:
    """Whether a path is written to directly, not replaced: a device, FIFO, socket, or open file such as /dev/stdout.

    Where /dev/stdout has been sent to a file, a new file in its place would not be the one that the shell has opened.
    """
    opened = name in ("/dev/stdout", "/dev/stderr") or name.startswith(("/dev/fd/", "/proc/self/fd/"))
    return opened or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _same_file(found: os.stat_result, source: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samestat(found, os.stat(source))
    except (OSError, ValueError):
        return False


def _check_folder(name: str) -> None:
    folder = os.path.dirname(os.path.realpath(name)) or os.curdir
    if not os.path.isdir(folder):
        raise OutputError(
            f"the folder {folder} does not exist", where=name, advice="make it first, or choose another with -o"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"no permission to write in {folder}", where=name, advice="choose another folder with -o")


def stream_sink(stream: BinaryIO) -> Sink:
    """Return a function that writes pieces to a stream, each of them whole.

    A stream without a buffer, as standard output is under PYTHONUNBUFFERED, may take a part of what it is given and
    return how much that was.

    Parameters
    ----------
    stream : binary file
        Where the pieces go.

    Returns
    -------
    callable
        It raises OSError where a piece cannot be written as a whole.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> stream_sink(stream)(b"all of it")
    >>> stream.getvalue()
    b'all of it'
    """

    def write(piece: bytes | memoryview) -> None:
        rest = memoryview(piece).cast("B")
        while rest:
            count = stream.write(rest)
            if not count:  # None: a pipe that does not wait is full
                raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            rest = rest[count:]

    return write


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Write bytes to a path, as `whole_file` does.

    Parameters
    ----------
    path : path
        The file.
    data : bytes-like
        All of it.

    Raises
    ------
    ImageWriteError
        As from `whole_file`.
    """
    write_file(path, (data,))


def write_file(
    path: str | os.PathLike[str], pieces: Iterable[bytes | memoryview], temporary_folder: str | None = None
) -> None:
    """Write pieces to a path, one after the other, as `whole_file` does.

    Parameters
    ----------
    path : path
        The file.
    pieces : iterable of bytes-like
        Its content.
    temporary_folder : str, optional
        As for `whole_file`.

    Raises
    ------
    ImageWriteError
        As from `whole_file`.
    """
    with whole_file(path, temporary_folder) as sink:
        for piece in pieces:
            sink(piece)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], temporary_folder: str | None = None) -> Iterator[Sink]:
    """Yield a function that takes the pieces of a file, which is at `path` once the block has ended well.

    A device or FIFO is written directly. Else the pieces go to a temporary file, which is then renamed. A file that is
    replaced keeps its permissions, and a link leads to the new file. Data is not forced to the disk: after a power cut,
    a file may be there that is not whole.

    Parameters
    ----------
    path : path
        The file.
    temporary_folder : str, optional
        Where the temporary file is made, by default beside `path`. Where the system cannot rename from there to here,
        it is copied first.

    Raises
    ------
    ImageWriteError
        In one line; then what was there before is still there, and no temporary file.
    """
    name = os.fspath(path)
    try:
        mode = os.stat(name).st_mode
    except OSError:
        mode = None
    try:
        if mode is not None and is_stream(name, mode):
            with open(name, "wb") as stream:
                yield stream_sink(stream)
        else:
            # A link's target is replaced, not the link.
            target = os.path.realpath(name) if os.path.islink(name) else name
            with _replacing(target, mode, temporary_folder) as sink:
                yield sink
    except OSError as error:
        raise ImageWriteError(f"{name}: cannot be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _replacing(target: str, mode: int | None, temporary_folder: str | None) -> Iterator[Sink]:
    temporary = _temporary_name(target, temporary_folder)
    _unfinished.add(temporary)
    try:
        with open(os.open(temporary, _WRITE_NEW, 0o666), "wb", _BUFFER) as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            yield file.write
        try:
            os.replace(temporary, target)
        except OSError as error:
            if error.errno != errno.EXDEV or temporary_folder is None:
                raise
            _replace_by_copy(temporary, target)
    except BaseException:  # an interrupt, too, must leave no temporary file
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        _unfinished.discard(temporary)


def remove_unfinished() -> None:
    """Remove the temporary files of what is being written, for a process that is about to end without its `finally`."""
    for temporary in tuple(_unfinished):
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _replace_by_copy(temporary: str, target: str) -> None:
    """Move a file over from another file system, by a copy beside the target."""
    beside = _temporary_name(target, None)
    try:
        shutil.copy(temporary, beside)  # with its permissions
        os.replace(beside, target)
    except BaseException:  # as above
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    os.unlink(temporary)


def _temporary_name(target: str, folder: str | None) -> str:
    """Return a hidden name, told apart by process and chance; short, as the limit is 255 bytes."""
    own, base = os.path.split(target)
    return os.path.join(folder or own, f".{base[:40]}.{os.getpid():x}{os.urandom(4).hex()}.tmp")
