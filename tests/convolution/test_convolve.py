"""convolve() against scipy in float64, over padding, backend, depth, kernel, extent, flip, anchor, stride, dilation."""

import itertools
import math
import re
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from commandline import done
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import (
    DTYPES,
    KERNELS,
    NDIMAGE_PADDING,
    PADDED_MODES,
    SHAPES,
    all_pairs,
    bound,
    in_double,
    random_image,
    random_kernel,
    reference,
)
from scipy import ndimage

from convcli import Kernel, convolve, load_kernel
from convcli.convolution.backends.base import refusal
from convcli.convolution.backends.registry import REGISTRY
from convcli.convolution.options import pair_of
from convcli.errors import FilterError, UsageError
from convcli.kernel.model import CompositeKernel

# All whose libraries are installed, and those of them that refuse nothing.
BACKENDS = tuple(entry.name for entry in REGISTRY if entry.installed)
GENERAL = tuple(name for name in BACKENDS if refusal(name, (7, 4), (2, 2), (2, 2)) is None)


def check(image, weights, *, backend, precision="single", out=False, threads=2, **options):
    """Compare one convolution with the reference, within the error bound of docs/numerics.md; or expect its refusal."""
    reason = refusal(backend, weights.shape, pair_of(options.get("stride", 1)), pair_of(options.get("dilation", 1)))
    if reason is not None:
        with pytest.raises(UsageError, match=f"^{re.escape(reason)}$"):
            convolve(image, weights, backend=backend, **options)
        return
    expected, largest = reference(image, weights, **options)
    double = precision == "double" or in_double(image.dtype)
    allowed = bound(weights, largest, double)
    dtype = image.dtype if out else None
    signed = "auto" if dtype is None or np.dtype(dtype).kind == "f" else "clip"
    options |= {"backend": backend, "precision": precision, "threads": threads, "out_dtype": dtype, "signed": signed}
    result = convolve(image, weights, **options)
    assert result.shape == expected.shape
    if out and image.dtype.kind in "ui":
        limits = np.iinfo(image.dtype)
        assert result.dtype == image.dtype
        expected = np.clip(expected, limits.min, limits.max)
        np.testing.assert_allclose(result.astype(np.float64), expected, rtol=0, atol=0.5 + allowed)
    else:
        assert result.dtype == (np.float64 if double and not out else image.dtype if out else np.float32)
        # An f32 result of double arithmetic is rounded once more.
        slack = 1.2e-7 * np.abs(expected).max() if result.dtype == np.float32 else 0
        if result.dtype == np.float16:
            allowed += 2**-11 * np.abs(expected).max()
        np.testing.assert_allclose(result, expected, rtol=0, atol=allowed + slack * (precision == "double"))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("depth", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("padding", PADDED_MODES)
def test_every_padding_backend_depth_and_kernel_shape_gives_scipys_response(padding, backend, depth, kernel):
    image = random_image((13, 10), DTYPES[depth])
    value = 77.0 if padding == "constant" else 0.0
    check(image, random_kernel(KERNELS[kernel]), backend=backend, padding=padding, padding_value=value)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("depth", ["u8", "u16", "u32", "i8", "i16", "i32"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_integer_outputs_are_rounded_and_saturated(backend, depth, kernel):
    check(random_image((31, 40, 3), DTYPES[depth]), random_kernel(KERNELS[kernel]), backend=backend, out=True)


PAIRWISE = list(
    all_pairs(
        {
            "padding": PADDED_MODES,
            "backend": (*BACKENDS, "auto"),
            "depth": tuple(DTYPES),
            "shape": tuple(SHAPES),
            "kernel": tuple(KERNELS),
            "extent": ("same", "full", "valid"),
            "flip": (False, True),
            "anchor": ("default", "first", "last"),
            "stride": ((1, 1), (2, 2), (3, 1)),
            "dilation": ((1, 1), (2, 2), (1, 3)),
            "precision": ("single", "double"),
            "out": (False, True),
            "threads": (1, 2, 3),
        }
    )
)


@pytest.mark.parametrize("case", PAIRWISE, ids=lambda case: "-".join(map(str, case.values())))
def test_every_pair_of_options_gives_scipys_response(case):
    case = dict(case)
    image = random_image(SHAPES[case.pop("shape")], DTYPES[case.pop("depth")])
    weights = random_kernel(KERNELS[case.pop("kernel")])
    last = weights.shape[0] - 1, weights.shape[1] - 1
    case["anchor"] = {"default": None, "first": (0, 0), "last": last}[case["anchor"]]
    case["padding_value"] = 12.5 if case["padding"] == "constant" else 0.0
    spans = [d * (k - 1) + 1 for d, k in zip(case["dilation"], weights.shape, strict=True)]
    if case["extent"] == "valid" and any(span > n for span, n in zip(spans, image.shape[:2], strict=True)):
        with pytest.raises(FilterError, match="does not fit into"):
            convolve(image, weights, extent="valid", dilation=case["dilation"])
        return
    check(image, weights, **case)


@pytest.mark.parametrize("flip", [False, True], ids=["correlate", "convolve"])
@pytest.mark.parametrize("size", [(3, 3), (4, 4), (2, 5), (5, 2), (1, 2), (6, 1)], ids=str)
@pytest.mark.parametrize("padding", NDIMAGE_PADDING)
def test_anchor_and_flip_are_those_of_scipy_ndimage_also_for_even_sizes(padding, size, flip):
    image, weights = random_image((12, 15), np.float64), random_kernel(size)
    filter_ = ndimage.convolve if flip else ndimage.correlate
    expected = filter_(image, weights, mode=NDIMAGE_PADDING[padding], cval=3.0)
    result = convolve(image, weights, padding=padding, padding_value=3.0, flip=flip)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-11)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(0, 4),
    kernel_height=st.integers(1, 18),
    kernel_width=st.integers(1, 18),
    depth=st.sampled_from(sorted(DTYPES)),
    padding=st.sampled_from(PADDED_MODES),
    extent=st.sampled_from(["same", "full"]),
    flip=st.booleans(),
    stride=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    dilation=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    backend=st.sampled_from([*BACKENDS, "auto"]),
    anchor_share=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
    out=st.booleans(),
    seed=st.integers(0, 999),
)
def test_any_combination_gives_scipys_response(
    height, width, channels, kernel_height, kernel_width, depth, anchor_share, seed, **options
):
    shape = (height, width) if channels == 0 else (height, width, channels)
    anchor = int(anchor_share[0] * kernel_height), int(anchor_share[1] * kernel_width)
    weights = random_kernel((kernel_height, kernel_width), seed)
    check(random_image(shape, DTYPES[depth], seed), weights, anchor=anchor, **options)


@pytest.mark.parametrize("backend", GENERAL)
@pytest.mark.parametrize("size", [3, 13, 40], ids=lambda n: f"{n}x{n}")
def test_an_image_of_many_tiles_is_seamless(backend, size):
    image, weights = random_image((900, 1300), np.float32), random_kernel((size, size))
    # float64 by OpenCV's own spectra: a second opinion that is quick at this size
    expected = convolve(image.astype(np.float64), weights, backend="opencv", padding="wrap")
    exact = ndimage.correlate(image[:70, :70].astype(np.float64), weights, mode="constant")
    inner = slice(size, 70 - size)
    if size < 35:
        np.testing.assert_allclose(expected[inner, inner], exact[inner, inner], rtol=0, atol=1e-9)
    result = convolve(image, weights, backend=backend, padding="wrap")
    np.testing.assert_allclose(result, expected, rtol=0, atol=bound(weights, 100.0, double=False))


@pytest.mark.parametrize("backend", GENERAL)
@pytest.mark.parametrize("size", [31, 101])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_flat_white_image_under_a_large_box_stays_within_the_bound(backend, size, dtype):
    image = np.full((250, 260), 255, dtype)
    result = convolve(image, np.full((size, size), 1 / size**2), backend=backend)
    np.testing.assert_allclose(result.astype(np.float64), 255.0, rtol=0, atol=2e-6 * 255)


@pytest.mark.parametrize("backend", [*GENERAL, "auto"])
@pytest.mark.parametrize("size", [3, 9, 21])
@pytest.mark.parametrize("out_dtype", [None, np.uint8])
def test_the_result_does_not_depend_on_the_number_of_threads(backend, size, out_dtype):
    image, weights = random_image((500, 700, 3), np.uint8), random_kernel((size, size))
    results = [convolve(image, weights, backend=backend, threads=n, out_dtype=out_dtype) for n in (1, 2, 5)]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


SPOILT = {
    "sparse": np.array([[0.0, 1.0, 0.0], [2.0, 0.0, -1.0], [0.0, 0.0, 0.5]]),
    "separable with zeros": np.outer([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0]),
    "large with zeros": random_kernel((17, 15)),
    "long and separable": np.outer(np.hanning(21), np.hanning(21)),
}


@pytest.mark.parametrize("kernel", SPOILT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend", GENERAL)
def test_nan_and_infinity_reach_exactly_the_outputs_with_a_nonzero_weight_on_them(backend, dtype, kernel):
    weights, image = SPOILT[kernel], random_image((120, 160), dtype)
    spoilt = np.zeros(image.shape)
    for position, value in (((60, 70), np.nan), ((3, 150), np.inf), ((119, 0), -np.inf)):
        image[position], spoilt[position] = value, 1
    reached = ndimage.correlate(spoilt, (weights != 0).astype(float), mode="mirror") > 0.5
    result = convolve(image, weights, backend=backend)
    np.testing.assert_array_equal(~np.isfinite(result), reached)
    clean = ndimage.correlate(np.where(spoilt > 0, 0.0, image).astype(np.float64), weights, mode="mirror")
    allowed = bound(weights, 100.0, dtype == np.float64)
    np.testing.assert_allclose(result[~reached], clean[~reached], rtol=0, atol=allowed)


@pytest.mark.parametrize("backend", GENERAL)
def test_long_sums_beside_a_nan_stay_within_the_bound(backend):
    image = np.full((160, 170), 255, np.float32)
    image[0, 0] = np.nan
    result = convolve(image, np.full((101, 101), 1 / 101**2), backend=backend)
    assert np.isnan(result).sum() == 51 * 51
    np.testing.assert_allclose(result[~np.isnan(result)].astype(np.float64), 255.0, rtol=0, atol=2e-6 * 255)


@pytest.mark.parametrize("backend", GENERAL)
def test_calls_from_several_threads_do_not_disturb_each_other(backend):
    image, weights = random_image((300, 400), np.float32), random_kernel((9, 9))
    paddings = ("reflect101", "wrap")
    expected = [convolve(image, weights, padding=padding, backend=backend) for padding in paddings]

    def with_each_padding(threads):
        return [convolve(image, weights, padding=padding, backend=backend, threads=threads) for padding in paddings]

    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(with_each_padding, (1, 2, 3, 4) * 6):
            np.testing.assert_array_equal(results, expected)


@pytest.mark.parametrize("share", [0.0005, 0.2], ids=["few", "many"])
@pytest.mark.parametrize("geometry", [{}, {"stride": (2, 3)}, {"dilation": (2, 1), "extent": "full"}], ids=str)
@pytest.mark.parametrize("size", [(3, 3), (14, 15)], ids=str)
@pytest.mark.parametrize("backend", GENERAL)
def test_all_but_the_outputs_over_nan_are_as_if_it_were_not_there(backend, size, geometry, share):
    weights, image = random_kernel(size), random_image((90, 110, 2), np.float32)
    spoilt = np.random.default_rng(5).random(image.shape) < share
    reached = reference(spoilt.astype(np.float64), (weights != 0).astype(float), **geometry)[0] > 0.5
    expected, largest = reference(np.where(spoilt, 0, image), weights, **geometry)
    image[spoilt] = np.nan
    result = convolve(image, weights, backend=backend, **geometry)
    np.testing.assert_array_equal(np.isnan(result), reached)
    allowed = bound(weights, largest, double=False)
    np.testing.assert_allclose(result[~reached], expected[~reached], rtol=0, atol=allowed)


@pytest.mark.parametrize("scale", [1e-30, 1e-24, 1.0, 1e20, 1e36])
def test_a_magnitude_neither_vanishes_nor_overflows(scale):
    image = (np.random.default_rng(0).random((20, 30)) * scale).astype(np.float32)
    one, two = (ndimage.sobel(image.astype(np.float64), axis, mode="mirror") for axis in (0, 1))
    result = convolve(image, load_kernel("sobel"), backend="direct")
    np.testing.assert_allclose(result, np.hypot(one, two), rtol=0, atol=2e-6 * 8 * 2 * scale)


@pytest.mark.parametrize("where", ["weight", "padding"])
@pytest.mark.parametrize("size", [1e39, 1e-46])
def test_numbers_that_float32_cannot_hold_need_double_precision(size, where):
    image, weights, options = np.ones((5, 5)), np.array([[size, 0.0]]), {}
    if where == "padding":
        weights, options = np.ones((1, 2)), {"padding": "constant", "padding_value": size}
    with pytest.raises(UsageError, match="too much for single precision: choose precision double"):
        convolve(image.astype(np.float32), weights, **options)
    assert np.isfinite(convolve(image, weights, **options)).all()


@pytest.mark.parametrize("backend", GENERAL)
def test_one_huge_sample_does_not_drown_the_rest_of_the_image(backend):
    image, weights = random_image((80, 80), np.float32), random_kernel((15, 15))
    image[40, 40] = 3e38
    result = convolve(image, weights, backend=backend)
    expected = ndimage.correlate(image.astype(np.float64), weights, mode="mirror")
    np.testing.assert_allclose(result[:20], expected[:20], rtol=0, atol=bound(weights, 100.0, double=False))


@pytest.mark.parametrize("backend", GENERAL)
@pytest.mark.parametrize("how", ["magnitude", "max", "maxabs", "sum"])
def test_a_composite_kernel_combines_the_responses_of_its_parts(backend, how):
    parts = [Kernel("a", random_kernel((3, 3))), Kernel("b", random_kernel((4, 6), seed=1), anchor=(0, 5))]
    image = random_image((20, 30, 3), np.float64)
    one, two = (reference(image, part.weights, anchor=part.anchor, flip=True)[0] for part in parts)
    expected = {
        "magnitude": np.hypot(one, two),
        "max": np.maximum(one, two),
        "maxabs": np.maximum(np.abs(one), np.abs(two)),
        "sum": one + two,
    }[how]
    result = convolve(image, CompositeKernel("both", tuple(parts), how), flip=True, backend=backend)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", GENERAL)
def test_a_padding_value_may_differ_from_channel_to_channel(backend):
    image, weights = random_image((9, 8, 3), np.uint8), random_kernel((3, 3))
    result = convolve(image, weights, padding="constant", padding_value=(10, 20.5, 30), backend=backend)
    for channel, value in enumerate((10, 20.5, 30)):
        expected, largest = reference(image[..., channel], weights, padding="constant", padding_value=value)
        np.testing.assert_allclose(result[..., channel], expected, rtol=0, atol=bound(weights, largest, double=False))


@pytest.mark.parametrize("backend", GENERAL)
@pytest.mark.parametrize(
    "view",
    [lambda a: a[::2, ::-1], lambda a: a.transpose(1, 0, 2), lambda a: a[..., :3], np.asfortranarray],
    ids=["strided", "transposed", "cut", "fortran"],
)
def test_views_of_arrays_are_filtered_like_their_copies_and_left_as_they_were(backend, view):
    whole = random_image((40, 30, 4), np.float32)
    image, before = view(whole), whole.copy()
    weights = random_kernel((5, 3))
    np.testing.assert_array_equal(
        convolve(image, weights, backend=backend), convolve(image.copy(order="C"), weights, backend=backend)
    )
    np.testing.assert_array_equal(whole, before)


@pytest.mark.parametrize("backend", [*GENERAL, "auto"])
@pytest.mark.parametrize("channels", [128, 129, 600])
@pytest.mark.parametrize("out", [False, True])
def test_an_image_may_have_many_channels(backend, channels, out):
    check(random_image((9, 8, channels), np.uint8), random_kernel((3, 3)), backend=backend, out=out)
    check(random_image((9, 8, channels), np.float32), np.ones((5, 5)), backend=backend)


@pytest.mark.parametrize("depth", DTYPES)
@pytest.mark.parametrize("backend", GENERAL)
def test_samples_of_the_other_byte_order_are_filtered_alike(backend, depth):
    image, weights = random_image((20, 30), DTYPES[depth]), random_kernel((5, 3))
    swapped = image.astype(image.dtype.newbyteorder())
    result, expected = (convolve(each, weights, backend=backend) for each in (swapped, image))
    assert result.dtype == expected.dtype
    largest = float(np.abs(image.astype(np.float64)).max())
    np.testing.assert_allclose(result, expected, rtol=0, atol=2 * bound(weights, largest, depth == "f64"))


def test_a_read_only_image_is_no_trouble():
    image = random_image((10, 10), np.float32)
    image.flags.writeable = False
    check(image, random_kernel((3, 3)), backend="opencv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "reflct"}, "unknown padding 'reflct'.*did you mean 'reflect'"),
        ({"extent": "some"}, "unknown extent 'some': expected same, valid, full"),
        ({"backend": "ftt"}, "unknown backend 'ftt'.*did you mean 'fft'"),
        ({"precision": "half"}, "unknown precision 'half'"),
        ({"stride": 0}, "stride must be whole numbers of at least 1"),
        ({"stride": (1, 2, 3)}, "stride must be whole numbers of at least 1.*not 1,2,3"),
        ({"dilation": (1, -1)}, "dilation must be whole numbers of at least 1.*not 1,-1"),
        ({"anchor": (0, -1)}, "anchor must be whole numbers of at least 0"),
        ({"anchor": (3, 0)}, "anchor 3,0 lies outside kernel 'custom' of 3x3"),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"padding": "constant", "padding_value": float("nan")}, "padding value must be finite"),
        ({"out_dtype": np.int64}, "out_dtype must be one of uint8"),
    ],
    ids=str,
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(UsageError, match=message):
        convolve(np.zeros((5, 5)), np.ones((3, 3)), **options)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 5)), "0 x 5 pixels and 1 channels is empty"),
        (np.zeros((5, 0, 3)), "5 x 0 pixels and 3 channels is empty"),
        (np.zeros((5, 5, 0)), "5 x 5 pixels and 0 channels is empty"),
        (np.zeros(5), "2 or 3 dimensions"),
        (np.zeros((2, 2, 2, 2)), "2 or 3 dimensions"),
        (np.zeros((5, 5), np.int64), "samples of type int64 are not filtered"),
        (np.zeros((5, 5), bool), "samples of type bool are not filtered"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype}{value.shape}",
)
def test_images_that_cannot_be_filtered_are_refused_by_name(image, message):
    with pytest.raises(FilterError, match=message):
        convolve(image, np.ones((3, 3)))


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.zeros((0, 3)), "at least one weight, not of shape"),
        (np.ones(3), "2-D array"),
        (np.array([[1.0, np.nan]]), "must be finite"),
    ],
    ids=["empty", "1-D", "nan"],
)
def test_arrays_that_are_no_kernel_are_refused(kernel, message):
    with pytest.raises(UsageError, match=message):
        convolve(np.zeros((5, 5)), kernel)


