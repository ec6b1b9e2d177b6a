import cv2
import numpy as np
import pytest
from skimage import color

from convcli.image import tone
from convcli.image.tone import Finish

RANDOM = np.random.default_rng(20)


def samples(dtype, channels=3, size=(37, 41)):
    if np.dtype(dtype).kind == "f":
        return RANDOM.random((*size, channels)).astype(dtype)
    return RANDOM.integers(0, np.iinfo(dtype).max, (*size, channels), dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gray_is_bit_equal_to_opencv(dtype):
    rgb = samples(dtype)
    np.testing.assert_array_equal(tone.to_gray(rgb)[..., 0], cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize(("dtype", "slack"), [(np.float64, 1e-12), (np.int16, 0.5 + 1e-9)])
def test_gray_of_types_that_opencv_lacks_follows_the_formula(dtype, slack):
    rgb = samples(dtype)
    exact = 0.299 * rgb[..., 0] + 0.587 * rgb[..., 1] + 0.114 * rgb[..., 2]
    gray = tone.to_gray(rgb)
    assert gray.dtype == dtype
    np.testing.assert_allclose(gray[..., 0], exact, rtol=0, atol=slack)


def test_gray_keeps_opacity_and_leaves_gray_alone():
    rgba = samples(np.uint8, channels=4)
    gray = tone.to_gray(rgba, alpha=True)
    assert gray.shape[2] == 2
    np.testing.assert_array_equal(gray[..., 1], rgba[..., 3])
    assert tone.to_gray(gray, alpha=True) is gray


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_linear_light_is_the_srgb_curve_and_comes_back(dtype):
    values = samples(dtype)
    white = tone.full_range(values.dtype)
    linear = tone.to_linear(values, white, np.dtype(np.float64))
    expected = values.astype(np.float64) / white
    expected = np.where(expected <= 0.04045, expected / 12.92, ((expected + 0.055) / 1.055) ** 2.4) * white
    np.testing.assert_allclose(linear, expected, rtol=1e-12)
    np.testing.assert_allclose(tone.from_linear(linear, white), values, rtol=1e-6, atol=1e-6 * white)


def test_linear_light_agrees_with_skimage_on_the_way_to_xyz():
    rgb = samples(np.float64)
    linear = tone.to_linear(rgb, 1.0, np.dtype(np.float64))
    to_xyz = color.rgb2xyz(np.eye(3)[np.newaxis])[0].T  # what pure, hence linear, red, green and blue are in XYZ
    np.testing.assert_allclose(linear @ to_xyz.T, color.rgb2xyz(rgb), rtol=0, atol=1e-7)


def test_linear_light_mirrors_negative_samples():
    values = np.array([[[-0.5], [0.5]]])
    linear = tone.to_linear(values, 1.0, np.dtype(np.float64))
    np.testing.assert_array_equal(linear[0, 0], -linear[0, 1])
    np.testing.assert_allclose(tone.from_linear(linear, 1.0), values, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_samples_come_back_where_something_is_visible(dtype):
    rgba = samples(dtype, channels=4)
    rgba[:5, :, 3] = 0
    white = tone.full_range(rgba.dtype)
    both = tone.premultiply(rgba[..., :3], rgba[..., 3:], white, np.dtype(np.float32))
    colour, alpha = tone.unpremultiply(both, 1.0, white)
    np.testing.assert_allclose(alpha, rgba[..., 3:], rtol=1e-6)
    visible = rgba[..., 3] > 0
    np.testing.assert_allclose(colour[visible], rgba[..., :3][visible], rtol=1e-5, atol=1e-3)
    assert not colour[~visible].any()


def test_unpremultiplied_opacity_is_clipped_and_the_sum_of_weights_taken_out():
    response = np.array([[[400.0, 900.0], [40.0, 100.0]]])
    colour, alpha = tone.unpremultiply(response, 2.0, 255.0)
    np.testing.assert_allclose(alpha.ravel(), [255.0, 50.0])
    np.testing.assert_allclose(colour.ravel(), [2 * 400 / (900 / 255), 2 * 40 / (100 / 255)])


def stretched(response, dtype):
    out = np.empty(response.shape, dtype)
    tone.stretch(response, tone.span(response), out)
    return out


def test_stretch_takes_all_channels_together_and_ignores_what_is_not_finite():
    response = np.array([[[-1.0, 0.0, 3.0], [np.nan, np.inf, -np.inf]]])
    assert stretched(response, np.uint8).tolist() == [[[0, 64, 255], [0, 255, 0]]]


@pytest.mark.parametrize("value", [7.25, np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_stretch_turns_a_constant_into_zero(dtype, value):
    assert not stretched(np.full((4, 5, 3), value, np.float32), dtype).any()


def test_depth_converts_by_full_range():
    assert tone.convert_depth(np.array([[[1], [255]]], np.uint8), np.dtype(np.uint16)).ravel().tolist() == [257, 65535]
    assert tone.convert_depth(np.array([[[65535], [128]]], np.uint16), np.dtype(np.uint8)).ravel().tolist() == [255, 0]
    floats = np.array([[[1.0], [0.5], [-1.0], [np.nan]]], np.float32)
    assert tone.convert_depth(floats, np.dtype(np.uint8)).ravel().tolist() == [255, 128, 0, 0]
    assert tone.convert_depth(np.array([[[200]]], np.uint8), np.dtype(np.float32)).item() == 200.0


@pytest.mark.parametrize(
    ("mapping", "dtype", "expected"),
    [
        ("clip", np.uint8, [0, 0, 2, 255]),
        ("abs", np.uint8, [255, 1, 2, 255]),
        ("offset", np.uint8, [0, 127, 130, 255]),
        ("offset", np.uint16, [32468, 32767, 32770, 33068]),
        ("abs", np.float32, [300.0, 1.0, 2.5, 300.0]),
    ],
)
def test_finish_maps_signs(mapping, dtype, expected):
    response = np.array([-300.0, -1.0, 2.5, 300.0], np.float32)
    out = np.empty(4, dtype)
    Finish(np.dtype(dtype), mapping=mapping)(response, out)
    assert out.tolist() == expected
