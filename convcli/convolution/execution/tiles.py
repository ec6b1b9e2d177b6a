"""The work above every backend: padding, strides, dilation, tiles, threads, and samples that are not finite.

The output is cut into tiles that stay in a core's cache. Each thread takes the next tile, reads its part of the padded
image as floats, has the backend correlate it, and finishes the response into the output. Nothing is padded as a whole:
a tile is read with its padding in place, while it is wanted, so that no second image is ever held in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import UNSAFE_MAGNITUDE, Backend, CorrelationWork, Correlator, WholeImage
from convcli.convolution.bank import Bank
from convcli.convolution.execution.combine import combine_responses
from convcli.convolution.execution.nonfinite import correlate_without
from convcli.convolution.execution.separable import prepare_separated
from convcli.convolution.options import available_threads
from convcli.convolution.padding import AxisGeometry, padding_mode, source_indices
from convcli.convolution.planning.cost_model import MOST_PRODUCTS, ComputingForm
from convcli.kernel.factorize import Passes, low_rank
from convcli.system.threads import run_tasks

Finisher = Callable[[NDArray[Any], NDArray[Any]], None]


@dataclass(frozen=True, eq=False)
class ResolvedCorrelation:
    """A correlation resolved: nothing is left to choose but the number of threads.

    Several `banks` of one size share the geometry, and their responses are joined by `combine`; `forms` say how the
    backend goes about each. `kept`, where it is a dictionary, holds weights as the backend wants them from run to run:
    those of a large bank take as long to be laid out as a small image takes to be correlated.
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
    device: str = "auto"
    threshold: float = 0.0
    kept: dict[bool, tuple[Callable[[], Correlator], ...]] | None = None

    @property
    def output_size(self) -> tuple[int, int, int]:
        """Height, width and channels of the result."""
        return self.rows.output, self.columns.output, self.banks[0].outputs


class PaddedSource:
    """An image (height, width, channels) that can be read beyond its edges, tile by tile, as floats.

    `before` and `after` are (rows, columns) of padding; coordinates of `read` count from the padded corner.

    >>> image = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    >>> tile = np.empty((2, 3, 1), np.float32)
    >>> PaddedSource(image, (0, 1), (0, 0), "replicate").read(0, 0, tile)
    >>> tile[..., 0].tolist()
    [[0.0, 0.0, 1.0], [2.0, 2.0, 3.0]]
    """

    def __init__(
        self,
        pixels: NDArray[Any],
        before: tuple[int, int],
        after: tuple[int, int],
        mode: str,
        value: float | tuple[float, ...] = 0.0,
    ) -> None:
        self._pixels = pixels
        self._before = before
        self._value = value if padding_mode(mode).filled else None
        self._rows, self._columns = (
            source_indices(pixels.shape[axis], before[axis], after[axis], mode) for axis in (0, 1)
        )

    def read(self, top: int, left: int, out: NDArray[Any]) -> None:
        """Fill `out` (rows, columns, channels) with the padded image from row `top` and column `left` on."""
        height, width = out.shape[:2]
        if self._value is not None:
            rows = _inside(top - self._before[0], height, self._pixels.shape[0])
            columns = _inside(left - self._before[1], width, self._pixels.shape[1])
            if rows[0] != slice(0, height) or columns[0] != slice(0, width):
                out[...] = self._value
            out[rows[0], columns[0]] = self._pixels[rows[1], columns[1]]
            return
        for to_rows, from_rows in _pieces(self._rows, top, height, self._before[0], self._pixels.shape[0]):
            source = self._pixels[from_rows]
            for to_columns, from_columns in _pieces(self._columns, left, width, self._before[1], self._pixels.shape[1]):
                out[to_rows, to_columns] = source[:, from_columns]


def _inside(start: int, count: int, length: int) -> tuple[slice, slice]:
    """Match the part of `start .. start + count` that lies on the axis with its samples: (where to, where from)."""
    first = min(max(start, 0), length)
    last = max(min(start + count, length), first)
    return slice(first - start, last - start) if last > first else slice(0, 0), slice(first, last)


def _pieces(
    indices: NDArray[np.intp], start: int, count: int, before: int, length: int
) -> list[tuple[slice, slice | NDArray[np.intp]]]:
    """Split a stretch of a padded axis into the part on the image, a slice, and the parts beyond, to be gathered."""
    inner_start = min(max(before, start), start + count)
    inner_stop = max(min(before + length, start + count), inner_start)
    pieces: list[tuple[slice, slice | NDArray[np.intp]]] = []
    for first, last in ((start, inner_start), (inner_stop, start + count)):
        if last > first:
            pieces.append((slice(first - start, last - start), indices[first:last]))
    if inner_stop > inner_start:
        inner = slice(inner_start - before, inner_stop - before)
        pieces.append((slice(inner_start - start, inner_stop - start), inner))
    return pieces


