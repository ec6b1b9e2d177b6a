"""The stopwatch adds up what stages take."""

import pytest

from convcli import timing
from convcli.timing import STAGES, Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves on only when it is told to."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(timing, "perf_counter", clock)
    return clock


def test_a_stage_entered_twice_adds_up_and_the_total_counts_what_lies_between(clock):
    watch = Stopwatch()
    with watch.stage("read"):
        clock.now += 1.0
    clock.now += 0.5
    with watch.stage("read"):
        clock.now += 2.0
    with watch.stage("write"):
        clock.now += 0.25
    assert watch.seconds() == {"read": 3.0, "prepare": 0.0, "filter": 0.0, "write": 0.25, "total": 3.75}


def test_a_stage_that_ends_in_an_error_is_counted_too(clock):
    watch = Stopwatch()

    def fail():
        with watch.stage("filter"):
            clock.now += 4.0
            raise KeyError("x")

    with pytest.raises(KeyError):
        fail()
    assert watch.seconds()["filter"] == 4.0


def test_only_known_stages_are_counted():
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.stage("reed"):
        pass
    assert list(watch.seconds()) == [*STAGES, "total"]
