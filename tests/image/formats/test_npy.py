"""NPY: arrays that are images, and those that are not."""

import numpy as np
import pytest
from image_samples import npy, smooth

from convcli.errors import ImageReadError
from convcli.image.model import Image
from convcli.image.reading import decode_image
from convcli.image.writing import write_image


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "u4", "i1", "i2", ">i4", "f4", ">f4", "f8"])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4), (4, 5, 100)])
def test_npy_of_our_depths(dtype, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    image = decode_image(npy(array), "x")
    np.testing.assert_array_equal(image.pixels, array if array.ndim == 3 else array[:, :, np.newaxis])
    assert image.pixels.dtype.isnative


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4), np.int64), "an array of int64; save it as one of u8, u16, u32, i8, i16, i32, f32, f64"),
        (np.zeros((4, 4), complex), "an array of complex128"),
        (np.array([[{}]]), "an array of object"),
        (np.zeros(4, np.uint8), r"shape \(4,\); an image is \(H, W\)"),
        (np.zeros((0, 4), np.uint8), "an empty array"),
    ],
)
def test_npy_that_is_no_image_is_refused(array, message):
    with pytest.raises(ImageReadError, match=message):
        decode_image(npy(array), "x.npy")


def test_booleans_are_black_and_white_and_half_floats_are_floats():
    mask = np.arange(20).reshape(4, 5) % 3 == 0
    image = decode_image(npy(mask), "x")
    np.testing.assert_array_equal(image.pixels[:, :, 0], np.where(mask, np.uint8(255), np.uint8(0)), strict=True)
    half = np.linspace(-1, 1, 20).reshape(4, 5).astype(np.float16)
    image = decode_image(npy(half), "x")
    np.testing.assert_array_equal(image.pixels[:, :, 0], half.astype(np.float32), strict=True)


@pytest.mark.parametrize(
    ("channels", "roles"),
    [(2, ("gray", "data")), (3, ("red", "green", "blue")), (4, ("gray", "data", "data", "data"))],
)
def test_the_channels_of_an_array_are_colours_or_data_and_never_alpha(channels, roles):
    image = decode_image(npy(smooth(8, 9, channels)), "x")
    assert (image.roles, image.alpha) == (roles, False)


@pytest.mark.parametrize("channels", [2, 5, 7])
def test_channels_that_are_no_picture_are_written_as_an_array(tmp_path, channels):
    samples = smooth(8, 9, channels, "f32")
    write_image(tmp_path / "maps.npy", Image(samples))
    np.testing.assert_array_equal(np.load(tmp_path / "maps.npy"), samples, strict=True)
