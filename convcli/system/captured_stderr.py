"""What libraries print on standard error while a file is worked on, captured to be shown with the name of that file.

libjpeg goes on where data is damaged, so that its warning is all there is to say so.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

_STANDARD_ERROR = 2
_MOST_BYTES = 4096
_MOST_LINES = 3
_MOST_LIBRARY_BYTES = 2**16

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


_lock = threading.Lock()
_library: dict[str, int] = {"users": 0, "kept": -1, "file": -1}
# How lines of libpng, libjpeg, OpenJPEG and OpenCV begin; all others are other threads' own.
_LIBRARY_LINES = (
    "libpng ", "Corrupt JPEG", "Premature end", "Invalid", "Unsupported marker", "Warning: unknown JFIF",
    "Inconsistent", "Unknown Adobe", "Bogus", "Unsupported JPEG", "[ WARN", "[ERROR", "[ INFO", "OpenCV",
    "3rdparty/", "WARNING", "[WARNING]", "CAN NOT INVERT",
)  # fmt: skip


@contextlib.contextmanager
def library_messages() -> Iterator[list[str]]:
    """Keep what C libraries print off standard error for a while, and hand it out.

    Standard error belongs to the process: of several threads the first leads it away and the last one back, and each
    may be handed what another one's library said. What does not read as a library's is printed after all.

    Yields
    ------
    list of str
        Filled at the end with the lines that libraries printed.
    """
    said: list[str] = []
    with _lock:
        if _library["users"] == 0:
            try:
                if _library["file"] < 0:
                    _library["file"] = _nameless_file()
                _library["kept"] = os.dup(_STANDARD_ERROR)
                os.dup2(_library["file"], _STANDARD_ERROR)
            except OSError:  # standard error is closed: then nobody hears it
                _library["kept"] = -1
        _library["users"] += 1
    try:
        yield said
    finally:
        with _lock:
            _library["users"] -= 1
            last = _library["users"] == 0
            if _library["kept"] >= 0:
                if last:
                    os.dup2(_library["kept"], _STANDARD_ERROR)
                _collect(said, last)
                if last:
                    os.close(_library["kept"])
                    _library["kept"] = -1


def _collect(said: list[str], last: bool) -> None:
    """Add what libraries printed to `said`; the last one puts back what others did, and empties the file."""
    file = _library["file"]
    length = os.lseek(file, 0, os.SEEK_END)
    if not length:
        return
    text = os.pread(file, min(length, _MOST_LIBRARY_BYTES), 0)
    lines = text.splitlines(keepends=True)
    said += [shown for line in lines if (shown := line.decode(errors="replace").strip()).startswith(_LIBRARY_LINES)]
    if last:
        others = b"".join(ln for ln in lines if not ln.decode(errors="replace").strip().startswith(_LIBRARY_LINES))
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        if others.strip():
            os.write(_STANDARD_ERROR, others)
