"""Missing samples through the command line: what a nodata value or a mask leaves out, against NumPy and scipy."""

import numpy as np
import pytest
import tifffile
from commandline import done, refused
from image_samples import pillow, rough, smooth
from scipy import ndimage

from convcli.image.reading import read_image

GAUSSIAN = "gaussian:sigma=1.5"
NODATA_TAG = 42113
# Single precision promises 2e-6 of the sum of weights, 1, and of the largest sample, by a coverage of at least a tenth.
BOUND = 2e-6 * 10


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def averaged(values, known, sigma=1.5):
    """Gaussian means of the known samples alone, in double precision."""
    weighted = ndimage.gaussian_filter(np.where(known, values, 0.0).astype(float), sigma, mode="mirror")
    return weighted / ndimage.gaussian_filter(known.astype(float), sigma, mode="mirror")


def tag_of(path, tag=NODATA_TAG):
    with tifffile.TiffFile(path) as file:
        found = file.pages[0].tags.get(tag)
        return None if found is None else found.value


def write_tiff(path, array, nodata):
    text = f"{nodata}\0".encode()
    tifffile.imwrite(path, array, metadata=None, extratags=[(NODATA_TAG, 2, len(text), text, True)])


@pytest.fixture
def dem():
    heights = 1000 + 500 * smooth(40, 50, 1, "f32", seed=3)[:, :, 0]
    heights[5:9, 10:16] = -9999
    heights[30, 40] = -9999
    write_tiff("dem.tif", heights, -9999)
    return heights


def both(*arguments, source="dem.tif", name="o.tif"):
    """What `filter` says; `batch` has to write the same samples."""
    outcome = done("filter", source, *arguments, "-o", name, "-f")
    done("batch", source, *arguments, "-o", "out", "--name", name, "-f")
    one, other = (read_image(path) for path in (name, f"out/{name}"))
    assert np.array_equal(one.pixels, other.pixels, equal_nan=one.pixels.dtype.kind == "f")
    return outcome


def test_a_nodata_value_is_left_out_and_stays_missing(dem):
    both("-k", GAUSSIAN)
    known = dem != -9999
    expected = np.where(known, averaged(dem, known), np.nan)
    np.testing.assert_allclose(tifffile.imread("o.tif"), expected, atol=BOUND * 1500, rtol=0)
    assert tag_of("o.tif") == "nan"


def test_holes_are_filled_where_that_is_asked(dem):
    both("-k", GAUSSIAN, "--holes", "fill")
    np.testing.assert_allclose(tifffile.imread("o.tif"), averaged(dem, dem != -9999), atol=BOUND * 1500, rtol=0)


def test_too_little_coverage_is_missing(dem):
    both("-k", GAUSSIAN, "--holes", "fill", "--min-coverage", "0.5")
    known = dem != -9999
    covered = ndimage.gaussian_filter(known.astype(float), 1.5, mode="mirror")
    settled = np.abs(covered - 0.5) > 1e-5
    assert np.array_equal(np.isnan(tifffile.imread("o.tif"))[settled], (covered < 0.5)[settled])


def test_missing_samples_spread_where_that_is_asked(dem):
    outcome = both("-k", "box:size=3", "--missing", "spread")
    spread = ndimage.binary_dilation(dem == -9999, np.ones((3, 3)))
    assert np.array_equal(np.isnan(tifffile.imread("o.tif")), spread)
    number = np.count_nonzero(spread)
    assert f"{number} of 2,000 samples are NaN: --missing ignore computes more of them" in outcome.messages


def test_a_nodata_value_may_be_taken_for_a_height(dem):
    both("-k", GAUSSIAN, "--nodata", "none")
    expected = ndimage.gaussian_filter(dem.astype(float), 1.5, mode="mirror")
    np.testing.assert_allclose(tifffile.imread("o.tif"), expected, atol=2e-6 * 9999, rtol=0)
    assert tag_of("o.tif") is None


def test_a_value_that_the_file_does_not_name_may_be_given(dem):
    np.save("dem.npy", dem)
    both("-k", GAUSSIAN, "--nodata", "-9999", source="dem.npy", name="o.npy")
    known = dem != -9999
    expected = np.where(known, averaged(dem, known), np.nan)
    np.testing.assert_allclose(np.load("o.npy"), expected, atol=BOUND * 1500, rtol=0)


