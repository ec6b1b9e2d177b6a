"""Where the elements of a kernel lie on the image for each output, and which samples they read there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.alignment import aligned_weights
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.padding import AxisGeometry, axis_geometry, padding_mode, source_indices
from convcli.errors import UsageError
from convcli.kernel.model import AnyKernel

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KernelPlacement:
    """A kernel as it is applied to images of one size.

    Attributes
    ----------
    weights : array (kernel rows, kernel columns)
        Turned, with `flip`.
    axes : (AxisGeometry, AxisGeometry)
        Rows and columns.
    dilation : tuple of (int, int)
        Distance between the kernel's elements.
    indices : (array, array)
        For each row, and each column, of the padded image, the one that it is read from; -1 for the padding value.
    """

    weights: Reals
    axes: tuple[AxisGeometry, AxisGeometry]
    dilation: tuple[int, int]
    indices: tuple[NDArray[np.intp], NDArray[np.intp]]

    @property
    def output_size(self) -> tuple[int, int]:
        """Rows and columns of the result."""
        return self.axes[0].output, self.axes[1].output

    def positions(self, axis: int, output: int) -> list[int]:
        """Return where the kernel's elements lie along an axis for one output; beyond the ends where padding is."""
        geometry = self.axes[axis]
        first = output * geometry.stride - geometry.before
        return [first + self.dilation[axis] * tap for tap in range(self.weights.shape[axis])]

    def sources(self, axis: int, output: int) -> list[int]:
        """Return which rows or columns of the image the elements read; -1 for the padding value."""
        before = self.axes[axis].before
        return [int(self.indices[axis][place + before]) for place in self.positions(axis, output)]


def kernel_placements(kernel: AnyKernel, size: tuple[int, ...], options: ConvolveOptions) -> list[KernelPlacement]:
    """Return the placement of each part of a kernel; parts of a composite are filled up to one size with zeros.

    Parameters
    ----------
    kernel : Kernel or CompositeKernel
    size : tuple of int
        Rows and columns of the image.
    options : ConvolveOptions
        Padding, extent, anchor, stride, dilation and flip.

    Raises
    ------
    FilterError
        If a kernel does not fit, with extent `valid`.
    UsageError
        If the anchor lies outside the kernel, or with padding `none`, whose weights depend on the place.
    """
    if padding_mode(options.padding).missing:
        raise UsageError(f"padding {options.padding} has no samples to show outside the image: choose constant")
    parts, anchor = aligned_weights(kernel, options)
    rows, columns = (
        axis_geometry(
            size[axis],
            parts[0].shape[axis],
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
    return [KernelPlacement(weights, (rows, columns), options.dilation, (above, aside)) for weights in parts]


def padding_values(options: ConvolveOptions, channels: int) -> tuple[float, ...]:
    """Return the padding value of each channel. Raises UsageError if there are not as many as channels."""
    values = options.padding_value
    if not isinstance(values, tuple):
        return (values,) * channels
    if len(values) != channels:
        raise UsageError(f"--padding-value gives {len(values)} values for {channels} channels: give one, or {channels}")
    return values
