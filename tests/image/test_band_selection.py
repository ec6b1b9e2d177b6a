"""Bands chosen through the command line: which samples arrive, in which order, and what each is taken for."""

import numpy as np
import pytest
import tifffile
from commandline import done, refused
from image_samples import pillow, rough

from convcli.errors import UsageError
from convcli.image.model import Image
from convcli.image.reading import ReadOptions, read_image


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rgba():
    pixels = rough(9, 7, 4)
    pillow(pixels).save("rgba.png")
    return pixels


@pytest.mark.parametrize(
    ("asked", "indices"), [("1", [0]), ("2-4", [1, 2, 3]), ("3,1", [2, 0]), ("4", [3]), ("1,2,3", [0, 1, 2])]
)
def test_the_bands_that_are_named_are_read_in_their_order(asked, indices, rgba):
    done("filter", "rgba.png", "-k", "identity", "--bands", asked, "--alpha-band", "none", "-o", "out.npy")
    assert np.array_equal(np.atleast_3d(np.load("out.npy")), rgba[:, :, indices])


@pytest.mark.parametrize(
    ("options", "roles", "place"),
    [
        (ReadOptions(bands=(1, 2, 3)), ("red", "green", "blue"), None),
        (ReadOptions(bands=(3, 2, 1)), ("gray", "data", "data"), None),
        (ReadOptions(bands=(1,)), ("gray",), None),
        (ReadOptions(bands=(4, 2)), ("gray", "alpha"), 0),
        (ReadOptions(alpha_band="none"), ("red", "green", "blue", "data"), None),
        (ReadOptions(alpha_band=1), ("gray", "data", "data", "alpha"), 0),
        (ReadOptions(alpha_band="last"), ("red", "green", "blue", "alpha"), 3),
    ],
)
def test_a_band_keeps_its_role_unless_its_fellows_are_left_out(options, roles, place, rgba):
    image = read_image("rgba.png", options=options)
    assert (image.roles, image.alpha, image.alpha_place) == (roles, "alpha" in roles, place)
    assert image.pixels.shape[2] == len(roles)


def test_opacity_stands_last_in_memory_wherever_the_file_has_it(rgba):
    image = read_image("rgba.png", options=ReadOptions(bands=(4, 1, 2)))
    assert np.array_equal(image.pixels, rgba[:, :, [0, 1, 3]])


def test_bands_are_counted_in_the_order_of_the_file():
    from convcli.image.band_selection import select_bands

    pixels = rough(3, 3, 3)
    image = Image(pixels, alpha=True, roles=("gray", "data", "alpha"), alpha_place=0)
    assert np.array_equal(select_bands(image, (1, 2), "none", "x").pixels, pixels[:, :, [2, 0]])


def test_a_blur_weighs_by_the_band_that_is_said_to_be_opacity():
    data = np.zeros((1, 3, 4), np.uint8)
    data[0, :, :3] = [[10, 20, 30], [200, 210, 220], [40, 50, 60]]
    data[0, :, 3] = [255, 0, 255]
    tifffile.imwrite("bands.tif", data, photometric="rgb", extrasamples=["unspecified"], metadata=None)
    done("filter", "bands.tif", "-k", "box:size=3", "--alpha-band", "4", "-o", "out.npy")
    # By hand: the transparent middle counts for nothing; at the edges it is there twice, by reflection.
    assert np.load("out.npy")[0, 1, :3].tolist() == [25, 35, 45]


def test_the_read_ahead_of_a_large_png_heeds_them():
    pixels = rough(700, 800, 3)
    pillow(pixels).save("large.png")
    done("filter", "large.png", "-k", "identity", "--bands", "2", "-o", "out.npy", "--threads", 2)
    assert np.array_equal(np.load("out.npy"), pixels[:, :, 1])
    line = refused("filter", "large.png", "-k", "identity", "--max-pixels", "0.1M", "-o", "b.npy", status=1)
    assert line == "large.png: 800 x 700 pixels are more than the 100,000 that are allowed; say --max-pixels"


