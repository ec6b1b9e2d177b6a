"""Edges against OpenCV's Canny and loops."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import random
from repository import PHOTO
from scipy.ndimage import label

from convcli import convolve
from convcli.errors import UsageError
from convcli.operators.edges import hysteresis, non_maximum_suppression, zero_crossings
from convcli.operators.joining import magnitude

PHOTO = cv2.imread(str(PHOTO))


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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hysteresis(np.ones((2, 3, 2)), 2, 1), UsageError, "low threshold at most as large"),
        (lambda: zero_crossings(np.ones((2, 3, 2)), -1), UsageError, "must not be negative"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
