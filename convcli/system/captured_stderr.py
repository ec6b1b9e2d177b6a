"""What libraries print on standard error while a file is worked on, captured to be shown with the name of that file.

libjpeg goes on where data is damaged, so that its warning is all there is to say so.
"""

import contextlib
import os
import sys

_STANDARD_ERROR = 2
_MOST_BYTES = 4096
_MOST_LINES = 3

_captured: int | None = None  # the file that standard error leads to


def capture_stderr() -> None:
    """Capture from now on what this process prints on standard error, where there is one."""
    global _captured  # noqa: PLW0603 (as standard error is, it is the process's own)
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError):
        captured = _nameless_file()
        os.dup2(captured, _STANDARD_ERROR)
        _captured = captured


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stderr")
    import tempfile  # which takes five milliseconds to load

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def captured_lines() -> list[str]:
    """Return the lines that were printed since the last call, at most three of them; none where they are not captured.

    >>> captured_lines()
    []
    """
    if _captured is None or not os.lseek(_captured, 0, os.SEEK_CUR):
        return []
    os.lseek(_captured, 0, os.SEEK_SET)
    text = os.read(_captured, _MOST_BYTES).decode(errors="replace")
    os.ftruncate(_captured, 0)
    os.lseek(_captured, 0, os.SEEK_SET)
    lines = [line for line in dict.fromkeys(map(str.strip, text.splitlines())) if line]
    return lines[:_MOST_LINES]
