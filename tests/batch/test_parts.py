"""The parts of a batch by themselves: chunks, memory, headers, processes."""

import contextlib
import os
import signal
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from hanging import LONG, must_end
from hypothesis import given
from hypothesis import strategies as st

from convcli.batch.chunk_sizes import Chunks
from convcli.batch.journal import BEGUN, DONE, Done, Journal, read_journal
from convcli.batch.local_processes import Done as Finished
from convcli.batch.local_processes import Lost, Pool
from convcli.batch.work import FilterWork, Task
from convcli.errors import UsageError
from convcli.process.image_job import FilterOptions


def tasks(sizes):
    return [Task(f"{number}.png", "", size, False) for number, size in enumerate(sizes)]


@given(
    sizes=st.lists(st.integers(0, 10**8), max_size=300),
    jobs=st.integers(1, 8),
    speed=st.floats(1e-12, 1e-3),
)
def test_chunks_give_everything_once_and_in_order(sizes, jobs, speed):
    items = tasks(sizes)
    chunks = Chunks(items, jobs)
    given_out = []
    while chunks.more:
        chunk = chunks.next()
        assert 1 <= len(chunk) <= 128
        chunks.measured(chunk, speed * sum(item.bytes for item in chunk))
        given_out += chunk
    assert given_out == items
    assert chunks.next() == []


def test_chunks_become_small_again_towards_the_end():
    items = tasks([1000] * 1000)
    chunks = Chunks(items, jobs=2)
    lengths = []
    while chunks.more:
        chunk = chunks.next()
        lengths.append(len(chunk))
        chunks.measured(chunk, 1e-3 * len(chunk))
    assert lengths[0] == 1  # nothing is known yet
    assert max(lengths) == pytest.approx(50, abs=2)  # of a millisecond each
    assert lengths[-1] == 1


def test_long_names_make_short_chunks():
    items = [Task("d/" * 1500 + f"{number}.png", "o/" * 1500, 100, False) for number in range(200)]
    chunks = Chunks(items, jobs=1)
    lengths = []
    while chunks.more:
        chunk = chunks.next()
        lengths.append(len(chunk))
        chunks.measured(chunk, 1e-6 * len(chunk))
    assert max(lengths) == 3  # of 6 kB each
    assert sum(lengths) == 200


def test_large_files_are_given_one_by_one():
    chunks = Chunks(tasks([10**7] * 20), jobs=2)
    chunks.measured(chunks.next(), 0.3)
    assert len(chunks.next()) == 1
    assert chunks.queue == 2 or not chunks.more


def test_float_work_takes_more_memory_than_plain():
    plain = FilterWork(FilterOptions(("sobel_x",)), [None])
    float_ = FilterWork(FilterOptions(("sobel_x",), depth="f32"), [None])
    assert plain.memory(10**8) < float_.memory(10**8)


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
                assert isinstance(event, Finished)
                answers += event.answers
    finally:
        list(pool.stop(0))
    return answers


@pytest.mark.parametrize(("memory", "at_once"), [(30, 3), (60, 1), (500, 1), (10, 4)])
def test_files_run_together_as_far_as_memory_goes(memory, at_once):
    seen = done_by(Pool(together(memory, at_once), 4, budget=100), range(12))
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

    pool = Pool(work, 2)
    pool.give([0, 1, 2, 3, 4])
    pool.give([5, 6])
    answers, lost = [], []
    while pool.busy:
        for event in pool.wait(0.1):
            (lost.append(event) if isinstance(event, Lost) else answers.extend(event.answers))
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

    pool = Pool(work, 1)
    pool.give([1, 2, 3])
    assert begun.wait(60)
    assert [event.answers for event in pool.stop(60)] == [(1,)]


def test_stopping_ends_processes_that_the_system_has_stopped():
    """Which read nothing: what is sent to them must not be waited for."""
    pool = Pool(lambda task, ask: time.sleep(LONG), 2, pack=lambda task, again: "x" * 50_000)
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
    pool = Pool(lambda task, ask: time.sleep(0.1) or "answer" * 100, 2)
    pool.give([1])
    pool.give([2])
    broken = pool._workers[0].pipe
    assert broken.poll(60)
    os.read(broken.fileno(), 7)  # its length, and a part of what follows
    assert [event.answers for event in pool.stop(60)] == [("answer" * 100,)]


def test_the_journal_keeps_what_it_was_told(tmp_path):
    folder = str(tmp_path / "out")
    journal = Journal(folder)
    journal.begin(["a", 'b "quoted"', "c"])
    journal.finish([Done("a", "f1", 10, 11)])
    journal.leave(["c"])
    journal.close()
    records, notes = read_journal(folder)
    assert notes == []
    assert {name: record.state for name, record in records.items()} == {"a": DONE, 'b "quoted"': BEGUN}
    assert records["a"][1:] == ("f1", 10, 11)


def test_the_journal_goes_on_behind_a_line_that_a_full_disk_has_cut(tmp_path, monkeypatch):
    folder = str(tmp_path / "out")
    journal = Journal(folder)
    write, calls = os.write, []

    def half(file, data):
        calls.append(data)
        if len(calls) == 1:
            return write(file, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        journal.finish([Done("a", "f", 1, 1)])
    journal.finish([Done("b", "f", 1, 1)])
    journal.close()
    records, notes = read_journal(folder)
    assert list(records) == ["b"]
    assert len(notes) == 1


def test_a_journal_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / ".convcli/journal.jsonl").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"journal\.jsonl: cannot be read: Is a directory; put it right"):
        read_journal(str(tmp_path))


def test_the_folder_is_free_when_its_holder_is_gone(tmp_path):
    first = Journal(str(tmp_path))
    Path(first.temporaries, "half").touch()
    first.close()
    assert not list(Path(first.temporaries).iterdir())
    Journal(str(tmp_path)).close()
