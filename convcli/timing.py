"""Where the time of a run goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

STAGES = ("read", "prepare", "filter", "write")


class Stopwatch:
    """Seconds spent in each stage of a run, and in total, by the monotonic clock.

    A stage may be entered several times; its times add up, also when it ends in an error.

    >>> watch = Stopwatch()
    >>> with watch.stage("read"):
    ...     pass
    >>> list(watch.seconds())
    ['read', 'prepare', 'filter', 'write', 'total']
    """

    def __init__(self) -> None:
        self._started = perf_counter()
        self._spent = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Return a context manager that adds the time of its block to the stage `name`, one of `STAGES`."""
        begun = perf_counter()
        try:
            yield
        finally:
            self._spent[name] += perf_counter() - begun

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage, and `total`: the seconds since this stopwatch was made."""
        return {**self._spent, "total": perf_counter() - self._started}
