"""Whether an output may be written to a path, checked before anything is computed.

Imports neither numpy nor cv2.
"""

import os
import stat
from collections.abc import Sequence

from convcli.errors import OutputError, OutputExistsError, UsageError

EXISTING = ("error", "skip", "overwrite")


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
