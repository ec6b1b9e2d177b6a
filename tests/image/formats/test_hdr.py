"""Radiance HDR: as OpenCV reads it, and without negative values."""

import numpy as np
from image_samples import hdr, smooth

from convcli.image.formats.registry import written_formats
from convcli.image.reading import decode_image
from convcli.image.writing import as_image, encode_image


def test_hdr_agrees_with_opencv():
    pixels = smooth(20, 30, 3, "f32")
    np.testing.assert_allclose(decode_image(hdr(pixels), "x").pixels, pixels, atol=0.01)


def test_hdr_says_that_it_cuts_what_is_negative():
    _, notes = encode_image(as_image(smooth(8, 8, 3, "f32") - 0.5), written_formats()["hdr"])
    assert notes == ("negative values became 0: Radiance HDR holds none; write .tiff, .pfm or .npy",)
