"""A batch of images as planned, done by several processes, and resumed where it was left."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from functools import partial
from time import monotonic

from convcli.batch.chunk_sizes import Chunks
from convcli.batch.journal import FileDone, Journal, check_can_be_made, fingerprint
from convcli.batch.local_processes import ProcessPool, TaskLost
from convcli.batch.masks import key_with_mask
from convcli.batch.plan import BatchItem, BatchOptions, BatchPlan
from convcli.batch.work import BatchTask, FileWorker, TaskAnswer, load_libraries, operation_key
from convcli.convolution.options import available_threads
from convcli.errors import ImageWriteError
from convcli.process.result import ImageResult
from convcli.system.captured_stderr import capture_stderr
from convcli.system.memory import available_bytes, keep_freed_memory

_TICK = 0.1  # seconds
# How long what is in hand may take to be finished when a run is stopped.
_GRACE = 0.8
# So many outputs at least are recorded as begun at a time, and as many as take this long.
_BEGUN_FILES = 32
_BEGUN_SECONDS = 1.0


def run_batch(
    plan: BatchPlan,
    options: BatchOptions,
    *,
    on_tick: Callable[[], None] | None = None,
    on_late: Callable[[ImageResult], None] | None = None,
) -> Generator[ImageResult, None, None]:
    """Process what is planned, on several processes.

    Closing the iterator, or an exception such as KeyboardInterrupt raised in `on_tick` or by a signal, stops all work
    within about a second: what is in hand is finished and recorded, or leaves nothing.

    Parameters
    ----------
    plan : BatchPlan
        As `plan_batch` returns it for the same options.
    options : BatchOptions
        What was asked for.
    on_tick : callable, optional
        Called at least every 0.2 s, in the caller's thread, as long as the caller itself takes no longer.
    on_late : callable, optional
        Called with each result that could not be yielded any more: of what was finished while the work was stopped, or
        ended together with the last one yielded.

    Yields
    ------
    ImageResult
        The result of each image: first all of `plan.skipped`, then the others as they come.

    Raises
    ------
    UsageError
        Where another run is at work in the same output folder, or has been since this one was planned.
    ImageWriteError
        Where the output folder cannot be made.
    ConvcliError
        Where no process can be started.
    """
    dry = options.filter.output.dry_run
    if dry and plan.items:
        check_can_be_made(options.output)
    with closing(Journal(options.output, plan.journal)) if plan.items and not dry else nullcontext() as journal:
        for result in plan.skipped:
            yield result
            if options.fail_fast and result.status == "failed":
                return
        if plan.items:
            yield from _BatchRun(
                plan, options, journal, on_tick or (lambda: None), on_late or (lambda _result: None)
            ).results()


class _BatchRun:
    def __init__(
        self,
        plan: BatchPlan,
        options: BatchOptions,
        journal: Journal | None,
        on_tick: Callable[[], None],
        on_late: Callable[[ImageResult], None],
    ) -> None:
        jobs = min(options.jobs or available_threads(), len(plan.items))
        self._options = options
        self._journal = journal
        self._on_tick = on_tick
        self._on_late = on_late
        self._untold: deque[ImageResult] = deque()  # of what is recorded, and has yet to be given to the caller
        self._jobs = jobs
        self._items = plan.items
        self._chunks: Chunks[BatchItem] = Chunks(plan.items, jobs)
        self._begun = 0  # of the items, how many are recorded
        self._started = 0.0
        assert plan.operation is not None
        threads = plan.operation.threads or (available_threads() if jobs == 1 else 1)
        self._operation = plan.operation.in_worker(threads)
        self._key = operation_key(plan.operation)

    def results(self) -> Iterator[ImageResult]:
        """Yield the results as they come."""
        self._make_folders()
        load_libraries()
        free = available_bytes()
        budget = None if free is None else free // 2
        share = 1 << 62 if budget is None else budget // (2 * self._jobs)
        temporaries = None if self._journal is None else self._journal.temporaries
        pool = ProcessPool(
            FileWorker(self._operation, temporaries, share), self._jobs, budget, _task, partial(_prepare, share)
        )
        try:
            yield from self._follow(pool)
        finally:
            self._stop(pool)

    def _follow(self, pool: ProcessPool) -> Iterator[ImageResult]:
        """Keep the processes in work, and give what they have done."""
        self._started = monotonic()
        while True:
            yield from self._hand_out(pool)
            if not pool.busy:
                if not self._chunks.more:
                    return
                continue
            self._on_tick()
            for event in pool.wait(_TICK):
                if isinstance(event, TaskLost):
                    results = [self._lost(event.task, event.reason)]
                else:
                    self._chunks.measured(event.tasks, event.seconds)
                    results = self._record(event.tasks, event.answers)
                self._untold += results
                while self._untold:
                    yield self._untold.popleft()
                if self._options.fail_fast and any(result.status == "failed" for result in results):
                    return

    def _hand_out(self, pool: ProcessPool) -> Iterator[ImageResult]:
        """Hand out work to every process that wants some; what cannot even be begun has failed."""
        while self._chunks.more and pool.wanting(self._chunks.queue):
            chunk = self._chunks.next()
            try:
                self._begin(self._chunks.given)
            except ImageWriteError as error:
                for item in chunk:
                    yield ImageResult(item.source, item.output, "failed", error=f"{item.output}: not tried: {error}")
                if self._options.fail_fast:
                    return
            else:
                pool.give(chunk)

    def _begin(self, count: int) -> None:
        """Record the first `count` items as begun, and some more, so that it need not be done for every chunk."""
        if self._journal is None or self._begun >= count:
            return
        done, spent = self._chunks.given, monotonic() - self._started
        ahead = max(_BEGUN_FILES, int(done / spent * _BEGUN_SECONDS) if spent > _TICK else 0)
        stop = min(len(self._items), count + ahead)
        start, self._begun = self._begun, stop
        try:
            self._journal.begin(item.relative for item in self._items[start:stop])
        except ImageWriteError:
            self._begun = count  # the others are tried again, when it is their turn
            raise

    def _record(self, items: Sequence[BatchItem], answers: Sequence[TaskAnswer]) -> list[ImageResult]:
        if self._journal is not None:
            done, left = [], []
            for item, answer in zip(items, answers, strict=True):
                result, size, mtime_ns, *written = answer
                if result.status == "done":
                    made_by = fingerprint(key_with_mask(self._key, item.mask), item.source, size, mtime_ns)
                    done.append(FileDone(item.relative, made_by, *written))
                elif not item.replace:
                    left.append(item.relative)
            self._journal.finish(done)
            self._journal.leave(left)
        return [answer.result for answer in answers]

    def _lost(self, item: BatchItem, reason: str) -> ImageResult:
        error = f"{item.source}: the process that filtered it was ended by {reason}, twice; filter it by itself"
        return ImageResult(item.source, item.output, "failed", error=error)

    def _stop(self, pool: ProcessPool) -> None:
        """End the processes, record and tell what they have still done; then take back what has come to nothing."""
        while self._untold:
            self._on_late(self._untold.popleft())
        waiting = {item.relative: item for item in pool.unanswered}
        with closing(pool.stop(_GRACE if pool.busy else 0.0)) as events:
            for event in events:
                for result in self._record(event.tasks, event.answers):
                    self._on_late(result)
                for item in event.tasks:
                    waiting.pop(item.relative, None)
        if self._journal is not None:
            never = (*waiting.values(), *self._items[self._chunks.given : self._begun])
            self._journal.leave(
                item.relative for item in never if not item.replace and not os.path.lexists(item.output)
            )

    def _make_folders(self) -> None:
        """Make the folders of the outputs. Where that fails, writing a file there will say why."""
        if self._journal is None:
            return
        for folder in dict.fromkeys(os.path.dirname(item.output) for item in self._items):
            with suppress(OSError):
                os.makedirs(folder, exist_ok=True)


def _prepare(share: int) -> None:
    """Make a process of the pool ready for its work."""
    keep_freed_memory(share)
    capture_stderr()


def _task(item: BatchItem, again: bool) -> BatchTask:
    """Return what is sent of an item. One that is done again may be in place already."""
    return BatchTask(item.source, item.output, item.bytes, item.replace or again, item.mask)
