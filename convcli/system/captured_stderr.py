"""What libraries print on standard error while a file is worked on, kept to be told with the name of that file.

libjpeg goes on where data is damaged, so that its warning is all there is to tell of it.
"""

import contextlib
import os
import sys

_STANDARD_ERROR = 2
_MOST_BYTES = 4096
_MOST_LINES = 3

_kept: int | None = None  # the file that standard error leads to


def keep_talk() -> None:
    """Keep from now on what this process prints on standard error, where there is one."""
    global _kept  # noqa: PLW0603 (as standard error is, it is the process's own)
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError):
        kept = _nameless_file()
        os.dup2(kept, _STANDARD_ERROR)
        _kept = kept


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("talk")
    import tempfile  # which takes five milliseconds to load

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def talk() -> list[str]:
    """Give the lines that were printed since the last time; none where they are not kept."""
    if _kept is None or not os.lseek(_kept, 0, os.SEEK_CUR):
        return []
    os.lseek(_kept, 0, os.SEEK_SET)
    text = os.read(_kept, _MOST_BYTES).decode(errors="replace")
    os.ftruncate(_kept, 0)
    os.lseek(_kept, 0, os.SEEK_SET)
    lines = [line for line in dict.fromkeys(map(str.strip, text.splitlines())) if line]
    return lines[:_MOST_LINES]
