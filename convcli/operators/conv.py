"""Convolution by a bank of kernels, as torch.nn.functional.conv2d defines it, on the backends of `filter`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.bank import Bank
from convcli.convolution.convolve import Plan, plan_bank
from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError, check_word
from convcli.operators.sizes import conv_padding, conv_size, pair
from convcli.operators.strips import ImageArray, as_image, per_channel, shape_words

# PyTorch's padding modes, and ours.
PADDING_MODES = {"zeros": "constant", "reflect": "reflect101", "replicate": "replicate", "circular": "wrap"}


def conv(
    x: ArrayLike,
    weights: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> ImageArray:
    """Correlate (height, width, inputs) with a bank of weights (outputs, inputs / groups, rows, columns).

    `out[y, x, o] = bias[o] + sum_iuv x[y s + u d - p, x s + v d - p, i] * weights[o, i, u, v]`, i over the input
    channels of o's group. Every default is PyTorch's; pairs are rows, columns. A sample that is NaN or infinite reaches
    the outputs that have it under a weight other than zero; in PyTorch, under any.

    Parameters
    ----------
    bias
        A number for each output, or one for all; none if None.
    padding
        Samples added to each side, `same` (at stride 1: the odd one out at the end) or `valid` for none.
    groups
        Into how many groups channels are split: as many as there are channels for a depthwise convolution.
    padding_mode
        What is added: zeros, reflect, replicate or circular. Amounts beyond the image continue the pattern, where
        PyTorch refuses them.
    backend, threads, device
        As `convolve` has them.

    Returns
    -------
    float32 (h, w, outputs), the size by `conv_size`.

    Raises
    ------
    UsageError
        Weights, bias, options and the image's channels do not go together.
    FilterError
        The image is smaller than a kernel.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(3, 3, 1)
    >>> conv(x, np.ones((1, 1, 2, 2)), [0.5])[..., 0].tolist()
    [[8.5, 12.5], [20.5, 24.5]]
    >>> conv(x, np.ones((2, 1, 3, 3)), padding=1, stride=2).shape
    (2, 2, 2)
    """
    image = as_image(x)
    plan = plan_conv(
        image.shape,
        weights,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        padding_mode=padding_mode,
        backend=backend,
        threads=threads,
        device=device,
    )
    return plan.run(image)


def plan_conv(
    shape: tuple[int, ...],
    weights: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> Plan:
    """Plan `conv` for images of `shape`: which backend, and how long it will take.

    >>> plan_conv((480, 640, 3), np.ones((64, 3, 3, 3)), padding="same").output_size
    (480, 640, 64)
    """
    bank = as_bank(weights, groups)
    check_channels(shape, bank.inputs, bank.weights.shape)
    strides, dilations = pair("stride", stride), pair("dilation", dilation)
    edges = conv_padding(padding, bank.size, strides, dilations)
    options = ConvolveOptions(
        padding=own_padding_mode(padding_mode),
        stride=strides,
        dilation=dilations,
        backend=backend,
        threads=threads,
        device=device,
    )
    height, width, channels = shape
    for length, kernel, step, ends, apart in zip((height, width), bank.size, strides, edges, dilations, strict=True):
        conv_size(length, kernel, step, ends, apart)  # which refuses what does not fit
    values = None if bias is None else per_channel("bias", bias, bank.outputs)
    return plan_bank((height, width, channels), np.float32, bank, options, edges, values)


def as_bank(weights: ArrayLike, groups: int = 1) -> Bank:
    """Check weights (outputs, inputs / groups, rows, columns) and make a bank of them.

    >>> as_bank(np.ones((4, 1, 3, 3)), groups=2).inputs
    2

    Raises
    ------
    UsageError
        where they have another number of dimensions, are not finite, or do not split into the groups.
    """
    array = check_weights(weights)
    if groups < 1 or array.shape[0] % groups:
        raise UsageError(f"{array.shape[0]} output channels cannot be split into {groups} groups")
    if array.shape[0] == groups and array.shape[1] == 1 and (array == array[:1]).all():
        return Bank.depthwise(array[0, 0], groups)
    return Bank(array, groups)


def check_weights(weights: ArrayLike) -> NDArray[np.float64]:
    """Give weights as float64, of four dimensions and finite, or raise UsageError."""
    array = np.asarray(weights, np.float64)
    if array.ndim != 4 or array.size == 0:
        raise UsageError(
            "weights have 4 dimensions (outputs, inputs / groups, rows, columns) and no empty one, "
            f"not shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise UsageError("weights must be finite")
    return array


def check_channels(shape: tuple[int, ...], inputs: int, weights: tuple[int, ...]) -> None:
    """Raise UsageError unless an image has as many channels as its weights read."""
    if shape[2] != inputs:
        raise UsageError(
            f"weights of {shape_words(weights)} read {inputs} channels, and the input has {shape[2]}: "
            f"{shape_words(shape)}"
        )


def own_padding_mode(name: str) -> str:
    """Translate PyTorch's name of a padding mode.

    >>> own_padding_mode("circular")
    'wrap'
    """
    check_word("padding_mode", name, tuple(PADDING_MODES))
    return PADDING_MODES[name]
