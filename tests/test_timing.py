"""The stopwatch of a run."""

import pytest

from convcli.timing import Stopwatch


def test_a_stopwatch_adds_up_and_counts_what_failed():
    watch = Stopwatch()
    with watch.stage("read"):
        pass
    first = watch.seconds()["read"]
    with pytest.raises(ZeroDivisionError), watch.stage("read"):
        _ = 1 / 0
    seconds = watch.seconds()
    assert seconds["read"] > first > 0
    assert seconds["total"] >= seconds["read"]
    assert seconds["write"] == 0
