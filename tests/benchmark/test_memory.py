"""The peak of memory of child processes."""

from pathlib import Path

import numpy as np
import pytest

from convcli.benchmark.memory import peak_bytes, peak_extra_bytes


def holding(arrays, arguments):
    """What the child of the next test runs."""
    return lambda: np.ones(arguments["megabytes"] * 2**20, np.uint8) * arrays["factor"]


@pytest.fixture
def found_by_children(monkeypatch):
    """A child looks for modules where this process does."""
    monkeypatch.syspath_prepend(Path(__file__).parent)


@pytest.mark.usefixtures("found_by_children")
def test_the_peak_of_a_child_is_what_its_run_holds_whatever_this_process_holds():
    ballast = np.ones(20_000_000)  # 160 MB: the child must not inherit it as its own peak
    name = f"{Path(__file__).stem}:holding"
    peak = peak_extra_bytes(name, {"factor": np.ones(1, np.uint8)}, {"megabytes": 32})
    assert ballast.size
    # The array of ones and its product: twice 32 MB.
    assert peak == pytest.approx(64 * 2**20, rel=0.1)


def test_a_child_that_fails_tells_nothing():
    assert peak_extra_bytes("convcli.benchmark.memory:no_such_thing", {}) is None


def test_this_process_has_a_peak():
    assert peak_bytes() > 10_000_000
