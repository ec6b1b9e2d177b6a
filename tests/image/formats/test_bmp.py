"""BMP: alpha where its masks say so, the oldest header, and resolution."""

import io
import struct

import numpy as np
import pytest
from image_samples import rough, smooth
from PIL import Image as Pillow

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image


def bmp(pixels: np.ndarray, header: bytes, masks: bytes = b"") -> bytes:
    rows = b"".join(row.tobytes() + bytes(-row.nbytes % 4) for row in pixels[::-1])
    start = 14 + len(header) + len(masks)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + masks + rows


@pytest.mark.parametrize("size", [40, 56, 108, 124])
@pytest.mark.parametrize("alpha_mask", [0, 0xFF000000])
def test_a_bmp_of_32_bits_has_the_alpha_that_its_masks_say(size, alpha_mask):
    pixels = smooth(9, 13, 4)
    if not alpha_mask or size == 40:
        pixels[:, :, 3] = 0
    header = struct.pack("<IiiHHIIiiII", size, 13, 9, 1, 32, 3, pixels.nbytes, 0, 0, 0, 0)
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, alpha_mask).ljust(size - 40, b"\0")
    image = decode_image(bmp(pixels[:, :, [2, 1, 0, 3]], header, masks[:12] if size == 40 else masks), "x")
    expected = pixels if alpha_mask and size > 40 else pixels[:, :, :3]
    np.testing.assert_array_equal(image.pixels, expected)


def test_a_bmp_with_the_oldest_header_keeps_its_colours():
    pixels = smooth(9, 13)
    image = decode_image(bmp(pixels[:, :, ::-1], struct.pack("<IHHHH", 12, 13, 9, 1, 24)), "x")
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_resolution_comes_back_to_the_nearest_dot_a_metre(channels):
    image = Image(rough(9, 13, channels), channels == 4, Metadata(resolution=(300, 150)))
    data = bytes(encode_image(image, written_formats()["bmp"])[0])
    with Pillow.open(io.BytesIO(data)) as opened:
        np.testing.assert_allclose(opened.info["dpi"], (300, 150), atol=0.02)
    again = decode_image(data, "x")
    np.testing.assert_allclose(again.metadata.resolution, (300, 150), atol=0.02)
    np.testing.assert_array_equal(again.pixels, image.pixels)


def test_a_header_that_is_cut_is_named():
    with pytest.raises(ImageReadError, match="x: truncated BMP, its header is not whole"):
        decode_image(b"BM" + bytes(20), "x")
