"""A chain of kernels on pixels: how opacity and signs are treated, and what comes out."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from convcli import convolve
from convcli.convolution.missing import MissingOptions
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, UsageError
from convcli.image import tone
from convcli.image.model import Image
from convcli.kernel.model import CompositeKernel, Kernel
from convcli.process.kernel_chain import Chain, resolve_mapping
from convcli.process.tone_options import ToneOptions, resolve_alpha

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


def test_an_output_with_a_sign_keeps_it():
    assert resolve_mapping("auto", [SOBEL], 0, keeps_sign=True) == "clip"
    assert resolve_mapping("auto", [OFFSET], 0, keeps_sign=True) == "clip"
    assert resolve_mapping("abs", [SOBEL], 0, keeps_sign=True) == "abs"
    image = Image(PIXELS[..., :1].astype(np.int16))
    assert_allclose(chain(image, SOBEL, dtype=np.int16).run(), numpy_response(PIXELS[..., :1], SOBEL.weights))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32, np.float32, np.float64])
def test_identity_is_the_identity_on_every_sample_type_with_colours_under_no_opacity(dtype):
    pixels = np.random.default_rng(6).integers(0, 127, (9, 11, 4)).astype(dtype)
    pixels[:4, :, 3] = 0
    pixels[-1, -1] = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    work = chain(Image(pixels, alpha=True), Kernel("identity", np.ones((1, 1))), dtype=dtype)
    assert work.run().dtype == dtype
    again = chain(Image(pixels, alpha=True), Kernel("identity", np.ones((1, 1))), dtype=dtype)
    assert_array_equal(again.run(), pixels)


def test_one_weight_beside_the_anchor_moves_colours_and_opacity_alike():
    weights = np.zeros((3, 3))
    weights[1, 0] = 2.0
    written = chain(
        Image(PIXELS // 2, alpha=True), Kernel("shift", weights), options=ConvolveOptions(padding="wrap")
    ).run()
    moved = np.roll(PIXELS // 2, 1, axis=1)
    assert_array_equal(written[..., 3], moved[..., 3])
    assert_array_equal(written[..., :3], 2 * moved[..., :3])


def test_luma_is_made_of_colours_alone():
    assert chain(Image(PIXELS[..., :3]), BOX, gray=True).run().shape[2] == 1
    for image in (Image(PIXELS), Image(PIXELS[..., :2])):
        with pytest.raises(FilterError, match=r"--gray makes luma of red, green and blue, .* --bands"):
            chain(image, BOX, gray=True)


def test_bands_of_data_have_no_curve_and_no_opacity():
    image = Image(PIXELS, roles=("red", "green", "blue", "data"))
    linear = chain(image, BOX, linear=True).run()
    assert_array_equal(linear[..., :3], chain(Image(PIXELS[..., :3]), BOX, linear=True).run())
    assert_array_equal(linear[..., 3:], chain(Image(PIXELS[..., 3:]), BOX).run())
    with_alpha = np.dstack([PIXELS[..., 3:], PIXELS])
    image = Image(with_alpha, alpha=True, roles=("data", "red", "green", "blue", "alpha"))
    premultiplied = chain(image, BOX).run()
    assert_array_equal(premultiplied[..., 1:], chain(Image(PIXELS, alpha=True), BOX).run())
    assert_array_equal(premultiplied[..., :1], chain(Image(PIXELS[..., 3:]), BOX).run())


def test_data_is_stretched_by_itself():
    image = Image(PIXELS[..., :2], roles=("gray", "data"))
    stretched = chain(image, SOBEL, signed="stretch").run()
    for band in (0, 1):
        assert_array_equal(
            stretched[..., band : band + 1], chain(Image(PIXELS[..., band : band + 1]), SOBEL, signed="stretch").run()
        )


HOLES = np.random.default_rng(7).random((21, 23)) < 0.1


def gapped(image, *kernels, dtype=np.uint8, options=None, missing=None, mask=None, **toning):
    return Chain(
        image,
        kernels,
        options or ConvolveOptions(),
        ToneOptions(**toning),
        np.dtype(dtype),
        missing=missing or MissingOptions(),
        mask=mask,
    )


@pytest.mark.parametrize("toning", [{}, {"linear": True}, {"signed": "stretch"}, {"scale": 0.5, "bias": 3.0}])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_what_is_missing_comes_out_as_nodata_or_nan(toning, dtype):
    pixels = np.maximum(PIXELS[..., :3], 1)
    pixels[HOLES] = 0
    work = gapped(Image(pixels, nodata=0.0), BOX, dtype=dtype, **toning)
    result = work.run()
    assert work.missing_count == 3 * HOLES.sum()
    assert_array_equal(work.missing, np.broadcast_to(HOLES[..., np.newaxis], result.shape))
    assert_array_equal(np.isnan(result[HOLES]) if dtype == np.float32 else result[HOLES] == 0, True)
    masked = gapped(Image(pixels), BOX, dtype=dtype, mask=~HOLES, **toning).run()
    assert_array_equal(result, masked)


@pytest.mark.parametrize("gray", [False, True])
def test_missing_samples_stay_missing_between_kernels(gray):
    image = Image(PIXELS[..., :3].astype(np.float32), nodata=-1.0)
    image.pixels[HOLES] = -1
    work = gapped(image, BOX, SHARPEN, dtype=np.float32, gray=gray)
    result = work.run()
    plane = np.where(HOLES[..., np.newaxis], np.nan, tone.to_gray(image.pixels) if gray else image.pixels)
    once = convolve(plane.astype(np.float32), BOX, missing="ignore")
    assert_array_equal(np.isnan(result), np.isnan(plane))
    assert_allclose(result, convolve(once, SHARPEN, missing="ignore"), rtol=1e-4, atol=1e-2)
    filled = gapped(image, BOX, SHARPEN, dtype=np.float32, gray=gray, missing=MissingOptions(holes="fill")).run()
    assert not np.isnan(filled).any()


@pytest.mark.parametrize("mask", [~HOLES, np.repeat(~HOLES[..., np.newaxis], 4, axis=2)], ids=["one", "each"])
@pytest.mark.parametrize("alpha", ["premultiply", "filter", "keep", "drop"])
def test_a_mask_goes_with_every_treatment_of_opacity(alpha, mask):
    work = gapped(Image(PIXELS, alpha=True), BOX, alpha=alpha, mask=mask, missing=MissingOptions(holes="fill"))
    result = work.run()
    assert work.missing_count == 0
    spoilt = PIXELS.copy()
    spoilt[HOLES] = 255 - spoilt[HOLES]
    if alpha == "keep":
        spoilt[..., 3] = PIXELS[..., 3]
    other = gapped(Image(spoilt, alpha=True), BOX, alpha=alpha, mask=mask, missing=MissingOptions(holes="fill")).run()
    assert_array_equal(result, other)


def test_a_nodata_value_does_not_hold_for_opacity():
    pixels = PIXELS.copy()
    pixels[..., 3] = np.where(HOLES, 0, 255)
    plain = chain(Image(np.maximum(pixels, [1, 1, 1, 0]).astype(np.uint8), alpha=True), BOX).run()
    result = gapped(Image(np.maximum(pixels, [1, 1, 1, 0]).astype(np.uint8), alpha=True, nodata=0.0), BOX).run()
    assert_array_equal(result, plain)


def test_nan_is_counted_and_spread_where_nothing_else_is_said():
    pixels = PIXELS[..., :1].astype(np.float32)
    pixels[HOLES] = np.nan
    work = gapped(Image(pixels), BOX, dtype=np.float32)
    result = work.run()
    assert (work.nan_count, work.missing, work.missing_count) == (HOLES.sum(), None, 0)
    assert_array_equal(result, convolve(pixels, BOX))
    ignored = gapped(Image(pixels), BOX, dtype=np.float32, missing=MissingOptions("ignore")).run()
    assert_array_equal(np.isnan(ignored[..., 0]), HOLES)


def test_without_padding_chains_of_kernels_ignore_the_outside():
    image = Image(np.full((20, 30, 3), 77, np.uint8))
    work = gapped(image, BOX, BOX, options=ConvolveOptions(padding="none"))
    assert_array_equal(work.run(), image.pixels)
    assert work.missing_count == 0
