"""Warnings about times that cannot be relied on: they scatter, they drift, or single runs stand out."""

import math
import statistics
from collections.abc import Sequence

from convcli.benchmark.measure import Timing
from convcli.benchmark.statistics import count_outliers, relative_spread

_LARGE_SPREAD = 0.15
_LARGE_DRIFT = 0.10
_LEAST_FOR_SPREAD = 5  # runs
_LEAST_FOR_DRIFT = 6
_MOST_NAMED = 4

Races = Sequence[tuple[str, Sequence[Timing]]]


def noise_warnings(races: Races) -> list[str]:
    """Return a line for each thing that is wrong with the times of some races, each given with its title.

    Of runs that scatter by more than 15% of their median (1.4826 times the median absolute deviation), of outliers, and
    of races whose second half took over 10% more or less time than the first, as the median of all who took part.

    >>> steady = Timing("a", 0, 0, (1.0,) * 10, tuple(range(10)))
    >>> slower = Timing("b", 0, 0, (1.0,) * 5 + (1.2,) * 5, tuple(range(10)))
    >>> noise_warnings([("", [steady, steady])])
    []
    >>> noise_warnings([("", [slower])])
    ['the machine changed its pace: the second half of the rounds took 20% longer; ratios are of runs side by side']
    """
    return [*_scatter(races), *_outliers(races), *_drift(races)]


def _scatter(races: Races) -> list[str]:
    found = {
        _called(timing.name, what): spread
        for what, timings in races
        for timing in timings
        if len(timing.runs) >= _LEAST_FOR_SPREAD and (spread := relative_spread(timing.runs)) > _LARGE_SPREAD
    }
    if not found:
        return []
    worst = max(found.values())
    return [
        f"times scatter by up to {worst:.0%} ({_listed(list(found))}): let the machine rest, or ask for more --runs"
    ]


def _outliers(races: Races) -> list[str]:
    counts = {
        _called(timing.name, what): count
        for what, timings in races
        for timing in timings
        if len(timing.runs) >= _LEAST_FOR_SPREAD and (count := count_outliers(timing.runs))
    }
    if not counts:
        return []
    runs = sum(len(timing.runs) for _, timings in races for timing in timings)
    total = sum(counts.values())
    named = _listed([f"{name} {count}" for name, count in counts.items()])
    are = "is an outlier" if total == 1 else "are outliers"
    return [f"{total} of {runs} runs {are} ({named}): something else ran; medians hardly feel it"]


def _drift(races: Races) -> list[str]:
    changes = []
    for what, timings in races:
        ratios = [
            statistics.median(timing.runs[len(timing.runs) // 2 :])
            / statistics.median(timing.runs[: len(timing.runs) // 2])
            for timing in timings
            if len(timing.runs) >= _LEAST_FOR_DRIFT
        ]
        if ratios and abs(math.log(statistics.median(ratios))) > math.log1p(_LARGE_DRIFT):
            changes.append((what, statistics.median(ratios)))
    if not changes:
        return []
    said = [
        f"{f'of {what} ' if what else ''}took {abs(ratio - 1):.0%} {'longer' if ratio > 1 else 'less'}"
        for what, ratio in changes
    ]
    return [
        f"the machine changed its pace: the second half of the rounds {_listed(said)}; ratios are of runs side by side"
    ]


def _called(name: str, what: str) -> str:
    return f"{name} ({what})" if what else name


def _listed(names: Sequence[str]) -> str:
    """Join names, those beyond a few as a number."""
    rest = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
