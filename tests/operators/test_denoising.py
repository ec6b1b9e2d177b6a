"""Bilateral filters and non-local means against their formulas and scikit-image."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random
from skimage.restoration import denoise_nl_means

from convcli.errors import UsageError
from convcli.operators.denoising import bilateral, bilateral_reach, nonlocal_means

X = np.add.outer(np.linspace(0, 2, 24), np.where(np.arange(20) > 9, 1.0, 0.0))[..., np.newaxis] + 0.1 * random(
    24, 20, 3
)


def bilateral_by_loops(x, sigma_space, sigma_color):
    """Tomasi and Manduchi's weights in a disk, the image mirrored."""
    reach = bilateral_reach(sigma_space)
    around = np.pad(x, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    total, weights = np.zeros(x.shape), np.zeros((*x.shape[:2], 1))
    for dy, dx in np.ndindex(2 * reach + 1, 2 * reach + 1):
        apart = np.hypot(dy - reach, dx - reach)
        if apart <= reach:
            other = around[dy : dy + x.shape[0], dx : dx + x.shape[1]]
            differ = np.abs(other - x).sum(axis=2, keepdims=True)
            weight = np.exp(-(apart**2) / (2 * sigma_space**2) - differ**2 / (2 * sigma_color**2))
            total += weight * other
            weights += weight
    return total / weights


def means_by_loops(x, strength, patch, search, sigma):
    """The mean of all pixels of the search window, by the distances of their patches, pixel by pixel."""
    near, far = patch // 2, search // 2
    around = np.pad(x.astype(float), ((near + far,) * 2, (near + far,) * 2, (0, 0)), mode="reflect")
    out = np.zeros(x.shape)
    for y, x_ in np.ndindex(x.shape[:2]):
        middle = around[y + far : y + far + patch, x_ + far : x_ + far + patch]
        weights = 0.0
        for dy, dx in np.ndindex(search, search):
            other = around[y + dy : y + dy + patch, x_ + dx : x_ + dx + patch]
            distance = ((middle - other) ** 2).mean()
            weight = np.exp(-max(distance - 2 * sigma**2, 0) / strength**2)
            out[y, x_] += weight * other[near, near]
            weights += weight
        out[y, x_] /= weights
    return out


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize(("sigma_space", "sigma_color"), [(1, 0.3), (2.5, 0.2), (3, 5)])
def test_a_bilateral_filter_is_that_of_its_paper(channels, sigma_space, sigma_color):
    x = X[..., :channels]
    parts = [x] if channels == 3 else [x[..., c : c + 1] for c in range(channels)]
    expected = np.concatenate([bilateral_by_loops(part, sigma_space, sigma_color) for part in parts], axis=2)
    # OpenCV interpolates weights in a table of 4096 entries for each channel.
    assert_allclose(bilateral(x, sigma_space, sigma_color), expected, rtol=0, atol=2e-4 * np.ptp(x))


def test_a_bilateral_filter_keeps_what_is_not_finite_to_its_disk():
    x = random(40, 50, 2)
    x[20, 25, 1] = np.nan
    x[5, 6, 0] = np.inf
    result = bilateral(x, 2, 0.5)
    lost = np.isnan(result).any(axis=2)
    assert lost[20, 25]
    assert lost[5, 6]
    assert lost[20, 22]
    assert not lost[20, 21]
    assert lost.sum() <= 2 * 49


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("strength", "patch", "search", "sigma"), [(0.2, 3, 7, 0.0), (0.1, 5, 5, 0.1), (2, 1, 3, 0.0)])
def test_nonlocal_means_are_those_of_their_formula(channels, strength, patch, search, sigma):
    x = X[..., :channels].astype(np.float32)
    expected = means_by_loops(x, strength, patch, search, sigma)
    assert_allclose(nonlocal_means(x, strength, patch, search, sigma), expected, rtol=0, atol=2e-4)


def test_nonlocal_means_are_those_of_scikit_image():
    # Its fast mode takes weights below exp(-5) as 0, which there are none of here, and has borders of its own.
    noisy = np.add.outer(np.linspace(0, 0.3, 72), np.linspace(0, 0.2, 60)) + 0.1 * random(72, 60, seed=3)
    ours = nonlocal_means(noisy[..., np.newaxis], 0.2, 5, 13)[..., 0]
    theirs = denoise_nl_means(noisy, patch_size=5, patch_distance=6, h=0.2, fast_mode=True)
    assert_allclose(ours[12:-12, 12:-12], theirs[12:-12, 12:-12], rtol=0, atol=5e-3)
    assert np.abs(ours - noisy).mean() > 0.03


def test_strips_of_several_threads_give_the_same():
    x = random(700, 120, 1)
    assert_array_equal(nonlocal_means(x, 1, 3, 3, threads=1), nonlocal_means(x, 1, 3, 3, threads=2))
    part = nonlocal_means(x[:60], 1, 3, 3)[:50]
    assert_allclose(nonlocal_means(x, 1, 3, 3)[:50], part, rtol=0, atol=1e-6)


def test_missing_samples_stay_and_are_left_out_of_means():
    x = np.full((20, 20, 2), 5.0, np.float32)
    x[8:11, 8:11] = np.nan
    x[2, 3, 1] = np.inf
    result = nonlocal_means(x, 1, 3, 5)
    finite = np.isfinite(x).all(axis=2)
    assert_allclose(result[finite], 5, rtol=1e-6)
    assert_array_equal(result[~finite], x[~finite])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bilateral(X, 0, 1), "sigma_space must be a positive number, not 0"),
        (lambda: bilateral(X, 1, -1), "sigma_color must be a positive number, not -1"),
        (lambda: nonlocal_means(X, 0), "strength must be a positive number, not 0"),
        (lambda: nonlocal_means(X, 1, sigma=-1), "sigma must be a number from 0 on, not -1"),
        (lambda: nonlocal_means(X, 1, patch=4), "its rows and columns are odd, not 4x4"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
