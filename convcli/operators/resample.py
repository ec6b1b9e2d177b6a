"""Sizes up and down without a kernel: enlarging, as torch.nn.functional.interpolate does it, and cropping."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import FilterError, UsageError, check_word
from convcli.operators.strips import ImageArray, as_image, in_strips, shape_words

_Indices = NDArray[np.intp]


def upsample_size(length: int, scale: float) -> int:
    """How long an axis becomes: floor(length * scale).

    >>> upsample_size(5, 2), upsample_size(5, 1.5)
    (10, 7)
    """
    return math.floor(length * scale)


def scales(scale: float | Sequence[float]) -> tuple[float, float]:
    """Take one factor for rows and columns alike, or one of each.

    >>> scales(2), scales([1, 2.5])
    ((2.0, 2.0), (1.0, 2.5))
    """
    given = tuple(scale) if isinstance(scale, Sequence) else (scale, scale)
    if len(given) != 2 or not all(math.isfinite(each) and each > 0 for each in given):
        raise UsageError(f"scale must be a positive number, or two of them for rows and columns, not {scale}")
    return float(given[0]), float(given[1])


def upsample(
    x: ArrayLike,
    scale: float | Sequence[float],
    mode: str = "nearest",
    align_corners: bool = False,
    threads: int | None = None,
) -> ImageArray:
    """Enlarge (or reduce) an image (height, width, channels) by `scale`, one factor or one for rows and columns.

    `nearest` repeats samples; `bilinear` goes between them in straight lines, where an output pixel's centre lies at
    (i + 0.5) / scale - 0.5 of the input, or with `align_corners` so that the centres of the corner pixels stay. Nothing
    is smoothed before reducing. Returns float32 (floor(height * scale), floor(width * scale), channels).

    >>> upsample([[[1.0], [3.0]]], 2)[0, :, 0].tolist()
    [1.0, 1.0, 3.0, 3.0]
    >>> upsample([[[1.0], [3.0]]], 2, "bilinear")[0, :, 0].tolist()
    [1.0, 1.5, 2.5, 3.0]

    Raises
    ------
    UsageError
        for a factor that is not positive, and corners aligned in another mode than bilinear.
    FilterError
        where nothing is left.
    """
    check_word("mode", mode, ("nearest", "bilinear"))
    if align_corners and mode != "bilinear":
        raise UsageError("align_corners goes with mode bilinear only")
    image, factors = as_image(x), scales(scale)
    size = [upsample_size(length, factor) for length, factor in zip(image.shape[:2], factors, strict=True)]
    if 0 in size:
        raise FilterError(f"a scale of {factors[0]:g}, {factors[1]:g} leaves nothing of {shape_words(image.shape)}")
    out = np.empty((*size, image.shape[2]), np.float32)
    axes = list(zip(image.shape[:2], size, factors, strict=True))
    if mode == "nearest":
        rows, columns = (_nearest(*axis) for axis in axes)

        def strip(part: slice) -> None:
            np.take(image[rows[part]], columns, axis=1, out=out[part])

    else:
        (above, below, down), (left, right, along) = (_between(*axis, align_corners) for axis in axes)
        share = along[:, np.newaxis]

        def strip(part: slice) -> None:
            weight = down[part, np.newaxis, np.newaxis]
            lines = image[above[part]] * (1 - weight) + image[below[part]] * weight
            target = out[part]
            np.multiply(lines[:, left], 1 - share, out=target)
            target += lines[:, right] * share

    in_strips(size[0], max(size[1], image.shape[1]) * image.shape[2], strip, threads)
    return out


def _nearest(length: int, output: int, scale: float) -> _Indices:
    # In float32, as PyTorch has it: where a position falls on a whole number, rounding decides.
    place = np.arange(output, dtype=np.float32) * np.float32(1 / scale)
    found: _Indices = np.floor(place).astype(np.intp)
    return np.minimum(found, length - 1)


def _between(
    length: int, output: int, scale: float, align_corners: bool
) -> tuple[_Indices, _Indices, NDArray[np.float32]]:
    """The two samples that each output lies between, and the share of the second."""
    place = np.arange(output, dtype=np.float32)
    if output == length:  # as PyTorch has it
        pass
    elif align_corners:
        place *= np.float32((length - 1) / (output - 1) if output > 1 else 0)
    else:
        place = np.maximum((place + np.float32(0.5)) * np.float32(1 / scale) - np.float32(0.5), np.float32(0))
    first = np.minimum(place.astype(np.intp), length - 1)
    share = np.minimum(np.maximum(place - first, 0), 1).astype(np.float32)
    return first, np.minimum(first + 1, length - 1), share


def crop(x: ArrayLike, top: int, left: int, height: int, width: int) -> ImageArray:
    """Cut a part out of an image: `height` rows from row `top` on, `width` columns from column `left` on; a copy.

    >>> crop(np.arange(9.0).reshape(3, 3, 1), 1, 1, 1, 2)[..., 0].tolist()
    [[4.0, 5.0]]

    Raises
    ------
    FilterError
        where the part does not lie inside the image.
    """
    image = as_image(x)
    check_crop(image.shape, top, left, height, width)
    return image[top : top + height, left : left + width].copy()


def check_crop(shape: tuple[int, ...], top: int, left: int, height: int, width: int) -> None:
    """Raise FilterError unless the part lies inside an image of `shape`."""
    if min(top, left) < 0 or min(height, width) < 1 or top + height > shape[0] or left + width > shape[1]:
        raise FilterError(
            f"a crop of {height} x {width} from row {top} and column {left} does not lie inside {shape[0]} x {shape[1]}"
        )
