"""Tasks shared among threads, and limits on the threads of libraries."""

import threading
import time

import pytest

from convcli.convolution.options import available_threads
from convcli.system.threads import SharedLimit, run_tasks


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_every_task_is_done_once(threads):
    done = []
    run_tasks(50, lambda: done.append, threads)
    assert sorted(done) == list(range(50))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failing_task_stops_the_others_and_is_raised(threads):
    done = []

    def do(number):
        if number == 5:
            raise MemoryError("tile 5")
        done.append(number)

    with pytest.raises(MemoryError, match="tile 5"):
        run_tasks(10_000, lambda: do, threads)
    assert len(done) < 10_000


def test_an_interrupt_while_helpers_start_stops_them(monkeypatch):
    started, done = [], []

    class Interrupted(threading.Thread):
        def start(self):
            if started:
                raise KeyboardInterrupt
            super().start()
            started.append(self)

    def do(number):
        time.sleep(0.001)
        done.append(number)

    monkeypatch.setattr(threading, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_tasks(10_000, lambda: do, threads=3)
    started[0].join()
    assert len(done) < 10_000


def test_a_shared_limit_is_restored_by_the_last_of_overlapping_callers():
    current = [8]

    def limit(count):
        before = current[0]
        current[0] = count
        return lambda: current.__setitem__(0, before)

    held = SharedLimit(limit)
    first, second = held(1), held(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert current == [1]
    second.__exit__(None, None, None)
    assert current == [8]


def test_threads_are_those_this_process_may_use():
    assert 1 <= available_threads() <= 4096
