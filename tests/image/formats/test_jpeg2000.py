"""JPEG 2000: lossless unless a quality is asked for."""

import numpy as np
import pytest
from image_samples import pillow, rough, saved

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image


@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_jpeg_2000_loses_nothing_unless_a_quality_says_so(depth, channels):
    pixels = rough(40, 50, channels, depth)
    image = Image(pixels, channels == 4)
    data, _ = encode_image(image, written_formats()["jp2"])
    np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, pixels)
    assert len(encode_image(image, written_formats()["jp2"], quality=10)[0]) < len(data) / 4


@pytest.mark.parametrize("bare", [False, True])
def test_a_file_and_a_bare_codestream_read_the_same(bare):
    pixels = rough(40, 50)
    image = decode_image(saved(pillow(pixels), "JPEG2000", irreversible=False, no_jp2=bare), "x")
    assert (image.format, image.alpha) == ("jp2", False)
    np.testing.assert_array_equal(image.pixels, pixels)


def test_gray_with_alpha_is_refused_with_what_to_do():
    with pytest.raises(ImageReadError, match="x: a JPEG 2000 of gray and alpha, which OpenCV does not decode; convert"):
        decode_image(saved(pillow(rough(40, 50, 2)), "JPEG2000"), "x")
