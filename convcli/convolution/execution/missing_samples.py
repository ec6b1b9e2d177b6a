"""Samples that are missing: which of a tile are, and the normalised convolution that leaves them out.

With the certainty `c` of each sample (1 known, 0 missing) and the positive and negative weights each for itself,

    out = S+ corr(x c, w+) / corr(c, w+) - S- corr(x c, w-) / corr(c, w-)

where S+ and S- are the sums of the weights' magnitudes: Knutsson and Westin, Normalized and Differential Convolution
(CVPR 1993). A flat field stays flat, and its derivative 0. It is written in terms of plain correlations, so that every
backend and form of it can do them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.execution.padded_source import PaddedSource
from convcli.convolution.missing import MissingOptions
from convcli.errors import FilterError

Flags = NDArray[np.bool_]
# Correlates a tile with one set of weights: from what fills its buffer, and the rows and columns of it.
CorrelateTile = Callable[[Callable[[NDArray[Any]], None], tuple[int, int]], NDArray[Any]]

# Below this part of the weights, whether any lies on a known sample is looked up: a transform errs by some 1e-6 of S.
_DOUBTFUL_COVERAGE = 1e-4
# Below this one, a mean is held to the range of the samples that it is of, which rounding might leave.
_LITTLE_COVERAGE = 1e-2
# What a coverage may be wrong by when it is compared with the least that is asked for, by bytes a sample.
_COVERAGE_ERROR = {4: 2e-6, 8: 1e-13}
# Up to so many channels are scaled one by one, which is quicker than NumPy's broadcasting of a last axis of 1.
_FEW_CHANNELS = 4


@dataclass(frozen=True, eq=False)
class MissingSamples:
    """What is missing of one image, and what becomes of it.

    Parameters
    ----------
    rule : {'ignore', 'spread'}
        As in `MissingOptions`. What lies outside an image without padding is ignored by either.
    mask : ndarray, optional
        Certainty (H, W, 1) or (H, W, channels), from 0 (missing) to 1.
    nodata : float, optional
        The sample that means missing.
    nan : bool
        Whether NaN means missing.
    min_coverage : float
        The least part of the weights that must lie on known samples.
    fill : bool
        Whether holes take what their neighbours give.
    value : float, optional
        What stands for missing in an integer output; its lowest value if None.
    missing : ndarray of bool, optional
        Of the output's size, all False: is set where outputs are missing.
    """

    rule: str = "ignore"
    mask: NDArray[Any] | None = None
    nodata: float | None = None
    nan: bool = False
    min_coverage: float = 0.0
    fill: bool = False
    value: float | None = None
    missing: Flags | None = None


def missing_samples(
    pixels: NDArray[Any],
    options: MissingOptions,
    mask: NDArray[Any] | None = None,
    nodata: float | None = None,
    value: float | None = None,
) -> MissingSamples | None:
    """Resolve what is missing of an image (H, W, channels) and by which rule; None where nothing can be.

    NaN is left to the plain run, which spreads it, where neither a nodata value nor a mask is given.

    Raises
    ------
    FilterError
        For a mask of another size, or with values outside 0 to 1.
    """
    if nodata is not None and not is_sample(nodata, pixels.dtype):
        nodata = None
    rule = options.rule(marked=mask is not None or nodata is not None)
    nan = pixels.dtype.kind == "f" and (rule == "ignore" or mask is not None or nodata is not None)
    if mask is None and nodata is None and not nan:
        return None
    if mask is not None:
        mask = checked_mask(mask, pixels.shape)
    return MissingSamples(rule, mask, nodata, nan, options.min_coverage, options.holes == "fill", value)


def checked_mask(mask: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Return a mask as (H, W, 1) or (H, W, channels) of an image of `size`.

    Raises
    ------
    FilterError
        For another size, or values outside 0 to 1.
    """
    certainty = mask[..., np.newaxis] if mask.ndim == 2 else mask
    if certainty.ndim != 3 or certainty.shape[:2] != size[:2] or certainty.shape[2] not in (1, size[2]):
        shown = " x ".join(map(str, mask.shape))
        raise FilterError(
            f"a mask of {shown} does not fit an image of {size[0]} x {size[1]}: give one of the same height and width, "
            f"with one channel or {size[2]}"
        )
    if certainty.dtype != np.bool_ and not (certainty.min(initial=0) >= 0 and certainty.max(initial=0) <= 1):
        raise FilterError("a mask holds numbers from 0 (missing) to 1 (known): divide it by its white")
    return certainty


