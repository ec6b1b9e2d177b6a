"""The rows of a PNG, still filtered, inflated into one buffer while others already read its start.

Imports neither numpy nor cv2, so that it can go on while they load.
"""

import contextlib
import mmap
import threading
from collections.abc import Iterator

from isal import isal_zlib
from isal.isal_zlib import IsalError

from convcli.image.formats.png.chunks import ChunkList, Header

_BATCH = 2**18  # of compressed bytes: each call gives Python's lock away once


class FilteredRows:
    """The rows of one picture, each behind its filter's number, inflated in one thread and read in others.

    Parameters
    ----------
    header : Header
        What IHDR says.
    chunks : list of (bytes, memoryview)
        The file's chunks, of which the IDAT are inflated.

    Attributes
    ----------
    row : int
        Bytes of a row, its filter's number included.
    bytes : mmap
        All rows, as far as they are inflated.
    damaged : bool
        Whether the stream is not sound, or not as long as the picture.
    """

    def __init__(self, header: Header, chunks: ChunkList) -> None:
        self.row = header.row_bytes + 1
        self._size = header.height * self.row
        self.bytes = huge_buffer(self._size)
        self.damaged = False
        self._bodies = [body for kind, body in chunks if kind == b"IDAT"]
        self._ready = 0
        self._changed = threading.Condition()

    def inflate(self) -> None:
        """Inflate everything. To be called once, in any thread. What cannot be inflated is `damaged`."""
        inflater = isal_zlib.decompressobj()
        place = 0
        sound = False
        try:
            for batch in _batches(self._bodies):
                piece = inflater.decompress(batch, self._size - place + 1)  # one byte too many says enough
                if place + len(piece) > self._size:
                    return
                self.bytes[place : place + len(piece)] = piece
                place += len(piece)
                if place < self._size:
                    self._announce(place)
                if inflater.eof:
                    break  # what follows would be collected, each time anew
            sound = place == self._size and inflater.eof
        except (IsalError, MemoryError):  # type: ignore[misc]  # which the stub takes for a class of its own
            return
        finally:  # whatever happens, nobody waits for ever
            self._bodies = []
            self.damaged = not sound
            self._announce(self._size)

    def wait_for(self, rows: int) -> bool:
        """Wait until so many rows are there, and return whether the stream is sound as far as is known."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready >= rows * self.row)
        return not self.damaged

    def _announce(self, ready: int) -> None:
        with self._changed:
            self._ready = ready
            self._changed.notify_all()


def _batches(bodies: list[memoryview]) -> Iterator[bytes | memoryview]:
    """Join small bodies to batches, and cut up large ones."""
    small: list[memoryview] = []
    size = 0
    for body in bodies:
        if size + len(body) > _BATCH and small:
            yield b"".join(small)
            small, size = [], 0
        if len(body) > _BATCH:
            yield from (body[at : at + _BATCH] for at in range(0, len(body), _BATCH))
        else:
            small.append(body)
            size += len(body)
    yield b"".join(small)


def huge_buffer(size: int) -> mmap.mmap:
    """Return a buffer of `size` bytes, all zero, of large pages where the system has them.

    Touching a fresh buffer of tens of megabytes page by page costs as much as filling it. Raises MemoryError.

    >>> len(huge_buffer(10))
    10
    """
    # Windows knows no flags.
    how = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    try:
        buffer = mmap.mmap(-1, size, **how)
    except OSError:
        raise MemoryError from None
    with contextlib.suppress(AttributeError, OSError):  # a system without them
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return buffer
