"""A part of an image filtered, as the same part of the whole image filtered; the rest as it was."""

import cv2
import numpy as np
import pytest
from commandline import done, refused
from image_samples import pillow, rough
from scipy import ndimage

REGION = (slice(4, 24), slice(10, 40))  # rows, columns
ROI = "10,4,30,20"


@pytest.fixture(autouse=True)
def picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = rough(41, 57, 3, seed=1)
    pillow(pixels).save("in.png")
    return pixels


def outputs(*options, roi=ROI, source="in.png", crop=True):
    """The whole image filtered, and its part alone, of both commands."""
    done("filter", source, *options, "-o", "whole.npy", "-f")
    extra = ("--roi", roi, *(["--crop"] if crop else []))
    done("filter", source, *options, *extra, "-o", "part.npy", "-f")
    done("batch", source, *options, *extra, "-o", "out", "--name", "part.npy", "-f")
    part = np.load("part.npy")
    assert np.array_equal(np.load("out/part.npy"), part)
    return np.load("whole.npy"), part


@pytest.mark.parametrize("padding", ["reflect101", "reflect", "replicate", "constant", "wrap"])
@pytest.mark.parametrize("roi", ["0,0,1,1", "0,0,57,41", "56,40,1,1", ROI, "0,7,57,3"])
def test_a_part_comes_out_as_if_the_whole_had_been_filtered(padding, roi):
    options = ("-k", "gaussian:sigma=2", "-k", "0.5 0 0 -1 0.5 2", "--padding", padding, "--depth", "f32")
    whole, part = outputs(*options, roi=roi)
    left, top, width, height = map(int, roi.split(","))
    # Two times the bound of single precision: 2e-6 of the weights' magnitudes, 4, and of white.
    np.testing.assert_allclose(part, whole[top : top + height, left : left + width], atol=2 * 2e-6 * 4 * 255, rtol=0)


@pytest.mark.parametrize("options", [("--stride", "2,3"), ("--dilation", "3,2"), ("--anchor", "0,2"), ("--flip",)])
def test_geometry_is_that_of_the_whole_image(options):
    whole, part = outputs("-k", "1 2 3; -4 5 6; 7 8 -9", *options, "--depth", "f32")
    step_y, step_x = (2, 3) if options[0] == "--stride" else (1, 1)
    rows = [row for row in range(4, 24) if row % step_y == 0]
    columns = [column for column in range(10, 40) if column % step_x == 0]
    expected = whole[[row // step_y for row in rows]][:, [column // step_x for column in columns]]
    np.testing.assert_allclose(part, expected, atol=2 * 2e-6 * 45 * 255, rtol=0)


def test_what_lies_around_it_is_read(picture):
    done("filter", "in.png", "-k", "gaussian:sigma=3", "--roi", ROI, "--crop", "--depth", "f32", "-o", "part.npy")
    exact = np.stack(
        [ndimage.gaussian_filter(picture[:, :, c].astype(float), 3, mode="mirror") for c in range(3)], axis=2
    )
    np.testing.assert_allclose(np.load("part.npy"), exact[REGION], atol=2e-6 * 255, rtol=0)


def test_the_rest_is_copied(picture):
    done("filter", "in.png", "-k", "gaussian:sigma=3", "--roi", ROI, "-o", "out.png")
    done("filter", "in.png", "-k", "gaussian:sigma=3", "-o", "whole.png")
    expected = picture.copy()
    expected[REGION] = cv2.imread("whole.png")[REGION][:, :, ::-1]
    assert np.array_equal(cv2.imread("out.png")[:, :, ::-1], expected)


def test_the_rest_is_copied_in_the_depth_of_the_output(picture):
    done("filter", "in.png", "-k", "box:size=5", "--roi", ROI, "--depth", "u16", "-o", "out.npy")
    out = np.load("out.npy")
    assert out.dtype == np.uint16
    outside = np.ones(picture.shape[:2], bool)
    outside[REGION] = False
    assert np.array_equal(out[outside], picture[outside].astype(np.uint16) * 257)


def test_the_rest_is_made_gray_with_it(picture):
    done("filter", "in.png", "-k", "box:size=5", "--gray", "--roi", ROI, "-o", "out.png")
    out = cv2.imread("out.png", cv2.IMREAD_UNCHANGED)
    assert np.array_equal(out[30:], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[30:])


def test_opacity_goes_the_same_way():
    pixels = rough(20, 30, 4, seed=2)
    pillow(pixels).save("alpha.png")
    whole, part = outputs("-k", "gaussian", source="alpha.png", roi="5,6,7,8", crop=False)
    expected = pixels.copy()
    expected[6:14, 5:12] = whole[6:14, 5:12]
    assert np.array_equal(part, expected)
    dropped = outputs("-k", "gaussian", "--alpha", "drop", source="alpha.png", roi="5,6,7,8", crop=False)[1]
    assert np.array_equal(dropped[15:], pixels[15:, :, :3])


@pytest.mark.parametrize("signed", ["stretch", "offset", "abs"])
def test_a_mapping_is_that_of_the_whole_image(signed):
    whole, part = outputs("-k", "sobel_x", "--signed", signed)
    assert np.array_equal(part, whole[REGION])


@pytest.mark.parametrize(
    ("options", "line", "status"),
    [
        (
            ("--roi", "50,0,8,5"),
            "in.png: --roi 50,0,8,5: lies outside of the image, which is 57 x 41 pixels: X,Y,W,H are the first column "
            "and row, width and height",
            1,
        ),
        (
            ("--roi", "0,0,0,5"),
            "--roi 0,0,0,5: it starts at 0,0 at the least, and is at least 1 pixel wide and high: X,Y,W,H are the "
            "first column and row, width and height",
            2,
        ),
        (
            ("--roi", "1,2,3"),
            "--roi takes four whole numbers X,Y,W,H, first column and row, width and height, such as 10,20,300,200; "
            "not '1,2,3'",
            2,
        ),
        (("--crop",), "--crop is for --roi: say which part with --roi X,Y,W,H", 2),
        (("--roi", ROI, "--extent", "valid"), f"--roi {ROI}: takes --extent same, not valid: drop one of them", 2),
        (
            ("--roi", ROI, "--stride", "2"),
            f"--roi {ROI}: with --stride the part filtered is smaller than the one it replaces: say --crop too",
            2,
        ),
        (
            ("--roi", "1,1,1,1", "--crop", "--stride", "2"),
            "in.png: --roi 1,1,1,1: no sample that the stride of 2 keeps lies in it: take a larger region",
            1,
        ),
        (
            ("--roi", ROI, "--linear", "--depth", "f32"),
            f"--roi {ROI}: f32 would hold the response in linear light, and the rest of the image as it is: say --crop "
            "too, or leave out --linear",
            2,
        ),
    ],
)
def test_a_region_that_cannot_be_is_told_in_one_line(options, line, status):
    assert refused("filter", "in.png", "-k", "box", *options, "-o", "out.tif", status=status) == line


def test_a_pipeline_takes_no_region():
    with open("relu.yaml", "w", encoding="utf-8") as file:
        file.write("steps:\n  - relu\n")
    line = refused("batch", "in.png", "--pipeline", "relu.yaml", "--roi", ROI, "--crop", "-o", "out")
    assert line == "--roi, --crop: a pipeline takes the whole image, and none of it as missing: use -k"
    assert refused("run", "relu.yaml", "in.png", "--roi", ROI, "-o", "o.png").startswith("no such option: --roi")