def run_whole(pixels: NDArray[Any], task: ResolvedCorrelation, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Filter a whole image by the backend's own means, where that was planned and these samples allow it; else None."""
    if not task.forms[0].whole:
        return None
    pixels = pixels.astype(dtype, copy=False)  # samples of the other byte order, and integers where that was planned
    kernel, passes, box = _facts_of_form(task.banks[0], task.forms[0])
    assert kernel is not None
    anchor = task.rows.before, task.columns.before
    image = WholeImage(pixels, kernel, anchor, task.padding, task.padding_value, dtype, _threads(task), passes, box)
    return task.backend.whole(image)


def measure(task: ResolvedCorrelation) -> None:
    """Let the backend spend time on making later runs of this task faster."""
    for bank, form in zip(task.banks, task.forms, strict=True):
        task.backend.measure(_work(bank, form, task, finite=True))


def run_tiles(
    pixels: NDArray[Any],
    task: ResolvedCorrelation,
    dtype: np.dtype[Any],
    finish: Finisher | None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Filter `pixels` (height, width, inputs) tile by tile into `out`, or a new array of `dtype`."""
    rows, columns, backend = task.rows, task.columns, task.backend
    before, after = (rows.before, columns.before), (rows.after, columns.after)
    source = PaddedSource(pixels, before, after, task.padding, task.padding_value)
    result = np.empty(task.output_size, dtype) if out is None else out
    stride = rows.stride, columns.stride
    finite = pixels.dtype.kind != "f" and bool(np.max(np.abs(task.padding_value)) < UNSAFE_MAGNITUDE[4])
    works = tuple(_work(bank, form, task, finite) for bank, form in zip(task.banks, task.forms, strict=True))
    height, width = _in_outputs(backend.tile_size(works[0]), stride, works[0].stride)
    tile = _even(rows.output, height), _even(columns.output, width)
    corners = [(y, x) for y in range(0, rows.output, tile[0]) for x in range(0, columns.output, tile[1])]
    largest = _unstrided(tile, stride, works[0].stride)
    kept = {} if task.kept is None else task.kept
    makers = kept.get(finite)
    if makers is None:
        makers = kept[finite] = tuple(_prepare(backend, work, largest) for work in works)

    def worker() -> Callable[[int], None]:
        correlators = tuple(make() for make in makers)
        by_taps: list[tuple[Correlator, ...]] = []

        def correlate(top: int, left: int, size: tuple[int, int]) -> NDArray[Any]:
            responses = _correlate_all(correlators, _read(source, top, left, correlators[0].tile(*size)))
            if responses is None:
                tile = _read(source, top, left, correlators[0].tile(*size))
                responses = correlate_without(correlators, works, tile)
            if responses is None:
                by_taps[:] = by_taps or [_tap_by_tap(task, works)]
                responses = _correlate_all(by_taps[0], _read(source, top, left, by_taps[0][0].tile(*size)))
            assert responses is not None  # going by taps hands nothing on
            return combine_responses(responses, task.combine, task.threshold) if len(responses) > 1 else responses[0]

        @np.errstate(over="ignore", invalid="ignore")  # infinity minus infinity is NaN, as it should be
        def do(number: int) -> None:
            y, x = corners[number]
            target = result[y : y + tile[0], x : x + tile[1]]
            inner = _unstrided(target.shape[:2], stride, works[0].stride)
            response = correlate(y * stride[0], x * stride[1], works[0].reach(*inner))
            if works[0].stride != stride:
                response = response[:: stride[0], :: stride[1]]
            if finish is None:
                np.copyto(target, response)
            else:
                finish(response, target)

        return do

    with backend.single_threaded():
        run_tasks(len(corners), worker, _threads(task))
    return result


def _read(source: PaddedSource, top: int, left: int, tile: NDArray[Any]) -> NDArray[Any]:
    source.read(top, left, tile)
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


def _even(length: int, most: int) -> int:
    """Cut a length into as few pieces of at most `most` as it takes, of nearly the same size each.

    >>> _even(200, 128), _even(100, 128)
    (100, 100)
    """
    return -(-length // -(-length // most))


def _threads(task: ResolvedCorrelation) -> int:
    return task.threads or available_threads()


def _prepare(backend: Backend, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
    if work.passes is not None and not backend.separates:
        return prepare_separated(backend, work, tile)
    return backend.prepare(work, tile)


def _work(bank: Bank, form: ComputingForm, task: ResolvedCorrelation, finite: bool) -> CorrelationWork:
    """Ask for strides and dilations only where the backend does them itself."""
    backend, ours = task.backend, (task.rows.stride, task.columns.stride)
    stride = ours if backend.strides else (1, 1)
    dilation = task.dilation if backend.dilates else (1, 1)
    _, passes, box = _facts_of_form(bank, form)
    if not backend.dilates:
        bank = bank.dilated(task.dilation)
        passes = None if passes is None else _dilated(passes, task.dilation)
    output = _unstrided((task.rows.output, task.columns.output), ours, stride)
    return CorrelationWork(bank, task.dtype, output, stride, dilation, finite, passes, box, task.device)


def _facts_of_form(bank: Bank, form: ComputingForm) -> tuple[NDArray[np.float64] | None, Passes | None, bool]:
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


def _unstrided(size: tuple[int, ...], stride: tuple[int, int], done: tuple[int, int]) -> tuple[int, int]:
    """Return the outputs a backend must compute for `size` of ours, where `done` is the stride that it does itself."""
    if done == stride:
        return size[0], size[1]
    return (size[0] - 1) * stride[0] + 1, (size[1] - 1) * stride[1] + 1


def _in_outputs(size: tuple[int, int], stride: tuple[int, int], done: tuple[int, int]) -> tuple[int, int]:
    """Return how many of our outputs lie in a tile of `size` of the backend's."""
    if done == stride:
        return size
    return (size[0] - 1) // stride[0] + 1, (size[1] - 1) // stride[1] + 1


def _tap_by_tap(task: ResolvedCorrelation, works: tuple[CorrelationWork, ...]) -> tuple[Correlator, ...]:
    """Make the correlators that are right whatever a tile holds."""
    from convcli.convolution.backends.direct import TapByTap  # only where such a tile turns up

    pairs = zip(works, task.banks, strict=True)
    return tuple(
        TapByTap(replace(work, bank=bank, dilation=task.dilation, passes=None, box=False)) for work, bank in pairs
    )
