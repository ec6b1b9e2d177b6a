"""Netpbm and PFM: files written by hand, damage by its name, and the header of each format."""

import struct

import numpy as np
import pytest
from image_samples import smooth

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.reading import decode_image
from convcli.image.writing import as_image, encode_image


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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P5 2", "truncated P5 file, its header is not whole"),
        (b"P5 2 1 255 \1", "truncated P5 file, 1 bytes are missing"),
        (b"P2 2 1 255 7", "truncated P2 file, 1 numbers are missing"),
        (b"P2 2 1 255 7 seven", "damaged P2 file, not all of it is numbers"),
        (b"P5 0 1 255 ", "damaged header, '0' is no width"),
        (b"P5 1 -1 255 ", "damaged header, '-1' is no height"),
        (b"P5 1 1 65536 ", "65536 is no largest value"),
        (b"P7\nWIDTH 1\n", "truncated P7 file, its header is not whole"),
        (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n12345", "a PAM of 5 channels"),
        (b"P7\nWIDTH 1\nHEIGHT 1\nMAXVAL 255\nENDHDR\n1", "'' is no DEPTH"),
        (b"Pf 1 1 scale ", "is no scale"),
    ],
)
def test_damage_is_named(data, message):
    with pytest.raises(ImageReadError, match=message):
        decode_image(data, "x")


@pytest.mark.parametrize(
    ("name", "channels", "depth", "start"),
    [
        ("pgm", 1, "u8", b"P5\n5 4\n255\n"),
        ("ppm", 3, "u16", b"P6\n5 4\n65535\n"),
        ("ppm", 1, "u8", b"P6\n5 4\n255\n"),
        ("pnm", 1, "u8", b"P5\n5 4\n255\n"),
        ("pnm", 3, "u8", b"P6\n5 4\n255\n"),
        ("pam", 2, "u8", b"P7\nWIDTH 5\nHEIGHT 4\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n"),
        ("pfm", 3, "f32", b"PF\n5 4\n-1.0\n"),
    ],
)
def test_each_format_writes_its_own_header(name, channels, depth, start):
    data, _ = encode_image(as_image(smooth(4, 5, channels, depth)), written_formats()[name])
    assert bytes(data).startswith(start)
    stored = written_formats()[name].stored_channels(channels)
    assert len(data) == len(start) + 4 * 5 * stored * {"u8": 1, "u16": 2, "f32": 4}[depth]