def test_padding_values_must_match_the_channels():
    with pytest.raises(FilterError, match="2 padding values were given for 3 channels"):
        convolve(np.zeros((5, 5, 3)), np.ones((3, 3)), padding="constant", padding_value=(1, 2))


def test_the_pairwise_selection_meets_every_pair():
    names = list(PAIRWISE[0])
    for first, second in itertools.combinations(names, 2):
        met = {(case[first], case[second]) for case in PAIRWISE}
        values = [{case[name] for case in PAIRWISE} for name in (first, second)]
        assert len(met) == len(values[0]) * len(values[1])


@pytest.mark.parametrize("backend", [*GENERAL, "auto"])
@pytest.mark.parametrize(
    "dtype",
    [
        np.uint8,
        pytest.param(np.uint16, marks=pytest.mark.slow),
        np.float32,
        pytest.param(np.float64, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "spec",
    [
        "gabor:theta=30",
        "gabor:theta=75,sigma=2,psi=40",
        "dog:sigma=2",
        "log:sigma=2",
        "morlet:theta=20",
        "disk:radius=7",
        "gaussian:sigma=3",
        "box:size=9x16",
    ],
)
def test_kernels_of_low_rank_stay_within_the_bound_as_sums_of_passes(spec, dtype, backend):
    weights, image = load_kernel(spec).weights, random_image((70, 80, 2), dtype)
    image[20:50, 20:60] = image.max()  # a flat patch, where errors of one sign add up
    check(image, weights, backend=backend, flip=True)
    check(image, weights, backend=backend, padding="wrap", stride=(2, 1), dilation=(1, 2))


@settings(max_examples=150)
@given(
    lengths=st.tuples(st.integers(1, 23), st.integers(1, 23)),
    shape=st.sampled_from(["any", "even", "odd", "blur", "whole"]),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
    seed=st.integers(0, 9999),
)
def test_separable_kernels_from_bytes_to_bytes_are_right_whatever_their_factors(lengths, shape, scale, seed):
    # OpenCV has integer arithmetic of its own for some of these.
    generator = np.random.default_rng(seed)

    def factor(length):
        values = generator.integers(-9, 10, length) if shape == "whole" else generator.standard_normal(length)
        values = {"even": values + values[::-1], "odd": values - values[::-1]}.get(shape, values)
        return np.abs(values) / np.abs(values).sum() if shape == "blur" else values

    weights = np.outer(factor(lengths[0]), factor(lengths[1])) * scale
    if weights.any():
        check(random_image((30, 37), np.uint8, seed), weights, backend="opencv", out=True)


def test_a_kernels_weights_are_its_own_and_stay_as_they_are():
    image, weights = random_image((6, 7), np.uint8), np.ones((3, 3))
    kernel = Kernel("ones", weights)
    before = convolve(image, kernel)
    weights[...] = 2.0
    np.testing.assert_array_equal(convolve(image, kernel), before)
    np.testing.assert_array_equal(convolve(image, weights), 2 * before)
    with pytest.raises(ValueError, match="read-only"):
        kernel.weights[...] = 2.0


@pytest.mark.parametrize("of", [list, np.array, tuple])
def test_pairs_and_values_may_be_any_sequence_and_numpys_numbers(of):
    image, weights = random_image((9, 8, 3), np.uint8), random_kernel((3, 3))
    given = convolve(
        image,
        weights,
        stride=of([2, 2]),
        dilation=np.int64(2),
        anchor=of([0, 1]),
        padding="constant",
        padding_value=of([1.0, 2.0, 3.0]),
    )
    plain = {"stride": 2, "dilation": (2, 2), "anchor": (0, 1), "padding_value": (1.0, 2.0, 3.0)}
    np.testing.assert_array_equal(given, convolve(image, weights, padding="constant", **plain))
    np.testing.assert_array_equal(convolve(image, weights, stride=np.int64(2)), convolve(image, weights, stride=2))


# SPECs and mappings


def test_a_spec_is_the_kernel_that_it_stands_for(tmp_path):
    image = np.random.default_rng(3).integers(0, 256, (20, 30, 3), np.uint8)
    (tmp_path / "own.yaml").write_text("name: own\nweights: [[1, 2, 1]]\nnormalize: sum\n")
    for spec in ("gaussian:sigma=2", "sobel", "0 -1 0; -1 5 -1; 0 -1 0", str(tmp_path / "own.yaml")):
        np.testing.assert_array_equal(convolve(image, spec), convolve(image, load_kernel(spec)))
    with pytest.raises(UsageError, match="unknown kernel 'gausian'; did you mean 'gaussian'"):
        convolve(image, "gausian")


@pytest.mark.parametrize("spec", ["sobel_x", "box", "gabor", "emboss"])
@pytest.mark.parametrize("signed", ["auto", "clip", "abs", "offset", "stretch"])
def test_a_picture_is_the_one_that_filter_writes(spec, signed, tmp_path):
    image = np.random.default_rng(3).integers(0, 256, (20, 30), np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), image)
    done("filter", tmp_path / "a.png", "-k", spec, "--signed", signed, "--scale", "0.5", "-o", tmp_path / "b.png")
    written = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(convolve(image, spec, out_dtype=np.uint8, signed=signed, scale=0.5), written)


def test_scale_and_bias_belong_to_the_response_too():
    image = np.random.default_rng(3).integers(0, 256, (20, 30), np.uint8)
    response = convolve(image, "sobel_x")
    np.testing.assert_allclose(convolve(image, "sobel_x", scale=0.25, bias=7), 0.25 * response + 7, rtol=0, atol=1e-4)
    lifted = convolve(image, "sobel_x", out_dtype=np.uint8, scale=0.25, bias=128)  # with a bias the sign is kept
    np.testing.assert_array_equal(lifted, np.rint(0.25 * response + 128).clip(0, 255))
    signed = convolve(image, "sobel_x", out_dtype=np.int16)
    np.testing.assert_array_equal(signed, response)
    assert convolve(image, "sobel_x", scale=2, precision="double").dtype == np.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signed": "absolute"}, "unknown signed mapping 'absolute'"),
        ({"signed": "abs"}, "signed='abs' is how a response becomes integers: give out_dtype too"),
        ({"scale": math.nan}, "scale must be finite, not nan"),
        ({"bias": math.inf}, "bias must be finite, not inf"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(options, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        convolve(np.zeros((3, 3), np.uint8), "box", **options)
