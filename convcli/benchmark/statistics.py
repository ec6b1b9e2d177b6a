"""What a few times of one thing say: middle, spread, outliers, and how sure a ratio of two is.

All by order statistics, which one run that was disturbed hardly moves.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Of a normal distribution, the median absolute deviation times this is the standard deviation.
NORMAL_MAD = 1.4826
# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): modified z-scores above this.
_OUTLYING = 3.5
# What lies this close to the median is no outlier, however well the others agree: clocks and caches have steps.
_LEAST_DEVIATION = 0.05
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    """Times in seconds; `stdev` is that of a sample (n - 1), NaN for a single run."""

    median: float
    min: float
    max: float
    stdev: float


@dataclass(frozen=True)
class Interval:
    """A median with the range that holds the true one with probability `confidence`, NaN where that is not known."""

    median: float
    low: float
    high: float
    confidence: float


def summarize(runs: Sequence[float]) -> Summary:
    """Sum up at least one run.

    >>> summarize([2.0, 1.0, 6.0])
    Summary(median=2.0, min=1.0, max=6.0, stdev=2.6457513110645907)
    """
    spread = statistics.stdev(runs) if len(runs) > 1 else math.nan
    return Summary(statistics.median(runs), min(runs), max(runs), spread)


def relative_spread(runs: Sequence[float]) -> float:
    """Return the spread of runs relative to their median: 1.4826 times the median absolute deviation.

    >>> round(relative_spread([0.9, 1.0, 1.0, 1.1, 9.0]), 5)
    0.14826
    """
    middle = statistics.median(runs)
    return NORMAL_MAD * statistics.median(abs(run - middle) for run in runs) / middle if middle > 0 else 0.0


def count_outliers(runs: Sequence[float]) -> int:
    """Count runs whose modified z-score exceeds 3.5 and that lie more than 5% off the median.

    The score is |t - median| / (1.4826 MAD); where more than half of the runs are equal, so that MAD is 0, the mean
    absolute deviation times 1.2533 stands for it (Iglewicz and Hoaglin 1993).

    >>> count_outliers([1.0, 1.01, 0.99, 1.02, 3.0])
    1
    >>> count_outliers([1.0, 1.001, 1.0, 1.02])
    0
    """
    middle = statistics.median(runs)
    deviations = [abs(run - middle) for run in runs]
    scale = NORMAL_MAD * statistics.median(deviations) or math.sqrt(math.pi / 2) * statistics.fmean(deviations)
    least = max(_OUTLYING * scale, _LEAST_DEVIATION * middle)
    return sum(deviation > least for deviation in deviations)


def ratio_interval(times: Sequence[float], others: Sequence[float]) -> Interval:
    """Compare paired times: the median of their ratios, and between which of the ratios its true value lies.

    Those two are the k-th smallest and the k-th largest, with the largest k for which the probability that the median
    lies between them, 1 - 2 P(B < k) for a binomial B of n and 1/2, is still 95% (David and Nagaraja, Order Statistics,
    7.1). Nothing is assumed of how times are distributed. Fewer than 6 ratios cannot be that sure; then the interval is
    all of them, with the confidence that they give.

    >>> ratio_interval([2.0, 2.2, 2.1], [1.0, 1.0, 1.0])
    Interval(median=2.1, low=2.0, high=2.2, confidence=0.75)
    """
    ratios = sorted(time / other for time, other in zip(times, others, strict=True))
    count = len(ratios)
    rank, confidence = 1, _between(count, 1)
    while rank < count // 2 and (surer := _between(count, rank + 1)) >= _CONFIDENCE:
        rank, confidence = rank + 1, surer
    if count < 2:
        confidence = math.nan
    return Interval(statistics.median(ratios), ratios[rank - 1], ratios[count - rank], confidence)


def _between(count: int, rank: int) -> float:
    """Return the probability that a median lies between the values of `rank` from below and from above."""
    return 1.0 - 2.0 * sum(math.comb(count, below) for below in range(rank)) / 2.0**count
