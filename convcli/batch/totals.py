"""The totals of a batch: counts, speeds, where the time went, the slowest files and the ones that failed.

Results are added as they come and are not kept, so that what this takes does not grow with the number of files
that went well; of the others their messages are kept, because each is told in the end.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from itertools import count
from time import perf_counter
from typing import Any

from convcli.process.result import ImageResult, StepResult
from convcli.timing import STAGES

SLOWEST = 5  # files that are named as such
MOST_KINDS = 50  # of notes, and of choices, that are told apart
_NUMBER = re.compile(r"\d+(\.\d+)?")

# What a file costs however small it is, as the bytes that take as long; it only serves to guess the time left.
_BYTES_A_FILE = 8192
_SECONDS_BEFORE_GUESSING = 0.5


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be done, and why."""

    input: str
    error: str


@dataclass
class BackendChoice:
    """How one kernel, for which there was a choice, was computed in `files` files.

    Parameters
    ----------
    kernel, backend, reason : str
        The kernel as given, the backend chosen for it, and why.
    next_best : str
        The next best backend, where there was one.
    files : int
        In how many files.
    predicted, after : list of float
        Predicted seconds of the backend and of the next best, from the least to the most.
    """

    kernel: str
    backend: str
    reason: str
    next_best: str = ""
    files: int = 0
    predicted: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)

    def add(self, step: StepResult) -> None:
        """Count one more file."""
        self.files += 1
        if step.predicted_seconds is not None:
            self.predicted = _widened(self.predicted, step.predicted_seconds)
        if step.runner_up is not None:
            self.after = _widened(self.after, step.runner_up[1])


