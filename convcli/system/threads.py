"""Threads: how many there may be, numbered tasks shared out to them, and how many a library underneath may use."""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Generic, TypeVar

_AHEAD = 2  # results a thread that may wait to be taken

_T = TypeVar("_T")


def available_threads() -> int:
    """Return how many cores this process may use: its affinity, cut by a container's quota where there is one.

    >>> available_threads() >= 1
    True
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


@cache
def _cgroup_quota() -> float | None:
    """Return how many cores' time a container may use; None where that is not limited."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as limit:
            quota, period = limit.read().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def run_tasks(
    tasks: int,
    worker: Callable[[], Callable[[int], object]],
    threads: int,
    *,
    first: Callable[[], object] | None = None,
) -> None:
    """Do tasks 0 to `tasks` - 1, each taken in that order by whichever thread is free.

    The calling thread works too, so that one thread costs nothing and an interrupt reaches it.

    Parameters
    ----------
    tasks : int
        How many there are.
    worker : callable
        Called once in each thread; returns the function that does the task of a number.
    threads : int
        How many work, the caller's included.
    first : callable, optional
        Done before any task by one of the other threads, which then takes tasks too; by the caller where it is alone.

    Raises
    ------
    BaseException
        The first exception of a task; it stops all threads after their task in hand.

    Examples
    --------
    >>> done = []
    >>> run_tasks(3, lambda: done.append, threads=2)
    >>> sorted(done)
    [0, 1, 2]
    """
    numbers = count()
    failures: list[BaseException] = []

    def work(beforehand: Callable[[], object] | None = None) -> None:
        try:
            if beforehand is not None:
                beforehand()
            do = worker()
            while not failures and (number := next(numbers)) < tasks:
                do(number)
        except BaseException as failure:  # handed to the caller, whatever it is
            failures.append(failure)

    helpers = [
        threading.Thread(target=work, args=(None if index else first,), daemon=True)
        for index in range(min(threads, tasks) - 1)
    ]
    try:
        for helper in helpers:
            helper.start()
        work(None if helpers else first)
        for helper in helpers:
            helper.join()
    except BaseException as interrupt:  # between tasks: the helpers must not go on alone
        failures.append(interrupt)
        raise
    if failures:
        raise failures[0]


def results_in_order(tasks: int, work: Callable[[int], _T], threads: int) -> Iterator[_T]:
    """Yield the results of tasks 0 to `tasks` - 1 in order, few of them held at a time.

    Parameters
    ----------
    tasks : int
        How many there are.
    work : callable
        Does the task of a number and returns its result.
    threads : int
        How many work, the caller's included. Where the caller stops, so do they, after the task in hand.

    Raises
    ------
    BaseException
        The first exception of a task, where a result is taken.

    Examples
    --------
    >>> list(results_in_order(5, lambda number: number**2, threads=2))
    [0, 1, 4, 9, 16]
    """
    if threads < 2 or tasks < 2:
        yield from map(work, range(tasks))
        return
    results = _OrderedResults(tasks, work, _AHEAD * threads)
    helpers = [threading.Thread(target=results.help, daemon=True) for _ in range(min(threads, tasks) - 1)]
    try:
        for helper in helpers:
            helper.start()
        for number in range(tasks):
            yield results.take(number)
    finally:
        results.stop()
        for helper in helpers:
            if helper.ident is not None:
                helper.join()


class _OrderedResults(Generic[_T]):
    """What the threads of one `results_in_order` share."""

    def __init__(self, tasks: int, work: Callable[[int], _T], ahead: int) -> None:
        self._tasks = tasks
        self._work = work
        self._ahead = ahead
        self._begun = 0
        self._taken = 0
        self._made: dict[int, _T] = {}
        self._failure: BaseException | None = None
        self._changed = threading.Condition()

    def help(self) -> None:
        """Make results until there are no more to make; what goes wrong is raised where it is taken."""
        try:
            while (number := self._next(wait=True)) is not None:
                self._make(number)
        except BaseException as failure:  # handed to the caller, whatever it is
            with self._changed:
                self._failure = failure
                self._changed.notify_all()

    def take(self, number: int) -> _T:
        """Return a result, making others, or this, for as long as it is not there."""
        while True:
            with self._changed:
                if self._failure is not None:
                    raise self._failure
                if number in self._made:
                    self._taken = number + 1
                    self._changed.notify_all()
                    return self._made.pop(number)
            mine = self._next(wait=False)
            if mine is not None:
                self._make(mine)
                continue
            with self._changed:
                self._changed.wait_for(lambda: self._failure is not None or number in self._made)

    def stop(self) -> None:
        """Let no thread begin another task."""
        with self._changed:
            self._begun = self._tasks
            self._changed.notify_all()

    def _next(self, wait: bool) -> int | None:
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._has_room() or self._begun >= self._tasks)
            if self._begun >= self._tasks or not self._has_room():
                return None
            self._begun += 1
            return self._begun - 1

    def _has_room(self) -> bool:
        return self._begun < self._taken + self._ahead

    def _make(self, number: int) -> None:
        result = self._work(number)
        with self._changed:
            self._made[number] = result
            self._changed.notify_all()


class SharedLimit:
    """Holds a library to a number of threads, which it has for the whole process, while any caller needs it held.

    The first caller to come notes what the number was, and the last to leave restores it, however the calls of several
    threads overlap.

    Parameters
    ----------
    limit : callable
        Sets the number of threads and returns a function that takes it back.

    Examples
    --------
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
        """Hold the library to a number of threads within the block."""
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
