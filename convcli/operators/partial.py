"""Partial convolution: only valid samples count, and their sum is scaled up to that of a whole window.

Liu et al., Image inpainting for irregular holes using partial convolutions (2018). Normalised by the weights instead of
by the number of samples it is Knutsson and Westin, Normalized and differential convolution (1993).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import plan_bank
from convcli.errors import FilterError, check_word
from convcli.operators.arrays import ImageArray, as_image, per_channel, shape_text
from convcli.operators.conv import as_bank, plan_conv
from convcli.operators.sizes import conv_padding, pair
from convcli.operators.strips import in_strips

NORMALIZATIONS = ("samples", "weights")
# Weights on valid samples below this part of all of them are the rounding of a sum that is 0.
_ROUNDING = np.float32(1e-5)


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
    normalize: str = "samples",
    backend: str = "auto",
    threads: int | None = None,
    device: str = "auto",
) -> tuple[ImageArray, ImageArray]:
    """Convolve valid samples only: `W (x * m) * sum(1) / sum(m) + bias` where the window holds a valid sample, else 0.

    With `normalize` "weights" the weights that lie on valid samples are divided by instead, positive and negative ones
    each for themselves: `S+ W+ (x * m) / W+ m - S- W- (x * m) / W- m + bias`, where S+ and S- are the sums of the
    positive weights and of the magnitudes of the negative ones. A flat image then stays flat whichever samples are
    valid, and its derivative 0.

    Parameters
    ----------
    x : array_like, (height, width, inputs)
        Samples that are not valid may be anything, NaN too.
    mask : array_like, (height, width, 1) or (height, width, inputs)
        m, for all channels or for each: 1 where a sample is valid, 0 where not; with `normalize` "weights" also
        numbers between, the certainty of a sample.
    weights, bias, stride, dilation, groups, backend, threads, device
        As for `conv`.
    padding : str, int or pair of int
        As for `conv`. The samples that it adds are not valid.
    normalize : {"samples", "weights"}
        What the sum over valid samples is divided by.

    Returns
    -------
    response : float32 array, (h, w, outputs)
    mask : float32 array, (h, w, 1) or (h, w, outputs)
        1 where a sample of the window was valid; with as many channels as the response where a mask of all channels was
        given for several groups. With `normalize` "weights" always as many, and 1 where weights of every sign that the
        output has lie on valid samples.

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
    check_word("normalize", normalize, NORMALIZATIONS)
    image = as_image(x)
    bank = as_bank(weights, groups)
    computed: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "backend": backend,
        "threads": threads,
        "device": device,
    }
    if normalize == "weights":
        certainty = check_mask(mask, image.shape, whole=False)
        values = np.zeros(bank.outputs) if bias is None else per_channel("bias", bias, bank.outputs)
        return _by_weights(image, certainty, np.asarray(weights, np.float64), values, groups, computed)
    known = check_mask(mask, image.shape)
    shared = known.shape[2] == 1
    response = plan_conv(image.shape, weights, groups=groups, **computed).run(_only_valid(image, known, threads))
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


def _by_weights(
    image: ImageArray,
    certainty: ImageArray,
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    groups: int,
    computed: dict[str, Any],
) -> tuple[ImageArray, ImageArray]:
    """Divide what the weights of each sign sum up to by those of them that lie on valid samples."""
    threads = computed["threads"]
    weighed = _weighed(image, certainty, threads)
    shared = certainty.shape[2] == 1
    signs = [(np.maximum(weights, 0), 1), (np.maximum(-weights, 0), -1)]
    results = []
    for part, sign in [each for each in signs if each[0].any()] or signs[:1]:
        response = plan_conv(image.shape, part, groups=groups, **computed).run(weighed)
        # One mask for all channels is met by the sum of their weights.
        met = part.sum(axis=1, keepdims=True) if shared else part
        found = plan_conv(certainty.shape, met, groups=1 if shared else groups, **computed).run(certainty)
        _divide_by_found(response, found, part.sum(axis=(1, 2, 3)), sign, threads)
        results.append((response, found))
    total, valid = results[0]
    offsets = bias.astype(np.float32)

    def strip(rows: slice) -> None:
        for response, reached in results[1:]:
            total[rows] += response[rows]
            valid[rows] *= reached[rows]
        total[rows] += offsets
        np.copyto(total[rows], np.float32(0), where=valid[rows] == 0)

    in_strips(len(total), total[0].size, strip, threads)
    return total, valid


def _divide_by_found(
    response: ImageArray, found: ImageArray, sums: NDArray[np.float64], sign: int, threads: int | None
) -> None:
    """Scale the response in place to that of all weights, and turn `found` into 1 where some lie on valid samples."""
    whole = sums.astype(np.float32)
    signed = whole * np.float32(sign)

    def strip(rows: slice) -> None:
        reached = found[rows] > whole * _ROUNDING
        response[rows] *= np.where(reached, signed / np.where(reached, found[rows], np.float32(1)), np.float32(0))
        # An output without a weight of this sign misses nothing.
        found[rows] = reached | (whole == 0)

    in_strips(len(response), response[0].size, strip, threads)


def check_mask(mask: ArrayLike, shape: tuple[int, ...], whole: bool = True) -> ImageArray:
    """Return a mask as float32.

    Parameters
    ----------
    mask : array_like, (height, width, 1) or (height, width, channels)
    shape : tuple of int
        Shape of the image.
    whole : bool
        Whether only 0 and 1 are allowed; otherwise numbers between them too.

    Raises
    ------
    FilterError
        If the mask does not go with the image, or holds other numbers.
    """
    known = as_image(mask, "a mask")
    if known.shape[:2] != shape[:2] or known.shape[2] not in (1, shape[2]):
        raise FilterError(f"a mask of {shape_text(known.shape)} does not go with an image of {shape_text(shape)}")
    if not whole:
        if not ((known >= 0) & (known <= 1)).all():
            raise FilterError("a certainty is a number from 0, where nothing is known, to 1, and no other")
    elif not ((known == 0) | (known == 1)).all():
        raise FilterError("a mask holds 1 where a sample is valid and 0 where not, and no other numbers")
    return known


def _only_valid(image: ImageArray, known: ImageArray, threads: int | None) -> ImageArray:
    out = np.zeros_like(image, order="C")

    def strip(rows: slice) -> None:
        # Not a product, for what is not valid may be NaN.
        np.copyto(out[rows], image[rows], where=known[rows] != 0)

    in_strips(len(image), image[0].size, strip, threads)
    return out


def _weighed(image: ImageArray, certainty: ImageArray, threads: int | None) -> ImageArray:
    out = np.empty_like(image, order="C")

    def strip(rows: slice) -> None:
        # What is not valid may be NaN, which a product would keep.
        out[rows] = np.where(certainty[rows] > 0, image[rows] * certainty[rows], np.float32(0))

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
