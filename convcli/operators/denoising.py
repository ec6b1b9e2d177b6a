"""Smoothing that keeps edges: bilateral filters and non-local means."""

import numpy as np
from numpy.typing import ArrayLike

from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image
from convcli.operators.ranks import odd_pair
from convcli.operators.strips import in_windows

# Squares of samples up to this magnitude do not overflow float32.
_LARGEST = np.float32(1e18)
_COLOURS = 3


def bilateral(x: ArrayLike, sigma_space: float, sigma_color: float) -> ImageArray:
    """Take the mean of the samples around, weighted by how near they are and how alike. By cv2.bilateralFilter.

    The weights are `exp(-d^2 / (2 sigma_space^2) - c^2 / (2 sigma_color^2))` in a disk of the radius
    `round(1.5 sigma_space)`, where c is the difference of two samples, or the sum of the differences in the channels of
    an image of three, which are weighted together. Beyond the edges the image is mirrored (reflect101). Tomasi and
    Manduchi (1998).

    Parameters
    ----------
    x : array_like, (height, width, channels)
    sigma_space : float
        In pixels.
    sigma_color : float
        In the units of `x`.

    Returns
    -------
    float32 array, (height, width, channels)
        NaN where the disk holds a sample that is not finite. OpenCV looks weights up in a table: results are exact to
        about 1e-4 of the range of the samples.

    Raises
    ------
    UsageError
        If one of the sigmas is not positive.

    Examples
    --------
    >>> [f"{sample:.2f}" for sample in bilateral([[[0.0], [0.1], [5.0], [5.1]]], 1, 0.5)[0, :, 0]]
    ['0.05', '0.07', '5.03', '5.05']
    """
    import cv2

    for name, sigma in (("sigma_space", sigma_space), ("sigma_color", sigma_color)):
        if not (np.isfinite(sigma) and sigma > 0):
            raise UsageError(f"{name} must be a positive number, not {sigma}")
    image = as_image(x)
    finite = np.isfinite(image)
    whole = bool(finite.all())
    clean = np.clip(image if whole else np.where(finite, image, np.float32(0)), -_LARGEST, _LARGEST)
    parts = [clean] if clean.shape[2] == _COLOURS else [clean[..., c] for c in range(clean.shape[2])]
    filtered = [
        np.reshape(cv2.bilateralFilter(np.ascontiguousarray(part), 0, sigma_color, sigma_space), (*image.shape[:2], -1))
        for part in parts
    ]
    result: ImageArray = np.concatenate(filtered, axis=2)
    if not whole:
        reach = 2 * bilateral_reach(sigma_space) + 1
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        lost = cv2.dilate(np.asarray((~finite).any(axis=2), np.uint8), disk)
        result[lost > 0] = np.nan
    return result


def bilateral_reach(sigma_space: float) -> int:
    """Return the radius of the disk that `bilateral` reads, as OpenCV chooses it.

    >>> bilateral_reach(2), bilateral_reach(0.1)
    (3, 1)
    """
    return max(round(1.5 * sigma_space), 1)


def nonlocal_means(
    x: ArrayLike, strength: float, patch: int = 7, search: int = 21, sigma: float = 0.0, threads: int | None = None
) -> ImageArray:
    """Take the mean of the pixels around, weighted by how alike the patches around them are.

    The weight of a pixel of the search window is `exp(-max(d - 2 sigma^2, 0) / strength^2)`, where d is the mean of the
    squared differences of its patch and that of the middle, over all channels. Beyond the edges the image is mirrored
    (reflect101). Buades, Coll and Morel (2005), after Darbon et al. (2008): distances are summed by cv2.boxFilter.
    Time grows with search x search, and not with the patch.

    Parameters
    ----------
    x : array_like, (height, width, channels)
        Samples that are not finite are left out of distances and means, and stay what they are.
    strength : float
        In the units of `x`; about the deviation of the noise.
    patch, search : int
        Rows and columns of a patch, and of the window in which patches are compared; odd.
    sigma : float
        Deviation of the noise, where it is known.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, channels)

    Raises
    ------
    UsageError
        If the strength is not positive, a size even, or sigma negative.

    Examples
    --------
    >>> nonlocal_means(np.full((4, 4, 1), 3.0), 1)[0, 0, 0]
    np.float32(3.0)
    """
    if not (np.isfinite(strength) and strength > 0):
        raise UsageError(f"strength must be a positive number, not {strength}")
    if not (np.isfinite(sigma) and sigma >= 0):
        raise UsageError(f"sigma must be a number from 0 on, not {sigma}")
    image = as_image(x)
    near, far = odd_pair(patch)[0] // 2, odd_pair(search)[0] // 2
    return in_windows(image, near + far, lambda part: _means_of_patches(part, strength, near, far, sigma), threads)


def _means_of_patches(part: ImageArray, strength: float, near: int, far: int, sigma: float) -> ImageArray:
    import cv2

    height, width, channels = part.shape
    finite = np.asarray(np.isfinite(part).all(axis=2))
    reach = near + far
    clean = np.clip(np.where(finite[..., np.newaxis], part, np.float32(0)), -_LARGEST, _LARGEST)
    around = np.pad(
        clean, ((reach, reach), (reach, reach), (0, 0)), mode="reflect" if min(height, width) > 1 else "edge"
    )
    known = None if finite.all() else np.pad(finite, reach, mode="reflect")
    tall, wide = height + 2 * near, width + 2 * near
    middle = around[far : far + tall, far : far + wide]
    total = np.zeros(part.shape, np.float32)
    weights = np.zeros((height, width, 1), np.float32)
    for dy in range(2 * far + 1):
        for dx in range(2 * far + 1):
            other = around[dy : dy + tall, dx : dx + wide]
            difference = (middle - other).reshape(-1, channels)
            squares = np.einsum("ij,ij->i", difference, difference).reshape(tall, wide)
            if known is not None:
                there = known[dy : dy + tall, dx : dx + wide]
                squares *= there & known[far : far + tall, far : far + wide]
            np.minimum(squares, _LARGEST, out=squares)
            distance = cv2.boxFilter(squares, cv2.CV_32F, (2 * near + 1, 2 * near + 1), borderType=cv2.BORDER_REPLICATE)
            distance = distance[near : near + height, near : near + width] / np.float32(channels)
            weight = np.exp(np.maximum(distance - np.float32(2 * sigma**2), 0) * np.float32(-1 / strength**2))
            if known is not None:
                weight *= there[near : near + height, near : near + width]
            total += weight[..., np.newaxis] * other[near : near + height, near : near + width]
            weights[..., 0] += weight
    kept = finite[..., np.newaxis]
    return np.where(kept, total / np.where(kept, weights, np.float32(1)), part)
