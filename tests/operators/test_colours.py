"""Colour spaces against scikit-image, colorsys' formulas there, and the matrix of JPEG."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage import color

from convcli.errors import FilterError
from convcli.operators.colours import from_hsv, from_lab, from_ycbcr, to_hsv, to_lab, to_ycbcr

RGB = np.random.default_rng(3).random((30, 40, 3)).astype(np.float32)
RGB[0] = [[0, 0, 0]] * 20 + [[1, 1, 1]] * 20
RGB[1, :, :] = RGB[1, :, :1]


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_lab_is_that_of_scikit_image(white):
    lab = to_lab(RGB * white, white)
    # OpenCV and scikit-image differ in the last places of their matrices.
    assert_allclose(lab, color.rgb2lab(RGB.astype(np.float64)), rtol=0, atol=0.02)
    assert_allclose(from_lab(lab, white), RGB * white, rtol=0, atol=1e-4 * white)
    assert_allclose(to_lab(RGB * 3 * white, white), to_lab(np.minimum(RGB * 3, 1) * white, white), atol=1e-3)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_hsv_is_that_of_scikit_image(white):
    hsv = to_hsv(RGB * white, white)
    assert_allclose(hsv / (360, 1, white), color.rgb2hsv(RGB.astype(np.float64)), rtol=0, atol=1e-5)
    assert_allclose(from_hsv(hsv, white), RGB * white, rtol=0, atol=1e-5 * white)


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_ycbcr_is_that_of_jpeg(white):
    red, green, blue = np.moveaxis(RGB.astype(np.float64) * white, 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    expected = np.stack([luma, (blue - luma) / 1.772 + white / 2, (red - luma) / 1.402 + white / 2], axis=2)
    assert_allclose(to_ycbcr(RGB * white, white), expected, rtol=0, atol=1e-6 * white)
    assert_allclose(from_ycbcr(expected, white), RGB * white, rtol=0, atol=2e-6 * white)


@pytest.mark.parametrize("convert", [to_lab, from_lab, to_ycbcr, from_ycbcr, to_hsv, from_hsv])
def test_a_missing_sample_spoils_its_colour_and_no_other(convert):
    holed = RGB.copy()
    holed[3, 4, 1] = np.nan
    spoilt = np.isnan(convert(holed)).any(axis=2)
    assert spoilt[3, 4]
    assert spoilt.sum() == 1
    with pytest.raises(FilterError, match="a colour has 3 channels, and the input 2"):
        convert(RGB[..., :2])
