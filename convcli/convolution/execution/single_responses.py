"""Responses of single outputs, tap by tap in double precision, for what looks at few of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.execution.combine import combine_responses
from convcli.convolution.execution.tile_correlator import ResolvedCorrelation
from convcli.convolution.padding import padding_mode, source_indices

# Single responses that are computed beside a run: at least and at most so many, with so many multiply-adds.
_LEAST_PLACES, _MOST_PLACES, _MOST_TAPS = 16, 32, 1 << 14


def responses_at(task: ResolvedCorrelation, pixels: NDArray[Any], places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Compute the responses of a task at `places`, counted row by row; see `ConvolutionPlan.responses_at`."""
    (height, width), channels = task.banks[0].size, pixels.shape[2]
    places = places[: max(_LEAST_PLACES, min(_MOST_PLACES, _MOST_TAPS // (height * width * channels)))]
    at = np.divmod(places, task.columns.output)
    rows, columns = (
        source_indices(pixels.shape[axis], geometry.before, geometry.after, task.padding)[
            at[axis][:, np.newaxis] * geometry.stride + np.arange(taps) * task.dilation[axis]
        ]
        for axis, (geometry, taps) in enumerate(((task.rows, height), (task.columns, width)))
    )
    windows = pixels[rows[:, :, np.newaxis], columns[:, np.newaxis]].astype(np.float64)
    if padding_mode(task.padding).filled:
        windows[(rows < 0)[:, :, np.newaxis] | (columns < 0)[:, np.newaxis]] = task.padding_value
    laid = windows.reshape(len(places), height * width, channels).transpose(0, 2, 1)
    parts = [laid @ bank.weights[0, 0].ravel() for bank in task.banks]
    return np.asarray(combine_responses(parts, task.combine, task.threshold))
