"""What is said of times: against numpy and scipy, and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from convcli.benchmark.measure import Timing
from convcli.benchmark.noise import noise_warnings
from convcli.benchmark.statistics import (
    Interval,
    count_outliers,
    ratio_interval,
    relative_spread,
    summarize,
)

RUNS = np.random.default_rng(5).lognormal(-5, 0.2, 31).tolist()


def timing(name, runs):
    return Timing(name, 0.0, runs[0], tuple(runs), tuple(range(len(runs))))


def test_the_summary_is_that_of_numpy():
    summary = summarize(RUNS)
    expected = np.median(RUNS), np.min(RUNS), np.max(RUNS), np.std(RUNS, ddof=1)
    assert_allclose((summary.median, summary.min, summary.max, summary.stdev), expected, rtol=1e-12)


def test_a_single_run_has_no_deviation():
    summary = summarize([0.5])
    assert (summary.median, summary.min, summary.max) == (0.5, 0.5, 0.5)
    assert math.isnan(summary.stdev)


def test_the_spread_is_the_median_absolute_deviation_of_scipy():
    expected = stats.median_abs_deviation(RUNS, scale="normal") / np.median(RUNS)
    assert_allclose(relative_spread(RUNS), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("runs", "outliers"),
    [
        ([1.0] * 9 + [2.0], 1),
        ([1.0, 1.02, 0.98, 1.01, 0.99, 1.03, 0.97, 9.0, 8.0], 2),
        ([1.0, 1.02, 0.98, 1.01, 0.99, 0.2], 1),
        ([1.0] * 9 + [1.04], 0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0),
        ([0.3], 0),
    ],
    ids=["one slow", "two slow", "one quick", "within 5 percent", "all over the place", "alone"],
)
def test_outliers_are_counted(runs, outliers):
    assert count_outliers(runs) == outliers


@pytest.mark.parametrize("count", [2, 5, 6, 10, 31])
def test_the_interval_of_ratios_is_the_narrowest_that_holds_the_median_with_95_percent(count):
    generator = np.random.default_rng(count)
    times, others = generator.uniform(1, 2, (2, count))
    ratios = np.sort(times / others)
    found = ratio_interval(times.tolist(), others.tolist())
    assert_allclose(found.median, np.median(ratios), rtol=1e-12)
    rank = int(np.searchsorted(ratios, found.low)) + 1
    assert_allclose(found.high, ratios[count - rank], rtol=1e-12)
    assert_allclose(found.confidence, 1 - 2 * stats.binom.cdf(rank - 1, count, 0.5), rtol=1e-12)
    assert rank == 1 or found.confidence >= 0.95
    assert 1 - 2 * stats.binom.cdf(rank, count, 0.5) < 0.95


def test_one_ratio_says_nothing_of_its_confidence():
    assert math.isnan(ratio_interval([2.0], [1.0]).confidence)


def test_what_is_against_itself_takes_exactly_as_long():
    assert ratio_interval(RUNS, RUNS) == Interval(1.0, 1.0, 1.0, pytest.approx(0.95, abs=0.03))


def test_steady_times_give_no_warning():
    assert noise_warnings([("", [timing("fft", [1.0, 1.01] * 5), timing("opencv", [2.0, 2.02] * 5)])]) == []


def test_scattered_times_are_named():
    (warning,) = noise_warnings([("box", [timing("fft", [1.0, 1.5, 0.6, 1.3, 0.8]), timing("opencv", [2.0] * 5)])])
    assert warning == "times scatter by up to 44% (fft (box)): let the machine rest, or ask for more --runs"


def test_outliers_are_named_with_their_number():
    (warning,) = noise_warnings([("", [timing("fft", [1.0, 1.01, 0.99, 1.0, 3.0]), timing("opencv", [2.0] * 5)])])
    assert warning == "1 of 10 runs is an outlier (fft 1): something else ran; medians hardly feel it"


def test_a_drift_of_most_contestants_is_named():
    runs = [1.0] * 5 + [1.2] * 5
    (warning,) = noise_warnings([("", [timing("fft", runs), timing("opencv", runs), timing("direct", [1.0] * 10)])])
    assert "the second half of the rounds took 20% longer" in warning


def test_too_few_runs_are_not_judged():
    assert noise_warnings([("", [timing("fft", [1.0, 9.0, 3.0])])]) == []
