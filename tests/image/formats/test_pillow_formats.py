"""ICO, TGA, QOI, PCX, SGI and PSD: the samples that were saved, and what is refused."""

import io
import struct

import numpy as np
import pytest
from image_samples import pillow, rough, saved, smooth
from numpy.testing import assert_array_equal

from convcli.errors import ImageReadError
from convcli.image.formats.registry import format_of, known_formats
from convcli.image.reading import decode_image


@pytest.mark.parametrize(
    ("kind", "channels", "options"),
    [
        ("TGA", 1, {}),
        ("TGA", 3, {}),
        ("TGA", 4, {"compression": "tga_rle"}),
        ("PCX", 1, {}),
        ("PCX", 3, {}),
        ("QOI", 3, {}),
        ("QOI", 4, {}),
        ("SGI", 1, {}),
        ("SGI", 3, {}),
        ("SGI", 4, {}),
        ("ICO", 4, {"sizes": [(24, 16)]}),
    ],
)
def test_samples_come_as_they_were_saved(kind, channels, options):
    pixels = rough(16, 24, channels)
    data = saved(pillow(pixels), kind, **options)
    image = decode_image(data, "x")
    assert image.format == kind.lower()
    assert_array_equal(image.pixels, pixels)
    assert image.alpha == (channels == 4)
    described = next(format_ for format_ in known_formats() if format_.name == kind.lower())
    assert described.decoded_bytes(io.BytesIO(data)) == pixels.nbytes


def psd(pixels, bits=8, mode=3, version=1):
    height, width, channels = pixels.shape
    planes = np.moveaxis(pixels, 2, 0).astype(pixels.dtype.newbyteorder(">")).tobytes()
    header = b"8BPS" + struct.pack(">H6xHIIHH", version, channels, height, width, bits, mode)
    return header + bytes(12) + b"\0\0" + planes


@pytest.mark.parametrize(("channels", "mode"), [(1, 1), (3, 3)])
def test_the_merged_picture_of_a_psd_is_read(channels, mode):
    pixels = smooth(16, 24, channels)
    image = decode_image(psd(pixels, mode=mode), "x")
    assert_array_equal(image.pixels, pixels)
    assert image.notes == ("only the merged picture of its layers is used",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (psd(rough(4, 5, 3, "u16"), bits=16), "a PSD of 16 bits a sample, which is not read; export it as TIFF"),
        (psd(rough(4, 5, 4), mode=4), r"a PSD of inks \(CMYK\), which is not read"),
        (psd(rough(4, 5), version=2), "a PSB, Photoshop's large document"),
        (psd(rough(4, 5))[:-1], "truncated PSD, its merged picture is not whole"),
        (saved(pillow(rough(16, 24)), "SGI")[:-9], "truncated or damaged SGI"),
        (saved(pillow(rough(16, 24)), "TGA")[:-90], "truncated or damaged TGA"),
    ],
)
def test_what_would_be_read_in_part_is_refused(data, message):
    with pytest.raises(ImageReadError, match=f"x: {message}"):
        decode_image(data, "x")


@pytest.mark.parametrize("start", [bytes(256), b"\0\0\2\0" + bytes(252), b"some text " * 26, bytes(range(256))])
def test_what_fits_no_header_is_no_tga(start):
    assert format_of(start) is None
