"""Georeferences moved with the samples, as GDAL reads them."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from commandline import done

rasterio = pytest.importorskip("rasterio")
from rasterio.errors import NotGeoreferencedWarning  # noqa: E402  # where there is a rasterio
from rasterio.transform import from_origin  # noqa: E402  # likewise

# rasterio's own, on how it multiplies.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
WEST, NORTH, STEP = 500000.0, 5000000.0, 30.0


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows, columns = np.mgrid[:40, :50]
    grid = {"driver": "GTiff", "height": 40, "width": 50, "count": 2, "dtype": "float32", "crs": "EPSG:32632"}
    with rasterio.open("in.tif", "w", transform=from_origin(WEST, NORTH, STEP, STEP), **grid) as file:
        file.write(rows.astype(np.float32), 1)
        file.write(columns.astype(np.float32), 2)


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            return file.read(), file.transform, file.crs


@pytest.mark.parametrize(
    "options",
    [
        ("-k", "identity"),
        ("-k", "identity", "--stride", "2,3"),
        ("-k", "box:size=5", "--extent", "valid"),
        ("-k", "box:size=5", "--extent", "valid", "--stride", "3"),
        ("-k", "box:size=3", "-k", "box:size=5", "--extent", "valid"),
        ("-k", "identity", "--roi", "7,11,20,13", "--crop"),
        ("-k", "identity", "--roi", "7,11,20,13", "--crop", "--stride", "2"),
        ("-k", "identity", "--roi", "7,11,20,13"),
    ],
    ids=" ".join,
)
def test_every_sample_lies_on_the_ground_where_it_lay(options):
    done("filter", "in.tif", *options, "-o", "o.tif")
    done("batch", "in.tif", *options, "-o", "out")
    (rows, columns), transform, crs = read("o.tif")
    assert crs == rasterio.crs.CRS.from_epsg(32632)
    assert Path("o.tif").read_bytes() == Path("out/in.tif").read_bytes()
    # The image holds its own rows and columns, and so do averages of them: the ground below a sample's centre is known.
    height, width = rows.shape
    for row, column in ((0, 0), (height - 1, 0), (height - 1, width - 1)):
        east, north = transform @ (column + 0.5, row + 0.5)
        # Float64 holds these coordinates to 1e-9, and single precision the rows to 1e-4.
        np.testing.assert_allclose(east, WEST + (columns[row, column] + 0.5) * STEP, atol=1e-2, rtol=0)
        np.testing.assert_allclose(north, NORTH - (rows[row, column] + 0.5) * STEP, atol=1e-2, rtol=0)


def test_a_full_extent_begins_outside():
    done("filter", "in.tif", "-k", "box:size=5", "--extent", "full", "-o", "o.tif")
    _, transform, _ = read("o.tif")
    assert transform.c == WEST - 2 * STEP
    assert transform.f == NORTH + 2 * STEP


def test_a_pipeline_of_another_size_loses_it_and_says_so():
    Path("half.yaml").write_text("steps:\n  - max_pool: 2\n")
    outcome = done("run", "half.yaml", "in.tif", "-o", "o.tif", "--contact-sheet")
    assert read("o.tif")[2] is None
    Path("one.yaml").write_text("steps:\n  - max_pool: 2\n")
    outcome = done("run", "one.yaml", "in.tif", "--bands", "1", "-o", "p.tif")
    assert "the georeference is dropped: the pipeline's result is of another size" in outcome.messages
    assert read("p.tif")[2] is None


def test_stripping_takes_it_away():
    done("filter", "in.tif", "-k", "identity", "--strip", "-o", "o.tif")
    assert read("o.tif")[2] is None
