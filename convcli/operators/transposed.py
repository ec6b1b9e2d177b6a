"""Transposed convolution, as torch.nn.functional.conv_transpose2d defines it, on the backends of `filter`.

It is the transpose of `conv` as a linear map: <conv(x), y> = <x, transposed_conv(y)>. Each input sample adds the
kernel, times itself, to the output, kernels `stride` apart. Written as a convolution, that is one of the input with
stride - 1 zeros between its samples; but most products are then with these zeros. So the output is taken apart into its
phases instead, the outputs that lie a stride apart: each of them is a plain convolution, at stride 1, of the input
itself with those weights that it ever meets (Dumoulin and Visin, A guide to convolution arithmetic for deep learning,
2016; the polyphase form of interpolating filters).

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
from convcli.convolution.convolve import plan_bank
from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.operators.conv import check_channels, check_weights
from convcli.operators.sizes import Pair, pair, transposed_size
from convcli.operators.strips import ImageArray, as_image, per_channel


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
    """Transpose a convolution: (height, width, inputs) by weights (inputs, outputs / groups, rows, columns).

    `out[i s + u d - p, j s + v d - p, o] += x[i, j, c] * weights[c, o, u, v]`, and the bias. Every default is
    PyTorch's; pairs are rows, columns.

    Parameters
    ----------
    padding
        Samples taken away from each side of the output, as a convolution of this padding would have added them.
    output_padding
        Rows and columns more at the end, smaller than stride or dilation: which of the sizes that a convolution maps to
        the input's is meant.

    Returns
    -------
    float32 (h, w, outputs), the size by `transposed_size`.

    Raises
    ------
    UsageError
        Weights, bias, options and the image's channels do not go together.
    FilterError
        The padding leaves nothing.

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
    """One phase of an axis: its first output, its weights, how far apart the samples lie that these meet, which part of
    the input it reads, and the padding of that part.
    """

    first: int
    taps: slice
    dilation: int
    window: slice
    padding: Pair

    @property
    def is_empty(self) -> bool:
        """Whether no weight of this phase ever meets a sample."""
        return self.taps == slice(0) or self.window.start >= self.window.stop


def _phases(length: int, output: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[_Phase]:
    """List the phases of an axis that have outputs.

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
