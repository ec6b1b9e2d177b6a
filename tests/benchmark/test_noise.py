"""Warnings about times that cannot be relied on."""

from convcli.benchmark.measure import Timing
from convcli.benchmark.noise import noise_warnings


def timing(name, runs):
    return Timing(name, 0.0, runs[0], tuple(runs), tuple(range(len(runs))))


def test_steady_times_give_no_warning():
    assert noise_warnings([("", [timing("fft", [1.0, 1.01] * 5), timing("opencv", [2.0, 2.02] * 5)])]) == []


def test_scattered_times_are_named():
    (warning,) = noise_warnings([("box", [timing("fft", [1.0, 1.5, 0.6, 1.3, 0.8]), timing("opencv", [2.0] * 5)])])
    assert warning == "times scatter by up to 44% (fft (box)): let the machine rest, or ask for more --runs"


def test_outliers_are_named_with_their_number():
    (warning,) = noise_warnings([("", [timing("fft", [1.0, 1.01, 0.99, 1.0, 3.0]), timing("opencv", [2.0] * 5)])])
    assert warning == "1 of 10 runs is an outlier (fft 1): something else ran; medians hardly feel it"


def test_a_drift_of_most_candidates_is_named():
    runs = [1.0] * 5 + [1.2] * 5
    (warning,) = noise_warnings([("", [timing("fft", runs), timing("opencv", runs), timing("direct", [1.0] * 10)])])
    assert "the second half of the rounds took 20% longer" in warning


def test_too_few_runs_are_not_judged():
    assert noise_warnings([("", [timing("fft", [1.0, 9.0, 3.0])])]) == []