def is_sample(value: float, dtype: np.dtype[Any]) -> bool:
    """Whether a sample of the type can be this value, other than NaN.

    >>> is_sample(-9999.0, np.dtype(np.uint8)), is_sample(0.0, np.dtype(np.uint8))
    (False, True)
    """
    if dtype.kind == "f":
        return not np.isnan(value)  # which NaN as such stands for
    limits = np.iinfo(dtype)
    return bool(limits.min <= value <= limits.max and value == int(value))


class TileGaps(NamedTuple):
    """What a tile lacks: `gone` and `certainty` are (h, w, 1) or (h, w, channels); None where nothing is lacking."""

    gone: Flags | None
    certainty: NDArray[Any] | None
    weighted: bool  # whether a certainty lies between 0 and 1


class GapReader:
    """Reads what is missing of an image tile by tile, beyond its edges as `PaddedSource` does.

    `outside` says that what lies outside is missing, and `filled` that it is a padding value, which is known.
    """

    def __init__(
        self,
        pixels: NDArray[Any],
        gaps: MissingSamples,
        before: tuple[int, int],
        after: tuple[int, int],
        mode: str,
        *,
        outside: bool,
        filled: bool,
    ) -> None:
        self._gaps = gaps
        self._before = before
        self._size = pixels.shape[:2]
        self._outside = outside
        self._filled = filled
        # As a sample of the image's own type holds it: a file's text may hold more digits.
        self._nodata = None if gaps.nodata is None else float(pixels.dtype.type(gaps.nodata))
        self._mask = None if gaps.mask is None else PaddedSource(gaps.mask, before, after, mode, 1.0)

    def read(self, top: int, left: int, tile: NDArray[Any]) -> TileGaps | None:
        """Find what is missing of the samples of `tile`, read from `top` and `left`; None where all is known."""
        gaps = self._gaps
        gone = _joined(np.isnan(tile) if gaps.nan else None, None if self._nodata is None else tile == self._nodata)
        inside = self._inside(top, left, tile.shape)
        if gone is not None and self._filled and inside is not None:
            gone &= inside
            gone = gone if gone.any() else None
        if gone is not None and gone.shape[2] > 1:
            first = gone[..., :1]
            if all(np.array_equal(gone[..., channel : channel + 1], first) for channel in range(1, gone.shape[2])):
                gone = first
        certainty: NDArray[Any] | None = None
        weighted = False
        if self._mask is not None and gaps.mask is not None:
            mask = np.empty((*tile.shape[:2], gaps.mask.shape[2]), tile.dtype)
            self._mask.read(top, left, mask)
            if mask.min() < 1:
                zero = mask == 0
                gone = _joined(gone, zero)
                if gaps.rule == "ignore":
                    certainty = mask
                    weighted = not (zero | (mask == 1)).all()
        lacking = self._outside and inside is not None
        if gone is None and certainty is None and not lacking:
            return None
        if gaps.rule == "ignore" and gone is not None:
            known = (~gone).astype(tile.dtype)
            certainty = known if certainty is None else certainty * known
        if lacking and inside is not None:
            within = inside.astype(tile.dtype)
            certainty = within if certainty is None else certainty * within
        return TileGaps(gone, certainty, weighted)

    def _inside(self, top: int, left: int, shape: tuple[int, ...]) -> Flags | None:
        """Return which places of a tile lie on the image (h, w, 1); None where all of them do."""
        rows, columns = (
            _within(first - before, length, size)
            for first, before, length, size in zip((top, left), self._before, shape, self._size, strict=False)
        )
        if rows.all() and columns.all():
            return None
        return (rows[:, np.newaxis] & columns)[..., np.newaxis]


def _within(start: int, count: int, length: int) -> Flags:
    """Return which of `count` places from `start` on lie on an axis."""
    place = np.arange(start, start + count)
    inside: Flags = (place >= 0) & (place < length)
    return inside


def _joined(one: Flags | None, other: Flags | None) -> Flags | None:
    """Join flags of what is missing, each of which may be None or without any."""
    found = [flags for flags in (one, other) if flags is not None and flags.any()]
    if not found:
        return None
    return found[0] if len(found) == 1 else found[0] | found[1]


@dataclass(frozen=True, eq=False)
class SignedWeights:
    """Weights of one sign: their sum, where they are, and what correlates a tile with their magnitudes."""

    total: float
    support: Flags
    samples: CorrelateTile
    certainty: Callable[[int], CorrelateTile]  # for so many channels


