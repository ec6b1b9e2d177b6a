"""Deformable convolution: every tap of the kernel reads where an offset of its own moves it, between the pixels.

Dai et al., Deformable convolutional networks (2017); with a mask that weighs each tap, Zhu et al., Deformable ConvNets
v2 (2019). Channels of offsets and mask lie as those of torchvision.ops.deform_conv2d.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.backends.blas import blas_threads
from convcli.errors import FilterError, UsageError
from convcli.operators.conv import check_channels, check_weights
from convcli.operators.sizes import Pair, conv_size, pair
from convcli.operators.strips import ImageArray, as_image, in_strips, per_channel, shape_words

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
    """Correlate (height, width, inputs) with a bank (outputs, inputs / groups, rows, columns) whose taps are moved.

    `out[y, x, o] = bias[o] + sum_iuv S_i(y s + u d - p + dy, x s + v d - p + dx) * m * weights[o, i, u, v]`, where
    S_i(y, x) lies between the four samples of channel i around (y, x) in straight lines, those outside the image being
    zero; dy, dx and m are those of the output (y, x) and the tap (u, v).

    Parameters
    ----------
    offsets
        (h, w, 2 * n * rows * columns) for outputs (h, w): dy and dx of tap (0, 0), of tap (0, 1) and so on, for each of
        n equal parts of the input channels in turn. Rows and columns of pixels.
    mask
        m, (h, w, n * rows * columns) in the same order; 1 if None.

    Returns
    -------
    float32 (h, w, outputs), the size by `conv_size`.

    Raises
    ------
    UsageError
        Weights, bias, options and the image's channels do not go together.
    FilterError
        Offsets or mask are of another size than the output and taps ask for, or the kernel does not fit.

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
                f"a mask of {shape_words(factors.shape)} does not go with {shape_words(size)} outputs and "
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
    """Tell for how many parts of the input channels an offset field of `shape` has offsets, or raise FilterError.

    >>> offset_parts((4, 5, 36), (4, 5), (3, 3), inputs=4)
    2
    """
    each = 2 * kernel[0] * kernel[1]
    parts = shape[2] // each
    if shape[:2] != size or shape[2] % each or parts == 0 or inputs % parts:
        raise FilterError(
            f"an offset field of {shape_words(shape)} does not go with {shape_words(size)} outputs and a kernel of "
            f"{kernel[0]}x{kernel[1]}: expected {shape_words((*size, each))}"
        )
    return parts


@dataclass(frozen=True)
class _Taps:
    """Where the taps of a kernel lie before they are moved."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    @property
    def count(self) -> int:
        return self.kernel[0] * self.kernel[1]

    def size(self, shape: tuple[int, ...]) -> Pair:
        """Rows and columns of the output for an image of `shape`."""
        rows, columns = (
            conv_size(shape[axis], self.kernel[axis], self.stride[axis], (p, p), self.dilation[axis]).output
            for axis, p in enumerate(self.padding)
        )
        return rows, columns

    def places(self, tap: int, rows: slice, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Row and column (as arrays to be broadcast) under a tap for these rows of outputs."""
        u, v = divmod(tap, self.kernel[1])
        down = np.arange(rows.start, rows.stop) * self.stride[0] + u * self.dilation[0] - self.padding[0]
        along = np.arange(width) * self.stride[1] + v * self.dilation[1] - self.padding[1]
        return down[:, np.newaxis].astype(np.float64), along[np.newaxis].astype(np.float64)


def _between(image: ImageArray, y: NDArray[np.float64], x: NDArray[np.float64]) -> ImageArray:
    """Sample an image (height, width, channels) at places (n), in straight lines between pixels: (n, channels)."""
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
