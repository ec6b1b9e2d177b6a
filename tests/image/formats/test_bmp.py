"""BMP: alpha where its masks say so, and the oldest header."""

import struct

import numpy as np
import pytest
from image_samples import smooth

from convcli.image.reading import decode_image


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
