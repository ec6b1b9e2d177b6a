"""A large PNG read, and inflated, while numpy and OpenCV load. Imports neither.

A process that filters one picture spends as long on loading its libraries, on one core, as on inflating the picture. So
the command says early what it will read, `begin`; whoever reads that file then takes what is there, `take`. A file that
has changed in between, or is damaged, is as if it had never been begun.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from convcli.errors import ConvcliError
from convcli.image.formats.png import SIGNATURE
from convcli.image.formats.png.chunks import ChunkList, Header, decodes_in_strips, walk
from convcli.image.formats.png.inflate import FilteredRows, huge_buffer
from convcli.system.memory import keep_freed_memory
from convcli.system.threads import available_threads

if TYPE_CHECKING:
    from convcli.image.model import Image

# Less is read in no time; more would take memory that nobody has asked for yet.
_LEAST_FILE, _MOST_FILE, _MOST_ROWS = 2**19, 2**28, 2**28
_SWITCH_SECONDS = 1e-4  # imports keep Python's lock for long: what is read here must get it in between


@dataclass(frozen=True, eq=False)
class PngBeingRead:
    """A PNG whose chunks are known to be whole, and whose rows are being inflated.

    Parameters
    ----------
    data : memoryview
        The whole file.
    header : Header
        What IHDR says.
    chunks : list of (bytes, memoryview)
        All chunks.
    rows : FilteredRows
        The rows, as far as they are inflated.
    """

    data: memoryview
    header: Header
    chunks: ChunkList
    rows: FilteredRows

    def image(self, name: str, threads: int) -> Image:
        """Decode it; messages call it `name`. Raises ImageReadError."""
        from convcli.image.formats.png.codec import read_chunks

        return read_chunks(self.data, self.header, self.chunks, name, threads, self.rows)


class _ReadingThread(threading.Thread):
    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.state: tuple[int, int, int] | None = None
        self.begun: PngBeingRead | None = None
        self.walked = threading.Event()

    def run(self) -> None:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            self.begun = self._begin()
        except (ConvcliError, OSError, ValueError, MemoryError):
            return  # reading it will say what is wrong
        finally:
            self.walked.set()
            if self.begun is not None:
                self.begun.rows.inflate()
            sys.setswitchinterval(interval)

    def _begin(self) -> PngBeingRead | None:
        with open(self.path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _LEAST_FILE <= status.st_size <= _MOST_FILE:
                return None
            self.state = _state(status)
            if file.read(len(SIGNATURE)) != SIGNATURE:
                return None
            data = memoryview(huge_buffer(status.st_size))
            data[: len(SIGNATURE)] = SIGNATURE
            place = len(SIGNATURE)
            while count := file.readinto(data[place:]):
                place += count
            if place != len(data):
                return None
        header, chunks = walk(data, self.path)
        if not decodes_in_strips(header, chunks) or header.height * (header.row_bytes + 1) > _MOST_ROWS:
            return None
        return PngBeingRead(data, header, chunks, FilteredRows(header, chunks))


_readings: dict[str, _ReadingThread] = {}


def begin(path: str) -> None:
    """Begin to read a file, where it is a large PNG, on a thread of its own; return at once.

    Parameters
    ----------
    path : str
        Any path; nothing is done where it is no large PNG.
    """
    if os.path.isfile(path):
        _readings[path] = reading = _ReadingThread(path)
        reading.start()


def take(path: str) -> PngBeingRead | None:
    """Return what has been begun of a file, once.

    Parameters
    ----------
    path : str
        As it was given to `begin`.

    Returns
    -------
    PngBeingRead or None
        None where nothing was begun, or the file has changed since.
    """
    reading = _readings.pop(path, None)
    if reading is None:
        return None
    reading.walked.wait()
    try:
        return reading.begun if _state(os.stat(path)) == reading.state else None
    except OSError:
        return None


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def start_early(first_input: str, threads: int | None) -> None:
    """Keep memory that is freed, and let another core begin with a large picture while this one loads libraries.

    Parameters
    ----------
    first_input : str
        The image that will be read first.
    threads : int or None
        How many cores may be used; None for all.
    """
    keep_freed_memory()
    if threads != 1 and available_threads() > 1:
        begin(first_input)
