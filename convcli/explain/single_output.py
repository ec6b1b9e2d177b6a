"""One output of a filter with all its numbers laid open, and the sparse matrix that a small filter equals.

A filter is a matrix: with the samples of an image written one below the other, row by row, each output is a row of
weights times them, and padding only says on which column a weight outside the image comes down. Its transpose takes
each output back to the samples that it was made of: it is the transposed convolution, and what carries a gradient back
through a layer.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.geometry import AxisGeometry, axis_geometry
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.padding import source_indices
from convcli.convolution.plan import aligned_weights
from convcli.errors import FilterError, UsageError
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel

Reals = NDArray[np.float64]

# Entries of a matrix with its zeros: 8 MB.
_MOST_ENTRIES = 1 << 20


@dataclass(frozen=True, eq=False)
class Sample:
    """The arithmetic of one output of one kernel in one channel.

    Attributes
    ----------
    kernel : str
    channel : int
    rows, columns : tuple of int
        Where each row and column of the kernel lies in the image; beyond its edges where there is padding.
    source_rows, source_columns : tuple of int
        The row and column that stand in for those; -1 for the padding value.
    patch, weights : arrays (kernel rows, kernel columns)
        The samples under the kernel, and the kernel as it is laid there (turned, with `flip`).
    """

    kernel: str
    channel: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    source_rows: tuple[int, ...]
    source_columns: tuple[int, ...]
    patch: Reals
    weights: Reals

    @property
    def products(self) -> Reals:
        return self.patch * self.weights

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Which elements of the kernel lie outside the image."""
        above, aside = (
            np.array([place != source or place < 0 for place, source in zip(places, sources, strict=True)])
            for places, sources in ((self.rows, self.source_rows), (self.columns, self.source_columns))
        )
        return np.asarray(above[:, np.newaxis] | aside, bool)

    @property
    def total(self) -> float:
        """The sum of the products, rounded once. A weight of zero makes nothing of a NaN, as in every backend."""
        return math.fsum(float(product) for product in self.products[self.weights != 0])


@dataclass(frozen=True, eq=False)
class Output:
    """One output of a filter in one channel: the samples of each kernel, and what they are combined into."""

    channel: int
    parts: tuple[Sample, ...]
    combine: str | None
    value: float


def explain_output(
    pixels: NDArray[Any], kernel: AnyKernel, options: ConvolveOptions, at: tuple[int, int]
) -> tuple[Output, ...]:
    """Work out one output of a filter on `pixels` (rows, columns, channels) by hand, for each channel.

    `at` is the (row, column) in the result, which `extent` and `stride` may have made smaller than the image.

    >>> from convcli.kernel.spec import load_kernel
    >>> ramp = np.arange(12.0).reshape(3, 4, 1)
    >>> (output,) = explain_output(ramp, load_kernel("1 2 3"), ConvolveOptions(padding="replicate"), (0, 0))
    >>> output.parts[0].patch, output.parts[0].outside, output.value
    (array([[0., 0., 1.]]), array([[ True, False, False]]), 3.0)

    Raises
    ------
    FilterError
        where the result has no such row or column, or a `valid` kernel does not fit.
    UsageError
        for an anchor outside the kernel, or padding values that do not match the channels.
    """
    frames = _frames(kernel, pixels.shape[:2], options)
    height, width = frames[0].output_size
    if not (0 <= at[0] < height and 0 <= at[1] < width):
        raise FilterError(f"--at {at[0]},{at[1]}: the result has rows 0 to {height - 1}, columns 0 to {width - 1}")
    values = _padding_values(options, pixels.shape[2])
    outputs = []
    for channel in range(pixels.shape[2]):
        samples = tuple(
            _sample(pixels[..., channel], part.name, frame, at, channel, values[channel])
            for part, frame in zip(_parts(kernel), frames, strict=True)
        )
        combine = kernel.combine if isinstance(kernel, CompositeKernel) else None
        outputs.append(Output(channel, samples, combine, _combined([sample.total for sample in samples], combine)))
    return tuple(outputs)


@dataclass(frozen=True, eq=False)
class FilterMatrix:
    """A filter of one channel as a matrix: `result = matrix @ image + constant`, both sides row by row in one column.

    `matrix` is (outputs, samples) in float64; `constant` is what a padding value other than 0 adds to each output.
    """

    input_size: tuple[int, int]
    output_size: tuple[int, int]
    matrix: Reals
    constant: Reals

    def entries(self) -> list[list[float]]:
        """List [row, column, value] of all that is not zero."""
        return [[int(row), int(column), float(self.matrix[row, column])] for row, column in np.argwhere(self.matrix)]


