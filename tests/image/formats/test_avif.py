"""AVIF: 10 and 12 bits over the full range."""

import cv2
import numpy as np
import pytest

from convcli.image.reading import decode_image


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_is_stretched_to_16_bits(bits):
    deep = np.full((16, 16, 3), 2**bits - 1, np.uint16)
    deep[:8] = 0
    data = cv2.imencode(".avif", deep, [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100])[1].tobytes()
    pixels = decode_image(data, "x").pixels
    assert (pixels.dtype, pixels.min(), pixels.max()) == (np.uint16, 0, 65535)
