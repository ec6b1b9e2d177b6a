"""JPEG XL: lossless unless a quality is asked for, its header, its metadata, damage."""

import imagecodecs
import numpy as np
import pytest
from image_samples import rough, smooth
from numpy.testing import assert_allclose, assert_array_equal

from convcli.errors import ImageReadError, UsageError
from convcli.image.formats import jpegxl
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image

JXL = written_formats()["jxl"]
EXIF = b"II*\0\x08\0\0\0\x01\0\x31\x01\x02\0\x02\0\0\0a\0\0\0\0\0\0\0"


@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("metadata", [Metadata(), Metadata(EXIF, b"<x/>")])
def test_nothing_is_lost_and_samples_are_said_to_be_srgb(depth, channels, metadata):
    image = Image(rough(20, 30, channels, depth), channels in (2, 4), metadata)
    data = bytes(encode_image(image, JXL)[0])
    assert_array_equal(imagecodecs.jpegxl_decode(data).reshape(20, 30, -1), image.pixels)
    again = decode_image(data, "x")
    assert_array_equal(again.pixels, image.pixels)
    assert (again.alpha, again.notes) == (image.alpha, ())
    assert (again.metadata.exif, again.metadata.xmp) == (metadata.exif, metadata.xmp)


def test_a_quality_loses_a_little_and_is_for_8_bits():
    image = Image(smooth(60, 80))
    small, large = (bytes(encode_image(image, JXL, quality=q)[0]) for q in (30, 95))
    assert len(small) < len(large) < len(encode_image(image, JXL)[0])
    assert_allclose(decode_image(large, "x").pixels.astype(int), image.pixels.astype(int), rtol=0, atol=30)
    with pytest.raises(UsageError, match="16 bits is written without loss: leave --quality out, or say --depth u8"):
        encode_image(Image(rough(20, 30, 3, "u16")), JXL, quality=90)


@pytest.mark.parametrize("size", [(8, 8), (16, 9), (1, 1), (300, 17), (9, 16), (600, 400)])
def test_the_header_says_the_size(size):
    data = bytes(imagecodecs.jpegxl_encode(np.zeros((*size, 3), np.uint8), lossless=True))
    header = jpegxl._header(data)
    assert (header.height, header.width, header.bits, header.channels) == (*size, 8, 3)


def test_floats_are_read_as_they_are():
    pixels = smooth(20, 30, 3, "f32") / np.float32(300)
    image = decode_image(bytes(imagecodecs.jpegxl_encode(pixels, lossless=True)), "x")
    assert_allclose(image.pixels, pixels, rtol=0, atol=1e-6)
    assert any("not sRGB" in note for note in image.notes)  # floats are linear light there


def test_ten_bits_fill_the_whole_range():
    pixels = rough(20, 30, 3, "u16") >> 6
    image = decode_image(bytes(imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=10)), "x")
    assert_array_equal(image.pixels, np.rint(pixels * (65535 / 1023)))


@pytest.mark.parametrize("kept", [2, 30, -5])
def test_a_file_that_is_cut_is_refused(kept):
    data = bytes(imagecodecs.jpegxl_encode(rough(40, 50), lossless=True))
    with pytest.raises(ImageReadError, match=r"x: truncated|x: damaged|x: .*pixels"):
        decode_image(data[:kept], "x")
