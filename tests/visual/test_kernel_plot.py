"""Plots of kernels: every figure in them against numpy's and scipy's, and files that other programs read."""

import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from commandline import done, refused
from scipy import ndimage

from convcli.errors import KernelError, OutputError
from convcli.kernel.spec import load_kernel
from convcli.visual.drawing import Picture, painted
from convcli.visual.kernel_measures import card_for_tests, frequency_response, impulse_response, step_response
from convcli.visual.kernel_plot import kernel_drawing, plot_columns, plot_suffix, write_plot

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def weights():
    return np.random.default_rng(3).normal(size=(4, 7))


def test_the_frequency_response_is_the_sum_of_the_weights_times_a_wave(weights):
    magnitude = frequency_response(weights).magnitude
    count = magnitude.shape[0]
    v, u = np.mgrid[0:4, 0:7]
    for down, across in ((0, 0), (3, 100), (64, 64), (127, 1)):
        wave = np.exp(-2j * np.pi * ((down / count - 0.5) * v + (across / count - 0.5) * u))
        np.testing.assert_allclose(magnitude[down, across], abs((weights * wave).sum()), rtol=1e-12, atol=1e-12)


def test_the_peak_of_a_derivative_lies_at_a_quarter_of_a_cycle():
    assert frequency_response(load_kernel("sobel_x").weights).peak == (8.0, 0.25, 0.0)
    assert frequency_response(load_kernel("box").weights).peak == (pytest.approx(1.0), 0.0, 0.0)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_responses_to_a_line_and_an_edge_are_those_that_scipy_has(weights, axis):
    image = np.zeros((41, 41))
    np.moveaxis(image, axis, 0)[20] = 1.0
    line = np.moveaxis(ndimage.correlate(image, weights), axis, 0)[:, 20]
    size = weights.shape[axis]
    first = 20 - (size - 1 - size // 2)
    np.testing.assert_allclose(impulse_response(weights, axis), line[first : first + size], rtol=1e-12, atol=1e-12)
    image = np.cumsum(image, axis=axis)
    edge = np.moveaxis(ndimage.correlate(image, weights), axis, 0)[:, 20]
    np.testing.assert_allclose(step_response(weights, axis), edge[first : first + size], rtol=1e-12, atol=1e-12)


def test_the_test_card_is_the_same_each_time_and_uses_the_whole_range():
    card = card_for_tests()
    np.testing.assert_array_equal(card, card_for_tests())
    assert (card.dtype, card.min(), card.max()) == (np.uint8, 0, 255)


def test_a_plot_is_an_svg_with_a_picture_a_panel(tmp_path):
    write_plot(str(tmp_path / "k.svg"), {"sobel_x": load_kernel("sobel_x"), "gabor": load_kernel("gabor")})
    root = ElementTree.parse(tmp_path / "k.svg").getroot()
    told = [image.find(f"{SVG}title").text for image in root.iter(f"{SVG}image")]
    for panel in ("weights", "magnitude of the frequency response", "the kernel on a test card"):
        assert told.count(panel) == 2
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert ("-2" in texts, "2" in texts) == (True, True)
    assert "at 0: 0; most: 8.00 at 0.250 across, 0 down" in texts


def test_the_heat_map_is_white_at_zero_and_of_one_strength_on_both_sides():
    drawing = kernel_drawing({"it": load_kernel("-1 0 1")})
    heat = next(shape.pixels for shape in drawing.shapes if isinstance(shape, Picture))
    assert heat.tolist() == [[[33, 102, 172], [247, 247, 247], [178, 24, 43]]]


def test_a_plot_as_png_shows_the_heat_map_where_the_drawing_has_it(tmp_path):
    kernels = {"it": load_kernel("-1 0 1")}
    write_plot(str(tmp_path / "k.png"), kernels)
    drawing = kernel_drawing(kernels)
    heat = next(shape for shape in drawing.shapes if isinstance(shape, Picture))
    pixels = cv2.cvtColor(cv2.imread(str(tmp_path / "k.png")), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(pixels, painted(drawing))
    left = pixels[round(2 * (heat.y + 10)), round(2 * (heat.x + 5))]
    assert left.tolist() == [33, 102, 172]


def test_a_composite_shows_its_parts_and_then_itself():
    assert [column.title for column in plot_columns({"sobel": load_kernel("sobel")})] == [
        "sobel_x",
        "sobel_y",
        "sobel: magnitude of 2",
    ]


def test_too_many_kernels_are_refused():
    with pytest.raises(KernelError, match="18: a plot holds 12 at most"):
        plot_columns({"a": load_kernel("kirsch"), "b": load_kernel("robinson")})


def test_another_suffix_is_refused():
    with pytest.raises(OutputError, match=r"k\.gif: a plot is written as \.png, \.svg or \.html"):
        plot_suffix("k.gif")


def test_a_page_is_whole_and_asks_for_nothing(tmp_path):
    path = tmp_path / "k.html"
    assert done("kernels", "show", "sobel_x", "box", "--plot", path).messages == f"wrote {path}\n"
    page = path.read_text()
    assert "Horizontal derivative" in page
    assert set(re.findall(r'(?:src|href)="(\w+:)', page)) == {"data:"}


def test_a_plot_that_exists_is_kept_and_a_kernel_file_never_replaced(tmp_path):
    path = tmp_path / "k.svg"
    path.write_text("mine")
    assert "exists" in refused("kernels", "show", "box", "--plot", path)
    assert path.read_text() == "mine"
    done("kernels", "show", "box", "--plot", path, "-f")
    assert path.read_text().startswith("<svg")


def test_options_of_a_plot_need_one():
    assert refused("kernels", "show", "box", "--open") == "--open is for a plot: add --plot FILE"
    assert "choose one" in refused("kernels", "show", "box", "--json", "--plot", "a.svg")


def test_several_kernels_are_shown_one_after_the_other():
    lines = done("kernels", "show", "sobel_x", "sobel_y").output.decode().splitlines()
    assert (lines.index("sobel_x"), lines.index("sobel_y") > lines.index("sobel_x")) == (0, True)
