"""How many files to hand out at a time: enough that handing out costs little, few enough that all end together."""

import sys
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

# A chunk is to take this long: a thousand times what it costs to hand one out.
SECONDS = 0.05
_MOST_FILES = 128
# Characters of names in a chunk, so that two of them fit the buffer of a pipe. What does not is only taken by a process
# that is waiting for it: were it still at work, and its own results too many for the pipe, both sides would wait.
_MOST_TEXT = 20_000
# Systems other than Linux have pipes of a few kB.
_DEEPEST = 2 if sys.platform == "linux" else 1
# What a file costs however small it is, as the bytes that take as long.
_BYTES_A_FILE = 8192
# How much of what was measured before the last chunk still counts.
_MEMORY = 0.7


class Sized(Protocol):
    """Something that takes longer the more bytes it has."""

    @property
    def bytes(self) -> int:
        """Of a file."""

    @property
    def source(self) -> str:
        """The file's name."""

    @property
    def output(self) -> str:
        """The name of what becomes of it."""


T = TypeVar("T", bound=Sized)


class Chunks(Generic[T]):
    """Cuts `items` into chunks, by what those before have taken on each of `jobs` processes.

    >>> from convcli.batch.work import BatchTask
    >>> chunks = Chunks([BatchTask(f"{n}.png", "", 100, False) for n in range(1000)], jobs=2)
    >>> first = chunks.next()
    >>> chunks.measured(first, 0.00099)
    >>> len(first), len(chunks.next()), chunks.given
    (1, 50, 51)
    """

    def __init__(self, items: Sequence[T], jobs: int) -> None:
        self._items = items
        self._jobs = jobs
        self._left = sum(map(_cost, items))  # cost of what is not given yet
        self._rate = 0.0  # seconds for one of cost
        self.given = 0

    def next(self) -> list[T]:
        """Return the next items, none when there are no more."""
        most = min(SECONDS, self._left * self._rate / (2 * self._jobs))
        chunk: list[T] = []
        seconds = 0.0
        text = 0
        while self.given < len(self._items) and len(chunk) < _MOST_FILES:
            item = self._items[self.given]
            seconds += _cost(item) * self._rate
            text += len(item.source) + len(item.output)
            if chunk and (seconds > most or not self._rate or text > _MOST_TEXT):
                break
            chunk.append(item)
            self.given += 1
            self._left -= _cost(item)
        return chunk

    def measured(self, items: Sequence[T], seconds: float) -> None:
        """Learn that these items have taken so long on one process."""
        cost = sum(map(_cost, items))
        if cost:
            rate = seconds / cost
            self._rate = rate if not self._rate else _MEMORY * self._rate + (1 - _MEMORY) * rate

    @property
    def more(self) -> bool:
        """Whether there are items that have not been given."""
        return self.given < len(self._items)

    @property
    def queue(self) -> int:
        """How many chunks are to lie before a process: a second one, while chunks are short and there are many."""
        return _DEEPEST if self._rate and self._left * self._rate > 8 * self._jobs * SECONDS else 1


def _cost(item: Sized) -> int:
    return item.bytes + _BYTES_A_FILE
