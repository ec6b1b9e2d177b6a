"""Transposed convolution, as torch.nn.functional.conv_transpose2d defines it, on the backends of `convcli.convolve`.

It is the transpose of `conv` as a linear map: <conv(x), y> = <x, transposed_conv(y)>. Each input sample adds the
kernel, multiplied by the sample, to the output; neighbouring samples do so `stride` apart. As a convolution, that is
one of the input with stride - 1 zeros between its samples, where most products are with these zeros. The output is
therefore split into its phases, the outputs that lie a stride apart: each phase is a plain convolution, at stride 1, of
the input with the weights that its outputs meet (Dumoulin and Visin, A guide to convolution arithmetic for deep
learning, 2016; the polyphase form of interpolating filters).

Along an axis, with o the output's position, i the input's and u the weight's, o + p = i s + u d. The weights that meet
the phase (o + p) mod s = r are those with u d = r modulo s: every (s / g)-th from the first, with g = gcd(s, d), and
they meet samples that lie d / g apart.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import plan_bank
from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image, per_channel
from convcli.operators.conv import check_channels, check_weights
from convcli.operators.sizes import Pair, pair, transposed_size


def transposed_conv(
    x: ArrayLike,
    weights: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> ImageArray:
    """Compute the transpose of a convolution.

    `out[i s + u d - p, j s + v d - p, o] += x[i, j, c] * weights[c, o, u, v]`, and the bias. Every default is
    PyTorch's; pairs are rows, columns.

    Parameters
    ----------
    x : array_like, (height, width, inputs)
    weights : array_like, (inputs, outputs / groups, rows, columns)
    bias : array_like, optional
        A number for each output, or one for all.
    stride, dilation : int or pair of int
    padding : int or pair of int
        Samples taken off each side of the output, which a convolution with this padding would have added.
    output_padding : int or pair of int
        Rows and columns added at the end, fewer than stride or dilation: selects one of the sizes that a convolution
        maps to the input's.
    groups : int
        Number of groups of channels.
    backend, threads, device
        As for `convcli.convolve`.

    Returns
    -------
    float32 array, (h, w, outputs)
        Of the size that `transposed_size` gives.

    Raises
    ------
    UsageError
        If weights, bias, options and channels do not go together.
    FilterError
        If the padding leaves nothing.

    Examples
    --------
    >>> transposed_conv([[[1.0], [2.0]]], np.array([[[[1.0, 10.0, 100.0]]]]), stride=(1, 2))[..., 0].tolist()
    [[1.0, 10.0, 102.0, 20.0, 200.0]]
    """
    image, array = as_image(x), check_weights(weights)
    inputs, per_group, *kernel = array.shape
    if groups < 1 or inputs % groups:
        raise UsageError(f"{inputs} input channels cannot be split into {groups} groups")
    check_channels(image.shape, inputs, array.shape)
    outputs = per_group * groups
    strides, dilations = pair("stride", stride), pair("dilation", dilation)
    paddings, more = pair("padding", padding, least=0), pair("output_padding", output_padding, least=0)
    size = [
        transposed_size(*each).output
        for each in zip(image.shape[:2], kernel, strides, paddings, dilations, more, strict=True)
    ]
    # The bank of a convolution from inputs to outputs: channels change places within their group.
    turned = array.reshape(groups, inputs // groups, per_group, *kernel).swapaxes(1, 2).reshape(outputs, -1, *kernel)
    values = None if bias is None else per_channel("bias", bias, outputs)
    out = np.empty((*size, outputs), np.float32)
    axes = [
        list(_phases(*each)) for each in zip(image.shape[:2], size, kernel, strides, paddings, dilations, strict=True)
    ]
    for down in axes[0]:
        for right in axes[1]:
            target = out[down.first :: strides[0], right.first :: strides[1]]
            if down.is_empty or right.is_empty:
                target[...] = 0.0 if values is None else values
                continue
            part = np.ascontiguousarray(turned[:, :, down.taps, right.taps][:, :, ::-1, ::-1])
            options = ConvolveOptions(
                padding="constant",
                dilation=(down.dilation, right.dilation),
                backend=backend,
                threads=threads,
                device=device,
            )
            under = image[down.window, right.window]
            height, width, channels = under.shape
            edges = down.padding, right.padding
            plan = plan_bank((height, width, channels), np.float32, Bank(part, groups), options, edges, values)
            plan.run(under, target)
    return out


@dataclass(frozen=True)
class _Phase:
    """One phase of an axis.

    `first` is its first output, `taps` are its weights, `dilation` is the distance of the samples that these meet,
    `window` the part of the input that it reads, and `padding` that of this part.
    """

    first: int
    taps: slice
    dilation: int
    window: slice
    padding: Pair

    @property
    def is_empty(self) -> bool:
        """Whether no weight of this phase meets a sample."""
        return self.taps == slice(0) or self.window.start >= self.window.stop


def _phases(length: int, output: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[_Phase]:
    """Yield the phases of an axis that have outputs.

    >>> [(each.first, each.taps, each.padding) for each in _phases(4, 9, 3, 2, 0, 1)]
    [(0, slice(0, None, 2), (1, 1)), (1, slice(1, None, 2), (0, 0))]
    """
    common = math.gcd(stride, dilation)
    for first in range(min(stride, output)):
        quotient, phase = divmod(first + padding, stride)
        start = next((u for u in range(min(kernel, stride)) if u * dilation % stride == phase), None)
        if start is None:
            yield _Phase(first, slice(0), 1, slice(0, 0), (0, 0))
            continue
        count = -(-(kernel - start) // (stride // common))
        apart = dilation // common
        # The window of output q (of this phase) ends at sample q - start d / s and begins `reach` before it.
        last = quotient - start * dilation // stride
        reach = (count - 1) * apart
        outputs = -(-(output - first) // stride)
        before, after = reach - last, last + outputs - 1 - (length - 1)
        window = slice(max(-before, 0), max(length - max(-after, 0), 0))
        yield _Phase(first, slice(start, None, stride // common), apart, window, (max(before, 0), max(after, 0)))
