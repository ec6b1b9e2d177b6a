"""The Fourier spectrum of an image: Wiener's filter against a blur, and the spectrum as a picture."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.options import available_threads
from convcli.convolution.padding import source_indices
from convcli.errors import UsageError, check_word
from convcli.operators.arrays import ImageArray, as_image
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
    """Undo a blur by Wiener's filter: the spectrum times `conj(K) / (|K|^2 + noise)`, K being the kernel's spectrum.

    The blur is that of `convcli.convolve` with this kernel. The mean of a channel is divided by the sum of the weights,
    so that brightness does not depend on the noise; where that sum is 0, the mean becomes 0. After Wiener (1949), with
    one ratio for all frequencies (Gonzalez and Woods, Digital image processing, 5.8).

    Parameters
    ----------
    x : array_like, (height, width, channels)
    kernel : array_like, (rows, columns)
        Weights, of any sum.
    noise : float
        Power of the noise relative to that of the image: 0.01 where the image is ten times as strong. More is smoother,
        less is sharper and noisier; 0 is the plain inverse, without the frequencies that the blur removed.
    padding : {"reflect101", "reflect", "wrap"}
        How the image continues beyond its edges. With a symmetric kernel and the padding that the blur was made with,
        edges are restored like the rest.
    anchor : tuple of (int, int), optional
        Row and column of the weight over the output pixel; the middle, (rows // 2, columns // 2), unless given.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If the kernel has not two dimensions, is not finite or is zero, or the noise is negative.

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
    """Return one period of an axis that is continued by `padding`, as indices of its samples.

    >>> _period(4, "reflect101").tolist(), _period(3, "reflect").tolist()
    ([0, 1, 2, 3, 2, 1], [0, 1, 2, 2, 1, 0])
    """
    more = {"reflect101": max(length - 2, 0), "reflect": length, "wrap": 0}[padding]
    return source_indices(length, 0, more, padding)


def _wiener_gain(
    weights: NDArray[np.float64], anchor: tuple[int, int] | None, size: tuple[int, int], noise: float
) -> NDArray[np.complex64]:
    """Return the factor of each frequency. A correlation multiplies by conj(K), so here K is not conjugated."""
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
    """Compute the logarithmic magnitude spectrum of each channel: log(1 + |F|), with frequency zero in the middle.

    The middle is at (height // 2, width // 2); vertical frequencies run along rows. A convolution multiplies the
    spectra of image and kernel: their logarithms add up.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Examples
    --------
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
