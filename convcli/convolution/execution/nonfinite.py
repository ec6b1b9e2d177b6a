"""Tiles with samples that are NaN, infinite or huge, which fast methods would spread over all of their outputs.

Where such samples are few, they are taken out, the rest is correlated as fast as ever, and each is added to the outputs
that it reaches; where they are many, the whole tile is correlated tap by tap.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import UNSAFE_MAGNITUDE, CorrelationWork, Correlator

# Adding one sample by itself takes as long as going over so many of a tile for one tap: some 30 microseconds.
_SAMPLES_A_TAP = 60_000


def correlate_without(
    correlators: Sequence[Correlator], works: Sequence[CorrelationWork], tile: NDArray[Any]
) -> list[NDArray[Any]] | None:
    """Correlate a tile without its bad samples and add these; None where they are so many that taps are quicker.

    `tile` is in the first correlator's buffer, and is changed; the responses are those of `correlators`, in turn.
    """
    bad = ~(np.abs(tile) < UNSAFE_MAGNITUDE[tile.dtype.itemsize])
    places = np.argwhere(bad)
    taps = max(int(np.count_nonzero(work.bank.weights[0])) for work in works)
    if len(places) * _SAMPLES_A_TAP > tile.size * taps:
        return None
    values = tile[bad]
    tile[bad] = 0
    for other in correlators[1:]:
        np.copyto(other.tile(*tile.shape[:2]), tile)
    responses = []
    for correlator, work in zip(correlators, works, strict=True):
        response = correlator.correlate()
        if response is None:  # what is left is small, but not to this method
            return None
        for (y, x, channel), value in zip(places.tolist(), values, strict=True):
            _add_sample(response, work, (y, x, channel), value)
        responses.append(response)
    return responses


def _add_sample(response: NDArray[Any], work: CorrelationWork, place: tuple[int, int, int], value: float) -> None:
    """Add what the sample at `place` (row, column, channel of the tile) contributes, where its weight is not zero."""
    y, x, channel = place
    rows, row_taps = _reached(y, response.shape[0], work.bank.size[0], work.stride[0], work.dilation[0])
    columns, column_taps = _reached(x, response.shape[1], work.bank.size[1], work.stride[1], work.dilation[1])
    inputs, outputs = (count // work.bank.groups for count in (work.bank.inputs, work.bank.outputs))
    group, source = divmod(channel, inputs)
    for output in range(group * outputs, (group + 1) * outputs):
        weights = work.bank.weights[output, source][np.ix_(row_taps, column_taps)]
        with np.errstate(over="ignore", invalid="ignore"):
            # In double, where a weight too small for float32 is not zero.
            share = np.where(weights != 0, weights * float(value), 0).astype(response.dtype)
        response[np.ix_(rows, columns, np.array([output]))] += share[..., np.newaxis]


def _reached(
    place: int, outputs: int, taps: int, stride: int, dilation: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which outputs along an axis have the sample at `place` under a tap, and under which.

    >>> [indices.tolist() for indices in _reached(4, outputs=10, taps=3, stride=2, dilation=1)]
    [[2, 1], [0, 2]]
    """
    tap = np.arange(taps)
    first = place - tap * dilation
    hit = (first >= 0) & (first % stride == 0) & (first // stride < outputs)
    return first[hit] // stride, tap[hit]
