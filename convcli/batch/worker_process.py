"""The inside of a process of a pool: it takes chunks of tasks from a pipe, and answers there."""

import contextlib
import gc
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

PoolTask = Any
PoolAnswer = Any
AskMemory = Callable[[int], None]
PoolWork = Callable[[PoolTask, AskMemory], PoolAnswer]

# The answer to a process that has asked for memory.
GO = "go"
# What ends a process from outside, where the system has it.
SIGNALS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}

# As long as a process goes on without telling what it has done.
_SECONDS_UNTOLD = 0.2
# Python looks for garbage this often; what was there before the first task is never looked at.
_OBJECTS = 10_000


def serve(
    pipe: Connection, others: Sequence[Connection], work: PoolWork, prepare: Callable[[], None] | None, parent: int
) -> None:
    """Take chunks of tasks until there are no more, or nobody to give them; then end this process.

    Parameters
    ----------
    pipe : Connection
        Where tasks come from and answers go.
    others : sequence of Connection
        Ends of other pipes that this process has inherited, and must not hold open.
    work : callable
        Turns a task into an answer. It is also given a function that waits for leave to take so many bytes of memory.
    prepare : callable or None
        Called first.
    parent : int
        The number of the process that started this one, without which it ends.
    """
    stopping: list[int] = []
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # an interrupt is for the one that started us
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for other in others:
        other.close()
    _end_with(parent)
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    status = 1
    try:
        if prepare is not None:
            prepare()
        _TaskServer(pipe, work, stopping, parent).run()
        status = 0
    except (EOFError, OSError):  # nobody is there any more
        status = 0
    finally:
        # What libraries do at the end of a process is no use to this one, and nobody would read what went wrong.
        os._exit(status)


class _TaskServer:
    def __init__(self, pipe: Connection, work: PoolWork, stopping: list[int], parent: int) -> None:
        self._pipe = pipe
        self._work = work
        self._stopping = stopping
        self._parent = parent
        self._inbox: deque[tuple[PoolTask, ...] | None] = deque()
        self._answers: list[PoolAnswer] = []
        self._since = 0.0
        self._asked = False

    def run(self) -> None:
        while True:
            chunk = self._inbox.popleft() if self._inbox else self._pipe.recv()
            if chunk is None:
                return
            self._since = time.perf_counter()
            for task in chunk:
                if self._stopping or os.getppid() != self._parent:
                    self._tell()
                    return
                self._answers.append(self._work(task, self._ask))
                if self._asked or time.perf_counter() - self._since > _SECONDS_UNTOLD:
                    self._tell()
            self._tell()

    def _tell(self) -> None:
        if self._answers:
            now = time.perf_counter()
            self._pipe.send(("done", tuple(self._answers), now - self._since))
            self._answers.clear()
            self._since = now
        self._asked = False

    def _ask(self, size: int) -> None:
        """Wait until there is leave to take this much memory."""
        self._tell()
        self._asked = True
        self._pipe.send(("ask", size))
        while (message := self._pipe.recv()) != GO:
            if message is None:
                raise EOFError
            self._inbox.append(message)
        self._since = time.perf_counter()


def _end_with(parent: int) -> None:
    """Have the system end this process when its parent is gone; without that, it is seen between two tasks."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        set_death_signal = 1  # PR_SET_PDEATHSIG, of linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)
