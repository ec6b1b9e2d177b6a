"""Netpbm and PFM: files written by hand."""

import struct

import numpy as np
import pytest

from convcli.image.reading import decode_image


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (b"P1 # a comment\n3 2\n101\n0 1 0\n", [[0, 255, 0], [255, 0, 255]]),
        (b"P2\n3 1\n# another\n15\n0 5 15\n", [[0, 85, 255]]),
        (b"P2 2 1 1000 0 1000", [[0, 65535]]),
        (b"P3\n1 1\n255\n1 2 3", [[[1, 2, 3]]]),
        (b"P4\n9 1\n\x80\x80", [[0, 255, 255, 255, 255, 255, 255, 255, 0]]),
        (b"P5 2 1 255 \x01\x02", [[1, 2]]),
        (b"P5 2 1 65535\n\x01\x02\xff\xff", [[258, 65535]]),
        (b"P6\n1 1\n255\n\x01\x02\x03", [[[1, 2, 3]]]),
        (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x07\x09", [[[7, 9]]]),
        (b"Pf\n1 2\n-1.0\n" + struct.pack("<ff", -2.5, 3), [[3], [-2.5]]),
        (b"PF\n1 1\n1.0\n" + struct.pack(">fff", 1, 2, 3), [[[1, 2, 3]]]),
    ],
)
def test_netpbm_files_written_by_hand(data, pixels):
    wanted = np.array(pixels)
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels, wanted if wanted.ndim == 3 else wanted[:, :, np.newaxis])
