"""The exact response, in float64, that results are held against.

By the definition itself, weight by weight, with nothing of convcli's own padding or backends in it; for large work, of
which that would take minutes, by the fft backend in double precision, itself checked at 1,000 pixels spread over the
image that are computed by the definition.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.convolution.padding import PADDINGS, padding_mode, source_indices
from convcli.convolution.plan import plan_convolution
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel

Float = NDArray[np.float64]
Indices = NDArray[np.intp]

CHECKED_PIXELS = 1000
_LARGE = 4e8  # multiply-adds, which the definition does in about a second
_SEED = 0
_NUMPY_MODES = {mode.name: mode.numpy for mode in PADDINGS if mode.numpy}
# The error bounds of docs/numerics.md, as shares of sum|weights| times the largest sample.
_SINGLE, _DOUBLE = 2e-6, 1e-13
_STRIP_SAMPLES = 1 << 18  # so that a strip and its sums stay in the cache


@dataclass(frozen=True, eq=False)
class Reference:
    """The float64 response (height, width, channels) and how far off a float result may be.

    Parameters
    ----------
    values : ndarray
        The response, float64.
    bound : float
        The largest error that is allowed of a float result: the bound of docs/numerics.md.
    method : str
        How it was computed, in words.
    checked_error : float
        How far it lies from the pixels that were computed by the definition; 0 where all of them were.
    """

    values: Float
    bound: float
    method: str
    checked_error: float = 0.0

    def error(self, result: NDArray[Any]) -> float:
        """Return the largest absolute error of a result; of an integer one against the saturated response.

        Infinity where the result is of another shape, or not finite just where the response is not.
        """
        if result.shape != self.values.shape:
            return math.inf
        worst = 0.0
        rows = max(1, _STRIP_SAMPLES // max(1, result[:1].size))
        for top in range(0, result.shape[0], rows):
            strip = slice(top, top + rows)
            difference = self.difference(result[strip], strip)
            worst = max(worst, float(np.abs(difference).max(initial=0.0)))
        return worst

    def difference(self, result: NDArray[Any], rows: slice) -> Float:
        """Subtract the response's `rows` from those of a result; infinite where one of both is no number."""
        exact = saturated(self.values[rows], result.dtype)
        with np.errstate(invalid="ignore"):
            difference = result - exact
        if not np.isfinite(difference).all():
            same = (result == exact) | (np.isnan(result) & np.isnan(exact))
            difference = np.where(same, 0.0, np.where(np.isfinite(difference), difference, np.inf))
        return np.asarray(difference, np.float64)

    def allowed(self, dtype: np.dtype[Any]) -> float:
        """Return how far off a result of `dtype` may be: integer results were rounded, too."""
        return self.bound + (0.0 if dtype.kind == "f" else 0.5)


def saturated(values: Float, dtype: np.dtype[Any]) -> Float:
    """Cut a response to the range of an integer type, NaN to its lowest value; for float types as it is."""
    if dtype.kind == "f":
        return values
    limits = np.iinfo(dtype)
    return np.clip(np.where(np.isnan(values), limits.min, values), limits.min, limits.max)


def compute_reference(
    pixels: NDArray[Any], kernel: AnyKernel, options: ConvolveOptions, *, large: float = _LARGE
) -> Reference:
    """Correlate `pixels` (height, width, channels) in float64, as `convolve` does with these options.

    Parameters
    ----------
    pixels : ndarray
        The image, (height, width, channels).
    kernel : Kernel or CompositeKernel
        What is laid on it.
    options : ConvolveOptions
        Padding, extent, stride and the rest.
    large : float
        Multiply-adds up to which the definition is computed; from there on double-precision transforms are.

    Returns
    -------
    Reference
        The response, and how far off others may be.

    Examples
    --------
    >>> ramp = np.arange(4.0).reshape(1, 4, 1)
    >>> compute_reference(ramp, Kernel("step", np.array([[-1.0, 0.0, 1.0]])), ConvolveOptions()).values.ravel().tolist()
    [0.0, 2.0, 2.0, 0.0]
    """
    double = options.precision == "double" or pixels.dtype == np.float64
    definition = Definition(pixels, kernel, options)
    bound = (_DOUBLE if double else _SINGLE) * definition.reach
    height, width, channels = pixels.shape
    rows, columns = definition.output
    if rows * columns * channels * definition.weights <= large:
        return Reference(definition.everywhere(), bound, "computed in float64 by the definition")
    transforms = replace(options, precision="double", backend="fft")
    values = plan_convolution((height, width, channels), pixels.dtype, kernel, transforms).run(pixels)
    at = np.random.default_rng(_SEED).choice(rows * columns, min(CHECKED_PIXELS, rows * columns), replace=False)
    ys, xs = np.divmod(np.sort(at), columns)
    exact = definition.at(ys, xs)
    checked = Reference(exact[:, np.newaxis], bound, "").error(values[ys, xs][:, np.newaxis])
    method = f"computed in float64 by transforms, and by the definition at {len(ys):,} pixels"
    return Reference(values, bound, method, checked)


