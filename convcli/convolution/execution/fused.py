"""Kernels of whole numbers on integer samples, all at once: from samples to samples in tiles that stay in the cache.

A tile is read as integers, the sums that the kernels share are made by additions of whole tiles shifted against each
other, joined (magnitude, maximum), and finished into the output before the next tile is read. The sums are exact.

A tile is one run of samples, rows behind rows, and a shift is a distance along it. What is summed across the end of a
row is of no use, and not looked at; runs as long as a tile are what the processor adds fastest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.execution.padded_source import PaddedSource
from convcli.convolution.execution.shared_sums import SharedSums, Term, sample_type, shared_sums
from convcli.convolution.execution.tile_correlator import ResolvedCorrelation
from convcli.convolution.execution.tiles import Finisher
from convcli.convolution.options import available_threads
from convcli.convolution.planning.cost_model import SHIPPED_CORES, ComputingForm, CorrelationRequest
from convcli.convolution.planning.planner import PlannedBackend
from convcli.convolution.planning.profile import current_profile
from convcli.image.tone import Finish
from convcli.system.threads import run_tasks

# Rows and samples a row of a tile. Additions of fewer samples are over before another thread has woken to the
# interpreter lock that they set free, so that two threads are no faster than one; larger ones leave the cache.
_ROWS, _ROW_SAMPLES = 32, 8192
# Images of more samples are worth the loading of OpenCV, which takes the root of a sum of squares in one pass.
_MANY_SAMPLES = 1 << 20


@dataclass(frozen=True, eq=False)
class FusedSums:
    """Shared sums with the integers that they are made in, and what they are predicted to take."""

    sums: SharedSums
    dtype: np.dtype[Any]
    planned: PlannedBackend

    def run(
        self,
        pixels: NDArray[Any],
        task: ResolvedCorrelation,
        dtype: np.dtype[Any],
        finish: Finisher | None,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Filter integer `pixels` (height, width, channels) tile by tile into `out`, or a new array of `dtype`."""
        rows, columns = task.rows, task.columns
        source = PaddedSource(
            pixels, (rows.before, columns.before), (rows.after, columns.after), task.padding, task.padding_value
        )
        result = np.empty(task.output_size, dtype) if out is None else out
        channels = pixels.shape[2]
        height = max(1, max(_ROWS, 4 * rows.span) // rows.stride)
        width = max(1, max(_ROW_SAMPLES // channels, 4 * columns.span) // columns.stride)
        corners = [(y, x) for y in range(0, rows.output, height) for x in range(0, columns.output, width)]
        accelerated = result.size > _MANY_SAMPLES

        def worker() -> Callable[[int], None]:
            tiles: dict[tuple[int, int], _Tile] = {}

            def do(number: int) -> None:
                y, x = corners[number]
                target = result[y : y + height, x : x + width]
                size = target.shape[0], target.shape[1]
                if size not in tiles:
                    tiles[size] = _Tile(self, task, size, channels, accelerated)
                tile = tiles[size]
                source.read(y * rows.stride, x * columns.stride, tile.samples)
                tile.compute()
                tile.finish(finish, target)

            return do

        run_tasks(len(corners), worker, task.threads or available_threads())
        return result


def choose_fused(
    kernels: Sequence[NDArray[np.float64]],
    combine: str,
    dtype: np.dtype[Any],
    padding_value: float | tuple[float, ...],
    request: CorrelationRequest,
    channels: int,
    otherwise: float,
) -> FusedSums | None:
    """Return the kernels as shared sums of samples of `dtype`; None where that is not exact, or takes longer.

    `otherwise` is what they are predicted to take one by one, in seconds.
    """
    limits = np.iinfo(dtype)
    values = np.atleast_1d(np.asarray(padding_value, np.float64))
    if ((values != np.rint(values)) | (values < limits.min) | (values > limits.max)).any():
        return None
    sums = shared_sums(kernels, combine)
    if sums is None:
        return None
    integers = sample_type(sums.largest, max(-limits.min, limits.max))
    if integers is None:
        return None
    seconds = _seconds(sums, integers, channels * request.every[0] * request.every[1])
    if seconds >= otherwise:
        return None
    shared = "" if len(kernels) == 1 else f", shared by {len(kernels)} kernels"
    reason = f"{sums.additions} additions of integers{shared}"
    planned = PlannedBackend("direct", (ComputingForm("sums"),) * len(kernels), seconds, reason)
    return FusedSums(sums, integers, planned)


def _seconds(sums: SharedSums, integers: np.dtype[Any], samples: float) -> float:
    """Predict the time by what a pass of `direct` takes on float32."""
    coefficients = current_profile().coefficients
    each = coefficients["direct.pass"] * integers.itemsize / 4 * sums.additions + coefficients["tile.read"]
    each += coefficients["tile.finish"] * (1.0 if sums.combine == "magnitude" else 0.5)
    return coefficients["direct.run"] + samples * each / SHIPPED_CORES


class _Tile:
    """The arrays of one thread's tiles of one size, and the operations on them, in order."""

    def __init__(
        self, fused: FusedSums, task: ResolvedCorrelation, size: tuple[int, int], channels: int, accelerated: bool
    ) -> None:
        rows, columns = task.rows, task.columns
        read = (size[0] - 1) * rows.stride + rows.span, (size[1] - 1) * columns.stride + columns.span
        self.samples = np.empty((*read, channels), fused.dtype)
        self._steps: list[tuple[Any, ...]] = []
        self._shift = task.dilation[0] * read[1] * channels, task.dilation[1] * channels
        self._fused = fused
        self._free: list[NDArray[Any]] = []
        self._responses: list[NDArray[Any]] = []
        self._all = self.samples.reshape(-1)
        self._nodes: list[tuple[NDArray[Any], int, int]] = [(self._all, 0, self._all.size)]
        self._steps_of(fused.sums)
        self._accelerated = accelerated
        self._floats = np.empty((2, self._all.size) if fused.sums.combine == "magnitude" else (0, 0), np.float32)
        self._bytes = np.empty(self.samples.shape, np.uint8)
        window = (
            slice(None, (size[0] - 1) * rows.stride + 1, rows.stride),
            slice(None, (size[1] - 1) * columns.stride + 1, columns.stride),
        )
        self._byte_window = self._bytes[window]
        whole = self._floats[0] if fused.sums.combine == "magnitude" else self._joined
        self._window = whole.reshape(self.samples.shape)[window]

    def compute(self) -> None:
        """Compute the joined response."""
        for operation, *inputs, out in self._steps:
            operation(*inputs, out=out)
        if self._fused.sums.combine == "magnitude":
            self._magnitude()

    def finish(self, finish: Finisher | None, target: NDArray[Any]) -> None:
        """Finish the response into the output."""
        bytes_only = target.dtype == np.uint8 and isinstance(finish, Finish) and finish.only_saturates
        if finish is None or (isinstance(finish, Finish) and finish.only_converts and finish.dtype.kind == "f"):
            np.copyto(target, self._window, casting="unsafe")
        elif bytes_only:
            assert isinstance(finish, Finish)
            self._saturate(absolute=finish.mapping == "abs")
            np.copyto(target, self._byte_window)
        else:
            finish(self._window.astype(np.float32), target)

    def _saturate(self, absolute: bool) -> None:
        """Round and saturate the whole tile to bytes."""
        if self._fused.sums.combine == "magnitude":
            response = self._floats[0]
            if self._accelerated:
                import cv2

                cv2.convertScaleAbs(response.reshape(1, -1), self._bytes.reshape(1, -1))
                return
            np.rint(response, out=response)
        else:
            response = self._joined
            if absolute:
                np.abs(response, out=response)
            else:
                np.maximum(response, 0, out=response)
        np.minimum(response, 255, out=response)
        np.copyto(self._bytes.reshape(-1), response, casting="unsafe")

    def _magnitude(self) -> None:
        first, *others = self._responses
        total, other = self._floats
        np.copyto(total, first, casting="unsafe")
        if self._accelerated and len(others) == 1:
            import cv2

            np.copyto(other, others[0], casting="unsafe")
            cv2.magnitude(total.reshape(1, -1), other.reshape(1, -1), total.reshape(1, -1))
            return
        np.multiply(total, total, out=total)
        for response in others:
            np.copyto(other, response, casting="unsafe")
            np.multiply(other, other, out=other)
            np.add(total, other, out=total)
        np.sqrt(total, out=total)

    def _steps_of(self, sums: SharedSums) -> None:
        """List the operations: the pairs, each response, and their union."""
        last = {pair.first: number for number, pair in enumerate(sums.pairs)}
        last |= {pair.second: max(number, last.get(pair.second, -1)) for number, pair in enumerate(sums.pairs)}
        kept = {term.node for terms in (*sums.targets, sums.common) for term in terms} | {0}
        for number, pair in enumerate(sums.pairs):
            self._add_pair(pair)
            for node in {pair.first, pair.second} - kept:
                if last[node] == number:
                    self._free.append(self._nodes[node][0])

        self._joined = self._array()
        for number, terms in enumerate(sums.targets):
            own = sums.combine == "magnitude" and number > 0
            response = self._joined if number == 0 else self._array()
            self._sum(terms, response)
            if sums.combine == "maxabs":
                self._steps.append((np.abs, response, response))
            self._responses.append(response)
            if number and not own:
                self._steps.append((np.maximum, self._joined, response, self._joined))
                self._free.append(response)
        if sums.gain != 1:
            self._steps.append((np.multiply, self._joined, self._joined.dtype.type(sums.gain), self._joined))
        if sums.common:
            rest = self._array()
            self._sum(sums.common, rest)
            self._steps.append((np.add, self._joined, rest, self._joined))

    def _array(self) -> NDArray[Any]:
        return self._free.pop() if self._free else np.zeros(self._all.size, self._all.dtype)

    def _distance(self, y: int, x: int) -> int:
        return y * self._shift[0] + x * self._shift[1]

    def _add_pair(self, pair: Any) -> None:
        first, low, high = self._nodes[pair.first]
        second, other_low, other_high = self._nodes[pair.second]
        distance = self._distance(pair.y, pair.x)
        low, high = max(low, other_low - distance), min(high, other_high - distance)
        result = self._array()
        operation = np.add if pair.sign > 0 else np.subtract
        self._nodes.append((result, low, high))
        if high > low:
            moved = second[low + distance : high + distance]
            self._steps.append((operation, first[low:high], moved, result[low:high]))

    def _sum(self, terms: tuple[Term, ...], result: NDArray[Any]) -> None:
        """Add terms up, those of one magnitude first, so that these are multiplied once."""
        low, high, moved = 0, self._all.size, []
        for term in terms:
            node, node_low, node_high = self._nodes[term.node]
            distance = self._distance(term.y, term.x)
            low, high = max(low, node_low - distance), min(high, node_high - distance)
            moved.append((node, distance))
        if high <= low:
            return
        views = [node[low + distance : high + distance] for node, distance in moved]
        out = result[low:high]
        groups: dict[int, list[tuple[NDArray[Any], int]]] = {}
        for view, term in zip(views, terms, strict=True):
            groups.setdefault(abs(term.weight), []).append((view, 1 if term.weight > 0 else -1))
        for number, (weight, members) in enumerate(groups.items()):
            spare = None
            if number and weight != 1:
                spare = self._array()
                self._add_members(members, spare[low:high], None)
                self._steps.append((np.multiply, spare[low:high], out.dtype.type(weight), spare[low:high]))
                self._steps.append((np.add, out, spare[low:high], out))
                self._free.append(spare)
                continue
            self._add_members(members, out, out if number else None)
            if weight != 1:
                self._steps.append((np.multiply, out, out.dtype.type(weight), out))

    def _add_members(
        self, members: list[tuple[NDArray[Any], int]], out: NDArray[Any], total: NDArray[Any] | None
    ) -> None:
        """Add or subtract arrays, to `total` where there is one."""
        rest = list(members)
        if total is None:
            view, sign = rest.pop(0)
            if rest and sign > 0:
                second, second_sign = rest.pop(0)
                self._steps.append((np.add if second_sign > 0 else np.subtract, view, second, out))
            else:
                self._steps.append((np.positive if sign > 0 else np.negative, view, out))
        for view, sign in rest:
            self._steps.append((np.add if sign > 0 else np.subtract, out, view, out))
