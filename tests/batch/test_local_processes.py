"""Processes that work on tasks: what they share, and what becomes of tasks whose process ends."""

import contextlib
import os
import signal
import time
from multiprocessing import get_context

import pytest
from hanging import LONG, must_end

from convcli.batch.local_processes import ChunkDone, ProcessPool, TaskLost


def together(memory, at_once):
    """Have the first `at_once` tasks wait for each other, and answer how many were at work at a time."""
    context = get_context("fork")
    meeting, begun, running = context.Barrier(at_once), context.Value("i", 0), context.Value("i", 0)

    def work(task, ask):
        ask(memory)
        with running.get_lock():
            begun.value += 1
            running.value += 1
            first, seen = begun.value <= at_once, running.value
        if first:
            meeting.wait(60)  # in vain where fewer are allowed
        time.sleep(0.02)  # so that more would be seen
        with running.get_lock():
            running.value -= 1
        return seen

    return work


def done_by(pool, items):
    for item in items:
        pool.give([item])
    answers = []
    try:
        while pool.busy:
            for event in pool.wait(0.1):
                assert isinstance(event, ChunkDone)
                answers += event.answers
    finally:
        list(pool.stop(0))
    return answers


@pytest.mark.parametrize(("memory", "at_once"), [(30, 3), (60, 1), (500, 1), (10, 4)])
def test_files_run_together_as_far_as_memory_goes(memory, at_once):
    seen = done_by(ProcessPool(together(memory, at_once), 4, budget=100), range(12))
    assert len(seen) == 12
    assert max(seen) == at_once


def test_a_task_that_ends_its_process_twice_is_lost_alone(tmp_path):
    mark = tmp_path / "tries"

    def work(task, ask):
        if task == 3:
            with mark.open("a") as file:
                file.write("x")
            raise SystemExit(7)
        return task

    pool = ProcessPool(work, 2)
    pool.give([0, 1, 2, 3, 4])
    pool.give([5, 6])
    answers, lost = [], []
    while pool.busy:
        for event in pool.wait(0.1):
            (lost.append(event) if isinstance(event, TaskLost) else answers.extend(event.answers))
    assert list(pool.stop(0.5)) == []
    assert sorted(answers) == [0, 1, 2, 4, 5, 6]
    assert [(event.task, event.reason) for event in lost] == [(3, "exit status 1")]
    assert mark.read_text() == "xx"


def test_stopping_keeps_what_was_in_hand():
    begun = get_context("fork").Event()

    def work(task, ask):
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell)
        begun.set()
        os.read(told, 1)  # until the signal to stop has come
        return task

    pool = ProcessPool(work, 1)
    pool.give([1, 2, 3])
    assert begun.wait(60)
    assert [event.answers for event in pool.stop(60)] == [(1,)]


def test_stopping_ends_processes_that_the_system_has_stopped():
    """Which read nothing: what is sent to them must not be waited for."""
    pool = ProcessPool(lambda task, ask: time.sleep(LONG), 2, pack=lambda task, again: "x" * 50_000)
    for _ in range(2):
        pool.give([1])
    workers = [worker.process.pid for worker in pool._workers]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    fill = pool._workers[0].pipe
    os.set_blocking(fill.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        while True:
            fill.send("x" * 1000)
    os.set_blocking(fill.fileno(), True)
    with must_end():
        assert list(pool.stop(0.3)) == []
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_message_that_an_interrupt_has_cut_does_not_keep_the_others_from_ending():
    pool = ProcessPool(lambda task, ask: time.sleep(0.1) or "answer" * 100, 2)
    pool.give([1])
    pool.give([2])
    broken = pool._workers[0].pipe
    assert broken.poll(60)
    os.read(broken.fileno(), 7)  # its length, and a part of what follows
    assert [event.answers for event in pool.stop(60)] == [("answer" * 100,)]


def test_a_message_that_cannot_be_sent_is_given_out_again(monkeypatch):
    from multiprocessing.connection import Connection

    send, failures = Connection.send, [OSError(5, "Input/output error")]

    def failing(self, message):
        if failures:
            raise failures.pop()
        send(self, message)

    monkeypatch.setattr(Connection, "send", failing)
    pool = ProcessPool(lambda task, ask: task + 1, 1)
    with must_end():
        assert done_by(pool, [1]) == [2]
