"""The example pictures that lie in the repository."""

import numpy as np
import pytest
from repository import EXAMPLES

from convcli.image.reading import read_image

FOLDER = EXAMPLES / "images"


@pytest.mark.parametrize(
    ("name", "size", "depth", "alpha"),
    [
        ("photo.png", (427, 640, 3), "u8", False),
        ("moon_16bit.png", (360, 480, 1), "u16", False),
        ("sprite.png", (200, 200, 4), "u8", True),
        ("portrait_exif6.jpg", (480, 360, 3), "u8", False),
    ],
)
def test_each_is_what_its_readme_says(name, size, depth, alpha):
    image = read_image(FOLDER / name)
    assert (image.size, image.depth, image.alpha, image.notes) == (size, depth, alpha, ())


def test_the_lighthouse_stands_upright():
    pixels = read_image(FOLDER / "portrait_exif6.jpg").pixels.astype(int)
    sky, glow = pixels[:60].mean(axis=(0, 1)), pixels[280:320, :120].mean(axis=(0, 1))
    assert sky[2] > sky[0]  # blue above
    assert glow[0] > glow[2] + 50  # the sunset's orange at the horizon


def test_the_sprite_has_soft_edges_on_black_transparency():
    pixels = read_image(FOLDER / "sprite.png").pixels
    alpha = pixels[:, :, 3]
    assert np.all(pixels[alpha == 0] == 0)
    assert ((alpha > 0) & (alpha < 255)).sum() > 1000


def test_they_are_small_enough_to_lie_in_a_repository():
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < 1_500_000
