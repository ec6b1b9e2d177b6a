"""Runs of one image without a command line, and what decides how they go."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, ImageReadError, KernelError, OutputError, UsageError
from convcli.image.model import Image
from convcli.kernel.model import CompositeKernel, Kernel
from convcli.process.image_job import FilterOptions, load_kernels, output_paths, run
from convcli.process.kernel_chain import Chain, ToneOptions, resolve_alpha, resolve_mapping
from convcli.timing import Stopwatch

SOBEL = Kernel("sobel_x", np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]))
BOX = Kernel("box", np.full((3, 3), 1 / 9))
SHARPEN = Kernel("sharpen", np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]))
MAGNITUDE = CompositeKernel("sobel", (SOBEL, Kernel("sobel_y", SOBEL.weights.T)), combine="magnitude")
TILTED = Kernel("tilted", np.array([[-1.0, 1.0 + 1e-5]]))
OFFSET = Kernel("offset", SOBEL.weights, mapping="offset")

PIXELS = np.random.default_rng(5).integers(0, 256, (21, 23, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("kernels", "bias", "mapping"),
    [
        ([BOX], 0, "clip"),
        ([SOBEL], 0, "abs"),
        ([SOBEL], 128, "clip"),
        ([SHARPEN], 0, "clip"),
        ([MAGNITUDE], 0, "abs"),
        ([BOX, SOBEL], 0, "abs"),
        ([SOBEL, BOX], 0, "abs"),
        ([TILTED], 0, "clip"),
        ([OFFSET], 0, "offset"),
        ([OFFSET, BOX], 0, "offset"),
        ([OFFSET], 5, "offset"),
    ],
)
def test_auto_takes_the_kernels_mapping_or_looks_at_its_sum(kernels, bias, mapping):
    assert resolve_mapping("auto", kernels, bias) == mapping
    assert resolve_mapping("stretch", kernels, bias) == "stretch"


@pytest.mark.parametrize(
    ("kernels", "treatment"),
    [
        ([BOX], "premultiply"),
        ([BOX, BOX], "premultiply"),
        ([BOX, SOBEL], "keep"),
        ([SHARPEN], "keep"),
        ([MAGNITUDE], "keep"),
        ([Kernel("nothing", np.zeros((3, 3)))], "keep"),
    ],
)
def test_auto_premultiplies_where_no_weight_is_negative(kernels, treatment):
    assert resolve_alpha("auto", kernels) == treatment
    assert resolve_alpha("filter", kernels) == "filter"


@pytest.mark.parametrize("kernel", [SOBEL, MAGNITUDE, Kernel("minus", -BOX.weights)])
def test_premultiplied_opacity_needs_a_positive_sum(kernel):
    assert resolve_alpha("premultiply", [SHARPEN]) == "premultiply"
    with pytest.raises(UsageError, match="--alpha premultiply needs weights of a positive sum"):
        resolve_alpha("premultiply", [BOX, kernel])


def chain(image, *kernels, dtype=np.uint8, options=None, **toning):
    return Chain(image, kernels, options or ConvolveOptions(), ToneOptions(**toning), np.dtype(dtype))


def test_opacity_that_is_gone_leaves_no_colour_and_no_warning():
    pixels = PIXELS.copy()
    pixels[..., 3] = 0
    written = chain(Image(pixels, alpha=True), BOX, bias=40.0).run()
    assert not written.any()


def test_premultiplying_works_in_16_bit_and_float_too():
    eight = chain(Image(PIXELS, alpha=True), BOX).run()
    sixteen = chain(Image(PIXELS.astype(np.uint16) * 257, alpha=True), BOX, dtype=np.uint16).run()
    floats = chain(Image((PIXELS / 255).astype(np.float32), alpha=True), BOX, dtype=np.float32).run()
    np.testing.assert_allclose(sixteen / 257, eight, rtol=0, atol=0.51)
    np.testing.assert_allclose(floats * 255, eight, rtol=0, atol=0.51)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_opaque_image_stays_opaque_in_every_depth(dtype):
    pixels = PIXELS.copy()
    pixels[..., 3] = 255
    written = chain(Image(pixels, alpha=True), BOX, dtype=dtype).run()
    assert written.dtype == dtype
    # A float output holds the image's own units, in which 255 is opaque.
    assert (written[..., 3] == (65535 if dtype == np.uint16 else 255)).all()


def test_double_precision_reaches_the_response():
    image = Image(PIXELS[..., :1])
    options = ConvolveOptions(precision="double", backend="direct")
    response = chain(image, BOX, BOX, dtype=np.float64, options=options).run()
    exact = cv2.filter2D(cv2.filter2D(PIXELS[..., 0].astype(np.float64), -1, BOX.weights), -1, BOX.weights)
    np.testing.assert_allclose(response[..., 0], exact, rtol=0, atol=1e-11)


def test_each_kernel_of_a_chain_has_the_same_options():
    image = Image(PIXELS[..., :3])
    work = chain(image, BOX, BOX, options=ConvolveOptions(stride=(2, 2), extent="valid"))
    assert work.output_size == (4, 5, 3)
    assert work.run().shape == (4, 5, 3)


def test_the_source_is_left_as_it_was():
    pixels = PIXELS.copy()
    for toning in ({}, {"linear": True}, {"alpha": "filter"}, {"alpha": "premultiply"}, {"signed": "stretch"}):
        chain(Image(pixels, alpha=True), BOX, **toning).run()
        assert_array_equal(pixels, PIXELS)


def test_a_run_writes_its_output_and_tells_what_it_did(tmp_path):
    source, output = str(tmp_path / "a.png"), str(tmp_path / "b.png")
    assert cv2.imwrite(source, PIXELS[..., :3])
    options = FilterOptions(("gaussian:sigma=1", "sobel_x"))
    result = run(source, output, load_kernels(options), options)
    assert (result.status, result.mapping, result.depth) == ("done", "abs", "u8")
    assert result.input_size == result.output_size == (21, 23, 3)
    assert [step.kernel for step in result.steps] == ["gaussian:sigma=1", "sobel_x"]
    assert cv2.imread(output).shape == (21, 23, 3)
    assert result.megapixels_per_second == pytest.approx(21 * 23 / result.seconds["filter"] / 1e6)


def test_errors_name_the_file(tmp_path):
    source = str(tmp_path / "a.png")
    options = FilterOptions(("box:size=101",), ConvolveOptions(extent="valid"))
    kernels = load_kernels(options)
    with pytest.raises(ImageReadError, match=r"a\.png: no such file"):
        run(source, str(tmp_path / "b.png"), kernels, options)
    assert cv2.imwrite(source, PIXELS[..., :3])
    with pytest.raises(FilterError, match=r"a\.png: a kernel that spans 101"):
        run(source, str(tmp_path / "b.png"), kernels, options)


def test_a_format_that_is_only_read_must_be_replaced_by_name(tmp_path):
    from PIL import Image as PillowImage

    source = str(tmp_path / "a.gif")
    PillowImage.fromarray(PIXELS[..., 0]).save(source)
    options = FilterOptions(("sobel_x",))
    with pytest.raises(OutputError, match=r"a\.gif: cannot write the format it came in, gif: name one with --format"):
        run(source, "-", load_kernels(options), options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernels": ()}, "no kernel was given"),
        ({"depth": "u12"}, "unknown depth 'u12'"),
        ({"quality": 101}, r"quality must lie within 1\.\.100, not 101"),
        ({"compression": "none"}, "unknown compression 'none'"),
        ({"existing": "keep"}, "unknown treatment of existing outputs 'keep'"),
    ],
)
def test_options_are_checked_when_they_are_made(options, message):
    with pytest.raises(UsageError, match=message):
        FilterOptions(**{"kernels": ("sobel_x",), **options})


def test_an_unknown_kernel_is_found_before_any_image():
    with pytest.raises(KernelError, match="did you mean 'sobel_x'"):
        load_kernels(FilterOptions(("sobelx",)))


@pytest.mark.parametrize(
    ("sources", "output", "kernels", "format_name", "expected"),
    [
        (["img.png"], None, [SOBEL], None, ["img_sobel_x.png"]),
        (["in/img.tar.png"], None, [BOX, SOBEL], None, ["in/img.tar_box_sobel_x.png"]),
        (["img.JPG"], None, [SOBEL], "jpeg", ["img_sobel_x.JPG"]),
        (["img.gif"], None, [SOBEL], "png", ["img_sobel_x.png"]),
        (["img"], None, [SOBEL], "tif", ["img_sobel_x.tiff"]),
        (["-"], None, [SOBEL], None, ["-"]),
        (["img.png"], "-", [SOBEL], None, ["-"]),
        (["img.png"], "other.webp", [SOBEL], None, ["other.webp"]),
        (["a.png"], None, [Kernel("my/own kernel", BOX.weights)], None, ["a_my_own_kernel.png"]),
    ],
)
def test_default_names_join_the_kernels(sources, output, kernels, format_name, expected):
    assert output_paths(sources, output, kernels, format_name) == expected


def test_a_folder_takes_the_default_names(tmp_path):
    assert output_paths(["x/a.png", "y/b.png"], str(tmp_path), [SOBEL], None) == [
        str(tmp_path / "a_sobel_x.png"),
        str(tmp_path / "b_sobel_x.png"),
    ]


def test_links_between_folders_do_not_hide_a_clash(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(UsageError, match="would both be written to"):
        output_paths([str(tmp_path / "real/a.png"), str(tmp_path / "link/a.png")], None, [SOBEL], None)


def test_a_stopwatch_adds_up_and_counts_what_failed():
    watch = Stopwatch()
    with watch.stage("read"):
        pass
    first = watch.seconds()["read"]
    with pytest.raises(ZeroDivisionError), watch.stage("read"):
        _ = 1 / 0
    seconds = watch.seconds()
    assert seconds["read"] > first > 0
    assert seconds["total"] >= seconds["read"]
    assert seconds["write"] == 0
