"""Convolution by a bank of kernels, as torch.nn.functional.conv2d defines it, on the backends of `convcli.convolve`."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.padding import PADDINGS
from convcli.convolution.plan import ConvolutionPlan, plan_bank
from convcli.errors import UsageError, check_word
from convcli.operators.arrays import ImageArray, as_image, per_channel, shape_text
from convcli.operators.sizes import conv_padding, conv_size, pair

# PyTorch's padding modes, and ours.
PADDING_MODES = {mode.torch: mode.name for mode in PADDINGS if mode.torch is not None}


class ConvOptions(TypedDict, total=False):
    """Options of `conv`, with PyTorch's names and defaults."""

    stride: int | Sequence[int]
    padding: str | int | Sequence[int]
    dilation: int | Sequence[int]
    groups: int
    padding_mode: str
    backend: str
    threads: int | None
    device: str


def conv(x: ArrayLike, weights: ArrayLike, bias: ArrayLike | None = None, **options: Unpack[ConvOptions]) -> ImageArray:
    """Correlate an image with a bank of kernels.

    `out[y, x, o] = bias[o] + sum_iuv x[y s + u d - p, x s + v d - p, i] * weights[o, i, u, v]`, i over the input
    channels of o's group. Pairs are rows, columns. A sample that is NaN or infinite reaches the outputs that have it
    under a weight other than zero; in PyTorch, under any weight.

    Parameters
    ----------
    x : array_like, (height, width, inputs)
    weights : array_like, (outputs, inputs / groups, rows, columns)
    bias : array_like, optional
        A number for each output, or one for all.
    stride : int or pair of int
        Distance between neighbouring outputs; 1 unless given.
    padding : str, int or pair of int
        Samples added on each side; 0 unless given. `same` keeps the size at stride 1, an odd sample going to the end;
        `valid` adds none.
    dilation : int or pair of int
        Distance between the kernel's elements; 1 unless given.
    groups : int
        Number of groups that channels are split into: as many as channels for a depthwise convolution. 1 unless given.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What is added. Amounts beyond the image continue the pattern, where PyTorch refuses them.
    backend, threads, device
        As for `convcli.convolve`.

    Returns
    -------
    float32 array, (h, w, outputs)
        Of the size that `conv_size` gives.

    Raises
    ------
    UsageError
        If weights, bias, options and channels do not go together.
    FilterError
        If the image is smaller than a kernel.

    Examples
    --------
    >>> x = np.arange(9.0).reshape(3, 3, 1)
    >>> conv(x, np.ones((1, 1, 2, 2)), [0.5])[..., 0].tolist()
    [[8.5, 12.5], [20.5, 24.5]]
    >>> conv(x, np.ones((2, 1, 3, 3)), padding=1, stride=2).shape
    (2, 2, 2)
    """
    image = as_image(x)
    return plan_conv(image.shape, weights, bias, **options).run(image)


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
) -> ConvolutionPlan:
    """Plan `conv` for images of `shape`: which backend, and how long it will take.

    Parameters
    ----------
    shape : tuple of (int, int, int)
        Height, width and channels of the images.
    weights, bias, stride, padding, dilation, groups, padding_mode, backend, threads, device
        As for `conv`.

    Returns
    -------
    Plan
        Its `run` takes float32 images of this shape.

    Raises
    ------
    UsageError
        If weights, bias, options and channels do not go together.
    FilterError
        If the images are smaller than a kernel.

    Examples
    --------
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
    """Return weights as a bank of kernels.

    Parameters
    ----------
    weights : array_like, (outputs, inputs / groups, rows, columns)
    groups : int
        Number of groups of channels.

    Returns
    -------
    Bank
        A depthwise one where there is one and the same kernel for each channel.

    Raises
    ------
    UsageError
        If the weights have another number of dimensions, are not finite, or do not split into the groups.

    Examples
    --------
    >>> as_bank(np.ones((4, 1, 3, 3)), groups=2).inputs
    2
    """
    array = check_weights(weights)
    if groups < 1 or array.shape[0] % groups:
        raise UsageError(f"{array.shape[0]} output channels cannot be split into {groups} groups")
    if array.shape[0] == groups and array.shape[1] == 1 and (array == array[:1]).all():
        return Bank.depthwise(array[0, 0], groups)
    return Bank(array, groups)


def check_weights(weights: ArrayLike) -> NDArray[np.float64]:
    """Return weights as float64 of four dimensions. Raises UsageError if they are not, or not finite."""
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
    """Raise UsageError unless an image of `shape` has as many channels as `inputs`, which its weights read."""
    if shape[2] != inputs:
        raise UsageError(
            f"weights of {shape_text(weights)} read {inputs} channels, and the input has {shape[2]}: "
            f"{shape_text(shape)}"
        )


def own_padding_mode(name: str) -> str:
    """Return this package's name of one of PyTorch's padding modes. Raises UsageError for other words.

    >>> own_padding_mode("circular")
    'wrap'
    """
    check_word("padding_mode", name, tuple(PADDING_MODES))
    return PADDING_MODES[name]
