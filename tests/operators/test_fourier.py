"""Spectra against NumPy, and blurs undone."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from operator_cases import random
from repository import PHOTO

from convcli import convolve
from convcli.errors import FilterError, UsageError
from convcli.operators.fourier import spectrum, wiener

PHOTO = cv2.imread(str(PHOTO))


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