def test_integers_keep_their_nodata_value_and_its_tag():
    pixels = rough(30, 40, 1, seed=4)[:, :, 0]
    write_tiff("map.tif", pixels, 7)
    both("-k", GAUSSIAN, source="map.tif")
    known = pixels != 7
    expected = averaged(pixels, known)
    out = tifffile.imread("o.tif").astype(float)
    assert np.array_equal(out == 7, ~known)
    np.testing.assert_allclose(out[known], expected[known], atol=1 + BOUND * 255, rtol=0)  # one more where it came to 7
    assert tag_of("o.tif") == "7"


def test_known_samples_do_not_become_the_nodata_value():
    pixels = np.full((9, 9), 100, np.uint8)
    pixels[2, 2] = 0
    write_tiff("flat.tif", pixels, 0)
    outcome = both("-k", "laplacian", source="flat.tif")  # 0 on what is flat
    expected = np.ones((9, 9), np.uint8)
    expected[2, 2] = 0
    assert np.array_equal(tifffile.imread("o.tif"), expected)
    assert "80 samples that came out as 0, the nodata value, are written as 1" in outcome.messages


def test_a_wider_depth_has_the_nodata_value_of_its_own_range():
    pixels = rough(20, 20, 1, seed=5)[:, :, 0]
    write_tiff("map.tif", pixels, 255)
    both("-k", GAUSSIAN, "--depth", "u16", source="map.tif")
    assert np.array_equal(tifffile.imread("o.tif") == 65535, pixels == 255)
    assert tag_of("o.tif") == "65535"


def test_a_format_without_a_place_for_it_gets_the_value_and_a_note():
    pixels = rough(20, 20, 1, seed=5)
    pillow(pixels).save("in.png")
    outcome = both("-k", GAUSSIAN, "--nodata", "255", source="in.png", name="o.png")
    missing = pixels[:, :, 0] == 255
    assert (read_image("o.png").pixels[:, :, 0][missing] == 255).all()
    number = np.count_nonzero(missing)
    assert f"{number} of 400 samples are missing and written as 255: PNG has no place to say so" in outcome.messages


def test_nan_spreads_and_a_note_says_how_to_do_without():
    values = smooth(20, 20, 1, "f32")[:, :, 0]
    values[4, 4] = np.nan
    np.save("in.npy", values)
    outcome = both("-k", "box:size=3", source="in.npy", name="o.npy")
    assert "9 of 400 samples are NaN: --missing ignore computes more of them" in outcome.messages
    assert "NaN" not in both("-k", "box:size=3", "--missing", "ignore", source="in.npy", name="o.npy").messages
    assert np.isnan(np.load("o.npy")).sum() == 1


def test_nan_in_an_integer_output_is_noted_too():
    values = smooth(20, 20, 1, "f32")[:, :, 0]
    values[4, 4] = np.nan
    np.save("in.npy", values)
    outcome = done("filter", "in.npy", "-k", "box:size=3", "--depth", "u8", "-o", "o.png")
    assert "1 samples of the image are NaN" in outcome.messages
    assert "--missing ignore" in outcome.messages


@pytest.fixture
def masked():
    pixels = rough(24, 30, 3, seed=6)
    pillow(pixels).save("in.png")
    mask = np.full((24, 30), 255, np.uint8)
    mask[3:8, 4:12] = 0
    mask[10:12, 20] = 51  # a fifth
    pillow(mask[:, :, np.newaxis]).save("mask.png")
    return pixels, mask


def weighed(pixels, mask):
    certainty = mask / 255
    total = ndimage.gaussian_filter(certainty, 1.5, mode="mirror")
    planes = [ndimage.gaussian_filter(pixels[:, :, c] * certainty, 1.5, mode="mirror") / total for c in range(3)]
    return np.stack(planes, axis=2)


def test_a_mask_weighs_samples(masked):
    pixels, mask = masked
    both("-k", GAUSSIAN, "--mask", "mask.png", "--depth", "f32", source="in.png", name="o.npy")
    expected = np.where(mask[:, :, np.newaxis] > 0, weighed(pixels, mask), np.nan)
    np.testing.assert_allclose(np.load("o.npy"), expected, atol=BOUND * 255, rtol=0)


