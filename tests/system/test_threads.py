"""Tasks shared out to threads: each done once, results in order, few ahead, and nothing left running."""

import contextlib
import os
import threading
import time

import pytest

import convcli.system.threads as threads_module
from convcli.system.threads import SharedLimit, available_threads, results_in_order, run_tasks


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("tasks", [0, 1, 2, 50])
def test_results_come_in_order_each_made_once(tasks, threads):
    made = []

    def work(number):
        time.sleep(0.002 if number % 3 == 0 else 0)  # so that later ones are done before earlier ones
        made.append(number)
        return number * 10

    assert list(results_in_order(tasks, work, threads)) == [10 * number for number in range(tasks)]
    assert sorted(made) == list(range(tasks))
    done = []
    run_tasks(tasks, lambda: done.append, threads)
    assert sorted(done) == list(range(tasks))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_failure_is_raised_where_it_is_taken_and_ends_all_threads(threads):
    before = threading.active_count()

    def work(number):
        if number == 7:
            raise ValueError("seven")
        return number

    with pytest.raises(ValueError, match="seven"):
        list(results_in_order(50, work, threads))
    with pytest.raises(ValueError, match="seven"):
        run_tasks(50, lambda: work, threads)
    assert threading.active_count() == before


def test_what_comes_first_is_done_by_another_thread_and_its_failure_is_raised():
    seen = []
    run_tasks(3, lambda: lambda _: time.sleep(0.01), 2, first=lambda: seen.append(threading.current_thread()))
    assert seen
    assert seen[0] is not threading.current_thread()

    def fail():
        raise ValueError("at first")

    with pytest.raises(ValueError, match="at first"):
        run_tasks(3, lambda: lambda _: time.sleep(0.01), 2, first=fail)


@pytest.mark.parametrize(("tasks", "threads"), [(3, 1), (1, 2)])
def test_what_comes_first_is_done_here_where_there_is_no_other_thread(tasks, threads):
    seen = []
    run_tasks(tasks, lambda: seen.append, threads, first=lambda: seen.append("first"))
    assert seen == ["first", *range(tasks)]


def test_few_results_wait_and_a_caller_that_stops_stops_the_threads():
    before = threading.active_count()
    begun = []
    results = results_in_order(100, lambda number: begun.append(number) or number, 3)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(begun) <= 1 + 2 * 3
    results.close()
    assert threading.active_count() == before
    assert len(begun) < 20


@pytest.mark.parametrize(("quota", "expected"), [(None, 6), (2.5, 3), (0.2, 1), (64.0, 6)])
def test_a_container_limits_the_threads_that_are_started(monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr("convcli.system.threads._cgroup_quota", lambda: quota)
    assert available_threads() == expected


@pytest.mark.parametrize(("text", "quota"), [("max 100000", None), ("250000 100000", 2.5), ("nonsense", None)])
def test_a_quota_is_read_as_the_kernel_writes_it(monkeypatch, tmp_path, text, quota):
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    real = open
    monkeypatch.setattr("builtins.open", lambda _path, **options: real(tmp_path / "cpu.max", **options))
    assert threads_module._cgroup_quota.__wrapped__() == quota


def test_each_thread_makes_a_worker_of_its_own():
    made, together = [], threading.Barrier(3)

    def worker():
        made.append(threading.current_thread())
        together.wait(timeout=30)
        return lambda _: None

    run_tasks(3, worker, 3)
    assert len(set(made)) == 3


def test_a_limit_is_held_until_the_last_of_overlapping_callers_leaves():
    numbers = [8]

    def limit(number):
        before = numbers[-1]
        numbers.append(number)
        return lambda: numbers.append(before)

    held = SharedLimit(limit)
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(1))
        with pytest.raises(ValueError, match="inside"), held(2):
            raise ValueError("inside")
        assert numbers == [8, 1, 2]
    assert numbers == [8, 1, 2, 8]
