"""Large PNG read while libraries load: the same picture, once, unless the file has changed."""

import os

import numpy as np
import pytest
from image_samples import pillow, rough, saved, srgb_profile

from convcli.errors import ImageReadError
from convcli.image import read_ahead
from convcli.image.reading import read_image


def png_bytes(pixels, **options):
    return saved(pillow(pixels), "PNG", compress_level=1, **options)


def test_what_is_read_ahead_is_the_same_and_is_taken_once(tmp_path):
    path = tmp_path / "photo.png"
    pixels = rough(1200, 800)
    profile = srgb_profile()
    path.write_bytes(png_bytes(pixels, icc_profile=profile))
    read_ahead.begin(str(path))
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.metadata.icc == profile
    assert read_ahead.take(str(path)) is None


@pytest.mark.parametrize("change", ["other", "damaged", "small", "gone", "text"])
def test_what_has_changed_or_is_no_large_png_is_not_read_ahead(tmp_path, change):
    path = tmp_path / "photo.png"
    data = png_bytes(rough(1200, 800))
    if change == "damaged":
        data = data[:90_000] + bytes([data[90_000] ^ 1]) + data[90_001:]
    elif change == "text":
        data = b"text" * 200_000
    elif change == "small":
        data = png_bytes(rough(20, 30))
    path.write_bytes(data)
    read_ahead.begin(str(path))
    other = rough(1200, 800, seed=1)
    if change == "other":
        replacement = tmp_path / "other.png"
        replacement.write_bytes(png_bytes(other))
        replacement.rename(path)
        np.testing.assert_array_equal(read_image(path).pixels, other)
    elif change == "small":
        assert read_image(path).size == (20, 30, 3)
    else:
        if change == "gone":
            path.unlink()
        message = {"damaged": "wrong checksum in its picture data", "gone": "no such file", "text": "it is text"}[
            change
        ]
        with pytest.raises(ImageReadError, match=message):
            read_image(path)


def test_nothing_but_a_file_is_read_ahead(tmp_path):
    fifo = tmp_path / "pipe.png"
    os.mkfifo(fifo)
    read_ahead.begin(str(fifo))  # nobody writes: to open it would be to wait for ever
    assert read_ahead.take(str(fifo)) is None
