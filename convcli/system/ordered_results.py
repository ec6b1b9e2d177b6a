"""Numbered pieces of work on several threads, with the results in order, few of them waiting at a time."""

import math
import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from typing import Generic, TypeVar

_AHEAD = 2  # results a thread that may wait to be taken

_T = TypeVar("_T")


def available_threads() -> int:
    """Count the cores that this process may use: its affinity, cut by a cgroup quota where there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


@cache
def _cgroup_quota() -> float | None:
    """Read how many cores' time a container may use, where that is limited."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as limit:
            quota, period = limit.read().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def run_each(pieces: int, work: Callable[[int], None], threads: int, first: Callable[[], None] | None = None) -> None:
    """Do pieces 0 to `pieces` - 1, each taken in that order by whichever thread is free; the caller's is one of them.

    `first` is done by one of the other threads before it takes any piece; where there is none, here before all pieces.
    The first exception is raised here.
    """
    numbers = count()
    failures: list[BaseException] = []

    def take() -> None:
        try:
            while not failures and (number := next(numbers)) < pieces:
                work(number)
        except BaseException as failure:  # handed to the caller, whatever it is
            failures.append(failure)

    def begin() -> None:
        try:
            if first is not None:
                first()
        except BaseException as failure:  # as above
            failures.append(failure)
        take()

    helpers = [
        threading.Thread(target=take if index else begin, daemon=True) for index in range(min(threads, pieces) - 1)
    ]
    for helper in helpers:
        helper.start()
    if helpers:
        take()
    else:
        begin()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]


def in_order(pieces: int, work: Callable[[int], _T], threads: int) -> Iterator[_T]:
    """Give the results of pieces 0 to `pieces` - 1 in order, made by `threads` threads, the caller's included.

    No more than a few results a thread are held at a time. Where the caller stops, so do the
    threads, after the piece in hand.

    >>> list(in_order(5, lambda number: number**2, threads=2))
    [0, 1, 4, 9, 16]
    """
    if threads < 2 or pieces < 2:
        yield from map(work, range(pieces))
        return
    results = _Results(pieces, work, _AHEAD * threads)
    helpers = [threading.Thread(target=results.help, daemon=True) for _ in range(min(threads, pieces) - 1)]
    try:
        for helper in helpers:
            helper.start()
        for number in range(pieces):
            yield results.take(number)
    finally:
        results.stop()
        for helper in helpers:
            if helper.ident is not None:
                helper.join()


class _Results(Generic[_T]):
    """What is shared by the threads of one `in_order`."""

    def __init__(self, pieces: int, work: Callable[[int], _T], ahead: int) -> None:
        self._pieces = pieces
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
        """Give a result, making others, or this, for as long as it is not there."""
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
        """Let no thread begin another piece."""
        with self._changed:
            self._begun = self._pieces
            self._changed.notify_all()

    def _next(self, wait: bool) -> int | None:
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._has_room() or self._begun >= self._pieces)
            if self._begun >= self._pieces or not self._has_room():
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
