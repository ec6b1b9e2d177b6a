"""Races with a clock that only calls move, and the peak of child processes."""

import gc
from collections import Counter
from itertools import pairwise

import pytest

from convcli.benchmark.measure import TimedCall, race, turn_order
from convcli.errors import FilterError


class Clock:
    """A clock that stands still while nobody works."""

    def __init__(self):
        self.now = 0.0
        self.log = []

    def __call__(self):
        return self.now

    def call(self, name, seconds, prepare=0.0, first=None):
        durations = iter([seconds if first is None else first])

        def run():
            self.log.append(name)
            self.now += next(durations, seconds)
            return name

        def get_ready():
            self.now += prepare

        return TimedCall(name, run, get_ready)


@pytest.fixture
def clock():
    return Clock()


def test_preparing_the_first_run_and_the_others_are_timed_apart(clock):
    calls = [clock.call("a", 1.0, prepare=3.0, first=2.0), clock.call("b", 0.25)]
    first, second = race(calls, 3, clock=clock).timings
    assert (first.plan_seconds, first.warm_up_seconds, first.runs, first.rounds) == (3.0, 2.0, (1.0,) * 3, (0, 1, 2))
    assert (second.plan_seconds, second.warm_up_seconds, second.runs) == (0.0, 0.25, (0.25,) * 3)
    assert not first.cut


def test_calls_take_turns_in_changing_order(clock):
    race([clock.call(name, 1.0) for name in "abcd"], 2, clock=clock)
    assert "".join(clock.log) == "abcd" + "abdc" + "bcad"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9])
def test_everybody_comes_after_everybody_else_equally_often(count):
    rounds = count if count % 2 == 0 else 2 * count
    orders = [turn_order(count, number) for number in range(rounds)]
    assert all(sorted(order) == list(range(count)) for order in orders)
    followed = Counter(pair for order in orders for pair in pairwise(order))
    assert len(followed) == count * (count - 1)
    assert len(set(followed.values())) <= 1


def test_a_short_run_follows_one_of_its_own_that_is_not_timed(clock):
    quick = race([clock.call("a", 0.01), clock.call("b", 1.0)], 2, clock=clock).timings[0]
    assert Counter(clock.log) == {"a": 5, "b": 3}
    assert quick.runs == pytest.approx((0.01, 0.01), abs=1e-12)


@pytest.mark.parametrize(
    ("seconds", "runs"),
    [([0.001, 0.002], [31, 31]), ([0.1, 0.2], [10, 10]), ([2.0, 0.1], [9, 10]), ([1.0, 4.0], [8, 3])],
    ids=["in a blink", "usual", "slow", "very slow"],
)
def test_the_number_of_runs_goes_by_the_time_they_take(clock, seconds, runs):
    calls = [clock.call(f"{n}", each) for n, each in enumerate(seconds)]
    timings = race(calls, clock=clock, budget=20.0).timings
    assert [len(timing.runs) for timing in timings] == runs
    assert [timing.cut for timing in timings] == [count < max(10, *runs) for count in runs]


def test_the_first_run_of_somebody_absurdly_slow_counts_as_the_only_one(clock):
    quick, slow = race([clock.call("a", 0.1), clock.call("b", 60.0)], clock=clock).timings
    assert (slow.runs, slow.rounds, slow.cut) == ((60.0,), (), True)
    assert len(quick.runs) == 10
    assert clock.log.count("b") == 1


def test_runs_that_were_asked_for_are_all_made(clock):
    timings = race([clock.call("a", 0.1), clock.call("b", 60.0)], 4, clock=clock).timings
    assert [len(timing.runs) for timing in timings] == [4, 4]


def test_the_runs_of_a_slow_one_are_spread_over_the_rounds(clock):
    _, slow = race([clock.call("a", 0.1), clock.call("b", 2.0)], clock=clock, budget=11.5).timings
    assert slow.rounds == (1, 3, 5, 7, 9)


def test_who_cannot_do_it_is_out_with_the_reason(clock):
    def fail():
        raise FilterError("b takes no such image")

    def starve():
        raise MemoryError

    calls = [clock.call("a", 0.1), TimedCall("b", fail), TimedCall("c", dict, starve)]
    outcome = race(calls, 2, clock=clock)
    assert [timing.name for timing in outcome.timings] == ["a"]
    assert outcome.failures == {"b": "b takes no such image", "c": "there is not enough memory for it"}


def test_each_first_result_is_inspected_and_progress_is_told(clock):
    seen, told = [], []
    calls = [clock.call("a", 1.0), clock.call("b", 1.0)]
    race(calls, 2, inspect=lambda name, value: seen.append((name, value)), progress=told.append, clock=clock)
    assert seen == [("a", "a"), ("b", "b")]
    assert told == ["a: first run", "b: first run", "round 1 of 2", "round 2 of 2"]


def test_nothing_is_tidied_up_in_the_middle_of_a_run_but_afterwards():
    states = []
    race([TimedCall("a", lambda: states.append(gc.isenabled()))], 1)
    assert not any(states)
    assert gc.isenabled()