class Definition:
    """A correlation written as its definition says, for as many outputs as asked for.

    `output` is their (rows, columns); `weights` is how many there are of all kernels, zeros among them.
    """

    def __init__(self, pixels: NDArray[Any], kernel: AnyKernel, options: ConvolveOptions) -> None:
        self._pixels = pixels
        self._stride, self._dilation = options.stride, options.dilation
        self._combine = kernel.combine if isinstance(kernel, CompositeKernel) else "sum"
        parts = [_laid(part, options) for part in _parts(kernel)]
        # Kernels of several sizes meet at their anchors, inside a rectangle that holds them all.
        above = [max(anchor[axis] for _, anchor in parts) for axis in (0, 1)]
        below = [max(weights.shape[axis] - anchor[axis] for weights, anchor in parts) for axis in (0, 1)]
        self._parts = [(weights, (above[0] - anchor[0], above[1] - anchor[1])) for weights, anchor in parts]
        spans = [d * (before + after - 1) + 1 for d, before, after in zip(self._dilation, above, below, strict=True)]
        before, after = _padding(options.extent, spans, [d * n for d, n in zip(self._dilation, above, strict=True)])
        self._value = _channel_values(options, pixels.shape[2])
        self._rows, self._columns = (
            _padded_indices(pixels.shape[axis], before[axis], after[axis], options.padding) for axis in (0, 1)
        )
        self._span = spans[0]
        self.output = (
            (len(self._rows) - spans[0]) // self._stride[0] + 1,
            (len(self._columns) - spans[1]) // self._stride[1] + 1,
        )
        self.weights = sum(weights.size for weights, _ in parts)

    @property
    def reach(self) -> float:
        """sum|weights| times the largest sample, padding included: what the error bound is a share of.

        Of several kernels in one: the errors add up as the responses do, by `combine`.
        """
        samples = self._pixels[np.isfinite(self._pixels)] if self._pixels.dtype.kind == "f" else self._pixels
        largest = max(abs(float(samples.max(initial=0))), abs(float(samples.min(initial=0))))
        if self._value is not None and bool((self._rows < 0).any() or (self._columns < 0).any()):
            largest = max(largest, float(np.abs(self._value).max()))
        sums = [float(np.abs(weights).sum()) for weights, _ in self._parts]
        return _JOINED_BOUNDS.get(self._combine, max)(sums) * largest

    def everywhere(self) -> Float:
        """Compute all outputs: weight by weight, the samples under it scaled and added."""
        (height, width), channels = self.output, self._pixels.shape[2]
        values = np.empty((height, width, channels))
        rows = max(1, _STRIP_SAMPLES // (width * channels))
        for top in range(0, height, rows):
            values[top : top + rows] = self._strip(top, min(rows, height - top))
        return values

    def _strip(self, first: int, height: int) -> Float:
        width, (step_y, step_x) = self.output[1], self._stride
        reached = self._rows[first * step_y : (first + height - 1) * step_y + self._span]
        padded = self._gather(reached[:, np.newaxis], self._columns[np.newaxis])

        def under(y: int, x: int) -> Float:
            return padded[y : y + (height - 1) * step_y + 1 : step_y, x : x + (width - 1) * step_x + 1 : step_x]

        def respond(weights: Float, top: int, left: int) -> Float:
            total = np.zeros((height, width, padded.shape[2]))
            for u, row in enumerate(weights):
                line = np.zeros_like(total)  # a sum a row, so that rounding does not grow with the number of weights
                for v in np.flatnonzero(row).tolist():
                    line += row[v] * under((top + u) * self._dilation[0], (left + v) * self._dilation[1])
                total += line
            return total

        with np.errstate(invalid="ignore", over="ignore"):
            return self._join([respond(weights, top, left) for weights, (top, left) in self._parts])

    def at(self, ys: Indices, xs: Indices) -> Float:
        """Compute the outputs in rows `ys` and columns `xs`: (number of them, channels)."""

        def respond(weights: Float, top: int, left: int) -> Float:
            total = np.zeros((len(ys), self._pixels.shape[2]))
            for u, row in enumerate(weights):
                taps = np.flatnonzero(row)
                rows = self._rows[ys * self._stride[0] + (top + u) * self._dilation[0]]
                columns = self._columns[(xs * self._stride[1])[:, np.newaxis] + (left + taps) * self._dilation[1]]
                total += (self._gather(rows[:, np.newaxis], columns) * row[taps, np.newaxis]).sum(axis=1)
            return total

        with np.errstate(invalid="ignore", over="ignore"):
            return self._join([respond(weights, top, left) for weights, (top, left) in self._parts])

    def _gather(self, rows: Indices, columns: Indices) -> Float:
        samples = self._pixels[rows, columns].astype(np.float64)
        if self._value is not None:
            samples[np.broadcast_to((rows < 0) | (columns < 0), samples.shape[:2])] = self._value
        return samples

    def _join(self, responses: list[Float]) -> Float:
        if self._combine == "magnitude":
            return reduce(np.hypot, responses)
        if self._combine == "maxabs":
            responses = [np.abs(response) for response in responses]
        if self._combine == "sum":
            return reduce(np.add, responses)
        return reduce(np.maximum, responses)


def _parts(kernel: AnyKernel) -> tuple[Kernel, ...]:
    return kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)