def normalized_response(
    samples: NDArray[Any], gaps: TileGaps, signs: Sequence[SignedWeights], min_coverage: float, stride: tuple[int, int]
) -> NDArray[Any]:
    """Correlate a tile with one kernel as if what is missing were not there; NaN where that gives nothing.

    Parameters
    ----------
    samples : ndarray
        The tile (h, w, channels), 0 where it is missing.
    gaps : TileGaps
        What it lacks; its certainty is not None.
    signs : sequence of SignedWeights
        The positive weights, the negative ones, or both.
    min_coverage : float
        The least certainty, as part of the total, of an output.
    stride : (int, int)
        Of the responses.
    """
    certainty = gaps.certainty
    assert certainty is not None
    size = samples.shape[:2]
    total: NDArray[Any] | None = None
    for weights in signs:
        response = weights.samples(lambda buffer: _weigh(samples, gaps, buffer), size)
        known = weights.certainty(certainty.shape[2])(lambda buffer: np.copyto(buffer, certainty), size)
        part = _renormalize(response, known, weights, samples, certainty, min_coverage, stride)
        if total is None:
            total = part
        else:
            total += part
    assert total is not None
    return total


def _weigh(samples: NDArray[Any], gaps: TileGaps, buffer: NDArray[Any]) -> None:
    if gaps.weighted and gaps.certainty is not None:
        np.multiply(samples, gaps.certainty, out=buffer)
    else:
        np.copyto(buffer, samples)


def _renormalize(
    response: NDArray[Any],
    known: NDArray[Any],
    weights: SignedWeights,
    samples: NDArray[Any],
    certainty: NDArray[Any],
    min_coverage: float,
    stride: tuple[int, int],
) -> NDArray[Any]:
    """Bring a response to what the weights over known samples would give if they were all, in its own place."""
    whole, real = abs(weights.total), response.dtype.type
    least = float(known.min())
    unknown: Flags | None = None
    wanted = (min_coverage - _COVERAGE_ERROR[response.dtype.itemsize]) * whole
    if least < wanted:
        unknown = known < real(wanted)
    if not least < _LITTLE_COVERAGE * whole:
        _scale(response, np.divide(real(weights.total), known, out=known))
    else:
        where = certainty > 0
        if least < _DOUBTFUL_COVERAGE * whole:
            unreached = ~reaches(where, weights.support, stride)
            unknown = unreached if unknown is None else unknown | unreached
            np.copyto(known, real(np.finfo(real).tiny), where=known <= 0)
        _scale(response, 1 / known)
        low = samples.min(where=where, initial=np.inf)
        high = samples.max(where=where, initial=-np.inf)
        if high >= low:
            np.clip(response, low, high, out=response)
        response *= real(weights.total)
    if unknown is not None:
        np.copyto(response, real(np.nan), where=unknown)
    return response


def _scale(response: NDArray[Any], factor: NDArray[Any]) -> None:
    """Multiply by a factor of one channel or as many, in place."""
    channels = response.shape[2]
    if factor.shape[2] == channels or channels > _FEW_CHANNELS:
        response *= factor
        return
    for channel in range(channels):
        response[..., channel] *= factor[..., 0]


def reaches(flags: Flags, support: Flags, stride: tuple[int, int] = (1, 1)) -> Flags:
    """Return for each output (rows, columns, channels) whether a place of `support` lies on a flag of the tile.

    >>> flags = np.array([[[True], [False], [False], [False]]])
    >>> [reaches(flags, np.array([support])).ravel().tolist() for support in ([False, True], [True, False])]
    [[False, False, False], [True, False, False]]
    """
    import cv2  # which most runs of some backends do without

    height, width = (length - size + 1 for length, size in zip(flags.shape, support.shape, strict=False))
    rows, columns = (np.flatnonzero(support.any(axis=axis)) for axis in (1, 0))
    result = np.zeros((height, width, flags.shape[2]), bool)
    if rows.size:
        top, left = int(rows[0]), int(columns[0])
        laid = np.ascontiguousarray(support[top : rows[-1] + 1, left : columns[-1] + 1], np.uint8)
        for channel in range(flags.shape[2]):
            part = flags[top : top + height + laid.shape[0] - 1, left : left + width + laid.shape[1] - 1, channel]
            plane = np.ascontiguousarray(part, np.uint8)
            grown = cv2.dilate(plane, laid, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
            result[..., channel] = grown[:height, :width]
    return result[:: stride[0], :: stride[1]]
