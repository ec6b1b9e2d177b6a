"""The image that backends are compared on."""

import cv2
import numpy as np
import pytest

from convcli.benchmark.compared_image import made_image, read_compared_image
from convcli.errors import UsageError

PIXELS = np.random.default_rng(5).integers(0, 256, (6, 5, 4), dtype=np.uint8)


def test_an_image_is_compared_with_its_opacity_and_a_note_says_so(tmp_path):
    path = str(tmp_path / "a.png")
    assert cv2.imwrite(path, PIXELS)
    image = read_compared_image(path)
    np.testing.assert_array_equal(image.pixels, PIXELS[..., [2, 1, 0, 3]])
    assert image.name == path
    assert image.notes == ("opacity is filtered as any other channel here",)


def test_gray_is_the_luma(tmp_path):
    path = str(tmp_path / "a.png")
    assert cv2.imwrite(path, PIXELS[..., :3])
    image = read_compared_image(path, gray=True)
    np.testing.assert_array_equal(image.pixels[..., 0], cv2.cvtColor(PIXELS[..., :3], cv2.COLOR_BGR2GRAY))
    assert image.notes == ()


def test_a_made_image_has_the_form_that_was_asked_for():
    image = made_image("4x6x2:f32")
    assert (image.pixels.shape, image.pixels.dtype, image.name) == ((4, 6, 2), np.float32, "synthetic")
    with pytest.raises(UsageError, match="--synthetic takes rows x columns x channels"):
        made_image("4")
