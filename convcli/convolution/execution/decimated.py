"""Large Gaussians on a coarse grid: three steps of small matrix products, whose time hardly depends on the kernel.

The image is read in tiles, each reduced down and across to the points of the grid that it holds; the grid, a hundredth
or so of the image, is blurred as a whole; and each tile of the output is interpolated from the points around it.
`convcli.kernel.decimation` has the reason why that gives the kernel's response, and the proof.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import UNSAFE_MAGNITUDE, all_safe
from convcli.convolution.backends.blas import LONGEST_SUM, blas_threads
from convcli.convolution.execution.padded_source import PaddedSource
from convcli.convolution.execution.tile_correlator import ResolvedCorrelation
from convcli.convolution.execution.tiles import Finisher
from convcli.convolution.options import available_threads
from convcli.convolution.padding import AxisGeometry
from convcli.convolution.planning.cost_model import SHIPPED_CORES, ComputingForm, CorrelationRequest
from convcli.convolution.planning.planner import PlannedBackend
from convcli.convolution.planning.profile import current_profile
from convcli.kernel.decimation import DecimatedFactor, decimated
from convcli.kernel.factorize import low_rank
from convcli.system.threads import run_tasks

# What the factors may differ from the kernel's, both axes together: half of the bound; rounding takes less of the rest.
_MOST_ERROR = 1e-6
# A tile of the grid: points down, and points across of all channels together.
_POINTS_DOWN, _POINTS_ACROSS = 24, 192
# A tile of the output: rows, and samples across.
_ROWS, _ROW_SAMPLES = 64, 1024
# What the prediction is multiplied by: matrices of so few rows multiply at about half the rate.
_CAUTION = 2.0
# Points of the grid that are blurred by one product.
_BLOCK = 64

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Grid:
    """The points of one axis, counted in padded samples, of which point 0 lies at `first`.

    `blurred` of them are interpolated between, from number `reach` of all `points` on: so many lie around each for
    the blur. `length` is that of the padded axis, `center` the place of output 0, and `stride` its step.
    """

    factor: DecimatedFactor
    first: int
    points: int
    blurred: int
    length: int
    center: int
    stride: int
    outputs: int

    @property
    def reach(self) -> int:
        """Points on either side that the blur takes."""
        return self.factor.middle.size // 2

    def samples(self, start: int, stop: int) -> tuple[int, int]:
        """Return the padded samples, on the axis, that points `start` to `stop` reach."""
        radius, step = self.factor.analysis.size // 2, self.factor.step
        low = min(max(self.first + start * step - radius, 0), self.length)
        return low, max(min(self.first + (stop - 1) * step + radius + 1, self.length), low)

    def analysis(self, start: int, stop: int) -> Floats:
        """Return the matrix from those samples to points `start` to `stop`."""
        low, high = self.samples(start, stop)
        places = self.first + np.arange(start, stop) * self.factor.step
        return _weights(self.factor.analysis, np.arange(low, high) - places[:, np.newaxis])

    def around(self, start: int, stop: int) -> tuple[int, int]:
        """Return the blurred points around outputs `start` to `stop`."""
        radius, step = self.factor.synthesis.size // 2, self.factor.step
        origin = self.first + self.reach * step
        low = self.center + start * self.stride - radius - origin
        high = self.center + (stop - 1) * self.stride + radius - origin
        return max(-(-low // step), 0), min(high // step + 1, self.blurred)

    def synthesis(self, start: int, stop: int) -> Floats:
        """Return the matrix from those points to outputs `start` to `stop`."""
        low, high = self.around(start, stop)
        places = self.first + (self.reach + np.arange(low, high)) * self.factor.step
        outputs = self.center + np.arange(start, stop) * self.stride
        return _weights(self.factor.synthesis, outputs[:, np.newaxis] - places)


def _grid(factor: DecimatedFactor, axis: AxisGeometry) -> _Grid:
    half, radius, step = axis.span // 2, factor.synthesis.size // 2, factor.step
    reached = (axis.output - 1) * axis.stride + 2 * radius
    blurred, reach = -(-reached // step) + 1, factor.middle.size // 2
    length = (axis.output - 1) * axis.stride + axis.span
    first = half - radius - reach * step
    return _Grid(factor, first, blurred + 2 * reach, blurred, length, half, axis.stride, axis.output)


def _weights(factor: NDArray[np.float64], distances: NDArray[np.intp]) -> Floats:
    """Look up a symmetric factor's weights at distances from its middle, 0 beyond it."""
    half = factor.size // 2
    padded = np.append(factor[half:], 0.0).astype(np.float32)
    return padded[np.minimum(np.abs(distances), half + 1)]


