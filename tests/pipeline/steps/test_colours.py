"""Steps between colour spaces."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage import color
from step_cases import run

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError

PICTURE = np.random.default_rng(5).uniform(0, 255, (12, 15, 3)).astype(np.float32)


@pytest.mark.parametrize("space", ["lab", "ycbcr", "hsv"])
@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_there_and_back_is_the_same(space, white):
    picture = PICTURE * np.float32(white / 255)
    text = f"steps: [to_{space}, from_{space}]"
    assert_allclose(run(parse_document(text), picture, white), picture, rtol=0, atol=2e-4 * white)


def test_white_is_that_of_the_document():
    assert_allclose(run(parse_document("steps: [to_lab]"), PICTURE), color.rgb2lab(PICTURE / 255.0), atol=0.02)
    hsv = run(parse_document("steps: [to_hsv]"), PICTURE)
    assert_allclose(hsv / (360, 1, 255), color.rgb2hsv(PICTURE / 255.0), atol=1e-5)


def test_lightness_alone_is_equalised():
    text = """
steps:
  - to_lab:
    name: lab
  - select: 1
  - multiply: 2.55
  - equalize
  - divide: 2.55
    name: light
  - select: [2, 3]
    from: lab
    name: colour
  - concat:
    from: [light, colour]
"""
    lab = run(parse_document(text), PICTURE)
    before = run(parse_document("steps: [to_lab]"), PICTURE)
    assert_allclose(lab[..., 1:], before[..., 1:])
    ranks = before[..., 0].ravel().argsort().argsort().reshape(12, 15)
    assert_allclose(lab[..., 0], ranks / ranks.max() * 100, atol=1e-3)


def test_other_numbers_of_channels_are_refused():
    with pytest.raises(DocumentError, match=r"steps\[1\]\.to_lab: takes 3 channels, not 1"):
        run(parse_document("steps: [gray, to_lab]"), PICTURE)
