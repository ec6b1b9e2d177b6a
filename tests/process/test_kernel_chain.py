"""A chain of kernels on pixels: how opacity and signs are treated, and what comes out."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.image.model import Image
from convcli.kernel.model import CompositeKernel, Kernel
from convcli.process.kernel_chain import Chain, ToneOptions, resolve_alpha, resolve_mapping

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


def numpy_response(pixels, weights):
    """Plain correlation with reflect101 padding, one product at a time, in float64."""
    rows, columns = (size // 2 for size in weights.shape)
    padded = np.pad(pixels.astype(np.float64), ((rows, rows), (columns, columns), (0, 0)), mode="reflect")
    height, width, _ = pixels.shape
    total = np.zeros(pixels.shape)
    for (y, x), weight in np.ndenumerate(weights):
        total += weight * padded[y : y + height, x : x + width]
    return total


def numpy_mapping(response, mapping, low, high):
    """The response as 8-bit samples, not yet rounded; `low` and `high` are the ends of a stretch."""
    mapped = {
        "clip": lambda r: r,
        "abs": np.abs,
        "offset": lambda r: r + 128,
        "stretch": lambda r: (r - low) / (high - low) * 255,
    }[mapping](response)
    return np.clip(mapped, 0, 255)


@pytest.mark.parametrize("mapping", ["clip", "abs", "offset", "stretch"])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("kernel", [BOX, SOBEL, SHARPEN])
def test_filtered_opacity_is_mapped_as_colours_are_but_never_stretched(mapping, linear, kernel):
    scale, bias = 0.75, 3.5
    colours, opacity = PIXELS[..., :3] / 255, PIXELS[..., 3:].astype(np.float64)
    if linear:
        colours = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    colours, opacity = (numpy_response(p, kernel.weights) * scale + bias for p in (colours * 255, opacity))
    if linear:
        light = np.abs(colours) / 255
        curved = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
        colours = np.copysign(curved, colours) * 255
    expected = np.dstack(
        [
            numpy_mapping(colours, mapping, colours.min(), colours.max()),
            numpy_mapping(opacity, "clip" if mapping == "stretch" else mapping, 0, 255),
        ]
    )
    toning = {"alpha": "filter", "signed": mapping, "scale": scale, "bias": bias, "linear": linear}
    work = chain(Image(PIXELS, alpha=True), kernel, **toning)
    assert (work.opacity, work.alpha, work.mapping) == ("filter", True, mapping)
    assert_allclose(work.run(), expected, rtol=0, atol=0.5 + 1e-3)  # rounding, and single precision


@pytest.mark.parametrize(
    ("options", "kernels", "halo"),
    [
        ({}, (SOBEL,), (1, 1)),
        ({}, (SOBEL, BOX), (2, 2)),
        ({"dilation": (2, 3)}, (SOBEL,), (2, 3)),
        ({"stride": (2, 2)}, (SOBEL, BOX), (3, 3)),
        ({"anchor": (0, 2)}, (SOBEL,), (2, 2)),
        ({"extent": "valid"}, (SOBEL,), (2, 2)),
        ({"padding": "wrap"}, (SOBEL,), None),
    ],
)
def test_the_halo_is_what_the_kernels_reach(options, kernels, halo):
    assert chain(Image(PIXELS[..., :3]), *kernels, options=ConvolveOptions(**options)).halo == halo
    assert chain(Image(PIXELS[..., :3]), *kernels, signed="stretch").halo is None
