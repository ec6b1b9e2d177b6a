"""WebP: its chunks are whole, its metadata lies where the format wants it, and quality 100 loses nothing."""

import io

import numpy as np
import pytest
from image_samples import XMP, exif, pillow, rough, saved, smooth, srgb_profile
from PIL import Image as Pillow

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image

WEBP = written_formats()["webp"]


def chunks(data: bytes) -> list[bytes]:
    """The types of a file's chunks, each checked to lie within it."""
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    kinds, place = [], 12
    while place < len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        kinds.append(data[place : place + 4])
        place += 8 + length + length % 2
    assert place == len(data)
    return kinds


@pytest.mark.parametrize("channels", [3, 4])
def test_metadata_makes_an_extended_file_that_says_what_is_in_it(channels):
    profile = srgb_profile()
    metadata = Metadata(exif(), XMP, profile, stored_size=(40, 60))
    data = bytes(encode_image(Image(smooth(40, 60, channels), channels == 4, metadata), WEBP)[0])
    kinds = chunks(data)
    assert kinds[:2] == [b"VP8X", b"ICCP"]
    assert kinds[-2:] == [b"EXIF", b"XMP "]
    assert data[20] == 0x20 | 0x08 | 0x04 | (0x10 if channels == 4 else 0)
    with Pillow.open(io.BytesIO(data)) as image:
        assert (image.size, image.mode) == ((60, 40), "RGB" if channels == 3 else "RGBA")
        assert image.info["icc_profile"] == profile


def test_a_picture_without_metadata_is_not_extended():
    assert chunks(bytes(encode_image(Image(smooth(40, 60)), WEBP)[0]))[0] in (b"VP8 ", b"VP8L")


def test_quality_100_loses_nothing_and_99_does():
    pixels = rough(40, 50)
    for quality, same in ((100, True), (99, False)):
        data, _ = encode_image(Image(pixels), WEBP, quality=quality)
        assert np.array_equal(decode_image(bytes(data), "x").pixels, pixels) == same


def test_an_animation_gives_its_first_picture_and_a_note():
    frames = [pillow(smooth(20, 30, seed=seed)) for seed in range(3)]
    image = decode_image(saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True), "x")
    np.testing.assert_array_equal(image.pixels[:, :, :3], np.asarray(frames[0]))
    assert image.notes == ("an animation: only its first picture is used",)


def test_a_file_without_a_picture_is_damaged():
    data = b"RIFF" + (4 + 8 + 10).to_bytes(4, "little") + b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(10)
    with pytest.raises(ImageReadError, match="x: truncated or damaged WebP, it holds no picture"):
        decode_image(data, "x")


def test_a_picture_of_one_colour_in_fewer_bytes_than_opencv_looks_at_is_read():
    # 16 x 8 transparent pixels, losslessly: five prefix codes of one symbol each take no bits for a pixel.
    stream = b"\x2f" + (15 | 7 << 14 | 1 << 28).to_bytes(4, "little") + bytes([0x88, 0x88, 0x08])
    body = b"WEBPVP8L" + len(stream).to_bytes(4, "little") + stream
    data = b"RIFF" + len(body).to_bytes(4, "little") + body
    with Pillow.open(io.BytesIO(data)) as picture:
        expected = np.asarray(picture.convert("RGBA"))
    assert len(data) < 32
    np.testing.assert_array_equal(decode_image(data, "one.webp").pixels, expected)
