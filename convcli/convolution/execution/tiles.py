"""The work above every backend: padding, strides, dilation, tiles, threads, and samples that are not finite.

The output is cut into tiles that stay in a core's cache. Each thread takes the next tile, reads its part of the padded
image as floats, has the backend correlate it, and finishes the response into the output.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import HUGE, Backend, Correlator, WholeImage, Work
from convcli.convolution.bank import Bank
from convcli.convolution.execution.combine import combine_responses
from convcli.convolution.execution.nonfinite import correlate_without
from convcli.convolution.execution.separable import prepare_separated
from convcli.convolution.geometry import AxisGeometry
from convcli.convolution.options import available_threads
from convcli.convolution.padding import PaddedSource
from convcli.convolution.planning.costs import MOST_PRODUCTS, Form
from convcli.kernel.factorize import Passes, low_rank
from convcli.system.threads import run_tasks

Finisher = Callable[[NDArray[Any], NDArray[Any]], None]


@dataclass(frozen=True, eq=False)
class Task:
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
    forms: tuple[Form, ...]
    threads: int | None
    device: str = "auto"
    kept: dict[bool, tuple[Callable[[], Correlator], ...]] | None = None

    @property
    def output_size(self) -> tuple[int, int, int]:
        """Height, width and channels of the result."""
        return self.rows.output, self.columns.output, self.banks[0].outputs


def run_whole(pixels: NDArray[Any], task: Task, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Filter a whole image by the backend's own means, where that was planned and these samples allow it; else None."""
    if not task.forms[0].whole:
        return None
    pixels = pixels.astype(dtype, copy=False)  # samples of the other byte order, and integers where that was planned
    kernel, passes, box = _known(task.banks[0], task.forms[0])
    assert kernel is not None
    anchor = task.rows.before, task.columns.before
    image = WholeImage(pixels, kernel, anchor, task.padding, task.padding_value, dtype, _threads(task), passes, box)
    return task.backend.whole(image)


def measure(task: Task) -> None:
    """Let the backend spend time on making later runs of this task faster."""
    for bank, form in zip(task.banks, task.forms, strict=True):
        task.backend.measure(_work(bank, form, task, finite=True))


def run_tiles(
    pixels: NDArray[Any],
    task: Task,
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
    finite = pixels.dtype.kind != "f" and bool(np.max(np.abs(task.padding_value)) < HUGE[4])
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
            return combine_responses(responses, task.combine) if len(responses) > 1 else responses[0]

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


def _threads(task: Task) -> int:
    return task.threads or available_threads()


def _prepare(backend: Backend, work: Work, tile: tuple[int, int]) -> Callable[[], Correlator]:
    if work.passes is not None and not backend.separates:
        return prepare_separated(backend, work, tile)
    return backend.prepare(work, tile)


def _work(bank: Bank, form: Form, task: Task, finite: bool) -> Work:
    """Ask for strides and dilations only where the backend does them itself."""
    backend, ours = task.backend, (task.rows.stride, task.columns.stride)
    stride = ours if backend.strides else (1, 1)
    dilation = task.dilation if backend.dilates else (1, 1)
    _, passes, box = _known(bank, form)
    if not backend.dilates:
        bank = bank.dilated(task.dilation)
        passes = None if passes is None else _dilated(passes, task.dilation)
    output = _unstrided((task.rows.output, task.columns.output), ours, stride)
    return Work(bank, task.dtype, output, stride, dilation, finite, passes, box, task.device)


def _known(bank: Bank, form: Form) -> tuple[NDArray[np.float64] | None, Passes | None, bool]:
    """What a form makes use of: the kernel on all channels, its passes, whether it is a box."""
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
    """How many outputs a backend must compute for `size` of ours, where `done` is the stride that it does itself."""
    if done == stride:
        return size[0], size[1]
    return (size[0] - 1) * stride[0] + 1, (size[1] - 1) * stride[1] + 1


def _in_outputs(size: tuple[int, int], stride: tuple[int, int], done: tuple[int, int]) -> tuple[int, int]:
    """How many of our outputs lie in a tile of `size` of the backend's."""
    if done == stride:
        return size
    return (size[0] - 1) // stride[0] + 1, (size[1] - 1) // stride[1] + 1


def _tap_by_tap(task: Task, works: tuple[Work, ...]) -> tuple[Correlator, ...]:
    """Make the correlators that are right whatever a tile holds."""
    from convcli.convolution.backends.direct import TapByTap  # only where such a tile turns up

    pairs = zip(works, task.banks, strict=True)
    return tuple(
        TapByTap(replace(work, bank=bank, dilation=task.dilation, passes=None, box=False)) for work, bank in pairs
    )