def _laid(kernel: Kernel, options: ConvolveOptions) -> tuple[Float, tuple[int, int]]:
    """Turn a kernel as it is written into weights as they are laid on the image, with their anchor."""
    height, width = kernel.size
    y, x = options.anchor or kernel.anchor or (height // 2, width // 2)
    if options.flip:
        return kernel.weights[::-1, ::-1], (height - 1 - y, width - 1 - x)
    return kernel.weights, (y, x)


def _padding(extent: str, spans: list[int], anchors: list[int]) -> tuple[list[int], list[int]]:
    """Return how many samples there are before and after each axis."""
    if extent == "valid":
        return [0, 0], [0, 0]
    if extent == "full":
        return [span - 1 for span in spans], [span - 1 for span in spans]
    return anchors, [span - 1 - anchor for span, anchor in zip(spans, anchors, strict=True)]


def _padded_indices(length: int, before: int, after: int, mode: str) -> Indices:
    """Return which sample stands at each place of a padded axis, by numpy.pad where it has the mode; -1 for a value."""
    indices = np.arange(length)
    if padding_mode(mode).filled:
        return np.pad(indices, (before, after), constant_values=-1)
    if mode not in _NUMPY_MODES:
        return source_indices(length, before, after, mode)
    padded: Indices = np.pad(indices, (before, after), mode=_NUMPY_MODES[mode])  # type: ignore[call-overload]  # one of its words
    return padded


def _channel_values(options: ConvolveOptions, channels: int) -> Float | None:
    if options.padding != "constant":
        return None
    return np.broadcast_to(np.asarray(options.padding_value, np.float64), channels)


def _root_of_squares(numbers: list[float]) -> float:
    return math.hypot(*numbers)


# Errors add up as responses do; of the largest of several responses it is at most the largest error.
_JOINED_BOUNDS: dict[str, Callable[[list[float]], float]] = {"magnitude": _root_of_squares, "sum": math.fsum}
