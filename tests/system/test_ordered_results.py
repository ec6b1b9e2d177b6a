"""Work shared out to threads: each piece once, results in order, few ahead, and nothing left running."""

import os
import threading
import time

import pytest

from convcli.system import ordered_results as ordered
from convcli.system.ordered_results import available_threads, in_order, run_each


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 2, 50])
def test_results_come_in_order_each_made_once(pieces, threads):
    made = []

    def work(number):
        time.sleep(0.002 if number % 3 == 0 else 0)  # so that later ones are done before earlier ones
        made.append(number)
        return number * 10

    assert list(in_order(pieces, work, threads)) == [10 * number for number in range(pieces)]
    assert sorted(made) == list(range(pieces))
    done = []
    run_each(pieces, done.append, threads)
    assert sorted(done) == list(range(pieces))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_failure_is_raised_where_it_is_taken_and_ends_all_threads(threads):
    before = threading.active_count()

    def work(number):
        if number == 7:
            raise ValueError("seven")
        return number

    with pytest.raises(ValueError, match="seven"):
        list(in_order(50, work, threads))
    with pytest.raises(ValueError, match="seven"):
        run_each(50, work, threads)
    assert threading.active_count() == before


def test_what_comes_first_is_done_by_another_thread_and_its_failure_is_raised():
    seen = []
    run_each(3, lambda _: time.sleep(0.01), 2, lambda: seen.append(threading.current_thread()))
    assert seen
    assert seen[0] is not threading.current_thread()

    def fail():
        raise ValueError("at first")

    with pytest.raises(ValueError, match="at first"):
        run_each(3, lambda _: time.sleep(0.01), 2, fail)


@pytest.mark.parametrize(("pieces", "threads"), [(3, 1), (1, 2)])
def test_what_comes_first_is_done_here_where_there_is_no_other_thread(pieces, threads):
    seen = []
    run_each(pieces, seen.append, threads, lambda: seen.append("first"))
    assert seen == ["first", *range(pieces)]


def test_few_results_wait_and_a_caller_that_stops_stops_the_threads():
    before = threading.active_count()
    begun = []
    results = in_order(100, lambda number: begun.append(number) or number, 3)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(begun) <= 1 + 2 * 3
    results.close()
    assert threading.active_count() == before
    assert len(begun) < 20


@pytest.mark.parametrize(("quota", "expected"), [(None, 6), (2.5, 3), (0.2, 1), (64.0, 6)])
def test_a_container_limits_the_threads_that_are_started(monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(ordered, "_cgroup_quota", lambda: quota)
    assert available_threads() == expected