def _product(matrix: Floats, values: Floats) -> Floats:
    """Multiply by a matrix from the left, in sums short enough for the error bound."""
    total: Floats = np.matmul(matrix[:, :LONGEST_SUM], values[..., :LONGEST_SUM, :])
    for start in range(LONGEST_SUM, matrix.shape[1], LONGEST_SUM):
        part = slice(start, start + LONGEST_SUM)
        total += np.matmul(matrix[:, part], values[..., part, :])
    return total


def _across(values: Floats, matrix: Floats) -> Floats:
    """Multiply the last axis by a matrix."""
    turned = np.ascontiguousarray(matrix.T)
    total: Floats = np.matmul(values[..., :LONGEST_SUM], turned[:LONGEST_SUM])
    for start in range(LONGEST_SUM, len(turned), LONGEST_SUM):
        total += np.matmul(values[..., start : start + LONGEST_SUM], turned[start : start + LONGEST_SUM])
    return total


@dataclass(frozen=True, eq=False)
class DecimatedGaussian:
    """A kernel as two decimated factors, column and row, and what it is predicted to take."""

    column: DecimatedFactor
    row: DecimatedFactor
    planned: PlannedBackend

    def run(
        self,
        pixels: NDArray[Any],
        task: ResolvedCorrelation,
        dtype: np.dtype[Any],
        finish: Finisher | None,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any] | None:
        """Filter `pixels` (height, width, channels); None where a sample is not finite, which would be spread."""
        if pixels.dtype.kind == "f" and not all_safe(pixels):
            return None
        down, across = _grid(self.column, task.rows), _grid(self.row, task.columns)
        result = np.empty(task.output_size, dtype) if out is None else out
        threads = task.threads or available_threads()
        with blas_threads(1):
            points = _reduce(pixels, task, down, across, threads)
            points = _blur(points, down, threads)
            points = _blur(points.transpose(0, 2, 1), across, threads).transpose(0, 2, 1)
            _interpolate(points, down, across, finish, result, threads)
        return result


