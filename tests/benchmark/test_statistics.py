"""What is said of times: against numpy and scipy, and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from convcli.benchmark.statistics import (
    Interval,
    count_outliers,
    ratio_interval,
    relative_spread,
    summarize,
)

RUNS = np.random.default_rng(5).lognormal(-5, 0.2, 31).tolist()


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
