"""JPEG 2000: lossless unless a quality is asked for."""

import numpy as np
import pytest
from image_samples import rough

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
