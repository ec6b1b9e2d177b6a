"""Files written whole or not at all, by a temporary file and a rename. Imports neither numpy nor cv2."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator

from convcli.errors import ImageWriteError
from convcli.system.output_path import is_stream

Sink = Callable[[bytes | memoryview], object]

_BUFFER = 2**16  # larger pieces go to the system as they are
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


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
                yield stream.write
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