def test_a_batch_reads_the_same_bands(rgba):
    done("batch", "rgba.png", "-k", "identity", "--bands", "3,1", "--name", "{stem}.npy", "-o", "out")
    assert np.array_equal(np.load("out/rgba.npy"), rgba[:, :, [2, 0]])


def test_a_pipeline_reads_the_same_bands(rgba):
    with open("relu.yaml", "w", encoding="utf-8") as file:
        file.write("steps:\n  - relu\n")
    done("run", "relu.yaml", "rgba.png", "--bands", "3,1", "-o", "out.npy")
    assert np.array_equal(np.load("out.npy"), rgba[:, :, [2, 0]])


def test_three_bands_of_many_make_a_picture():
    data = rough(5, 6, 7)
    np.save("satellite.npy", data)
    done("filter", "satellite.npy", "-k", "identity", "--bands", "5,3,2", "-o", "out.tif")
    assert np.array_equal(tifffile.imread("out.tif"), data[:, :, [4, 2, 1]])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--bands", "5"), "rgba.png: --bands asks for band 5, and the image has 4 bands, 1 to 4"),
        (("--alpha-band", "9"), "rgba.png: --alpha-band asks for band 9, and the image has 4 bands, 1 to 4"),
        (
            ("--bands", "2", "--alpha-band", "last"),
            "rgba.png: the only band that is read cannot be its opacity: say --alpha-band none",
        ),
    ],
)
def test_bands_that_an_image_lacks_are_told_in_one_line(options, line, rgba):
    assert refused("filter", "rgba.png", "-k", "identity", *options, "-o", "o.npy", status=1) == line


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--bands", "0"), "--bands 0: bands are counted from 1"),
        (("--bands", "1,1"), "--bands: band 1 is named twice: name each band once"),
        (("--bands", "3-1"), "--bands 3-1: a range goes up: 1-3"),
        (("--bands", "red"), "--bands takes numbers and ranges of bands, such as 1,3-5; not 'red'"),
        (("--bands", "1-9999999"), "--bands 1-9999999: no image has as many bands as 1-9999999"),
        (("--alpha-band", "0"), "--alpha-band 0: bands are counted from 1: or say last or none"),
        (("--alpha-band", "first"), "--alpha-band first: is neither the number of a band nor last, none or auto"),
        (
            ("--bands", "1-3", "--alpha-band", "4"),
            "--alpha-band 4: band 4 is not among the bands that are read: add it to --bands",
        ),
        (
            ("--page", "99"),
            "--page 99: of a file of several pages the first is read, and no other can be chosen yet: say --page 1, "
            "or --page preview for the preview in a camera's raw file",
        ),
        (
            ("--max-pixels", "many"),
            "--max-pixels takes a number above 0, such as 5000000, 200M or 1.5G; not 'many'",
        ),
        (("--max-pixels", "0"), "--max-pixels takes a number above 0, such as 5000000, 200M or 1.5G; not '0'"),
    ],
)
def test_what_is_no_choice_of_bands_is_told_in_one_line(options, line, rgba):
    for command in (("filter", "rgba.png", "-k", "identity"), ("batch", "rgba.png", "-k", "identity")):
        assert refused(*command, *options, "-o", "out") == line


def test_a_preview_is_asked_of_raw_files_alone(rgba):
    line = refused("filter", "rgba.png", "-k", "identity", "--page", "preview", "-o", "o.png", status=1)
    assert line == ("rgba.png: a preview is what the raw files of cameras hold: read this PNG without --page preview")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded():
    with open("bomb.pgm", "wb") as file:
        file.write(b"P5 60000 60000 255 ")
    line = refused("filter", "bomb.pgm", "-k", "identity", "--max-pixels", "1G", "-o", "o.png", status=1)
    assert line == ("bomb.pgm: 60000 x 60000 pixels are more than the 1,000,000,000 that are allowed; say --max-pixels")


def test_options_of_python_are_checked_too():
    with pytest.raises(UsageError, match=r"^--bands: bands are counted from 1"):
        ReadOptions(bands=(0,))
    with pytest.raises(UsageError, match=r"^--max-pixels 0: must be at least 1"):
        ReadOptions(max_pixels=0)
