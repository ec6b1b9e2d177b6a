"""Enlarging, cropping and padding."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random
from skimage.transform import downscale_local_mean

from convcli.convolution.padding import PADDINGS
from convcli.errors import FilterError, UsageError
from convcli.operators.resample import crop, pad, resize, upsample

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_a_crop_is_a_copy_of_its_part():
    x = random(6, 9, 2)
    part = crop(x, 1, 2, 3, 4)
    assert_array_equal(part, x[1:4, 2:6])
    assert not np.shares_memory(part, x)


@pytest.mark.parametrize("around", [((0, 0), (0, 0)), ((1, 2), (0, 3)), ((13, 20), (19, 30))])
@pytest.mark.parametrize("mode", [mode for mode in PADDINGS if mode.numpy], ids=lambda mode: mode.name)
def test_padding_goes_on_as_that_of_numpy(mode, around):
    x = random(6, 9, 2)
    value = {"constant_values": 7} if mode.filled else {}
    assert_array_equal(pad(x, *around, mode.name, 7), np.pad(x, (*around, (0, 0)), mode.numpy, **value))


def interpolated(x, length, taps, weight):
    """Samples along the first axis interpolated by a kernel, the outermost ones repeated."""
    scale = len(x) / length
    place = (np.arange(length) + 0.5) * scale - 0.5
    first = np.floor(place).astype(int) - taps // 2 + 1
    total, sums = np.zeros((length, *x.shape[1:])), np.zeros(length)
    for tap in range(taps):
        weights = weight(place - (first + tap))
        total += weights[:, np.newaxis, np.newaxis] * x[np.clip(first + tap, 0, len(x) - 1)]
        sums += weights
    return total / sums[:, np.newaxis, np.newaxis]


def cubic(t):
    """Keys (1981), a = -0.75."""
    t, a = np.abs(t), -0.75
    near = (a + 2) * t**3 - (a + 3) * t**2 + 1
    return np.where(t <= 1, near, np.where(t < 2, a * (t**3 - 5 * t**2 + 8 * t - 4), 0))


KERNELS = {
    "linear": (2, lambda t: np.maximum(1 - np.abs(t), 0)),
    "cubic": (4, cubic),
    "lanczos": (8, lambda t: np.where(np.abs(t) < 4, np.sinc(t) * np.sinc(t / 4), 0)),
}


@pytest.mark.parametrize("size", [(25, 31), (60, 45), (7, 90)], ids=str)
@pytest.mark.parametrize("mode", KERNELS)
def test_interpolation_is_that_of_its_kernel(mode, size):
    x = random(30, 40, 5)
    upright = interpolated(x, size[0], *KERNELS[mode])
    expected = interpolated(upright.swapaxes(0, 1), size[1], *KERNELS[mode]).swapaxes(0, 1)
    # OpenCV's Lanczos weights are rounded to some 1e-4.
    assert_allclose(resize(x, *size, mode), expected, rtol=0, atol=1e-3 if mode == "lanczos" else 1e-5)


def test_reducing_by_area_takes_the_mean_of_what_a_pixel_covers():
    x = random(30, 40, 2)
    assert_allclose(resize(x, 10, 8), downscale_local_mean(x, (3, 5, 1)), rtol=0, atol=1e-5)
    cover = np.zeros((12, 30))  # of each sample, how much lies in each output
    for out in range(12):
        for sample in range(30):
            cover[out, sample] = max(0, min(out * 2.5 + 2.5, sample + 1) - max(out * 2.5, sample)) / 2.5
    assert_allclose(resize(x, 12, 40), np.einsum("os,sxc->oxc", cover, x), rtol=0, atol=1e-5)
    assert_array_equal(resize(x, 60, 60), resize(x, 60, 60, "linear"))


def test_the_nearest_sample_is_that_under_the_middle_of_a_pixel():
    x = random(30, 40, 2)
    rows, columns = ((2 * np.arange(n) + 1) * size // (2 * n) for n, size in ((7, 30), (90, 40)))
    assert_array_equal(resize(x, 7, 90, "nearest"), x[rows][:, columns])


def test_padding_takes_other_words_for_its_modes():
    x = random(6, 9, 2)
    assert_array_equal(pad(x, (3, 3), (3, 3), "circular"), pad(x, (3, 3), (3, 3), "wrap"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: upsample(X, 0), UsageError, "scale must be a positive number"),
        (lambda: upsample(X, 0.1), FilterError, "leaves nothing of 5 x 6 x 4"),
        (lambda: upsample(X, 2, align_corners=True), UsageError, "align_corners goes with mode bilinear only"),
        (lambda: resize(X, 0, 4), UsageError, "a size is 1 or more, not 0x4"),
        (lambda: resize(X, 4, 4, "bicubic"), UsageError, "unknown mode 'bicubic'"),
        (lambda: pad(X, (0, -1), (0, 0)), UsageError, "pad adds 0 rows and columns or more, not -1"),
        (lambda: pad(X, (0, 1), (0, 0), "mirrored"), UsageError, "unknown mode 'mirrored'"),
        (lambda: crop(X, 3, 0, 3, 6), FilterError, "a crop of 3 x 6 from row 3 and column 0 does not lie inside 5 x 6"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
