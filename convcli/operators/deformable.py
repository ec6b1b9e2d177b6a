"""Deformable convolution: each kernel element reads between pixels, at a place that an offset of its own moves.

Dai et al., Deformable convolutional networks (2017); with a factor for each element, Zhu et al., Deformable ConvNets v2
(2019). Channels of offsets and mask are ordered as in torchvision.ops.deform_conv2d.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.backends.blas import blas_threads
from convcli.errors import FilterError, UsageError
from convcli.operators.arrays import ImageArray, as_image, per_channel, shape_text
from convcli.operators.conv import check_channels, check_weights
from convcli.operators.sizes import Pair, conv_size, pair
from convcli.operators.strips import in_strips

# Samples that a strip reads for one tap: 1 MB.
_SAMPLES = 1 << 18


def deformable_conv(
    x: ArrayLike,
    offsets: ArrayLike,
    weights: ArrayLike,
    bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    threads: int | None = None,
) -> ImageArray:
    """Correlate with a bank of kernels whose elements are moved by offsets.

    `out[y, x, o] = bias[o] + sum_iuv S_i(y s + u d - p + dy, x s + v d - p + dx) * m * weights[o, i, u, v]`, where
    S_i(y, x) interpolates channel i bilinearly, samples outside the image being 0, and dy, dx and m are those of output
    (y, x) and kernel element (u, v).

    Parameters
    ----------
    x : array_like, (height, width, inputs)
    offsets : array_like, (h, w, 2 * n * rows * columns)
        For outputs (h, w): dy and dx of element (0, 0), of element (0, 1) and so on, for each of n equal parts of the
        input channels in turn. In rows and columns of pixels.
    weights : array_like, (outputs, inputs / groups, rows, columns)
    bias : array_like, optional
        A number for each output, or one for all.
    mask : array_like, (h, w, n * rows * columns), optional
        The factors m, in the same order; 1 unless given.
    stride, padding, dilation : int or pair of int
        As for `conv`; rows, columns.
    groups : int
        Number of groups of channels.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (h, w, outputs)
        Of the size that `conv_size` gives.

    Raises
    ------
    UsageError
        If weights, bias, options and channels do not go together.
    FilterError
        If offsets or mask are not of the size that outputs and kernel ask for, or the kernel does not fit.

    Examples
    --------
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> half_a_pixel = np.tile([0.0, 0.5], (1, 4, 1))
    >>> deformable_conv(x, half_a_pixel, np.ones((1, 1, 1, 1)))[0, :, 0].tolist()
    [0.5, 1.5, 2.5, 1.5]
    """
    image, bank = as_image(x), check_weights(weights)
    outputs, per_group, *kernel = bank.shape
    if groups < 1 or outputs % groups:
        raise UsageError(f"{outputs} output channels cannot be split into {groups} groups")
    inputs = per_group * groups
    check_channels(image.shape, inputs, bank.shape)
    taps = _Taps(
        (kernel[0], kernel[1]), pair("stride", stride), pair("padding", padding, least=0), pair("dilation", dilation)
    )
    size = taps.size(image.shape)
    fields = as_image(offsets, "an offset field")
    parts = offset_parts(fields.shape, size, taps.kernel, inputs)
    if mask is not None:
        factors = as_image(mask, "a mask")
        if factors.shape != (*size, parts * taps.count):
            raise FilterError(
                f"a mask of {shape_text(factors.shape)} does not go with {shape_text(size)} outputs and "
                f"{parts * taps.count} taps"
            )
    values = None if bias is None else per_channel("bias", bias, outputs).astype(np.float32)
    # For each tap and group, the matrix (inputs, outputs) of the group.
    matrices = bank.astype(np.float32).reshape(groups, outputs // groups, per_group, -1).transpose(3, 0, 2, 1)
    matrices = np.ascontiguousarray(matrices)
    out = np.empty((*size, outputs), np.float32)

    def strip(rows: slice) -> None:
        target = out[rows].reshape(-1, outputs)
        target[...] = 0 if values is None else values
        sampled = np.empty((len(target), inputs), np.float32)
        for tap in range(taps.count):
            place = taps.places(tap, rows, size[1])
            for part in range(parts):
                number = part * taps.count + tap
                moved = [base + fields[rows, :, 2 * number + axis] for axis, base in enumerate(place)]
                channels = slice(part * inputs // parts, (part + 1) * inputs // parts)
                found = _between(image[..., channels], moved[0].ravel(), moved[1].ravel())
                if mask is not None:
                    found *= factors[rows, :, number].reshape(-1, 1)
                sampled[:, channels] = found
            for group in range(groups):
                under = sampled[:, group * per_group : (group + 1) * per_group]
                target[:, group * outputs // groups : (group + 1) * outputs // groups] += under @ matrices[tap, group]

    with blas_threads(1):
        in_strips(size[0], size[1] * max(inputs, outputs), strip, threads, samples=_SAMPLES)
    return out


def offset_parts(shape: tuple[int, ...], size: Pair, kernel: Pair, inputs: int) -> int:
    """Return for how many parts of the input channels an offset field has offsets.

    Parameters
    ----------
    shape : tuple of int
        Of the offset field.
    size, kernel : tuple of (int, int)
        Rows and columns of the output, and of the kernel.
    inputs : int
        Number of input channels.

    Raises
    ------
    FilterError
        If the field does not go with them.

    Examples
    --------
    >>> offset_parts((4, 5, 36), (4, 5), (3, 3), inputs=4)
    2
    """
    each = 2 * kernel[0] * kernel[1]
    parts = shape[2] // each
    if shape[:2] != size or shape[2] % each or parts == 0 or inputs % parts:
        raise FilterError(
            f"an offset field of {shape_text(shape)} does not go with {shape_text(size)} outputs and a kernel of "
            f"{kernel[0]}x{kernel[1]}: expected {shape_text((*size, each))}"
        )
    return parts


@dataclass(frozen=True)
class _Taps:
    """Where the elements of a kernel lie before they are moved."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    @property
    def count(self) -> int:
        return self.kernel[0] * self.kernel[1]

    def size(self, shape: tuple[int, ...]) -> Pair:
        """Return rows and columns of the output for an image of `shape`."""
        rows, columns = (
            conv_size(shape[axis], self.kernel[axis], self.stride[axis], (p, p), self.dilation[axis]).output
            for axis, p in enumerate(self.padding)
        )
        return rows, columns

    def places(self, tap: int, rows: slice, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the rows and columns, as arrays that broadcast, that one element reads for some rows of outputs."""
        u, v = divmod(tap, self.kernel[1])
        down = np.arange(rows.start, rows.stop) * self.stride[0] + u * self.dilation[0] - self.padding[0]
        along = np.arange(width) * self.stride[1] + v * self.dilation[1] - self.padding[1]
        return down[:, np.newaxis].astype(np.float64), along[np.newaxis].astype(np.float64)


def _between(image: ImageArray, y: NDArray[np.float64], x: NDArray[np.float64]) -> ImageArray:
    """Interpolate an image (height, width, channels) bilinearly at n places: (n, channels)."""
    height, width = image.shape[:2]
    # From one pixel beyond the image on everything is zero; so are places that are no numbers.
    y, x = (np.clip(np.where(np.isnan(each), -1, each), -1, limit) for each, limit in ((y, height), (x, width)))
    top, left = np.floor(y), np.floor(x)
    down, along = y - top, x - left
    found = np.zeros((len(y), image.shape[2]), np.float32)
    for row, row_share in ((top, 1 - down), (top + 1, down)):
        for column, share in ((left, 1 - along), (left + 1, along)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            weight = np.where(inside, row_share * share, 0).astype(np.float32)
            rows, columns = (np.where(inside, each, 0).astype(np.intp) for each in (row, column))
            samples = image[rows, columns]
            if not inside.all():
                samples[~inside] = 0
            samples *= weight[:, np.newaxis]
            found += samples
    return found
