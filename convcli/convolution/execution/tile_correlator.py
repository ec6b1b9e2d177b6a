"""The work of one thread on one tile: the backend's correlators, and what is done with samples that it hands on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Backend, CorrelationWork, Correlator
from convcli.convolution.bank import Bank
from convcli.convolution.execution.combine import combine_responses
from convcli.convolution.execution.nonfinite import correlate_without
from convcli.convolution.execution.separable import prepare_separated
from convcli.convolution.padding import AxisGeometry
from convcli.convolution.planning.cost_model import MOST_PRODUCTS, ComputingForm, CorrelationRequest
from convcli.kernel.factorize import Passes, low_rank


@dataclass(frozen=True, eq=False)
class ResolvedCorrelation:
    """A correlation resolved: nothing is left to choose but the number of threads.

    Several `banks` of one size share the geometry, and their responses are joined by `combine`; `forms` say how the
    backend goes about each. `kept`, where it is a dictionary, holds weights as the backend wants them from run to run:
    those of a large bank take as long to be laid out as a small image takes to be correlated. `anchor` is that of the
    kernels, in rows and columns of the image; `request` is what the forms were chosen by. `outside_missing` says that
    what lies outside the image, padded with zeros, is missing.
    """

    banks: tuple[Bank, ...]
    combine: str
    rows: AxisGeometry
    columns: AxisGeometry
    dilation: tuple[int, int]
    padding: str
    padding_value: float | tuple[float, ...]
    dtype: np.dtype[Any]
    backend: Backend
    forms: tuple[ComputingForm, ...]
    threads: int | None
    anchor: tuple[int, int]
    request: CorrelationRequest
    device: str = "auto"
    outside_missing: bool = False
    threshold: float = 0.0
    kept: dict[bool, tuple[Callable[[], Correlator], ...]] | None = None

    @property
    def output_size(self) -> tuple[int, int, int]:
        """Height, width and channels of the result."""
        return self.rows.output, self.columns.output, self.banks[0].outputs


class PreparedTiles:
    """A task made ready for tiles of at most one size."""

    def __init__(self, task: ResolvedCorrelation, works: tuple[CorrelationWork, ...], largest: tuple[int, int]) -> None:
        self.task = task
        self.works = works
        self.largest = largest
        kept = {} if task.kept is None else task.kept
        makers = kept.get(works[0].finite)
        if makers is None:
            makers = kept[works[0].finite] = tuple(_prepare(task.backend, work, largest) for work in works)
        self.makers = makers


class TileCorrelator:
    """One thread's means to correlate tiles with all banks of a task, whatever samples they hold."""

    def __init__(self, prepared: PreparedTiles) -> None:
        self._task, self._works = prepared.task, prepared.works
        self._correlators = tuple(make() for make in prepared.makers)
        self._by_taps: tuple[Correlator, ...] = ()

    def __call__(self, read: Callable[[NDArray[Any]], None], size: tuple[int, int]) -> list[NDArray[Any]]:
        """Return the response to each bank; `read` fills a tile of `size`, several times where it has to."""
        correlators = self._correlators
        responses = _correlate_all(correlators, _read(read, correlators[0].tile(*size)))
        if responses is None:
            responses = correlate_without(correlators, self._works, _read(read, correlators[0].tile(*size)))
        if responses is None:
            by_taps = self._by_taps = self._by_taps or _tap_by_tap(self._task, self._works)
            responses = _correlate_all(by_taps, _read(read, by_taps[0].tile(*size)))
        assert responses is not None  # going by taps hands nothing on
        return responses

    def combined(self, read: Callable[[NDArray[Any]], None], size: tuple[int, int]) -> NDArray[Any]:
        """Return the responses joined to one."""
        responses = self(read, size)
        if len(responses) == 1:
            return responses[0]
        return combine_responses(responses, self._task.combine, self._task.threshold)


def _read(read: Callable[[NDArray[Any]], None], tile: NDArray[Any]) -> NDArray[Any]:
    read(tile)
    return tile


def _correlate_all(correlators: tuple[Correlator, ...], tile: NDArray[Any]) -> list[NDArray[Any]] | None:
    """Correlate the tile, in the first one's buffer, with each bank; None where one of them hands it on."""
    for other in correlators[1:]:
        np.copyto(other.tile(*tile.shape[:2]), tile)
    responses = []
    for correlator in correlators:
        response = correlator.correlate()
        if response is None:
            return None
        responses.append(response)
    return responses


def _prepare(backend: Backend, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
    if work.passes is not None and not backend.separates:
        return prepare_separated(backend, work, tile)
    return backend.prepare(work, tile)


def correlation_work(bank: Bank, form: ComputingForm, task: ResolvedCorrelation, finite: bool) -> CorrelationWork:
    """Ask for strides and dilations only where the backend does them itself."""
    backend, ours = task.backend, (task.rows.stride, task.columns.stride)
    stride = ours if backend.strides else (1, 1)
    dilation = task.dilation if backend.dilates else (1, 1)
    _, passes, box = facts_of_form(bank, form)
    if not backend.dilates:
        bank = bank.dilated(task.dilation)
        passes = None if passes is None else _dilated(passes, task.dilation)
    output = unstrided((task.rows.output, task.columns.output), ours, stride)
    return CorrelationWork(bank, task.dtype, output, stride, dilation, finite, passes, box, task.device)


def facts_of_form(bank: Bank, form: ComputingForm) -> tuple[NDArray[np.float64] | None, Passes | None, bool]:
    """Return what a form makes use of: the kernel on all channels, its passes, whether it is a box."""
    kernel = bank.shared
    passes = low_rank(kernel, MOST_PRODUCTS) if form.name == "passes" and kernel is not None else None
    return kernel, passes, form.name == "box"


def _dilated(passes: Passes, dilation: tuple[int, int]) -> Passes:
    """Write the holes of a dilation out as zeros."""
    down, right = dilation
    return tuple((_with_zeros(column, down), _with_zeros(row, right)) for column, row in passes)


def _with_zeros(factor: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    spread = np.zeros(step * (factor.size - 1) + 1)
    spread[::step] = factor
    return spread


def unstrided(size: tuple[int, ...], stride: tuple[int, int], done: tuple[int, int]) -> tuple[int, int]:
    """Return the outputs a backend must compute for `size` of ours, where `done` is the stride that it does itself."""
    if done == stride:
        return size[0], size[1]
    return (size[0] - 1) * stride[0] + 1, (size[1] - 1) * stride[1] + 1


def _tap_by_tap(task: ResolvedCorrelation, works: tuple[CorrelationWork, ...]) -> tuple[Correlator, ...]:
    """Make the correlators that are right whatever a tile holds."""
    from convcli.convolution.backends.direct import TapByTap  # only where such a tile turns up

    pairs = zip(works, task.banks, strict=True)
    return tuple(
        TapByTap(replace(work, bank=bank, dilation=task.dilation, passes=None, box=False)) for work, bank in pairs
    )
