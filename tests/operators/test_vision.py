"""Joining, tones, edges, templates and spectra, against OpenCV, scikit-image, NumPy and loops."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from repository import PHOTO
from scipy.ndimage import label
from skimage.feature import match_template as skimage_match

from convcli import convolve
from convcli.errors import FilterError, UsageError
from convcli.operators.edges import hysteresis, non_maximum_suppression, zero_crossings
from convcli.operators.fourier import spectrum, wiener
from convcli.operators.joining import add, concat, direction, joined_shape, magnitude, max_over_channels, multiply
from convcli.operators.matching import match_template
from convcli.operators.tones import absolute, clip, gray, threshold, to_linear, to_srgb

PHOTO = cv2.imread(str(PHOTO))


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("thresholds", [(50, 120), (20, 40), (10.5, 30.2)])
@pytest.mark.parametrize("image", ["photo", "noise", "soft noise"])
def test_canny_of_these_parts_equals_opencv_pixel_for_pixel(image, thresholds, precise):
    noise = np.random.default_rng(0).integers(0, 256, (150, 170), dtype=np.uint8)
    gray_photo = cv2.GaussianBlur(cv2.cvtColor(PHOTO, cv2.COLOR_BGR2GRAY), (5, 5), 1.4)
    pixels = {"photo": gray_photo, "noise": noise, "soft noise": cv2.GaussianBlur(noise, (0, 0), 1)}[image]
    expected = cv2.Canny(pixels, *thresholds, apertureSize=3, L2gradient=precise)
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    x, y = (convolve(pixels, kernel, padding="replicate")[..., np.newaxis] for kernel in (sobel, sobel.T))
    size = magnitude(x, y, "l2" if precise else "l1")
    edges = hysteresis(non_maximum_suppression(size, x, y), *thresholds)
    assert expected.any()
    assert_array_equal(edges[..., 0] * 255, expected)


def test_thin_lines_are_found_in_every_channel_by_itself():
    x, y = random(90, 70, 3), random(90, 70, 3, seed=1)
    size = magnitude(x, y)
    together = non_maximum_suppression(size, x, y)
    for channel in range(3):
        one = np.s_[..., channel : channel + 1]
        assert_array_equal(together[one], non_maximum_suppression(size[one], x[one], y[one]))
        linked = hysteresis(together, 0.5, 1.5)[..., channel]
        labels, count = label(together[..., channel] > 0.5, np.ones((3, 3)))
        strong = np.isin(labels, np.unique(labels[together[..., channel] > 1.5])) & (labels > 0)
        assert count > 0
        assert_array_equal(linked, strong)


def test_zero_crossings_lie_where_the_sign_changes():
    x = np.random.default_rng(0).integers(-3, 4, (40, 50, 2)).astype(np.float32)
    for least in (0, 3):
        expected = np.zeros(x.shape)
        for c in range(2):
            for lines, marks in ((x[..., c], expected[..., c]), (x[..., c].T, expected[..., c].T)):
                for line, mark in zip(lines, marks, strict=True):
                    for i, (a, b) in enumerate(pairwise(line)):
                        if a * b < 0 and abs(a - b) > least:
                            mark[i if abs(a) <= abs(b) else i + 1] = 1
                    for i, (a, middle, b) in enumerate(zip(line[:-2], line[1:-1], line[2:], strict=True)):
                        if middle == 0 and a * b < 0 and abs(a - b) > least:
                            mark[i + 1] = 1
        assert_array_equal(zero_crossings(x, least), expected)


def test_joining_goes_sample_by_sample():
    x, y, z = random(30, 40, 3), random(30, 40, 3, seed=1), random(30, 40, 1, seed=2)
    assert_array_equal(concat([x, z, y]), np.concatenate([x, z, y], axis=2))
    assert_allclose(add([x, y, z]), x + y + z, atol=1e-6)
    assert_allclose(add([x, y], [2, -1]), 2 * x - y, atol=1e-6)
    assert_allclose(multiply([x, y, z]), x * y * z, atol=1e-6)
    assert_allclose(multiply([x, np.array([[[1.0, 2.0, 3.0]]])]), x * [1, 2, 3], atol=1e-6)
    assert_array_equal(max_over_channels(x), x.max(axis=2, keepdims=True))
    assert_allclose(magnitude(x, y), np.hypot(x, y), rtol=1e-6)
    assert_allclose(magnitude(x, y, "l1"), np.abs(x) + np.abs(y), rtol=1e-6)
    assert_allclose(direction(x, y), np.degrees(np.arctan2(y, x)), atol=1e-4)
    assert joined_shape("add", x.shape, z.shape) == x.shape


def test_magnitudes_do_not_overflow():
    assert magnitude([[[3e30]]], [[[4e30]]])[0, 0, 0] == np.float32(5e30)


def test_tones_agree_with_opencv_and_undo_each_other():
    pixels = PHOTO[..., ::-1].astype(np.float32)
    assert_allclose(gray(pixels)[..., 0], cv2.cvtColor(PHOTO, cv2.COLOR_BGR2GRAY), atol=0.502)
    assert gray(pixels[..., :1]).shape == (*pixels.shape[:2], 1)
    assert_allclose(to_srgb(to_linear(pixels, 255), 255), pixels, atol=2e-4)
    low = pixels.min() - 1
    assert_array_equal(threshold(pixels, 100) + threshold(pixels, 100, "below"), 1)
    assert_array_equal(threshold(pixels, low, "keep"), pixels)
    assert_array_equal(threshold(-pixels, 100, "keep_abs"), np.where(pixels > 100, -pixels, 0))
    assert_array_equal(clip(pixels, 50, 100), np.clip(pixels, 50, 100))
    assert_array_equal(clip(pixels, None, 100), np.minimum(pixels, 100))
    assert_array_equal(absolute(-pixels), pixels)


@pytest.mark.parametrize("backend", ["auto", "direct", "fft"])
def test_a_template_is_found_where_it_was_cut_out(backend):
    image = PHOTO[:200, :220].astype(np.float32)
    pattern = image[100:131, 120:160]
    found = match_template(image, 0.3 * pattern + 20, backend=backend)[..., 0]
    assert np.unravel_index(found.argmax(), found.shape) == (100, 120)
    assert found[100, 120] == pytest.approx(1, abs=1e-6)
    assert_allclose(found, cv2.matchTemplate(image, pattern, cv2.TM_CCOEFF_NORMED), atol=2e-4)
    one = skimage_match(image[..., 0].astype(float), pattern[..., 0].astype(float))
    assert_allclose(match_template(image[..., :1], pattern[..., :1])[..., 0], one, atol=1e-6)


def test_a_flat_window_matches_nothing():
    image = np.full((30, 40, 2), 12345.678)
    image[20:, 30:] = random(10, 10, 2)
    found = match_template(image, image[22:27, 32:38])[..., 0]
    assert_array_equal(found[:16, :25], 0)
    assert found.max() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("padding", "kernel_padding"), [("reflect101", "reflect101"), ("reflect", "reflect"), ("wrap", "wrap")]
)
def test_a_blur_is_undone_up_to_the_edges(padding, kernel_padding):
    image = PHOTO[:101, :120].astype(np.float64)
    kernel = np.outer([1, 4, 1], [1, 2, 8, 2, 1]) / 84
    blurred = convolve(image, kernel, padding=padding)
    assert np.abs(blurred - image).max() > 10
    assert_allclose(wiener(blurred, kernel, 0, padding), image, atol=2e-3)


def test_a_lopsided_blur_is_undone_as_it_was_laid_on():
    image = PHOTO[:101, :120].astype(np.float64)
    kernel = np.zeros((4, 5))
    kernel[0, 0], kernel[3, 4], kernel[1, 1] = 1, 0.2, 0.3
    blurred = convolve(image, kernel, padding="wrap", anchor=(0, 0))
    assert_allclose(wiener(blurred, kernel, 0, "wrap", anchor=(0, 0)), image, atol=2e-3)


def test_noise_is_held_down_where_it_is_told_of():
    image = PHOTO[..., :1].astype(np.float64)
    kernel = np.outer(*[np.exp(-np.square(np.arange(-6, 7)) / 8)] * 2)
    kernel /= kernel.sum()
    noisy = convolve(image, kernel) + np.random.default_rng(0).normal(0, 2, image.shape)

    def error(found):
        return np.sqrt(np.mean((found - image) ** 2))

    errors = {noise: error(wiener(noisy, kernel, noise)) for noise in (1e-6, 1e-2)}
    assert errors[1e-2] < error(noisy) < errors[1e-6]
    assert wiener(noisy, kernel, 1e-2).mean() == pytest.approx(noisy.mean(), rel=1e-4)


@pytest.mark.parametrize("size", [(8, 10), (7, 9), (1, 6), (5, 1)])
def test_a_spectrum_is_that_of_numpy(size):
    x = random(*size, 2)
    whole = np.fft.fftshift(np.fft.fft2(x.astype(float), axes=(0, 1)), axes=(0, 1))
    assert_allclose(spectrum(x), np.log1p(np.abs(whole)), atol=1e-5)


def test_convolving_adds_logarithms_of_spectra():
    x, kernel = np.abs(random(32, 32)), random(5, 5, seed=1)
    laid = np.zeros((32, 32))
    laid[:5, :5] = kernel
    both = np.expm1(spectrum(x[..., np.newaxis])) * np.expm1(spectrum(laid[..., np.newaxis]))
    response = convolve(x, kernel, padding="wrap", flip=True)[..., np.newaxis]
    assert_allclose(np.expm1(spectrum(response)), both, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: concat([np.ones((2, 3, 1)), np.ones((2, 4, 1))]),
            FilterError,
            "not 2 x 3 and 2 x 4",
        ),
        (lambda: concat([]), UsageError, "concat wants at least one input"),
        (lambda: add([np.ones((2, 3, 2)), np.ones((2, 3, 3))]), FilterError, "add wants inputs of one size"),
        (lambda: add([np.ones((2, 3, 2))], [1, 2]), UsageError, "add was given 2 factors for 1 inputs"),
        (lambda: magnitude(np.ones((2, 3, 2)), np.ones((2, 3, 1))), FilterError, "magnitude wants inputs of one size"),
        (lambda: magnitude(np.ones((2, 3, 2)), np.ones((2, 3, 2)), "l3"), UsageError, "unknown norm 'l3'"),
        (lambda: gray(np.ones((2, 3, 2))), FilterError, "gray wants an image of 3 channels, not 2"),
        (lambda: clip(np.ones((2, 3, 2)), 2, 1), UsageError, "low limit at most as large as its high one, not 2 and 1"),
        (lambda: threshold(np.ones((2, 3, 2)), np.nan), UsageError, "a threshold must be a finite number"),
        (lambda: to_linear(np.ones((2, 3, 2)), 0), UsageError, "white must be a positive number"),
        (lambda: hysteresis(np.ones((2, 3, 2)), 2, 1), UsageError, "low threshold at most as large"),
        (lambda: zero_crossings(np.ones((2, 3, 2)), -1), UsageError, "must not be negative"),
        (lambda: match_template(np.ones((4, 4, 1)), np.ones((2, 2, 1))), UsageError, "of one colour"),
        (lambda: match_template(np.ones((4, 4, 1)), np.ones((2, 2, 3))), FilterError, "a pattern of 3 channels"),
        (lambda: match_template(np.ones((4, 4, 1)), np.ones((5, 2, 1))), FilterError, "5 x 2 pixels is larger than"),
        (lambda: wiener(np.ones((4, 4, 1)), np.zeros((3, 3)), 0.1), UsageError, "one that is not zero"),
        (lambda: wiener(np.ones((4, 4, 1)), np.ones((3, 3)), -1), UsageError, "noise must be a number of at least 0"),
        (lambda: wiener(np.ones((4, 4, 1)), np.ones((3, 3)), 1, "mirror"), UsageError, "unknown padding 'mirror'"),
        (lambda: spectrum(np.ones((4, 0, 1))), FilterError, "no empty one"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