def filter_matrix(kernel: AnyKernel, size: tuple[int, int], options: ConvolveOptions) -> FilterMatrix:
    """Write a filter on one channel of `size` (rows, columns) out as the matrix that it multiplies by.

    >>> from convcli.kernel.spec import load_kernel
    >>> filter_matrix(load_kernel("1 2 3"), (1, 4), ConvolveOptions(padding="constant")).matrix.astype(int)
    array([[2, 3, 0, 0],
           [1, 2, 3, 0],
           [0, 1, 2, 3],
           [0, 0, 1, 2]])

    Raises
    ------
    UsageError
        for a kernel such as `sobel`, whose magnitude is not linear; for a padding value for each of several channels.
    FilterError
        where the matrix would be too large, or a `valid` kernel does not fit.
    """
    if isinstance(kernel, CompositeKernel) and kernel.combine != "sum":
        raise UsageError(f"{kernel.name}: the {kernel.combine} of several responses is not linear: it has no matrix")
    value = _padding_values(options, 1)[0]
    frames = _frames(kernel, size, options)
    outputs = frames[0].output_size
    entries = math.prod(outputs) * math.prod(size)
    if entries > _MOST_ENTRIES:
        raise FilterError(
            f"the matrix of {outputs[0]}x{outputs[1]} outputs of {size[0]}x{size[1]} samples has {entries:,} entries, "
            f"and at most {_MOST_ENTRIES:,} are written out: take a smaller image, such as --input-size 8x8"
        )
    matrix, constant = np.zeros((*outputs, *size)), np.zeros(outputs)
    for frame in frames:
        for y in range(outputs[0]):
            for x in range(outputs[1]):
                rows, columns = frame.sources(0, y), frame.sources(1, x)
                for (u, v), weight in np.ndenumerate(frame.weights):
                    # With most modes several weights can come down on one sample.
                    if min(rows[u], columns[v]) >= 0:
                        matrix[y, x, rows[u], columns[v]] += weight
                    elif weight != 0:
                        constant[y, x] += weight * value
    return FilterMatrix(size, outputs, matrix.reshape(-1, math.prod(size)), constant.ravel())


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where a kernel, as it is laid, comes down on an image of one size."""

    weights: Reals
    axes: tuple[AxisGeometry, AxisGeometry]
    dilation: tuple[int, int]
    indices: tuple[NDArray[np.intp], NDArray[np.intp]]

    @property
    def output_size(self) -> tuple[int, int]:
        return self.axes[0].output, self.axes[1].output

    def places(self, axis: int, output: int) -> list[int]:
        """Where on the image's axis the kernel's elements lie for one output."""
        geometry = self.axes[axis]
        first = output * geometry.stride - geometry.before
        return [first + self.dilation[axis] * tap for tap in range(self.weights.shape[axis])]

    def sources(self, axis: int, output: int) -> list[int]:
        """Which samples they read, -1 being the padding value."""
        before = self.axes[axis].before
        return [int(self.indices[axis][place + before]) for place in self.places(axis, output)]


def _frames(kernel: AnyKernel, size: tuple[int, ...], options: ConvolveOptions) -> list[_Frame]:
    """One for each part of a kernel; those of a composite are brought to one size with zeros, as for filtering."""
    laid, anchor = aligned_weights(kernel, options)
    rows, columns = (
        axis_geometry(
            size[axis],
            laid[0].shape[axis],
            anchor=anchor[axis],
            extent=options.extent,
            stride=options.stride[axis],
            dilation=options.dilation[axis],
        )
        for axis in (0, 1)
    )
    above, aside = (
        source_indices(size[axis], geometry.before, geometry.after, options.padding)
        for axis, geometry in enumerate((rows, columns))
    )
    return [_Frame(weights, (rows, columns), options.dilation, (above, aside)) for weights in laid]


def _sample(plane: NDArray[Any], name: str, frame: _Frame, at: tuple[int, int], channel: int, value: float) -> Sample:
    rows, columns = frame.sources(0, at[0]), frame.sources(1, at[1])
    patch = plane[np.ix_(rows, columns)].astype(np.float64)
    patch[[row < 0 for row in rows], :] = value
    patch[:, [column < 0 for column in columns]] = value
    return Sample(
        kernel=name,
        channel=channel,
        rows=tuple(frame.places(0, at[0])),
        columns=tuple(frame.places(1, at[1])),
        source_rows=tuple(rows),
        source_columns=tuple(columns),
        patch=patch,
        weights=frame.weights,
    )


def _parts(kernel: AnyKernel) -> tuple[Kernel, ...]:
    return kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)


def _combined(totals: list[float], combine: str | None) -> float:
    match combine:
        case "magnitude":
            return math.hypot(*totals)
        case "max":
            return max(totals)
        case "maxabs":
            return max(abs(total) for total in totals)
        case _:
            return math.fsum(totals)


def _padding_values(options: ConvolveOptions, channels: int) -> tuple[float, ...]:
    values = options.padding_value
    if not isinstance(values, tuple):
        return (values,) * channels
    if len(values) != channels:
        raise UsageError(f"--padding-value gives {len(values)} values for {channels} channels: give one, or {channels}")
    return values
