"""The parts of a batch by themselves: chunks, memory, headers, processes."""

import contextlib
import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from convcli.batch.chunk_sizes import Chunks
from convcli.batch.journal import BEGUN, DONE, FileDone, Journal, read_journal
from convcli.batch.local_processes import ChunkDone, ProcessPool, TaskLost
from convcli.batch.work import BatchTask
from convcli.errors import UsageError
from convcli.image.header_size import peek_bytes, peek_samples
from convcli.process.kernel_operation import FilterOptions, KernelOperation
from convcli.process.output_files import OutputOptions


def tasks(sizes):
    return [BatchTask(f"{number}.png", "", size, False) for number, size in enumerate(sizes)]


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
    items = [BatchTask("d/" * 1500 + f"{number}.png", "o/" * 1500, 100, False) for number in range(200)]
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


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp"])
@pytest.mark.parametrize("size", [(40, 70), (1, 1), (300, 20)])
def test_headers_tell_how_much_is_decoded(tmp_path, suffix, size):
    path = tmp_path / f"a{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
    exact = pixels.size if suffix != ".bmp" else pixels.size // 3 * 4  # which might hold alpha
    # Where a TIFF's bits do not fit its directory's entry, they are taken for 16.
    assert peek_bytes(str(path), 1) == exact * (2 if suffix == ".tiff" else 1)


def test_headers_of_deep_and_progressive_pictures(tmp_path):
    deep = np.zeros((50, 60), np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    # gray might turn out to have a transparent shade
    assert peek_samples(str(tmp_path / "a.png")) == (2 * deep.size, 2)
    for big in (False, True):
        for order in "<>":
            tifffile.imwrite(tmp_path / "a.tif", deep.astype(np.float32), bigtiff=big, byteorder=order)
            assert peek_samples(str(tmp_path / "a.tif")) == (deep.size, 4)
    picture = PillowImage.fromarray(np.zeros((33, 44, 3), np.uint8))
    exif = PillowImage.Exif()
    exif[0x010E] = "x" * 60_000  # the frame's header lies far behind
    picture.save(tmp_path / "a.jpg", progressive=True, exif=exif)
    assert peek_samples(str(tmp_path / "a.jpg")) == (33 * 44 * 3, 1)


@given(
    data=st.binary(max_size=60),
    start=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM", b"GIF8", b""]),
)
def test_what_is_no_header_is_never_an_error(tmp_path_factory, data, start):
    path = tmp_path_factory.mktemp("peek") / "a"
    path.write_bytes(start + data)
    assert peek_bytes(str(path), len(data)) >= 0


def test_float_work_takes_more_memory_than_plain():
    plain = KernelOperation(FilterOptions(("sobel_x",)), (None,))
    float_ = KernelOperation(FilterOptions(("sobel_x",), output=OutputOptions(depth="f32")), (None,))
    assert plain.memory(10**8) < float_.memory(10**8)


def together(memory):
    """Note when each task began and ended."""

    def work(task, ask):
        ask(memory)
        begun = time.monotonic()
        time.sleep(0.02)
        return begun, time.monotonic()

    return work


def done_by(pool, items):
    for item in items:
        pool.give([item])
    spans = []
    try:
        while pool.busy:
            for event in pool.wait(0.1):
                assert isinstance(event, ChunkDone)
                spans += event.answers
    finally:
        list(pool.stop(0))
    return sorted(spans)


@pytest.mark.parametrize(("memory", "at_once"), [(30, 3), (60, 1), (500, 1), (10, 4)])
def test_files_run_together_as_far_as_memory_goes(memory, at_once):
    spans = done_by(ProcessPool(together(memory), 4, budget=100), range(12))
    assert len(spans) == 12
    most = max(sum(begun <= start < ended for begun, ended in spans) for start, _ in spans)
    assert most == at_once


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
    def work(task, ask):
        time.sleep(0.15)
        return task

    pool = ProcessPool(work, 1)
    pool.give([1, 2, 3])
    time.sleep(0.05)
    assert [event.answers for event in pool.stop(2)] == [(1,)]


def test_stopping_ends_processes_that_the_system_has_stopped():
    """Which read nothing: what is sent to them must not be waited for."""
    pool = ProcessPool(lambda task, ask: time.sleep(60), 2, pack=lambda task, again: "x" * 50_000)
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
    begun = time.monotonic()
    assert list(pool.stop(0.3)) == []
    assert time.monotonic() - begun < 2
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_message_that_an_interrupt_has_cut_does_not_keep_the_others_from_ending():
    pool = ProcessPool(lambda task, ask: time.sleep(0.1) or "answer" * 100, 2)
    pool.give([1])
    pool.give([2])
    broken = pool._workers[0].pipe
    assert broken.poll(5)
    os.read(broken.fileno(), 7)  # its length, and a part of what follows
    assert [event.answers for event in pool.stop(2)] == [("answer" * 100,)]


def test_the_journal_keeps_what_it_was_told(tmp_path):
    folder = str(tmp_path / "out")
    journal = Journal(folder)
    journal.begin(["a", 'b "quoted"', "c"])
    journal.finish([FileDone("a", "f1", 10, 11)])
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
        journal.finish([FileDone("a", "f", 1, 1)])
    journal.finish([FileDone("b", "f", 1, 1)])
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
