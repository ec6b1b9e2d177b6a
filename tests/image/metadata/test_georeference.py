"""Georeferences of pictures that were cut or strided, with GDAL as the oracle, by rasterio."""

import numpy as np
import pytest
import tifffile

from convcli.image.metadata.georeference import adjusted_georeference
from convcli.image.model import Metadata
from convcli.image.reading import read_image
from convcli.image.writing import write_image

rasterio = pytest.importorskip("rasterio")

AREA, POINT = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633), (1, 1, 0, 2, 1024, 0, 1, 1, 1025, 0, 1, 2)
SCALE = (33550, "d", 3, (30.0, 20.0, 0.0), True)
TIE = (33922, "d", 6, (2.0, 3.0, 0.0, 5e5, 5.2e6, 0.0), True)
TURNED = (34264, "d", 16, (10.0, 2.0, 0, 4e5, 2.5, -11.0, 0, 6e6, 0, 0, 0, 0, 0, 0, 0, 1.0), True)
CASES = [((1, 1), (5, 7)), ((2, 3), (0, 0)), ((3, 2), (4, 9)), ((2, 2), (-1, -2))]
PIXELS = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)


def keys(values):
    return (34735, "H", len(values), values, True)


def moved(tmp_path, tags, stride, offset):
    """Write a GeoTIFF, and what is left of it after it is cut and strided; return both paths."""
    before, after = tmp_path / "before.tif", tmp_path / "after.tif"
    tifffile.imwrite(before, PIXELS, extratags=tags, metadata=None)
    image = read_image(before)
    metadata, notes = adjusted_georeference(image.metadata, stride, offset)
    assert notes == ()
    write_image(after, type(image)(image.pixels[:: stride[0], :: stride[1]], metadata=metadata))
    return before, after


@pytest.mark.parametrize(("stride", "offset"), CASES)
@pytest.mark.parametrize("raster", [AREA, POINT], ids=["area", "point"])
@pytest.mark.parametrize("tags", [[SCALE, TIE], [TURNED]], ids=["scale", "turned"])
def test_the_centre_of_every_pixel_stays_where_it_was(tmp_path, tags, raster, stride, offset):
    before, after = moved(tmp_path, [*tags, keys(raster)], stride, offset)
    with rasterio.open(before) as old, rasterio.open(after) as new:
        for row, column in ((0, 0), (3, 5), (9, 2)):
            here = new.xy(row, column)
            there = old.xy(row * stride[0] + offset[0], column * stride[1] + offset[1])
            np.testing.assert_allclose(here, there, rtol=1e-12, atol=1e-6)


@pytest.mark.parametrize(("stride", "offset"), CASES)
def test_ground_control_points_stay_over_what_they_mark(tmp_path, stride, offset):
    points = [(0.5, 0.5), (20.5, 4.5), (10.5, 30.5)]
    values = [number for column, row in points for number in (column, row, 0, 100 + column, 50 - row, 0)]
    tags = [(33922, "d", 18, tuple(map(float, values)), True), keys(AREA)]
    _, after = moved(tmp_path, tags, stride, offset)
    with rasterio.open(after) as new:
        found, _ = new.gcps
    for point, (column, row) in zip(found, points, strict=True):
        # A corner-based coordinate less a half is that of the pixel's centre.
        assert (point.col - 0.5) * stride[1] + offset[1] == pytest.approx(column - 0.5, abs=1e-9)
        assert (point.row - 0.5) * stride[0] + offset[0] == pytest.approx(row - 0.5, abs=1e-9)


@pytest.mark.parametrize(("stride", "offset"), CASES)
def test_rational_polynomials_see_the_same_ground(tmp_path, stride, offset):
    numbers = np.random.default_rng(0).uniform(0.5, 1, 92)
    numbers[2:4], numbers[7:9] = (20, 25), (20, 25)
    _, after = moved(tmp_path, [(50844, "d", 92, tuple(numbers.tolist()), True)], stride, offset)
    with rasterio.open(after) as new:
        rpcs = new.rpcs
    assert rpcs.line_off * stride[0] + offset[0] == pytest.approx(20)
    assert rpcs.samp_off * stride[1] + offset[1] == pytest.approx(25)
    assert rpcs.line_scale * stride[0] == pytest.approx(20)
    assert rpcs.samp_scale * stride[1] == pytest.approx(25)
    np.testing.assert_allclose(rpcs.line_num_coeff, numbers[12:32], rtol=1e-14)  # GDAL hands them on as text


def test_calibration_follows_the_stride(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, PIXELS, imagej=True, resolution=(4.0, 6.0), metadata={"unit": "um"})
    image = read_image(path)
    metadata, _ = adjusted_georeference(image.metadata, (3, 2))
    write_image(tmp_path / "out.tif", type(image)(image.pixels[::3, ::2], metadata=metadata))
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        tags = file.pages[0].tags
        across, down = tags["XResolution"].value, tags["YResolution"].value
        assert (across[0] / across[1], down[0] / down[1]) == (2.0, 2.0)
        assert "unit=um" in file.pages[0].description


def test_nothing_changes_where_nothing_was_cut_and_damage_is_dropped_with_a_note(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, extratags=[SCALE, (33922, "d", 5, (0.0,) * 5, True)], metadata=None)
    metadata = read_image(path).metadata
    assert adjusted_georeference(metadata) == (metadata, ())
    assert adjusted_georeference(Metadata(), (2, 2)) == (Metadata(), ())
    changed, notes = adjusted_georeference(metadata, (2, 2))
    assert {33550, 33922}.isdisjoint(changed.tiff_tags.values)
    assert "the georeference is dropped" in notes[0]
