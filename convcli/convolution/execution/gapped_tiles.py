"""Tiles of an image of which something is missing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import CorrelationWork
from convcli.convolution.execution.missing_samples import GapReader, MissingSamples
from convcli.convolution.execution.normalized import GappedCorrelator, NormalizedTask, Once
from convcli.convolution.execution.tile_correlator import PreparedTiles, ResolvedCorrelation, TileCorrelator
from convcli.convolution.execution.tiles import Finisher, TileFilter, TileReader, TileRun
from convcli.convolution.padding import padding_mode


def run_gapped_tiles(
    pixels: NDArray[Any],
    task: ResolvedCorrelation,
    dtype: np.dtype[Any],
    finish: Finisher | None,
    out: NDArray[Any] | None,
    gaps: MissingSamples,
    *,
    known_done: bool = False,
) -> NDArray[Any]:
    """Filter `pixels`, of which something is missing, tile by tile into `out`, or a new array of `dtype`.

    `known_done` says that `out` holds the responses already where all samples are known.
    """
    result = np.empty(task.output_size, dtype) if out is None else out
    GappedTileRun(pixels, task, finish, result, gaps, known_done=known_done).run()
    return result


class GappedTileRun(TileRun):
    """One run over an image with missing samples.

    `known_done` says that the result holds the responses already where all samples are known.
    """

    def __init__(
        self,
        pixels: NDArray[Any],
        task: ResolvedCorrelation,
        finish: Finisher | None,
        result: NDArray[Any],
        gaps: MissingSamples,
        *,
        known_done: bool,
    ) -> None:
        super().__init__(pixels, task, finish, result)
        self._gaps = gaps
        self._known_done = known_done
        before, after = (task.rows.before, task.columns.before), (task.rows.after, task.columns.after)
        outside = task.outside_missing
        filled = padding_mode(task.padding).filled and not outside
        self._reader = GapReader(pixels, gaps, before, after, task.padding, outside=outside, filled=filled)

    def _tile_filters(self, prepared: PreparedTiles, works: tuple[CorrelationWork, ...]) -> Callable[[], TileFilter]:
        normalized = NormalizedTask(self._task, works, prepared.largest, self._finite)

        def make() -> TileFilter:
            correlator = GappedCorrelator(normalized, Once(lambda: TileCorrelator(prepared)))
            return partial(self._filter_tile, correlator, works[0].stride)

        return make

    def _filter_tile(
        self,
        correlator: GappedCorrelator,
        done: tuple[int, int],
        slices: tuple[slice, slice],
        read: TileReader,
        size: tuple[int, int],
    ) -> None:
        gaps, task = self._gaps, self._task
        target = self._result[slices]
        samples = correlator.scratch.array("samples", (*size, task.banks[0].inputs))
        read(samples)
        top, left = slices[0].start * self._stride[0], slices[1].start * self._stride[1]
        lacking = self._reader.read(top, left, samples)
        if lacking is None:
            if not self._known_done:
                response = correlator.plain().combined(lambda buffer: np.copyto(buffer, samples), size)
                self._finish_into(target, self._strided(response, done))
            return
        response = self._strided(correlator(samples, lacking, size, gaps), done)
        if lacking.gone is not None and gaps.rule == "ignore" and not gaps.fill:
            holes = self._under_anchors(lacking.gone, top, left, target.shape)
            np.copyto(response, np.nan, where=holes)
        missing = np.isnan(response)
        self._finish_into(target, response)
        if self._result.dtype.kind != "f" and gaps.value is not None:
            np.copyto(target, self._result.dtype.type(gaps.value), where=missing)
        if gaps.missing is not None:
            gaps.missing[slices] = missing

    def _under_anchors(self, gone: NDArray[np.bool_], top: int, left: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return which outputs of a tile have a missing sample of the image under the kernel's anchor."""
        task = self._task
        under: list[NDArray[np.intp]] = []
        inside: list[NDArray[np.bool_]] = []
        for axis, (geometry, first) in enumerate(((task.rows, top), (task.columns, left))):
            place = np.arange(shape[axis]) * geometry.stride + task.anchor[axis]
            under.append(place)
            sample = place + first - geometry.before
            inside.append((sample >= 0) & (sample < self._image_size[axis]))
        return gone[np.ix_(*under)] & (inside[0][:, np.newaxis] & inside[1])[..., np.newaxis]
