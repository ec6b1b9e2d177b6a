"""Large Gaussians on a coarse grid: blur, keep every D-th sample, blur these, and interpolate by a blur.

A Gaussian is three in a row whose variances add up to its own. Behind the first, little is left above the frequency
1 / (2 D), so that every D-th sample holds the rest, and the third one interpolates between them. That it is little
enough is not taken for granted: for each distance from the grid the weights are computed that the three amount to, and
the sum of their differences from the kernel's own is the error.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from convcli.kernel.weights import Weights

# D is at most the standard deviation over this; with 1.4 errors reach 3e-4.
_FINENESS = 1.9
# Where the three Gaussians end, in their own standard deviations: 1e-9 of each lies beyond.
_REACH = 6.1
# The least D that saves work, and the largest: an eighth of the samples, each way, is few enough.
_LEAST_STEP, _LARGEST_STEP = 4, 8
# The outer Gaussians' standard deviation over D, where D is not bounded by the kernel.
_SMOOTHNESS = 1.12


class DecimatedFactor(NamedTuple):
    """A one-dimensional factor of a kernel, as three on a grid of every `step`-th sample.

    Parameters
    ----------
    step : int
        D, the distance of the grid's points in samples.
    analysis : array (taps,)
        Weights of the samples around a point, an odd number, the point in their middle.
    middle : array (taps,)
        Weights of the points around a point, an odd number.
    synthesis : array (taps,)
        Weights of an output's distance from the points around it, of each sample, an odd number.
    error : float
        The largest sum, over all outputs, of the absolute differences from the factor's weights, as a part of
        the sum of their magnitudes.
    """

    step: int
    analysis: Weights
    middle: Weights
    synthesis: Weights
    error: float


def decimated(factor: Weights) -> DecimatedFactor | None:
    """Return a sampled Gaussian as three on a coarse grid.

    Parameters
    ----------
    factor : array (taps,)
        The column or the row of a kernel.

    Returns
    -------
    DecimatedFactor or None
        None for what is not a Gaussian, or not a large one. How far it is from the factor is its `error`.

    Examples
    --------
    >>> bell = np.exp(-0.5 * (np.arange(-120, 121) / 20) ** 2)
    >>> found = decimated(bell / bell.sum())
    >>> found.step, found.error < 1e-7
    (8, True)
    """
    return _decimated(np.ascontiguousarray(factor, np.float64).tobytes())


@lru_cache(maxsize=16)
def _decimated(data: bytes) -> DecimatedFactor | None:
    factor = np.frombuffer(data)
    sigma = _standard_deviation(factor)
    if sigma is None or sigma < _LEAST_STEP * _FINENESS:
        return None
    step = min(int(sigma / _FINENESS), _LARGEST_STEP)
    outer = min(_SMOOTHNESS * step, sigma / math.sqrt(3))
    smooth = _bell(outer, 1, _REACH)
    middle = _bell(math.sqrt(sigma**2 - 2 * outer**2), step, _REACH)
    found = DecimatedFactor(step, smooth / smooth.sum(), middle / middle.sum(), smooth * step / smooth.sum(), 0.0)
    total = float(factor.sum())
    return found._replace(middle=found.middle * total, error=_error(found, factor / total))


def _standard_deviation(factor: Weights) -> float | None:
    """Return that of a Gaussian about the factor's middle, as two of its weights have it; None where it is none."""
    half = factor.size // 2
    if factor.size % 2 == 0 or half < 8 or not (factor[half] * factor > 0).all():
        return None
    away = half // 4
    ratio = float(factor[half] / factor[half + away])
    return away / math.sqrt(2 * math.log(ratio)) if ratio > 1.0 else None


def _bell(sigma: float, step: int, reach: float) -> Weights:
    radius = math.ceil(reach * sigma / step)
    bell: Weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) * step / sigma) ** 2)
    return bell


def _error(found: DecimatedFactor, factor: Weights) -> float:
    """Compute what the three amount to at each of the `step` distances from the grid, and compare."""
    step, half = found.step, factor.size // 2
    # The first two, on the grid: what a point of it takes from the samples.
    spread = np.zeros((found.middle.size - 1) * step + 1)
    spread[::step] = found.middle
    both = np.convolve(spread, found.analysis)
    center = both.size // 2
    worst = 0.0
    radius = found.synthesis.size // 2
    for distance in range(step):
        points = range(-(radius // step) - 1, radius // step + 2)
        taken = [point * step for point in points if abs(distance - point * step) <= radius]
        reach = center + radius + step
        whole = np.zeros(2 * max(reach, half + step) + 1)
        middle = whole.size // 2
        for place in taken:
            start = middle + place - distance - center
            whole[start : start + both.size] += found.synthesis[radius + distance - place] * both
        whole[middle - half : middle + half + 1] -= factor
        worst = max(worst, float(np.abs(whole).sum()))
    return worst
