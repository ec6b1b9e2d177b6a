"""The work above every backend: padding, strides, dilation, tiles, threads, and samples that are not finite.

The output is cut into tiles that stay in a core's cache. Each thread takes the next tile, reads its part of the padded
image as floats, has the backend correlate it, and finishes the response into the output. Nothing is padded as a whole:
a tile is read with its padding in place, while it is wanted, so that no second image is ever held in memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import UNSAFE_MAGNITUDE, CorrelationWork, WholeImage
from convcli.convolution.execution.padded_source import PaddedSource
from convcli.convolution.execution.tile_correlator import (
    PreparedTiles,
    ResolvedCorrelation,
    TileCorrelator,
    correlation_work,
    facts_of_form,
    unstrided,
)
from convcli.convolution.options import available_threads
from convcli.convolution.padding import AxisGeometry
from convcli.system.threads import run_tasks

Finisher = Callable[[NDArray[Any], NDArray[Any]], None]
TileReader = Callable[[NDArray[Any]], None]  # fills the buffer of a tile
TileFilter = Callable[[tuple[slice, slice], TileReader, tuple[int, int]], None]  # of the output, of so many samples


def run_whole(pixels: NDArray[Any], task: ResolvedCorrelation, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Filter a whole image by the backend's own means, where that was planned and these samples allow it; else None."""
    if not task.forms[0].whole:
        return None
    pixels = pixels.astype(dtype, copy=False)  # samples of the other byte order, and integers where that was planned
    kernel, passes, box = facts_of_form(task.banks[0], task.forms[0])
    assert kernel is not None
    anchor = task.rows.before, task.columns.before
    image = WholeImage(pixels, kernel, anchor, task.padding, task.padding_value, dtype, _threads(task), passes, box)
    return task.backend.whole(image)


def measure(task: ResolvedCorrelation) -> None:
    """Let the backend spend time on making later runs of this task faster."""
    for bank, form in zip(task.banks, task.forms, strict=True):
        task.backend.measure(correlation_work(bank, form, task, finite=True))


def run_tiles(
    pixels: NDArray[Any],
    task: ResolvedCorrelation,
    dtype: np.dtype[Any],
    finish: Finisher | None,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Filter `pixels` (height, width, inputs) tile by tile into `out`, or a new array of `dtype`."""
    result = np.empty(task.output_size, dtype) if out is None else out
    TileRun(pixels, task, finish, result).run()
    return result


class _Region(NamedTuple):
    """A part of the output: its first row and column, and those after its last."""

    top: int
    left: int
    bottom: int
    right: int


def _regions(size: tuple[int, ...], task: ResolvedCorrelation) -> list[_Region]:
    """Cut the output into what lies within reach of the outside and what does not, where that makes a difference."""
    rows, columns = task.rows, task.columns
    whole = _Region(0, 0, rows.output, columns.output)
    if not task.outside_missing:
        return [whole]
    (top, bottom), (left, right) = (_inner(axis, length) for axis, length in zip((rows, columns), size, strict=False))
    if top >= bottom or left >= right:
        return [whole]
    regions = [
        _Region(top, left, bottom, right),
        _Region(0, 0, top, columns.output),
        _Region(bottom, 0, rows.output, columns.output),
        _Region(top, 0, bottom, left),
        _Region(top, right, bottom, columns.output),
    ]
    return [region for region in regions if region.top < region.bottom and region.left < region.right]


def _inner(axis: AxisGeometry, length: int) -> tuple[int, int]:
    """Return the outputs, first and after the last, that read nothing outside an axis of so many samples."""
    return -(-axis.before // axis.stride), max((axis.before + length - axis.span) // axis.stride + 1, 0)


class TileRun:
    """One run over an image: what all of its tiles have in common."""

    def __init__(
        self,
        pixels: NDArray[Any],
        task: ResolvedCorrelation,
        finish: Finisher | None,
        result: NDArray[Any],
    ) -> None:
        rows, columns = task.rows, task.columns
        before, after = (rows.before, columns.before), (rows.after, columns.after)
        self._task = task
        self._finish = finish
        self._result = result
        self._source = PaddedSource(pixels, before, after, task.padding, task.padding_value)
        self._image_size = pixels.shape
        self._stride = rows.stride, columns.stride
        self._finite = pixels.dtype.kind != "f" and bool(np.max(np.abs(task.padding_value)) < UNSAFE_MAGNITUDE[4])

    def run(self) -> None:
        """Filter all of the image."""
        with self._task.backend.single_threaded():
            for region in _regions(self._image_size, self._task):
                self.filter(region)

    def filter(self, region: _Region) -> None:
        """Filter the tiles of a region of the output."""
        task, stride = self._task, self._stride
        height, width = region.bottom - region.top, region.right - region.left
        works = tuple(
            correlation_work(bank, form, task, self._finite) for bank, form in zip(task.banks, task.forms, strict=True)
        )
        most = _in_outputs(task.backend.tile_size(works[0]), stride, works[0].stride)
        tile = _even(height, most[0]), _even(width, most[1])
        corners = [
            (y, x) for y in range(region.top, region.bottom, tile[0]) for x in range(region.left, region.right, tile[1])
        ]
        largest = unstrided(tile, stride, works[0].stride)
        prepared = PreparedTiles(task, works, largest)
        tile_filters = self._tile_filters(prepared, works)

        def worker() -> Callable[[int], None]:
            filter_tile = tile_filters()

            @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # infinity minus infinity is NaN
            def do(number: int) -> None:
                y, x = corners[number]
                slices = slice(y, min(y + tile[0], region.bottom)), slice(x, min(x + tile[1], region.right))
                target = self._result[slices]
                size = works[0].reach(*unstrided(target.shape[:2], stride, works[0].stride))
                read = partial(self._source.read, y * stride[0], x * stride[1])
                filter_tile(slices, read, size)

            return do

        run_tasks(len(corners), worker, _threads(task))

    def _tile_filters(self, prepared: PreparedTiles, works: tuple[CorrelationWork, ...]) -> Callable[[], TileFilter]:
        """Return what makes a thread's means to filter one tile into the result."""
        done = works[0].stride

        def make() -> TileFilter:
            correlator = TileCorrelator(prepared)

            def filter_tile(slices: tuple[slice, slice], read: TileReader, size: tuple[int, int]) -> None:
                self._finish_into(self._result[slices], self._strided(correlator.combined(read, size), done))

            return filter_tile

        return make

    def _strided(self, response: NDArray[Any], done: tuple[int, int]) -> NDArray[Any]:
        """Drop the outputs that a stride leaves out, where the backend did not."""
        return response if done == self._stride else response[:: self._stride[0], :: self._stride[1]]

    def _finish_into(self, target: NDArray[Any], response: NDArray[Any]) -> None:
        if self._finish is None:
            np.copyto(target, response)
        else:
            self._finish(response, target)


def _even(length: int, most: int) -> int:
    """Cut a length into as few pieces of at most `most` as it takes, of nearly the same size each.

    >>> _even(200, 128), _even(100, 128)
    (100, 100)
    """
    return -(-length // -(-length // most))


def _threads(task: ResolvedCorrelation) -> int:
    return task.threads or available_threads()


def _in_outputs(size: tuple[int, int], stride: tuple[int, int], done: tuple[int, int]) -> tuple[int, int]:
    """Return how many of our outputs lie in a tile of `size` of the backend's."""
    if done == stride:
        return size
    return (size[0] - 1) // stride[0] + 1, (size[1] - 1) // stride[1] + 1
