"""GIF: its first picture, with its transparency."""

import io
import struct

import numpy as np
import pytest
from image_samples import pillow, saved, smooth
from numpy.testing import assert_array_equal
from PIL import Image as Pillow

from convcli.errors import ImageReadError, OutputError
from convcli.image.formats.registry import format_for
from convcli.image.reading import decode_image


def test_gif_gives_its_first_picture_with_its_transparency():
    first = Pillow.new("P", (4, 3), 1)
    first.putpalette([10, 20, 30, 40, 50, 60])
    first.putpixel((2, 1), 0)
    image = decode_image(saved(first, "GIF", transparency=0), "x")
    assert image.alpha
    assert image.pixels[0, 0].tolist() == [40, 50, 60, 255]
    assert image.pixels[1, 2, 3] == 0
    frames = [pillow(smooth(9, 9, seed=n)).quantize(8) for n in range(3)]
    image = decode_image(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "x")
    assert image.notes == ("3 pictures: only the first is used",)
    assert not image.alpha


def still() -> bytes:
    return saved(pillow(smooth(9, 12)).quantize(8), "GIF")


def shown(data: bytes) -> np.ndarray:
    with Pillow.open(io.BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGB"))


def test_a_frame_larger_than_the_canvas_is_read_whole():
    data = still()
    image = decode_image(data[:6] + struct.pack("<HH", 5, 4) + data[10:], "x")
    assert_array_equal(image.pixels, shown(data))


def test_a_file_without_its_end_mark_is_read():
    data = still()
    assert data.endswith(b";")
    assert_array_equal(decode_image(data[:-1], "x").pixels, shown(data))


@pytest.mark.parametrize("kept", [13, 40, -20])
def test_a_picture_that_is_cut_is_refused(kept):
    with pytest.raises(ImageReadError, match="x: truncated"):
        decode_image(still()[:kept], "x")


def test_a_canvas_that_no_file_of_its_length_can_fill_is_refused_before_it_is_decoded():
    data = still()
    bomb = data[:6] + struct.pack("<HH", 32768, 16385) + data[10:]
    with pytest.raises(ImageReadError, match=r"x: .*32768 x 16385 pixels"):
        decode_image(bomb, "x")


def test_a_gif_is_not_written():
    with pytest.raises(OutputError, match="GIF, with its 256 colours, is only read"):
        format_for("a.gif")
