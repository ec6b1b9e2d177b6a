"""Enlarging and reducing, as torch.nn.functional.interpolate defines it, cropping and padding."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.options import PADDING_ALIASES, PADDING_MODES
from convcli.convolution.padding import OUTSIDE, padding_mode, source_indices
from convcli.errors import FilterError, UsageError, check_word
from convcli.operators.arrays import ImageArray, as_image, shape_text
from convcli.operators.strips import in_strips

# OpenCV's name of each way of resizing, and how many samples it interpolates between.
RESIZING = {
    "area": ("INTER_AREA", 1),
    "nearest": ("", 1),
    "linear": ("INTER_LINEAR", 2),
    "cubic": ("INTER_CUBIC", 4),
    "lanczos": ("INTER_LANCZOS4", 8),
}
_Indices = NDArray[np.intp]


def upsample_size(length: int, scale: float) -> int:
    """Return the length of an axis after scaling: floor(length * scale).

    >>> upsample_size(5, 2), upsample_size(5, 1.5)
    (10, 7)
    """
    return math.floor(length * scale)


def scales(scale: float | Sequence[float]) -> tuple[float, float]:
    """Return the factors of rows and columns, from one for both or two. Raises UsageError if one is not positive.

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
    """Enlarge or reduce an image, without smoothing before a reduction.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    scale : float or pair of float
        Factor of rows and columns.
    mode : {"nearest", "bilinear"}
        Whether samples are repeated or interpolated. The centre of output pixel i lies at (i + 0.5) / scale - 0.5 of
        the input.
    align_corners : bool
        With `bilinear`, whether the centres of the corner pixels stay where they are instead.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (floor(height * scale), floor(width * scale), channels)

    Raises
    ------
    UsageError
        If a factor is not positive, or corners are to be aligned in another mode than bilinear.
    FilterError
        If nothing is left.

    Examples
    --------
    >>> upsample([[[1.0], [3.0]]], 2)[0, :, 0].tolist()
    [1.0, 1.0, 3.0, 3.0]
    >>> upsample([[[1.0], [3.0]]], 2, "bilinear")[0, :, 0].tolist()
    [1.0, 1.5, 2.5, 3.0]
    """
    check_word("mode", mode, ("nearest", "bilinear"))
    if align_corners and mode != "bilinear":
        raise UsageError("align_corners goes with mode bilinear only")
    image, factors = as_image(x), scales(scale)
    size = [upsample_size(length, factor) for length, factor in zip(image.shape[:2], factors, strict=True)]
    if 0 in size:
        raise FilterError(f"a scale of {factors[0]:g}, {factors[1]:g} leaves nothing of {shape_text(image.shape)}")
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
    """Return the two samples that each output lies between, and the weight of the second."""
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


def resize(x: ArrayLike, height: int, width: int, mode: str = "area", threads: int | None = None) -> ImageArray:
    """Scale an image to another size, by cv2.resize. Beyond the edges the outermost sample is repeated.

    Parameters
    ----------
    x : array_like, (rows, columns, channels)
    height, width : int
        Size of the result.
    mode : {"area", "nearest", "linear", "cubic", "lanczos"}
        `area` takes the mean of all that a pixel covers, and is `linear` where an image grows; `nearest` takes the
        sample under the middle of a pixel. `linear`, `cubic` (Keys
        1981, a = -0.75) and `lanczos` (8 samples) interpolate between 2, 4 and 8 samples along each axis, and do not
        smooth before they reduce.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If the mode is another word, or a size not positive.

    Examples
    --------
    >>> resize([[[1.0], [3.0], [5.0], [9.0]]], 1, 2)[0, :, 0].tolist()
    [2.0, 7.0]
    """
    import cv2

    check_word("mode", mode, tuple(RESIZING))
    image = as_image(x)
    if min(height, width) < 1:
        raise UsageError(f"a size is 1 or more, not {height}x{width}")
    if mode == "nearest":
        # cv2.INTER_NEAREST_EXACT takes the sample before where a middle lies on the border of two.
        rows, columns = (
            (2 * np.arange(length) + 1) * given // (2 * length)
            for length, given in ((height, image.shape[0]), (width, image.shape[1]))
        )
        taken: ImageArray = image[rows[:, np.newaxis], columns]
        return taken
    grows = height > image.shape[0] or width > image.shape[1]
    method = getattr(cv2, RESIZING["linear" if mode == "area" and grows else mode][0])
    out = np.empty((height, width, image.shape[2]), np.float32)

    def plane(channels: slice) -> None:
        for channel in range(channels.start, channels.stop):
            part = np.ascontiguousarray(image[..., channel])
            out[..., channel] = cv2.resize(part, (width, height), interpolation=method)

    in_strips(image.shape[2], max(height * width, image[..., 0].size), plane, threads)
    return out


def crop(x: ArrayLike, top: int, left: int, height: int, width: int) -> ImageArray:
    """Cut a part out of an image: `height` rows from row `top` on, and `width` columns from column `left` on.

    Parameters
    ----------
    x : array_like, (rows, columns, channels)
    top, left, height, width : int

    Returns
    -------
    float32 array, (height, width, channels)
        A copy.

    Raises
    ------
    FilterError
        If the part does not lie inside the image.

    Examples
    --------
    >>> crop(np.arange(9.0).reshape(3, 3, 1), 1, 1, 1, 2)[..., 0].tolist()
    [[4.0, 5.0]]
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


def pad(
    x: ArrayLike,
    rows: tuple[int, int],
    columns: tuple[int, int],
    mode: str = "reflect101",
    value: float = 0.0,
    threads: int | None = None,
) -> ImageArray:
    """Add samples around an image.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    rows, columns : pair of int
        Number of rows added above and below, and of columns to the left and right.
    mode : str
        A padding mode of `convcli.convolve`, or another word for it: what the added samples are. Amounts larger than
        the image go on with its pattern.
    value : float
        The added samples in mode `constant`; in a mode that has none to repeat they are NaN.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height + sum(rows), width + sum(columns), channels)

    Raises
    ------
    UsageError
        If an amount is negative, or the mode another word.

    Examples
    --------
    >>> pad([[[1.0], [2.0], [3.0]]], (0, 0), (2, 1))[0, :, 0].tolist()
    [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]
    """
    image = as_image(x)
    if min(*rows, *columns) < 0:
        raise UsageError(f"pad adds 0 rows and columns or more, not {min(*rows, *columns)}; crop takes some away")
    name = PADDING_ALIASES.get(mode, mode)
    check_word("mode", name, PADDING_MODES)
    outside = np.float32(value if padding_mode(name).filled else np.nan)
    down = source_indices(image.shape[0], *rows, name)
    across = source_indices(image.shape[1], *columns, name)
    out = np.empty((down.size, across.size, image.shape[2]), np.float32)

    def strip(part: slice) -> None:
        np.take(image[down[part]], across, axis=1, out=out[part])
        out[part][:, across == OUTSIDE] = outside
        out[part][down[part] == OUTSIDE] = outside

    in_strips(len(out), out[0].size, strip, threads)
    return out