class BatchTotals:
    """Sums over the results of a batch; time runs from when it is made.

    Parameters
    ----------
    files : int
        How many results are to come.
    bytes_ : int
        Bytes of the images that there is work on, by which the time left is guessed.
    ready : int
        How many results, the first ones, were known before any work.
    clock : callable
        Returns the time in seconds.

    Examples
    --------
    >>> totals = BatchTotals(files=2, bytes_=2000, clock=iter([0.0, 4.0]).__next__)
    >>> totals.add(ImageResult("a.png", "out/a.png", "done", output_size=(1000, 2000, 3), seconds={"total": 1.0}))
    >>> totals.add(ImageResult("b.png", "out/b.png", "failed", error="b.png: empty file"))
    >>> totals.stop()
    >>> totals.megapixels_per_second, totals.files_per_second, totals.failures
    (0.5, 0.25, [FailedFile(input='b.png', error='b.png: empty file')])
    """

    def __init__(
        self, files: int, bytes_: int = 0, ready: int = 0, *, clock: Callable[[], float] = perf_counter
    ) -> None:
        self.files = files
        self.counts: Counter[str] = Counter()
        self.failures: list[FailedFile] = []
        self.notes: Counter[str] = Counter()
        self.notes_that_differ: set[str] = set()
        self._first_notes: dict[str, str] = {}
        self.interrupted = False
        self.megapixels = 0.0
        self.input_bytes = 0
        self.output_bytes = 0
        self.stages = dict.fromkeys((*STAGES, "total"), 0.0)
        self.ended = 0
        self._bytes = bytes_
        self._behind = 0.0  # of these, what has ended; for a file that never told, the mean of all
        self._ready = ready
        self._slowest: list[tuple[float, int, str]] = []
        self._order = count()
        self._choices: dict[tuple[str, str, str, str], BackendChoice] = {}
        self._clock = clock
        self._began = clock()
        self._stopped: float | None = None

    def _count_note(self, note: str) -> None:
        """Count a note with those that differ from it in numbers alone, under the first of them."""
        kind = _NUMBER.sub("#", note)
        if kind not in self._first_notes and len(self._first_notes) == MOST_KINDS:
            return
        first = self._first_notes.setdefault(kind, note)
        self.notes[first] += 1
        if first != note:
            self.notes_that_differ.add(first)

    def add(self, result: ImageResult) -> None:
        """Take the result of one more file."""
        self.counts[result.status] += 1
        self.ended += 1
        if result.status == "skipped":
            return
        self.input_bytes += result.input_bytes or 0
        if self.ended > self._ready:
            self._behind += result.input_bytes or self._bytes / (self.files - self._ready)
        if result.error is not None:
            self.failures.append(FailedFile(result.input, result.error))
            return
        for note in result.notes:
            self._count_note(note)
        for step in result.steps:
            self._choose(step)
        if result.status != "done":
            return
        self.output_bytes += result.output_bytes or 0
        if result.output_size is not None:
            self.megapixels += result.output_size[0] * result.output_size[1] / 1e6
        for stage, spent in result.seconds.items():
            self.stages[stage] += spent
        # Of two that took as long, the one that came first is named.
        entry = (result.seconds.get("total", 0.0), -next(self._order), result.input)
        if len(self._slowest) < SLOWEST:
            heappush(self._slowest, entry)
        else:
            heappushpop(self._slowest, entry)

    def stop(self) -> None:
        """Stop the clock."""
        self._stopped = self._clock()

    @property
    def not_tried(self) -> int:
        """How many files there is no result of."""
        return self.files - self.ended

    @property
    def seconds(self) -> float:
        """The time that has gone by since the start, until `stop`."""
        return (self._clock() if self._stopped is None else self._stopped) - self._began

    @property
    def megapixels_per_second(self) -> float:
        """10^6 output pixels per second of the whole run: reading, filtering and writing on all cores."""
        return self.megapixels / self.seconds if self.seconds > 0 else 0.0

    @property
    def files_per_second(self) -> float:
        """Files written per second."""
        return self.counts["done"] / self.seconds if self.seconds > 0 else 0.0

    @property
    def share(self) -> float:
        """The share of the work that has ended, 0 to 1, by bytes of input."""
        tried, whole = max(self.ended - self._ready, 0), self.files - self._ready
        if whole <= 0:
            return 1.0
        return min((self._behind + tried * _BYTES_A_FILE) / (self._bytes + whole * _BYTES_A_FILE), 1.0)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take, going by what has ended; None before that can be guessed."""
        spent = self.seconds
        if self.ended <= self._ready or spent < _SECONDS_BEFORE_GUESSING:
            return None
        return spent * (1 - self.share) / self.share

    @property
    def slowest(self) -> list[tuple[str, float]]:
        """The inputs that took longest, with their seconds, the longest first."""
        return [(source, seconds) for seconds, _, source in sorted(self._slowest, reverse=True)]

    @property
    def choices(self) -> list[BackendChoice]:
        """How the kernels were computed, in the order in which that came up first."""
        return list(self._choices.values())

    def record(self) -> dict[str, Any]:
        """Return the totals in the form of the machine-readable output.

        `stage_seconds` are sums over the jobs, which run side by side: they may be more than `seconds`.
        """
        return {
            "files": self.files,
            **{status: self.counts[status] for status in ("done", "skipped", "planned", "failed")},
            "not_tried": self.not_tried,
            "interrupted": self.interrupted,
            "megapixels": self.megapixels,
            "input_bytes": self.input_bytes,
            "output_bytes": self.output_bytes,
            "seconds": self.seconds,
            "megapixels_per_second": self.megapixels_per_second,
            "files_per_second": self.files_per_second,
            "stage_seconds": self.stages,
            "slowest": [{"input": source, "seconds": seconds} for source, seconds in self.slowest],
            "failures": [{"input": failure.input, "error": failure.error} for failure in self.failures],
        }

    def shares(self) -> Iterator[tuple[str, float, float]]:
        """Yield of each stage its name, its seconds over all jobs, and its share of all their time, 0 to 1.

        What no stage counts, such as loading libraries and making room, is `other`.
        """
        total = self.stages["total"]
        other = max(total - sum(self.stages[stage] for stage in STAGES), 0.0)
        for name, seconds in (*((stage, self.stages[stage]) for stage in STAGES), ("other", other)):
            yield name, seconds, seconds / total if total else 0.0

    def _choose(self, step: StepResult) -> None:
        if not step.backend:  # a step of a pipeline that can be computed in one way alone
            return
        key = (step.kernel, step.backend, step.reason, "" if step.runner_up is None else step.runner_up[0])
        choice = self._choices.get(key)
        if choice is None:
            if len(self._choices) == MOST_KINDS:
                return
            choice = self._choices[key] = BackendChoice(*key)
        choice.add(step)


def _widened(span: list[float], value: float) -> list[float]:
    """Make a span of least and most reach to a value.

    >>> _widened(_widened([], 2.0), 1.0)
    [1.0, 2.0]
    """
    return [min(span[0], value), max(span[1], value)] if span else [value, value]
