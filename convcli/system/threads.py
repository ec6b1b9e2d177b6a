"""Threads: numbered tasks, each done once, by whichever comes first; and how many a library underneath may use."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count


def run_tasks(tasks: int, worker: Callable[[], Callable[[int], None]], threads: int) -> None:
    """Run tasks 0 to `tasks` - 1; `worker` is called once in each thread and gives the function that does a task.

    The calling thread works too, so that one thread costs nothing and an interrupt reaches it. The first exception
    stops all threads after their task in hand, and is raised here.

    >>> done = []
    >>> run_tasks(3, lambda: done.append, threads=2)
    >>> sorted(done)
    [0, 1, 2]
    """
    numbers = count()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            do = worker()
            while not failures and (number := next(numbers)) < tasks:
                do(number)
        except BaseException as failure:  # handed to the caller, whatever it is
            failures.append(failure)

    helpers = [threading.Thread(target=work, daemon=True) for _ in range(min(threads, tasks) - 1)]
    try:
        for helper in helpers:
            helper.start()
        work()
        for helper in helpers:
            helper.join()
    except BaseException as interrupt:  # between tasks: the helpers must not go on alone
        failures.append(interrupt)
        raise
    if failures:
        raise failures[0]


class SharedLimit:
    """Holds a library to a number of threads, which it has for the whole process, while any caller needs it held.

    `limit(count)` sets the number and returns what takes it back. The first caller to come notes what it was, and the
    last to leave restores it, however the calls of several threads overlap.

    >>> numbers = [8]
    >>> def limit(count):
    ...     before = numbers[-1]
    ...     numbers.append(count)
    ...     return lambda: numbers.append(before)
    >>> held = SharedLimit(limit)
    >>> with held(1), held(2):
    ...     pass
    >>> numbers
    [8, 1, 2, 8]
    """

    def __init__(self, limit: Callable[[int], Callable[[], object]]) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._callers = 0
        self._restore: Callable[[], object] = lambda: None

    @contextmanager
    def __call__(self, threads: int) -> Iterator[None]:
        with self._lock:
            restore = self._limit(threads)
            if self._callers == 0:
                self._restore = restore
            self._callers += 1
        try:
            yield
        finally:
            with self._lock:
                self._callers -= 1
                if self._callers == 0:
                    self._restore()
