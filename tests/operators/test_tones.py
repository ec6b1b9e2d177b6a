"""Tones against OpenCV."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from repository import PHOTO

from convcli.errors import FilterError, UsageError
from convcli.operators.tones import absolute, clip, equalize, gray, threshold, to_linear, to_srgb

PHOTO = cv2.imread(str(PHOTO))


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


def test_equalising_is_that_of_opencv_before_it_is_rounded():
    pixels = PHOTO.astype(np.float32)
    expected = np.stack([cv2.equalizeHist(np.ascontiguousarray(PHOTO[..., c])) for c in range(3)], axis=2)
    assert_allclose(equalize(pixels, 255), expected, rtol=0, atol=0.501)
    assert_allclose(equalize(pixels * 257, 65535), equalize(pixels, 255) * 257, rtol=1e-5)


def test_equalising_leaves_out_what_is_missing_and_keeps_one_value():
    x = np.array([[[10.0], [np.nan], [30.0], [20.0]]])
    assert_array_equal(equalize(x, 255)[0, :, 0], [0, np.nan, 255, 127.5])
    assert_array_equal(equalize(np.full((3, 3, 1), 7.0), 255), np.full((3, 3, 1), 7))
    assert np.isnan(equalize(np.full((3, 3, 1), np.nan))).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gray(np.ones((2, 3, 2))), FilterError, "gray wants an image of 3 channels, not 2"),
        (lambda: clip(np.ones((2, 3, 2)), 2, 1), UsageError, "low limit at most as large as its high one, not 2 and 1"),
        (lambda: threshold(np.ones((2, 3, 2)), np.nan), UsageError, "a threshold must be a finite number"),
        (lambda: to_linear(np.ones((2, 3, 2)), 0), UsageError, "white must be a positive number"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
