"""The inputs of a batch as they were named: on the command line, and in a list from a file or standard input."""

import os
import sys
from collections.abc import Sequence

from convcli.errors import UsageError

_STANDARD_STREAM = "-"
_MOST_BYTES = 256 << 20  # of a list: a million names of 255 bytes


def batch_inputs(named: Sequence[str], list_path: str | None = None) -> list[str]:
    """Return the inputs that were named, and then those of a list.

    Parameters
    ----------
    named : sequence of str
        Images, folders and patterns.
    list_path : str, optional
        A file as `read_input_list` takes it.

    Raises
    ------
    UsageError
        Where there is no input, an image on standard input, or no list.
    """
    if _STANDARD_STREAM in named:
        raise UsageError("batch reads no image from standard input: use convcli filter; for a list: --files-from -")
    if list_path is None and not named:
        raise UsageError("no input was given: name images, folders of them, or a list with --files-from")
    return [*named, *(() if list_path is None else read_input_list(list_path))]


def read_input_list(path: str) -> list[str]:
    """Read a list of file names: separated by NUL where it holds one, as `find -print0` writes them, else one a line.

    Parameters
    ----------
    path : str
        The file of the list; `-` is standard input.

    Raises
    ------
    UsageError
        Where the list cannot be read, is empty, or longer than 256 MiB.
    """
    where = f"--files-from {path}"
    if path != _STANDARD_STREAM:
        try:
            with open(path, "rb") as file:  # which may be a device without an end
                data = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise UsageError(str(error.strerror), where=where) from error
    elif sys.stdin is None or sys.stdin.isatty():
        raise UsageError("standard input is no list", where=where, advice="send it one, such as find photos -print0 |")
    else:
        data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UsageError(f"the list is longer than {_MOST_BYTES >> 20} MiB", where=where, advice="split it")
    nul_separated = b"\0" in data
    names = data.split(b"\0") if nul_separated else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    found = [os.fsdecode(name) for name in names if name]
    if not found:
        raise UsageError("the list is empty", where=where)
    return found
