"""Partial convolution: only valid samples count, and their sum is scaled up to that of a whole window.

Liu et al., Image inpainting for irregular holes using partial convolutions (2018).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import plan_bank
from convcli.errors import FilterError
from convcli.operators.arrays import ImageArray, as_image, per_channel, shape_text
from convcli.operators.conv import as_bank, plan_conv
from convcli.operators.sizes import conv_padding, pair
from convcli.operators.strips import in_strips


def valid_mask(x: ArrayLike, alpha: bool = False) -> ImageArray:
    """Return which pixels of an image are valid: 1 where no channel is NaN, else 0.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    alpha : bool
        Whether the last channel is opacity; pixels where it is 0 are not valid then.

    Returns
    -------
    float32 array, (height, width, 1)

    Examples
    --------
    >>> valid_mask([[[1.0, 2.0], [np.nan, 2.0]]])[0, :, 0].tolist()
    [1.0, 0.0]
    >>> valid_mask([[[1.0, 255.0], [1.0, 0.0]]], alpha=True)[0, :, 0].tolist()
    [1.0, 0.0]
    """
    image = as_image(x)
    valid = np.logical_not(np.isnan(image).any(axis=2))
    if alpha:
        valid &= image[..., -1] > 0
    return valid.astype(np.float32)[..., np.newaxis]


def partial_conv(
    x: ArrayLike,
    mask: ArrayLike,
    weights: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> tuple[ImageArray, ImageArray]:
    """Convolve valid samples only: `W (x * m) * sum(1) / sum(m) + bias` where the window holds a valid sample, else 0.

    Parameters
    ----------
    x : array_like, (height, width, inputs)
        Samples that are not valid may be anything, NaN too.
    mask : array_like, (height, width, 1) or (height, width, inputs)
        m, for all channels or for each: 1 where a sample is valid, 0 where not.
    weights, bias, stride, dilation, groups, backend, threads, device
        As for `conv`.
    padding : str, int or pair of int
        As for `conv`. The samples that it adds are not valid.

    Returns
    -------
    response : float32 array, (h, w, outputs)
    mask : float32 array, (h, w, 1) or (h, w, outputs)
        1 where a sample of the window was valid; with as many channels as the response where a mask of all channels was
        given for several groups.

    Raises
    ------
    UsageError
        If weights, bias, options and channels do not go together.
    FilterError
        If the mask has another size than the image, or other numbers than 0 and 1.

    Examples
    --------
    >>> scratched = np.array([[[3.0], [np.nan], [5.0], [np.nan], [np.nan]]])
    >>> response, mask = partial_conv(scratched, valid_mask(scratched), np.full((1, 1, 1, 3), 1 / 3), padding=(0, 1))
    >>> response[0, :, 0].tolist(), mask[0, :, 0].tolist()
    ([3.0, 4.0, 5.0, 5.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0])
    """
    image = as_image(x)
    known = check_mask(mask, image.shape)
    bank = as_bank(weights, groups)
    shared = known.shape[2] == 1
    response = plan_conv(
        image.shape,
        weights,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        backend=backend,
        threads=threads,
        device=device,
    ).run(_only_valid(image, known, threads))
    # How much of each window is valid: a box over the mask, for each group.
    counted = 1 if shared else groups
    per_group = known.shape[2] // counted
    box = np.ones((counted, per_group, *bank.size))
    strides, dilations = pair("stride", stride), pair("dilation", dilation)
    options = ConvolveOptions(padding="constant", stride=strides, dilation=dilations, threads=threads)
    height, width, channels = known.shape
    edges = conv_padding(padding, bank.size, strides, dilations)
    ones = Bank.depthwise(box[0, 0], 1) if shared else Bank(box, counted)
    counts = plan_bank((height, width, channels), np.float32, ones, options, edges).run(known)
    values = np.zeros(bank.outputs) if bias is None else per_channel("bias", bias, bank.outputs)
    return _renormalise(response, counts, box[0].size, values.astype(np.float32), threads)


def check_mask(mask: ArrayLike, shape: tuple[int, ...]) -> ImageArray:
    """Return a mask as float32. Raises FilterError if it does not go with an image of `shape`, or is not of 0 and 1."""
    known = as_image(mask, "a mask")
    if known.shape[:2] != shape[:2] or known.shape[2] not in (1, shape[2]):
        raise FilterError(f"a mask of {shape_text(known.shape)} does not go with an image of {shape_text(shape)}")
    if not ((known == 0) | (known == 1)).all():
        raise FilterError("a mask holds 1 where a sample is valid and 0 where not, and no other numbers")
    return known


def _only_valid(image: ImageArray, known: ImageArray, threads: int | None) -> ImageArray:
    out = np.zeros_like(image, order="C")

    def strip(rows: slice) -> None:
        # Not a product, for what is not valid may be NaN.
        np.copyto(out[rows], image[rows], where=known[rows] != 0)

    in_strips(len(image), image[0].size, strip, threads)
    return out


def _renormalise(
    response: ImageArray, counts: ImageArray, whole: int, bias: ImageArray, threads: int | None
) -> tuple[ImageArray, ImageArray]:
    """Scale the response in place by the share of valid samples; return it with its mask."""
    outputs, groups = response.shape[2], counts.shape[2]
    valid = np.empty(counts.shape if groups == 1 else response.shape, np.float32)

    def strip(rows: slice) -> None:
        # Counts are whole numbers, but for rounding: the box may have been summed as a difference.
        some = np.rint(counts[rows])
        if groups > 1:
            some = np.repeat(some, outputs // groups, axis=2)
        reached = some > 0
        part = response[rows]
        part *= np.where(reached, np.float32(whole) / np.where(reached, some, np.float32(1)), np.float32(0))
        part += np.where(reached, bias, np.float32(0))
        valid[rows] = reached

    in_strips(len(response), response[0].size, strip, threads)
    return response, valid
