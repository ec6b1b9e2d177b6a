"""Normalised convolution on tiles: which correlations it takes by which backend and form, made ready when wanted."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import CorrelationWork, Scratch
from convcli.convolution.bank import Bank
from convcli.convolution.execution.combine import combine_responses
from convcli.convolution.execution.missing_samples import (
    CorrelateTile,
    MissingSamples,
    SignedWeights,
    TileGaps,
    normalized_response,
    reaches,
)
from convcli.convolution.execution.tile_correlator import (
    PreparedTiles,
    ResolvedCorrelation,
    TileCorrelator,
    correlation_work,
)
from convcli.convolution.planning.cost_model import ComputingForm, summarize
from convcli.convolution.planning.planner import choose

_Made = TypeVar("_Made")


class Once(Generic[_Made]):
    """Makes a thing when it is first wanted, once for all threads."""

    def __init__(self, make: Callable[[], _Made]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: _Made | None = None

    def __call__(self) -> _Made:
        """Return it, made now where it was not yet."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class NormalizedTask:
    """What normalised convolution takes besides the plain correlation, made ready when it is first wanted."""

    def __init__(
        self, task: ResolvedCorrelation, works: tuple[CorrelationWork, ...], largest: tuple[int, int], finite: bool
    ) -> None:
        self.task = task
        self.stride = works[0].stride
        self._largest = largest
        self._finite = finite
        self.signs = tuple(_signs(bank, form, task) for bank, form in zip(task.banks, task.forms, strict=True))
        self._made: dict[tuple[int, int, int], Once[PreparedTiles]] = {}
        channels = {task.banks[0].inputs, 1}
        for bank, parts in enumerate(self.signs):
            for number, part in enumerate(parts):
                for count in channels:
                    self._made[bank, number, count] = Once(partial(self._prepared, part, count, True))
                self._made[bank, number, 0] = Once(partial(self._prepared, part, max(channels), finite))

    def _prepared(self, part: "_Sign", channels: int, finite: bool) -> PreparedTiles:
        bank = Bank.depthwise(part.weights, channels)
        task = replace(self.task, banks=(bank,), forms=(part.form,), kept=None)
        return PreparedTiles(task, (correlation_work(bank, part.form, task, finite),), self._largest)

    def correlator(self, bank: int, number: int, channels: int) -> TileCorrelator:
        """Make a thread's correlator of the certainty of so many channels, or of samples where there are 0."""
        return TileCorrelator(self._made[bank, number, channels]())


class _Sign(NamedTuple):
    """The magnitudes of a kernel's weights of one sign, their signed sum, and the form to compute them in."""

    weights: NDArray[np.float64]
    total: float
    form: ComputingForm


def _signs(bank: Bank, form: ComputingForm, task: ResolvedCorrelation) -> tuple[_Sign, ...]:
    kernel = bank.shared
    assert kernel is not None
    parts = [(weights, sign) for weights, sign in ((kernel, 1.0), (-kernel, -1.0)) if weights.max() > 0]
    if len(parts) == 1:
        return tuple(_Sign(weights, sign * float(weights.sum()), form) for weights, sign in parts)
    signs = []
    for weights, sign in parts:
        magnitudes = np.maximum(weights, 0)
        planned, _ = choose([summarize(Bank.depthwise(magnitudes, bank.inputs))], task.request, task.backend.name)
        signs.append(_Sign(magnitudes, sign * float(magnitudes.sum()), planned.forms[0]))
    return tuple(signs)


class GappedCorrelator:
    """One thread's means to correlate tiles of which something is missing."""

    def __init__(self, normalized: NormalizedTask, plain: "Once[TileCorrelator]") -> None:
        task = normalized.task
        self.plain = plain
        self.scratch = Scratch(task.dtype)
        self._task = task
        self._stride = normalized.stride
        self._supports = [_dilated_support(bank, task.dilation) for bank in task.banks]
        self._weights = [
            [
                SignedWeights(
                    part.total,
                    _dilated_support(Bank.depthwise(part.weights, 1), task.dilation),
                    _single(Once(partial(normalized.correlator, bank, number, 0))),
                    _by_channels(
                        {
                            count: _single(Once(partial(normalized.correlator, bank, number, count)))
                            for count in {1, task.banks[0].inputs}
                        }
                    ),
                )
                for number, part in enumerate(parts)
            ]
            for bank, parts in enumerate(normalized.signs)
        ]

    def __call__(
        self, samples: NDArray[Any], lacking: TileGaps, size: tuple[int, int], gaps: MissingSamples
    ) -> NDArray[Any]:
        """Return the response to a tile, NaN where it is missing; `samples` is changed."""
        if lacking.gone is not None:
            np.copyto(samples, 0, where=lacking.gone)
        if lacking.certainty is None:
            responses = self.plain()(lambda buffer: np.copyto(buffer, samples), size)
        else:
            responses = [
                normalized_response(samples, lacking, signs, gaps.min_coverage, self._stride)
                if signs
                else np.zeros(self._outputs(size), samples.dtype)  # of a kernel without weights
                for signs in self._weights
            ]
        if gaps.rule == "spread" and lacking.gone is not None:
            for response, support in zip(responses, self._supports, strict=True):
                np.copyto(response, np.nan, where=reaches(lacking.gone, support, self._stride))
        if len(responses) == 1:
            return responses[0]
        return combine_responses(responses, self._task.combine, self._task.threshold)

    def _outputs(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """Return rows, columns and channels of the response to a tile of `size`."""
        rows, columns = (
            (length - span) // step + 1
            for length, span, step in zip(size, self._supports[0].shape, self._stride, strict=True)
        )
        return rows, columns, self._task.banks[0].outputs


def _single(correlator: "Once[TileCorrelator]") -> CorrelateTile:
    return lambda read, size: correlator()(read, size)[0]


def _by_channels(correlators: dict[int, CorrelateTile]) -> Callable[[int], CorrelateTile]:
    return correlators.__getitem__


def _dilated_support(bank: Bank, dilation: tuple[int, int]) -> NDArray[np.bool_]:
    kernel = bank.dilated(dilation).shared
    assert kernel is not None
    support: NDArray[np.bool_] = kernel != 0
    return support
