"""Template matching: where a pattern lies in an image, whatever the brightness and contrast there."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import plan_bank
from convcli.errors import FilterError, UsageError
from convcli.operators.arrays import ImageArray, as_image, shape_text
from convcli.operators.strips import in_strips

# What the variance of a flat window may come out as, as a part of its sum of squares, by rounding in float64.
_FLAT = 1e-11


def match_template(x: ArrayLike, pattern: ArrayLike, backend: str = "auto", threads: int | None = None) -> ImageArray:
    """Compute the normalised cross-correlation of an image with a pattern: from -1 to 1.

    `sum (w - mean w) (t - mean t) / sqrt(sum (w - mean w)^2 sum (t - mean t)^2)` over the window w that begins at the
    output's pixel, the means being those of each channel: OpenCV's TM_CCOEFF_NORMED. It is 1 where the window is the
    pattern up to brightness and contrast, and 0 where the window has one colour. Computed in float64.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    pattern : array_like, (rows, columns, channels)
        No larger than the image.
    backend : str
        As for `convcli.convolve`.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height - rows + 1, width - columns + 1, 1)

    Raises
    ------
    UsageError
        If the pattern has one colour, which matches everything alike, or is not finite.
    FilterError
        If the pattern has other channels than the image, or is larger.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 3.0, 1.0, 5.0]).reshape(1, 5, 1)
    >>> match_template(x, [[[10.0], [30.0]]])[0, :, 0].round(3).tolist()
    [1.0, 1.0, -1.0, 1.0]
    """
    image, template = as_image(x), as_image(pattern, "a pattern").astype(np.float64)
    rows, columns, channels = template.shape
    check_pattern(template.shape, image.shape)
    if not np.isfinite(template).all():
        raise UsageError("a pattern must be finite")
    centred = template - template.mean(axis=(0, 1))
    energy = float((centred**2).sum())
    if energy <= _FLAT * float((template**2).sum()):
        raise UsageError("a pattern of one colour matches everything alike: choose one with some contrast")
    # Means of the whole taken off first leave smaller numbers to be subtracted from each other.
    wide = image - image.reshape(-1, channels).mean(axis=0, dtype=np.float64)
    likeness = _run(wide, Bank(centred.transpose(2, 0, 1)[np.newaxis]), backend, threads)
    count = rows * columns
    squares = _run(np.einsum("ijk,ijk->ij", wide, wide)[..., np.newaxis], _box(rows, columns, 1), "auto", threads)
    sums = _run(wide, _box(rows, columns, channels), "auto", threads)
    out = np.empty(likeness.shape, np.float32)

    def strip(part: slice) -> None:
        total = squares[part, :, 0]
        variance = total - np.einsum("ijk,ijk->ij", sums[part], sums[part]) / count
        flat = variance <= _FLAT * total
        scale = np.sqrt(np.where(flat, 1, variance) * energy)
        out[part, :, 0] = np.clip(np.where(flat, 0, likeness[part, :, 0] / scale), -1, 1)

    in_strips(len(out), sums[0].size, strip, threads)
    return out


def check_pattern(pattern: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Raise FilterError unless a pattern of shape `pattern` fits into an image of `shape` with as many channels."""
    if pattern[2] != shape[2]:
        raise FilterError(f"a pattern of {pattern[2]} channels does not go with an image of {shape[2]}")
    if pattern[0] > shape[0] or pattern[1] > shape[1]:
        raise FilterError(
            f"a pattern of {shape_text(pattern[:2])} pixels is larger than the image, {shape_text(shape[:2])}"
        )


def _box(rows: int, columns: int, channels: int) -> Bank:
    return Bank.depthwise(np.ones((rows, columns)), channels)


def _run(image: NDArray[np.float64], bank: Bank, backend: str, threads: int | None) -> NDArray[np.float64]:
    options = ConvolveOptions(padding="constant", backend=backend, threads=threads)
    height, width, channels = image.shape
    return plan_bank((height, width, channels), np.float64, bank, options).run(image)
