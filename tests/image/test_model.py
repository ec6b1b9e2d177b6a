"""Images in memory: whether a picture fits is known from its header."""

import struct
import zlib

import pytest
from image_samples import pillow, rough, saved

from convcli.errors import ImageReadError
from convcli.image.model import Metadata, check_fits_memory
from convcli.image.reading import decode_image
from convcli.system import memory


def test_a_picture_larger_than_memory_is_refused_before_it_is_decoded(monkeypatch):
    huge = b"P5 30000 30000 255 "
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**9)
    message = r"huge.pgm: 30000 x 30000 pixels need 1.8 GB of memory, and 1.0 GB are free; cut it up"
    with pytest.raises(ImageReadError, match=message):
        decode_image(huge, "huge.pgm")


@pytest.mark.parametrize(
    "data",
    [
        saved(pillow(rough(8, 9)), "WEBP", lossless=True, exif=b"Exif\0\0" + bytes(9)).replace(
            struct.pack("<HBHB", 8, 0, 7, 0), struct.pack("<HBHB", 0xFFFF, 0, 0xFFFF, 0)
        ),
    ],
)
def test_more_pixels_than_opencv_decodes_are_refused_by_their_header(data):
    message = (
        r"x: \d+ x \d+ pixels are more than the 1,073,741,824 that OpenCV decodes; convert it to TIFF or cut it up"
    )
    with pytest.raises(ImageReadError, match=message):
        decode_image(data, "x")


def test_a_side_that_opencv_does_not_decode_is_refused_by_its_header(capfd):
    lines = zlib.compress(bytes(1_000_002), 9)
    header = struct.pack(">IIBBBBB", 1_000_001, 1, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", lines), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with pytest.raises(ImageReadError, match="x: 1000001 x 1 pixels are more than the 1,000,000 a side that OpenCV"):
        decode_image(data, "x")
    assert capfd.readouterr().err == ""


def test_a_picture_needs_its_size_twice_and_a_small_one_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**6)
    with pytest.raises(ImageReadError, match="1000 x 2000 pixels need 12 MB of memory, and 1 MB are free; cut it up"):
        check_fits_memory("x", (2000, 1000, 3), 1)
    check_fits_memory("x", (1000, 1000, 1), 1)
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    check_fits_memory("x", (2000, 1000, 3), 1)
    monkeypatch.setattr(memory, "available_bytes", lambda: 12 * 10**6)
    check_fits_memory("x", (2000, 1000, 3), 1)


@pytest.mark.parametrize(
    ("metadata", "empty"),
    [
        (Metadata(stored_size=(4, 5), jpeg_quality=90, jpeg_subsampling="4:2:0", tiff_compression="lzw"), True),
        (Metadata(exif=b""), False),
        (Metadata(xmp=b"x"), False),
        (Metadata(icc=b"x"), False),
        (Metadata(resolution=(72, 72)), False),
        (Metadata(png_colour=((b"sRGB", b"\0"),)), False),
    ],
)
def test_metadata_is_empty_where_none_of_it_would_be_written(metadata, empty):
    assert metadata.is_empty == empty