@pytest.mark.parametrize(
    ("name", "why"), [("o.tif", "no nodata value is known for them"), ("o.png", "PNG has no place to say so")]
)
def test_what_a_mask_leaves_out_of_integers_is_0_and_noted(name, why, masked):
    pixels, mask = masked
    outcome = both("-k", GAUSSIAN, "--mask", "mask.png", source="in.png", name=name)
    out = read_image(name).pixels
    assert (out[mask == 0] == 0).all()
    known = mask > 0
    np.testing.assert_allclose(out[known], weighed(pixels, mask)[known], atol=0.5 + BOUND * 255, rtol=0)
    number = 3 * np.count_nonzero(mask == 0)
    assert f"{number} of 2,160 samples are missing and written as 0: {why}" in outcome.messages


def test_a_region_reads_the_mask_around_it(masked):
    pixels, mask = masked
    options = ("-k", GAUSSIAN, "--mask", "mask.png", "--roi", "10,5,15,10", "--crop", "--depth", "f32")
    both(*options, source="in.png", name="o.npy")
    expected = np.where(mask[:, :, np.newaxis] > 0, weighed(pixels, mask), np.nan)[5:15, 10:25]
    np.testing.assert_allclose(np.load("o.npy"), expected, atol=BOUND * 255, rtol=0)


def test_the_rest_of_a_region_keeps_its_missing_samples(dem):
    both("-k", GAUSSIAN, "--roi", "0,0,20,20")
    out = tifffile.imread("o.tif")
    assert np.array_equal(np.isnan(out), dem == -9999)
    known = dem != -9999
    assert np.array_equal(out[20:][known[20:]], dem[20:][known[20:]])


@pytest.mark.parametrize(
    ("options", "line", "status"),
    [
        (
            ("--nodata", "-9999"),
            "in.png: --nodata -9999: no sample can be -9999: its u8 ones are 0 to 255: name a value within, or say "
            "--nodata none",
            1,
        ),
        (
            ("--nodata", "nan"),
            "in.png: --nodata nan: no sample can be nan: its u8 ones are 0 to 255: name a value within, or say "
            "--nodata none",
            1,
        ),
        (
            ("--nodata", "0.5"),
            "in.png: --nodata 0.5: no sample can be 0.5: its u8 ones are whole numbers: name a whole number, or say "
            "--nodata none",
            1,
        ),
        (
            ("--nodata", "sea"),
            "--nodata sea: is neither a number nor auto or none: such as --nodata -9999",
            2,
        ),
        (
            ("--mask", "small.png"),
            "in.png: --mask small.png: is 5 x 4 pixels, and the image is 30 x 24: a mask is as large as its image",
            1,
        ),
        (
            ("--mask", "in.png"),
            "in.png: --mask in.png: has 3 bands, and a mask has one: save it as plain gray",
            1,
        ),
        (
            ("--mask", "wide.npy"),
            "in.png: --mask wide.npy: holds samples outside of 0..1: 0 is missing and 1 known in a mask of floats",
            1,
        ),
        (("--mask", "none.png"), "none.png: no such file; check the path", 1),
    ],
)
def test_what_cannot_be_missing_is_told_in_one_line(options, line, status, masked):
    pillow(rough(4, 5, 1)).save("small.png")
    np.save("wide.npy", np.full((24, 30), 255.0))
    assert refused("filter", "in.png", "-k", "box", *options, "-o", "o.png", status=status) == line


def test_a_pipeline_is_told_nothing_of_missing_samples(dem):
    with open("relu.yaml", "w", encoding="utf-8") as file:
        file.write("steps:\n  - relu\n")
    line = refused("batch", "dem.tif", "--pipeline", "relu.yaml", "--mask", "m.png", "--nodata", "0", "-o", "out")
    assert line == "--nodata, --mask: a pipeline takes the whole image, and none of it as missing: use -k"
    outcome = done("run", "relu.yaml", "dem.tif", "-o", "o.tif")
    assert "its nodata value, -9999, is taken as any other: pipelines know no missing samples" in outcome.messages
    assert tag_of("o.tif") is None
