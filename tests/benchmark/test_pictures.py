"""Small pictures of outputs and of differences, for reports."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.benchmark.pictures import PictureMaker, encode_png, nice_scale
from convcli.benchmark.reference import Reference
from convcli.kernel.spec import load_kernel


def test_small_pictures_show_the_sample_that_is_furthest_off():
    image = np.zeros((500, 300, 3), np.float32)
    image[..., 1] = 100
    exact = Reference(image.astype(np.float64), 1.0, "")
    result = image.copy()
    result[401, 7, 2] -= 5.0
    result[402, 8, 0] += 1.0
    picture = PictureMaker(load_kernel("box"), np.dtype(np.uint8), image, side=100).picture(result, exact)
    assert picture.difference.shape == (100, 60)
    assert picture.difference[80, 1] == -5.0
    assert np.count_nonzero(picture.difference) == 1
    assert picture.output.shape == (100, 60, 3)
    assert_array_equal(picture.output[0, 0], [0, 100, 0])


def test_a_result_of_another_size_has_no_picture():
    exact = Reference(np.zeros((4, 4, 1)), 1.0, "")
    painter = PictureMaker(load_kernel("box"), np.dtype(np.uint8), exact.values)
    assert painter.picture(np.zeros((4, 5, 1)), exact) is None


@pytest.mark.parametrize(
    ("kernel", "samples", "gain", "shown"),
    [
        ("box", [50.0, 250.0], 1.0, [50, 250]),
        ("1 2 1; 2 4 2; 1 2 1", [510.0, 2550.0], 0.1, [51, 255]),
        ("sobel_x", [-5.0, 2.5], 50.0, [250, 125]),
        ("sobel_x", [0.0, 0.0], 1.0, [0, 0]),
        ("box", [np.nan, np.nan], 1.0, [0, 0]),
    ],
)
def test_what_is_too_faint_or_too_strong_is_brought_into_the_range(kernel, samples, gain, shown):
    response = np.array(samples).reshape(1, 2, 1)
    painter = PictureMaker(load_kernel(kernel), np.dtype(np.uint8), response)
    assert painter.gain == gain
    assert_array_equal(painter.output(response).ravel(), shown)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_encoded_picture_is_a_png_of_the_same_samples(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    read = cv2.imdecode(np.frombuffer(encode_png(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert_array_equal(read if channels == 1 else read[..., ::-1], pixels[..., 0] if channels == 1 else pixels)


@pytest.mark.parametrize(("largest", "share"), [(0.0, 0.001), (0.2, 0.2), (0.21, 0.3), (1.0, 1.0), (5.0, 1.0)])
def test_full_colour_stands_for_the_least_round_share_that_holds_all(largest, share):
    assert nice_scale(2 * largest, 2.0) == share
