"""Integer kernels by shared additions: exact, whatever the geometry, and the same as any other way."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracle import random_image

from convcli import convolve, load_kernel
from convcli.convolution.alignment import aligned_weights
from convcli.convolution.execution import fused
from convcli.convolution.execution.shared_sums import sample_type, shared_sums
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.padding import PADDINGS, axis_geometry, source_indices
from convcli.convolution.plan import plan_convolution
from convcli.image.tone import Finish
from convcli.kernel.model import CompositeKernel, Kernel

COMPOSITES = ("sobel", "prewitt", "scharr", "roberts", "kirsch", "robinson")
LARGE = (310, 420, 3)


def exact(image, kernel, options):
    """The joined response in float64, tap by tap."""
    weights, anchor = aligned_weights(kernel, options)
    geometry = [
        axis_geometry(
            image.shape[axis],
            weights[0].shape[axis],
            anchor=anchor[axis],
            extent=options.extent,
            stride=options.stride[axis],
            dilation=options.dilation[axis],
        )
        for axis in (0, 1)
    ]
    padded = image.astype(np.float64)
    for axis, one in enumerate(geometry):
        indices = source_indices(image.shape[axis], one.before, one.after, options.padding)
        padded = np.where(
            np.expand_dims(indices, tuple(set(range(3)) - {axis})) < 0,
            options.padding_value,
            padded.take(np.maximum(indices, 0), axis),
        )
    height, width = ((one.output - 1) * one.stride + 1 for one in geometry)
    (down, right), (below, beside) = options.stride, options.dilation
    responses = [
        sum(
            weight * padded[y * below : y * below + height : down, x * beside : x * beside + width : right]
            for (y, x), weight in np.ndenumerate(each)
        )
        for each in weights
    ]
    if len(responses) == 1:
        return responses[0]
    if kernel.combine == "magnitude":
        return np.sqrt(sum(response**2 for response in responses))
    return np.max(np.abs(responses) if kernel.combine == "maxabs" else responses, axis=0)


def fused_plan(image, kernel, options, finish=None):
    """A plan that goes by shared additions, with what says that it does."""
    plan = plan_convolution(image.shape, image.dtype, kernel, options, finish)
    assert plan.form == "sums", plan.reason
    return plan


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    """Take additions wherever they are possible, in tiles that are small enough for several to meet."""
    monkeypatch.setattr(fused, "_seconds", lambda *_: 0.0)
    monkeypatch.setattr(fused, "_ROWS", 13)
    monkeypatch.setattr(fused, "_ROW_SAMPLES", 50)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("name", COMPOSITES)
def test_a_composite_is_exact_in_every_integer_type(name, dtype):
    image = random_image((40, 61, 3), dtype)
    kernel, options = load_kernel(name), ConvolveOptions()
    expected = exact(image, kernel, options)
    # Whole numbers below 2^24 are exact in float32; roots are rounded twice.
    rtol = 2e-7 if kernel.combine == "magnitude" else 0
    assert_allclose(fused_plan(image, kernel, options).run(image), expected, rtol=rtol, atol=0)


@pytest.mark.parametrize("out", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("mapping", ["clip", "abs", "offset"])
@pytest.mark.parametrize("name", [*COMPOSITES, "sobel_x", "laplacian_8", "sharpen"])
def test_an_integer_output_is_the_exact_value_rounded(name, mapping, out):
    image = random_image((30, 45, 1), np.uint8, seed=3)
    kernel, options = load_kernel(name), ConvolveOptions(padding="replicate")
    limits = np.iinfo(out)
    value = exact(image, kernel, options)
    value = np.abs(value) if mapping == "abs" else value
    value = value + (limits.max - limits.min + 1) // 2 + limits.min if mapping == "offset" else value
    result = fused_plan(image, kernel, options, Finish(np.dtype(out), mapping=mapping)).run(image)
    expected = np.clip(value, limits.min, limits.max)
    if mapping == "offset":  # float32 rounds the root again where mid-grey is added
        assert np.abs(result - expected).max() <= 0.5 + 2e-6 * 32 * 255
    else:
        assert_array_equal(result, np.rint(expected))


@pytest.mark.parametrize("padding", [mode.name for mode in PADDINGS if not mode.missing])
@pytest.mark.parametrize("extent", ["same", "valid", "full"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (3, 2)])
@pytest.mark.parametrize("name", ["sobel", "kirsch"])
def test_every_geometry(name, padding, extent, stride, dilation):
    image = random_image((29, 47, 2), np.uint8, seed=1)
    value = 7.0 if padding == "constant" else 0.0
    options = ConvolveOptions(padding, value, extent, stride=stride, dilation=dilation, anchor=(0, 2), flip=True)
    kernel = load_kernel(name)
    result = fused_plan(image, kernel, options).run(image)
    assert_allclose(result, exact(image, kernel, options), rtol=2e-7, atol=0)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 1), (9, 1, 3), (2, 2, 4)])
@pytest.mark.parametrize("name", COMPOSITES)
def test_images_smaller_than_the_kernel(name, shape):
    image = random_image(shape, np.uint8)
    kernel, options = load_kernel(name), ConvolveOptions(padding="reflect")
    assert_allclose(fused_plan(image, kernel, options).run(image), exact(image, kernel, options), rtol=2e-7, atol=0)


@pytest.mark.parametrize("combine", ["magnitude", "max", "maxabs", "sum"])
@pytest.mark.parametrize("seed", range(6))
def test_random_whole_numbers(combine, seed):
    generator = np.random.default_rng(seed)
    shape = (generator.integers(1, 5), generator.integers(2, 5))
    kernels = tuple(Kernel(f"k{i}", generator.integers(-12, 13, shape)) for i in range(generator.integers(2, 5)))
    kernel = CompositeKernel("joined", kernels, combine)
    image, options = random_image((24, 31, 3), np.uint8, seed), ConvolveOptions()
    expected = (
        sum(exact(image, each, options) for each in kernels) if combine == "sum" else exact(image, kernel, options)
    )
    assert_allclose(fused_plan(image, kernel, options).run(image), expected, rtol=3e-7, atol=1e-3)


@pytest.mark.parametrize("name", ["sobel", "kirsch", "robinson"])
def test_a_large_image_is_that_of_another_backend(name, monkeypatch):
    monkeypatch.setattr(fused, "_MANY_SAMPLES", 1000)  # where OpenCV takes the roots
    monkeypatch.setattr(fused, "_ROWS", 32)
    image = random_image(LARGE, np.uint8)
    kernel, finish = load_kernel(name), Finish(np.dtype(np.uint8))
    result = fused_plan(image, kernel, ConvolveOptions(), finish).run(image)
    other = plan_convolution(image.shape, image.dtype, kernel, ConvolveOptions(backend="opencv"), finish)
    assert_array_equal(result, other.run(image))


def test_the_number_of_threads_makes_no_difference():
    image, kernel = random_image(LARGE, np.uint8), load_kernel("kirsch")
    one, four = (convolve(image, kernel, threads=threads, out_dtype=np.uint8) for threads in (1, 4))
    assert_array_equal(one, four)


@pytest.mark.parametrize(
    ("kernel", "dtype", "value"),
    [
        ([[0.5, 1.0]], np.uint8, 0.0),
        ([[1.0, 1.0]], np.float32, 0.0),
        ([[1.0, 1.0]], np.uint8, 0.5),
        ([[1.0, 1.0]], np.uint8, -1.0),
        ([[1e5, 1.0]], np.uint16, 0.0),
        ([[0.0, 0.0]], np.uint8, 0.0),
    ],
)
def test_what_is_not_a_sum_of_integers_goes_another_way(kernel, dtype, value):
    options = ConvolveOptions("constant", value)
    assert plan_convolution((9, 9, 1), dtype, Kernel("k", kernel), options).form != "sums"


def test_compass_directions_share_their_sums():
    kernels = [kernel.weights for kernel in load_kernel("kirsch").kernels]
    sums = shared_sums(kernels, "max")
    assert (sums.gain, len(sums.pairs)) == (8, 4)
    assert sums.additions < 24  # 8 kernels of 8 weights


def test_the_integers_hold_every_sum():
    assert sample_type(128, 255) == np.int16
    assert sample_type(129, 255) == np.int32
