"""Processes that work on chunks of tasks, and may be killed without anybody else noticing.

Each has a pipe of its own and nothing is shared: no lock is left held by one that was killed. What it had in hand is
given out again, each task alone, and only one that ends its process a second time has failed. The processes end by
themselves when the one that started them is gone.
"""

import contextlib
import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from convcli.batch.worker_process import GO, SIGNALS, PoolAnswer, PoolTask, PoolWork, serve
from convcli.errors import ConvcliError

_MOST_VAIN = 10  # processes that end without having been given anything


@dataclass(frozen=True)
class ChunkDone:
    """Tasks that were done, in the order they were given out, and the seconds that all of them took."""

    tasks: tuple[PoolTask, ...]
    answers: tuple[PoolAnswer, ...]
    seconds: float


@dataclass(frozen=True)
class TaskLost:
    """A task that has ended its process twice, the second time alone in it; `reason` is how, in words."""

    task: PoolTask
    reason: str


@dataclass(eq=False)
class _Process:
    process: BaseProcess
    pipe: Connection
    chunks: deque[deque[PoolTask]] = field(default_factory=deque)
    alone: bool = False  # with a task that has ended a process before
    asked: int | None = None  # bytes of memory that it waits for
    granted: int = 0


class ProcessPool:
    """`size` processes, in each of which `work(task, ask)` turns tasks into answers.

    What is sent, and answers, are what pickle takes; so are `work` and `prepare` on systems that cannot fork. No other
    thread may be running, but those of OpenBLAS and OpenCV.

    Parameters
    ----------
    work : callable
        Called as `work(task, ask)` for each task. It calls `ask(bytes)` before it takes much memory, which waits until
        what all have been allowed together stays within `budget`, or it is the only one.
    size : int
        How many processes.
    budget : int, optional
        Bytes of memory.
    pack : callable
        Makes of a task what is sent of it, as `pack(task, again)`; `again` says that it has been given out before, to a
        process that has ended, and may be half done, or done.
    prepare : callable, optional
        Called in each process at its start.

    Raises
    ------
    ConvcliError
        Where no process can be started, or they end before they have done anything.
    """

    def __init__(
        self,
        work: PoolWork,
        size: int,
        budget: int | None = None,
        pack: Callable[[PoolTask, bool], Any] = lambda task, _: task,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._work = work
        self._prepare = prepare
        self._pack = pack
        self._budget = budget
        self._context = get_context("spawn" if sys.platform in ("win32", "darwin") else "fork")
        self._workers: list[_Process] = []
        self._again: deque[PoolTask] = deque()  # to be done alone
        self._back: deque[PoolTask] = deque()  # to be done again, none of which is suspected
        self._vain = 0  # processes in a row that have ended with nothing to do
        try:
            for _ in range(size):
                self._start()
        except BaseException:
            self.kill()
            raise

    def wanting(self, queue: int = 1) -> bool:
        """Whether a process has fewer than `queue` chunks of tasks before it."""
        return any(self._free(worker, queue) for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether any task has been given out and not been answered."""
        return bool(self._again or self._back) or any(worker.chunks for worker in self._workers)

    @property
    def unanswered(self) -> list[PoolTask]:
        """Every task that has been given out and not been answered."""
        return [*self._again, *self._back, *(task for w in self._workers for chunk in w.chunks for task in chunk)]

    def give(self, tasks: Sequence[PoolTask]) -> None:
        """Hand tasks out to the process that has least before it."""
        takers = [worker for worker in self._workers if not (worker.alone and worker.chunks)]
        self._send(min(takers or self._workers, key=lambda worker: len(worker.chunks)), tasks)

    def wait(self, seconds: float) -> Iterator[ChunkDone | TaskLost]:
        """Wait until something ends, for `seconds` at most, and yield what has."""
        self._give_again()
        for worker in self._speaking(seconds):
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._replace(worker)
                continue
            yield from self._take(worker, message)
        self._allow()

    def stop(self, seconds: float) -> Generator[ChunkDone, None, None]:
        """End all processes; yield what they finish within `seconds`, or before."""
        try:
            for worker in self._workers:
                with contextlib.suppress(OSError, ValueError):
                    worker.process.terminate()  # which says: after the task in hand
                    _send_at_once(worker.pipe, None)
            until = time.monotonic() + seconds
            while self._workers and (left := until - time.monotonic()) > 0:
                for worker in self._speaking(left):
                    try:
                        message = worker.pipe.recv()
                    except Exception:  # it has ended, or an interrupt has cut a message in two: it is of no more use
                        worker.process.kill()
                        self._drop(worker)
                        continue
                    yield from (done for done in self._take(worker, message) if isinstance(done, ChunkDone))
        finally:
            self.kill()

    def _speaking(self, seconds: float) -> list[_Process]:
        """Wait for `seconds` at most, and return the processes that have said something, or ended."""
        ready = connection.wait([worker.pipe for worker in self._workers], seconds)
        return [worker for worker in self._workers if worker.pipe in ready]

    def kill(self) -> None:
        """End all processes at once."""
        for worker in self._workers:
            with contextlib.suppress(OSError, ValueError):
                worker.process.kill()
        while self._workers:
            self._drop(self._workers[0])

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        # What the child must not hold open: it would never see that we are gone.
        others = (
            [worker.pipe for worker in self._workers] + [ours] if self._context.get_start_method() == "fork" else []
        )
        process = self._context.Process(  # type: ignore[attr-defined]  # each kind of context has it, their base not
            target=serve, args=(theirs, others, self._work, self._prepare, os.getpid()), daemon=True
        )
        try:
            with _without_signals(), _without_threads_of_opencv(), warnings.catch_warnings():
                # Python warns of threads, which here are those of OpenBLAS alone, and it looks after them.
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
                # Before an interrupt can come in between: it would be left alone.
                self._workers.append(_Process(process, ours))
        except OSError as error:
            ours.close()
            raise ConvcliError(f"no process can be started for the work: {error.strerror}; try --jobs 1") from None
        finally:
            theirs.close()

    def _free(self, worker: _Process, queue: int) -> bool:
        return not worker.chunks or (not worker.alone and len(worker.chunks) < queue)

    def _send(self, worker: _Process, tasks: Sequence[PoolTask], *, again: bool = False, alone: bool = False) -> None:
        worker.alone = alone
        worker.chunks.append(deque(tasks))
        self._tell(worker, tuple(self._pack(task, again) for task in tasks))

    def _tell(self, worker: _Process, message: Any) -> None:
        """Send a message. Where that fails, the process has ended, or ends here: it would wait for ever for the rest.

        That it has is seen when we wait for it.
        """
        try:
            worker.pipe.send(message)
        except OSError:
            worker.process.kill()

    def _give_again(self) -> None:
        for worker in self._workers:
            if self._again and not worker.chunks:
                self._send(worker, [self._again.popleft()], again=True, alone=True)
        if self._back and (free := [worker for worker in self._workers if not worker.chunks]):
            tasks = list(self._back)
            self._back.clear()
            self._send(free[0], tasks, again=True)

    def _take(self, worker: _Process, message: Any) -> Iterator[ChunkDone]:
        kind, *rest = message
        worker.granted = 0
        if kind == "ask":
            (worker.asked,) = rest
            return
        answers, seconds = rest
        self._vain = 0
        chunk = worker.chunks[0]
        tasks = tuple(chunk.popleft() for _ in answers)
        if not chunk:
            worker.chunks.popleft()
        if answers:
            yield ChunkDone(tasks, answers, seconds)

    def _allow(self) -> None:
        """Let those go on that wait for memory, the first ones first, as long as it lasts."""
        for worker in self._workers:
            if worker.asked is None:
                continue
            used = sum(other.granted for other in self._workers)
            if used and self._budget is not None and used + worker.asked > self._budget:
                continue
            worker.granted, worker.asked = max(1, worker.asked), None
            self._tell(worker, GO)

    def _replace(self, worker: _Process) -> Iterator[TaskLost]:
        """Start another process in place of one that has ended, and see to what it had before it."""
        chunks, alone = worker.chunks, worker.alone
        code = self._drop(worker)
        self._vain = 0 if chunks else self._vain + 1
        if self._vain > _MOST_VAIN:
            raise ConvcliError("the processes for the work end as soon as they are started: is there enough memory?")
        try:
            self._start()
        except ConvcliError:
            if not self._workers:  # else those that there are go on
                raise
        if chunks and code != 0:
            suspects = chunks.popleft()
            if alone and len(suspects) == 1:
                yield TaskLost(suspects[0], _ending(code))
            else:
                self._again.extend(suspects)
        for chunk in chunks:
            self._back.extend(chunk)

    def _drop(self, worker: _Process) -> int:
        """Forget a process that has ended, or is about to; returns its exit status."""
        worker.process.join()
        code = worker.process.exitcode or 0
        worker.pipe.close()
        worker.process.close()
        self._workers.remove(worker)
        return code


def _send_at_once(pipe: Connection, message: Any) -> None:
    """Send a short message where the pipe has room for it: whoever does not read may have been stopped."""
    if sys.platform == "win32":
        pipe.send(message)
        return
    os.set_blocking(pipe.fileno(), False)
    try:
        pipe.send(message)
    finally:
        os.set_blocking(pipe.fileno(), True)


def _ending(code: int) -> str:
    """Describe how a process ended, by its exit status.

    >>> _ending(-9)
    'signal 9 (SIGKILL), as when memory runs out'
    """
    if code >= 0:
        return f"exit status {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"signal {-code}{name}" + (", as when memory runs out" if code == -9 else "")


@contextlib.contextmanager
def _without_signals() -> Iterator[None]:
    """Keep interrupts off while a process starts, until it is ready for them; it undoes this for itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _without_threads_of_opencv() -> Iterator[None]:
    """End OpenCV's threads while a process is forked: the copy would believe to have them too, and wait for ever."""
    cv2 = sys.modules.get("cv2")
    if cv2 is None:
        yield
        return
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
