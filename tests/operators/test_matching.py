"""Template matching against OpenCV and scikit-image."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random
from repository import PHOTO
from skimage.feature import match_template as skimage_match

from convcli.errors import FilterError, UsageError
from convcli.operators.matching import match_template

PHOTO = cv2.imread(str(PHOTO))


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
    ("call", "error", "message"),
    [
        (lambda: match_template(np.ones((4, 4, 1)), np.ones((2, 2, 1))), UsageError, "of one colour"),
        (lambda: match_template(np.ones((4, 4, 1)), np.ones((2, 2, 3))), FilterError, "a pattern of 3 channels"),
        (lambda: match_template(np.ones((4, 4, 1)), np.ones((5, 2, 1))), FilterError, "5 x 2 pixels is larger than"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
