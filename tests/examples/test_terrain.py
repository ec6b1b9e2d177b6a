"""The example of an elevation model."""

import runpy
from pathlib import Path

import numpy as np
from repository import EXAMPLES

from convcli.image.reading import read_image

FOLDER = EXAMPLES / "terrain"


def test_it_says_what_is_missing():
    image = read_image(FOLDER / "dem.tif")
    assert (image.size, image.depth, image.nodata, image.notes) == ((120, 160, 1), "i16", -9999, ())
    missing = image.pixels == -9999
    assert 0.05 < missing.mean() < 0.15
    assert image.pixels[~missing].min() > 0


def test_its_script_makes_it():
    made = runpy.run_path(str(Path(FOLDER) / "make_dem.py"))["heights"]()
    assert np.array_equal(made, read_image(FOLDER / "dem.tif").pixels[:, :, 0])
