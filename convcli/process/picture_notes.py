"""Notes on pictures that came out saturated, or nearly of one value, with what to ask for instead.

A picture is looked at by a few thousand of its pixels, whatever its size. Only where many of these lie at an end of the
range is the response behind them computed once more, to tell what was cut off from what was white before.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Pixels that a picture is judged by, at most, and the part of a small one's pixels; of fewer nothing is said.
_PIXELS = 2048
_PART = 128
_FEWEST = 64
# Of these, the ones among which responses are computed again.
_LOOKED_AT = 256
# Of a picture, what may be saturated without a word.
_SATURATED = 0.01
# A picture is dark, or flat, where 99.9% of its samples lie within this part of the range, and those of the image that
# it was made from within four times as much or more.
_FLAT = 0.1
_TAIL = 0.001
_TIMES = 4

# Responses (pixels, channels) behind some pixels, in the output's units, mapped but not yet cut to its range.
Responses = Callable[[NDArray[np.intp]], NDArray[np.float64]]


class _Ends(NamedTuple):
    """Parts of a picture's samples that lie at the ends of their range."""

    black: float
    white: float


@dataclass(frozen=True, eq=False)
class Making:
    """How a picture was made, as far as advice depends on it.

    Parameters
    ----------
    mapping : str
        `clip`, `abs`, `offset` or `stretch`.
    asked : bool
        Whether `clip` was asked for: that it cuts off is no news then.
    scale : float, optional
        What `--scale` was; None where there is no such option, or it would not help.
    total : float
        The response to a constant 1.
    positive : bool
        Whether no weight is negative, and nothing else is done to the response.
    """

    mapping: str
    asked: bool = False
    scale: float | None = 1.0
    total: float = 0.0
    positive: bool = False


@lru_cache(maxsize=64)  # many images are of few sizes
def sampled_places(pixels: int) -> NDArray[np.intp]:
    """Return which of a picture's pixels it is judged by: spread evenly, and in no step with any pattern of it.

    Parameters
    ----------
    pixels : int
        How many the picture has.

    Returns
    -------
    ndarray of intp
        Places, counted row by row.
    """
    count = min(pixels, max(_FEWEST, min(_PIXELS, pixels // _PART)))
    # Multiples of the golden ratio, taken to 1, leave no large gap and repeat nothing.
    return (np.arange(count) * ((math.sqrt(5.0) - 1.0) / 2.0) % 1.0 * pixels).astype(np.intp)


def picture_notes(picture: NDArray[Any], responses: Responses, source: Callable[[], float], how: Making) -> list[str]:
    """Return notes on a picture of which much is saturated, or which is nearly of one value.

    Parameters
    ----------
    picture : ndarray
        Integer samples (height, width, channels), without opacity.
    responses : callable
        Takes places of pixels and returns the responses behind them.
    source : callable
        Returns over how much of the range the samples of the image extend that the picture was made from, in the units
        of the picture. It is called only where the picture is dark or flat.
    how : Making
        How the picture was made.
    """
    limits = np.iinfo(picture.dtype)
    height, width, channels = picture.shape
    places = sampled_places(height * width)
    if places.size < _FEWEST:
        return []
    values = picture.reshape(-1, channels)[places] if picture.flags.c_contiguous else _taken(picture, places)
    ordered = np.sort(values, axis=None, kind="stable")  # of 8 and 16 bits by radix
    size, tail = ordered.size, int(_TAIL * ordered.size)
    ends = _Ends(
        black=0.0 if how.mapping == "abs" else int(np.searchsorted(ordered, limits.min, "right")) / size,
        white=1.0 - int(np.searchsorted(ordered, limits.max, "left")) / size,
    )
    if how.mapping != "stretch" and not how.asked and max(ends) > _SATURATED:
        note = _saturation_note(values[:_LOOKED_AT], places, responses, ends, limits, how)
        if note is not None:
            return [note]
    low, high = int(ordered[tail]), int(ordered[size - 1 - tail])
    if high - low <= _FLAT * (limits.max - limits.min) and source() > _TIMES * (high - low):
        return [_flat_note(low, high, limits, how)]
    return []


def _taken(picture: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    rows, columns = np.divmod(places, picture.shape[1])
    return np.asarray(picture[rows, columns])


def _saturation_note(
    values: NDArray[Any],
    places: NDArray[np.intp],
    responses: Responses,
    ends: _Ends,
    limits: "np.iinfo[Any]",
    how: Making,
) -> str | None:
    whites, blacks = values == limits.max, (values == limits.min) & (how.mapping != "abs")
    suspects = np.flatnonzero((whites | blacks).any(axis=1))
    found = responses(places[suspects])
    suspects = suspects[: len(found)]
    whites, blacks = whites[suspects], blacks[suspects]
    with np.errstate(invalid="ignore"):  # NaN lies beyond nothing
        white, black = (found > limits.max + 0.5) & whites, (found < limits.min - 0.5) & blacks
    # Of all samples at an end as many were cut off as of those that were looked at.
    at_white = ends.white * int(np.count_nonzero(white)) / max(1, int(np.count_nonzero(whites)))
    at_black = ends.black * int(np.count_nonzero(black)) / max(1, int(np.count_nonzero(blacks)))
    if at_white + at_black <= _SATURATED:
        return None
    if min(at_white, at_black) < _SATURATED / 2:
        where = f"saturated at {'white' if at_white > at_black else 'black'}"
    else:
        where = f"saturated, {_percent(at_white)} at white and {_percent(at_black)} at black"
    note = f"{_percent(at_white + at_black)} of the output's samples are {where}"
    if how.positive and how.total > 1.0 and not at_black:
        return f"{note}, because the weights sum to {how.total:.4g}: ask for --normalize sum"
    if how.scale is not None and not at_black:
        largest = float(found[white].max())
        return f"{note}: ask for --scale {_rounded_down(how.scale * limits.max / largest)} or --signed stretch"
    return f"{note}: ask for --signed stretch"


def _flat_note(low: int, high: int, limits: "np.iinfo[Any]", how: Making) -> str:
    between = f"{low}" if low == high else f"{low} to {high}"
    what = "nearly black" if high <= limits.min + _FLAT * (limits.max - limits.min) else "nearly of one value"
    note = f"the output is {what}: 99.9% of its samples are {between} of {limits.min}..{limits.max}"
    if how.mapping == "stretch":
        return f"{note}, because few lie far from them: ask for --signed clip or abs"
    advice = []
    if how.scale is not None and limits.min == 0 and 0 < high <= _FLAT * limits.max:
        advice.append(f"--scale {_rounded_down(how.scale * limits.max / high)}")
    return f"{note}: ask for {' or '.join([*advice, '--signed stretch'])}"


def _percent(share: float) -> str:
    """Return a share as whole percents, of which 100 is said of all alone.

    >>> _percent(0.9991), _percent(1.0), _percent(0.0123)
    ('over 99%', '100%', '1%')
    """
    return "over 99%" if 0.995 <= share < 1.0 - 1e-9 else f"{share:.0%}"


def _rounded_down(factor: float) -> str:
    """Return a factor of two digits that is no larger than the given one.

    >>> _rounded_down(0.2379), _rounded_down(24.9), _rounded_down(1234.0)
    ('0.23', '24', '1200')
    """
    step = 10.0 ** (math.floor(math.log10(abs(factor))) - 1)
    return f"{math.floor(factor / step * (1 + 1e-12)) * step:.6g}"
