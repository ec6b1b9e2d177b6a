"""What is done to a whole image's spectrum: undoing a blur, and looking at the spectrum itself."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.options import available_threads
from convcli.convolution.padding import source_indices
from convcli.errors import UsageError, check_word
from convcli.operators.strips import ImageArray, as_image
from convcli.system.threads import run_tasks

PADDINGS = ("reflect101", "reflect", "wrap")
# |K|^2 below this part of its largest is zero but for rounding.
_NOTHING = 1e-12


def wiener(
    x: ArrayLike,
    kernel: ArrayLike,
    noise: float,
    padding: str = "reflect101",
    anchor: tuple[int, int] | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Undo a blur by Wiener's filter: the spectrum times `conj(K) / (|K|^2 + noise)`, K being that of the blur.

    The blur is taken for what `filter` does with this kernel. The mean of a channel is divided by the sum of the
    weights, so that brightness does not depend on the noise; where that sum is 0, the mean is left away. After Wiener
    (1949), with a ratio that is the same for all frequencies (Gonzalez and Woods, Digital image processing, 5.8).

    Parameters
    ----------
    kernel
        Weights (rows, columns), of any sum.
    noise
        The power of the noise over that of the image: 0.01 where the image is ten times as strong. More of it is
        smoother, less is sharper and noisier; 0 is the plain inverse, without the frequencies that the blur left
        nothing of.
    padding
        How the image goes on beyond its edges: reflect101 or reflect, mirrored, as `filter` does by default, or wrap.
        With a symmetric kernel and the padding that the blur was made with, edges come back like the rest.
    anchor
        The weight over the output's pixel: the middle, (rows // 2, columns // 2), if None.

    Returns
    -------
    float32 of the image's shape.

    Raises
    ------
    UsageError
        for a kernel that is not of two dimensions, not finite or zero, and a noise that is negative.

    Examples
    --------
    >>> blurred = np.array([0.0, 1.0, 6.0, 1.0]).reshape(1, 4, 1)  # of 0, 0, 8, 0, by the kernel below
    >>> wiener(blurred, [[0.125, 0.75, 0.125]], noise=0, padding="wrap")[0, :, 0].round(3).clip(0).tolist()
    [0.0, 0.0, 8.0, 0.0]
    """
    check_word("padding", padding, PADDINGS)
    if not (np.isfinite(noise) and noise >= 0):
        raise UsageError(f"noise must be a number of at least 0, not {noise}")
    weights = np.asarray(kernel, np.float64)
    if weights.ndim != 2 or weights.size == 0 or not np.isfinite(weights).all() or not weights.any():
        raise UsageError("the kernel of a blur has two dimensions, finite weights, and one that is not zero")
    image = as_image(x)
    height, width, channels = image.shape
    rows, columns = (_period(length, padding) for length in (height, width))
    gain = _wiener_gain(weights, anchor, (len(rows), len(columns)), noise)
    total = float(weights.sum())
    lasting = abs(total) > 1e-9 * float(np.abs(weights).sum())
    out = np.empty(image.shape, np.float32)

    @np.errstate(over="ignore", invalid="ignore")
    def channel(number: int) -> None:
        plane = image[..., number]
        mean = float(plane.mean(dtype=np.float64))
        deviations = plane - np.float32(mean)
        spectrum = np.fft.rfft2(deviations[rows][:, columns] if padding != "wrap" else deviations)
        spectrum *= gain
        restored = np.fft.irfft2(spectrum, (len(rows), len(columns)))[:height, :width]
        out[..., number] = restored + np.float32(mean / total if lasting else 0.0)

    run_tasks(channels, lambda: channel, threads or available_threads())
    return out


def _period(length: int, padding: str) -> NDArray[np.intp]:
    """One period of an axis that goes on by `padding`, as the samples that it repeats.

    >>> _period(4, "reflect101").tolist(), _period(3, "reflect").tolist()
    ([0, 1, 2, 3, 2, 1], [0, 1, 2, 2, 1, 0])
    """
    more = {"reflect101": max(length - 2, 0), "reflect": length, "wrap": 0}[padding]
    return source_indices(length, 0, more, padding)


def _wiener_gain(
    weights: NDArray[np.float64], anchor: tuple[int, int] | None, size: tuple[int, int], noise: float
) -> NDArray[np.complex64]:
    """What each frequency is multiplied by. A correlation's spectrum is conj(K), so the K here is not conjugated."""
    top, left = anchor or (weights.shape[0] // 2, weights.shape[1] // 2)
    laid = np.zeros(size)
    rows = (np.arange(weights.shape[0]) - top) % size[0]
    columns = (np.arange(weights.shape[1]) - left) % size[1]
    np.add.at(laid, np.ix_(rows, columns), weights)  # a kernel larger than the image goes round it
    spectrum = np.fft.rfft2(laid)
    power = np.abs(spectrum) ** 2
    divisor = power + noise
    some = divisor > _NOTHING * power.max()
    gain = np.where(some, spectrum / np.where(some, divisor, 1), 0)
    return gain.astype(np.complex64)


def spectrum(x: ArrayLike, threads: int | None = None) -> ImageArray:
    """Show each channel's spectrum: log(1 + |F|) of its Fourier transform, frequency zero in the middle.

    The middle is at (height // 2, width // 2); frequencies grow outwards, rows being those up and down. A convolution's
    spectrum is that of the image times that of the kernel: in logarithms, a sum.

    >>> np.expm1(spectrum(np.ones((2, 2, 1)))[..., 0]).round(3).tolist()
    [[0.0, 0.0], [0.0, 4.0]]
    """
    image = as_image(x)
    height, width, channels = image.shape
    out = np.empty(image.shape, np.float32)

    @np.errstate(over="ignore", invalid="ignore")
    def channel(number: int) -> None:
        half = np.log1p(np.abs(np.fft.rfft2(image[..., number])))
        whole = np.empty((height, width), np.float32)
        known = half.shape[1]
        whole[:, :known] = half
        # A real image's spectrum is the same at opposite frequencies.
        opposite = -np.arange(height) % height
        whole[:, known:] = half[opposite][:, 1 : width - known + 1][:, ::-1]
        out[..., number] = np.fft.fftshift(whole)

    run_tasks(channels, lambda: channel, threads or available_threads())
    return out
