"""GIF: its first picture, with its transparency."""

import pytest
from image_samples import pillow, saved, smooth
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


def test_a_block_of_no_known_kind_is_damage():
    data = saved(pillow(smooth(9, 9)).quantize(8), "GIF")
    place = 13 + 3 * 8
    assert data[place] in (0x21, 0x2C)
    with pytest.raises(ImageReadError, match=f"x: damaged GIF, an unknown block at byte {place}"):
        decode_image(data[:place] + b"\x7f" + data[place + 1 :], "x")


def test_a_gif_is_not_written():
    with pytest.raises(OutputError, match="GIF, with its 256 colours, is only read"):
        format_for("a.gif")