def _reduce(pixels: NDArray[Any], task: ResolvedCorrelation, down: _Grid, across: _Grid, threads: int) -> Floats:
    """Reduce the padded image to the points of the grid, (channels, down, across)."""
    before, after = (task.rows.before, task.columns.before), (task.rows.after, task.columns.after)
    source = PaddedSource(pixels, before, after, task.padding, task.padding_value)
    channels = pixels.shape[2]
    points = np.zeros((channels, down.points, across.points), np.float32)
    wide = max(32, _POINTS_ACROSS // channels)
    corners = [(y, x) for y in range(0, down.points, _POINTS_DOWN) for x in range(0, across.points, wide)]

    def do(number: int) -> None:
        y, x = corners[number]
        target = points[:, y : y + _POINTS_DOWN, x : x + wide]
        (top, bottom), (left, right) = down.samples(y, y + target.shape[1]), across.samples(x, x + target.shape[2])
        if bottom <= top or right <= left:
            return
        tile = np.empty((bottom - top, right - left, channels), np.float32)
        source.read(top, left, tile)
        rows = _product(down.analysis(y, y + target.shape[1]), tile.reshape(len(tile), -1))
        planes = np.ascontiguousarray(rows.reshape(target.shape[1], -1, channels).transpose(2, 0, 1))
        target[...] = _across(planes, across.analysis(x, x + target.shape[2]))

    run_tasks(len(corners), lambda: do, threads)
    return points


def _blur(points: Floats, grid: _Grid, threads: int) -> Floats:
    """Blur the grid down its second axis, which loses `reach` points at either end."""
    result = np.empty((points.shape[0], grid.blurred, points.shape[2]), np.float32)
    middle, reach = grid.factor.middle, grid.reach
    blocks = range(0, grid.blurred, _BLOCK)

    def do(number: int) -> None:
        start = blocks[number]
        stop = min(start + _BLOCK, grid.blurred)
        matrix = _weights(middle, np.arange(-reach, stop - start + reach) - np.arange(stop - start)[:, np.newaxis])
        result[:, start:stop] = _product(matrix, points[:, start : stop + 2 * reach])

    run_tasks(len(blocks), lambda: do, threads)
    return result


def _interpolate(
    points: Floats, down: _Grid, across: _Grid, finish: Finisher | None, result: NDArray[Any], threads: int
) -> None:
    """Interpolate the output from the blurred points, tile by tile."""
    channels = points.shape[0]
    wide = max(64, _ROW_SAMPLES // channels)
    corners = [(y, x) for y in range(0, down.outputs, _ROWS) for x in range(0, across.outputs, wide)]

    def do(number: int) -> None:
        y, x = corners[number]
        target = result[y : y + _ROWS, x : x + wide]
        height, width = target.shape[:2]
        (top, bottom), (left, right) = down.around(y, y + height), across.around(x, x + width)
        rows = _across(np.ascontiguousarray(points[:, top:bottom, left:right]), across.synthesis(x, x + width))
        beside = np.ascontiguousarray(rows.transpose(1, 2, 0)).reshape(bottom - top, -1)
        response = _product(down.synthesis(y, y + height), beside).reshape(height, width, channels)
        if finish is None:
            np.copyto(target, response)
        else:
            finish(response, target)

    run_tasks(len(corners), lambda: do, threads)


def choose_decimated(
    weights: NDArray[np.float64],
    padding_value: float | tuple[float, ...],
    request: CorrelationRequest,
    channels: int,
    otherwise: float,
) -> DecimatedGaussian | None:
    """Return a kernel as decimated factors; None where it is no large Gaussian, inexact so, or slower so.

    `otherwise` is what the kernel is predicted to take another way, in seconds.
    """
    if float(np.max(np.abs(padding_value))) >= UNSAFE_MAGNITUDE[4]:
        return None
    passes = low_rank(weights, 1)
    factors = None if passes is None else decimated_factors(passes[0])
    if factors is None:
        return None
    column, row = factors
    seconds = _seconds(column, row, request, channels)
    if seconds >= otherwise:
        return None
    reason = f"Gaussian on every sample in {column.step} x {row.step}"
    return DecimatedGaussian(column, row, PlannedBackend("kn2row", (ComputingForm("decimated"),), seconds, reason))


def decimated_factors(
    pair: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[DecimatedFactor, DecimatedFactor] | None:
    """Return a column and a row as decimated factors; None where they are no large Gaussian, or inexact so."""
    column, row = (decimated(factor) for factor in pair)
    if column is None or row is None or column.error + row.error > _MOST_ERROR:
        return None
    return column, row


def _seconds(column: DecimatedFactor, row: DecimatedFactor, request: CorrelationRequest, channels: int) -> float:
    """Count the multiplications of the three steps, by what one takes in a matrix product."""
    coefficients = current_profile().coefficients
    height, width = (
        every + 2 * factor.step * (factor.middle.size // 2)
        for every, factor in zip(request.every, (column, row), strict=True)
    )
    read, written = float(height * width * channels), float(request.kept * channels)
    tall, wide = (factor.analysis.size / factor.step for factor in (column, row))
    products = read * (_POINTS_DOWN + tall + (_BLOCK + wide) / column.step)
    products += read * sum(_BLOCK + each.middle.size for each in (column, row)) / (column.step * row.step)
    rows, columns = _ROWS * request.stride[0], _ROW_SAMPLES // channels * request.stride[1]
    products += written * (rows / column.step + tall + (columns / row.step + wide) / column.step)
    each = coefficients["kn2row.product"] * products + coefficients["tile.read"] * 2 * read
    each += coefficients["tile.finish"] * written if request.finished else coefficients["tile.pass"] * written
    return coefficients["kn2row.run"] + _CAUTION * each / SHIPPED_CORES
