"""Missing samples: normalised convolution against plain float64 loops, on every backend, padding, depth and form."""

import re
import warnings

import numpy as np
import pytest
from astropy import convolution
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from oracle import DTYPES, all_pairs, bound, in_double, normalized_reference, random_image, random_kernel

from convcli import Kernel, convolve, load_kernel
from convcli.convolution.backends.base import refusal
from convcli.convolution.backends.registry import REGISTRY
from convcli.convolution.missing import MissingOptions
from convcli.convolution.options import PADDING_MODES, pair_of
from convcli.errors import FilterError, UsageError
from convcli.kernel.model import CompositeKernel

BACKENDS = tuple(entry.name for entry in REGISTRY if entry.installed)
GENERAL = tuple(name for name in BACKENDS if refusal(name, (7, 4), (2, 2), (2, 2)) is None)
KERNELS = {
    "mixed 3x3": random_kernel((3, 3)),
    "mixed 7x4": random_kernel((7, 4)),
    "positive": np.abs(random_kernel((5, 5))),
    "negative": -np.abs(random_kernel((3, 2))),
    "separable": np.outer([1.0, 4.0, 6.0, 4.0, 1.0], [-1.0, 0.0, 2.0]),
    "box": np.full((5, 3), 0.2),
    "large": random_kernel((13, 13)),
    "zero": np.zeros((3, 3)),
}


def gaps_in(shape, share, seed=0):
    """Flags of single samples, and of a block, that are missing."""
    gone = np.random.default_rng(seed).random(shape) < share
    gone[: shape[0] // 3, shape[1] // 2 :] = share > 0
    return gone


def check(image, weights, certainty, *, backend, precision="single", out=False, rule="ignore", threads=2, **options):
    """Compare with the plain loops: `image` holds the nodata value or the mask says what is missing."""
    given_ = {name: options.pop(name) for name in ("mask", "nodata") if name in options}
    missing = {name: options.pop(name) for name in ("min_coverage", "holes") if name in options}
    reason = refusal(backend, weights.shape, pair_of(options.get("stride", 1)), pair_of(options.get("dilation", 1)))
    if reason is not None:
        with pytest.raises(UsageError, match=f"^{re.escape(reason)}$"):
            convolve(image, weights, backend=backend, **options)
        return
    planes = image[..., np.newaxis] if image.ndim == 2 else image
    certainties = np.broadcast_to(certainty[..., np.newaxis] if certainty.ndim == 2 else certainty, planes.shape)
    kept = {"holes": missing.get("holes", "keep"), "min_coverage": missing.get("min_coverage", 0.0)}
    found = [
        normalized_reference(planes[..., c], weights, certainties[..., c], rule=rule, **kept, **options)
        for c in range(planes.shape[2])
    ]
    expected = np.stack([each[0] for each in found], axis=-1)
    coverage = np.stack([each[1] for each in found], axis=-1)
    double = precision == "double" or in_double(image.dtype)
    largest = max(each[2] for each in found)
    result = convolve(
        image,
        weights,
        backend=backend,
        precision=precision,
        threads=threads,
        missing=rule,
        out_dtype=image.dtype if out else None,
        **given_,
        **missing,
        **options,
    ).reshape(expected.shape)
    if out and image.dtype.kind in "ui":
        limits = np.iinfo(image.dtype)
        hole = given_.get("nodata", limits.min)
        assert_array_equal(result[np.isnan(expected)], hole)
        slack = 0.5
        expected = np.clip(expected, limits.min, limits.max)
        result = np.where(np.isnan(expected), np.nan, result)
    else:
        slack = 2e-7 * np.nanmax(np.abs(expected), initial=0) if result.dtype == np.float32 else 0
        slack = 2e-3 * largest if result.dtype == np.float16 else slack
    assert_array_equal(np.isnan(result), np.isnan(expected))
    known = ~np.isnan(expected)
    allowed = 2 * bound(weights, largest, double) / coverage[known] + slack
    assert (np.abs(result[known] - expected[known]) <= allowed).all()


@pytest.mark.parametrize("depth", DTYPES)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("padding", PADDING_MODES)
def test_a_nodata_value_is_ignored_on_every_backend_padding_and_depth(padding, backend, depth):
    image = random_image((19, 23), DTYPES[depth])
    gone = gaps_in(image.shape, 0.1)
    image[gone] = 7
    for kernel in ("mixed 3x3", "positive", "large"):
        check(image, KERNELS[kernel], 1.0 - (image == 7), backend=backend, padding=padding, nodata=7.0)


PAIRWISE = list(
    all_pairs(
        {
            "backend": (*BACKENDS, "auto"),
            "padding": PADDING_MODES,
            "depth": tuple(DTYPES),
            "kernel": tuple(KERNELS),
            "shape": ((21, 26), (14, 17, 3), (6, 5, 2), (1, 9)),
            "extent": ("same", "full"),
            "flip": (False, True),
            "anchor": ("default", "last"),
            "stride": ((1, 1), (2, 3)),
            "dilation": ((1, 1), (2, 1)),
            "precision": ("single", "double"),
            "what": ("nodata", "mask", "bands", "weights", "nan"),
            "share": (0.0, 0.05, 0.6, 1.0),
            "rule": ("ignore", "spread"),
            "holes": ("keep", "fill"),
            "min_coverage": (0.0, 0.35),
            "out": (False, True),
        }
    )
)


def marked(image, what, share, seed=0):
    """Mark samples as missing: (image, certainty, the options that say so)."""
    image = image.copy()
    gone = gaps_in(image.shape[:2], share, seed)
    if what == "nan" and image.dtype.kind == "f":
        image[gone] = np.nan
        return image, np.where(gone, 0.0, 1.0), {}
    if what == "nodata":
        image[gone] = 5
        return image, np.where(image == 5, 0.0, 1.0), {"nodata": 5.0}
    if what == "bands" and image.ndim == 3:
        bands = np.random.default_rng(seed).random(image.shape) >= share
        return image, bands.astype(float), {"mask": bands}
    certainty = np.where(gone, 0.0, 1.0)
    if what == "weights":
        certainty = np.where(gone, 0.0, np.random.default_rng(seed).choice([0.25, 0.5, 1.0], gone.shape))
    return image, certainty, {"mask": certainty.astype(np.float32)}


@pytest.mark.parametrize("case", PAIRWISE, ids=lambda case: "-".join(map(str, case.values())))
def test_every_pair_of_options_gives_the_normalized_response(case):
    case = dict(case)
    image = random_image(case.pop("shape"), DTYPES[case.pop("depth")])
    weights = KERNELS[case.pop("kernel")]
    case["anchor"] = {"default": None, "last": tuple(n - 1 for n in weights.shape)}[case["anchor"]]
    case["padding_value"] = 12.5 if case["padding"] == "constant" else 0.0
    image, certainty, said = marked(image, case.pop("what"), case.pop("share"))
    check(image, weights, certainty, **case, **said)


@pytest.mark.slow
@settings(max_examples=100)
@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    kernel=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    signs=st.sampled_from(["mixed", "positive"]),
    depth=st.sampled_from(sorted(DTYPES)),
    padding=st.sampled_from(PADDING_MODES),
    backend=st.sampled_from([*BACKENDS, "auto"]),
    extent=st.sampled_from(["same", "full"]),
    what=st.sampled_from(["nodata", "mask", "weights", "nan"]),
    share=st.floats(0, 1),
    rule=st.sampled_from(["ignore", "spread"]),
    holes=st.sampled_from(["keep", "fill"]),
    min_coverage=st.floats(0, 1),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 99),
)
def test_any_combination_gives_the_normalized_response(size, kernel, signs, depth, what, share, seed, **options):
    weights = random_kernel(kernel, seed)
    weights = np.abs(weights) if signs == "positive" else weights
    image, certainty, said = marked(random_image(size, DTYPES[depth], seed), what, share, seed)
    check(image, weights, certainty, **options, **said)


@pytest.mark.parametrize("backend", GENERAL)
@pytest.mark.parametrize("spec", ["gaussian:sigma=2", "gabor:sigma=4,theta=45", "box:size=15", "sobel_x", "laplacian"])
def test_a_flat_field_stays_flat_and_its_derivative_zero(backend, spec):
    kernel = load_kernel(spec)
    image = np.full((70, 83), 200, np.float32)
    image[gaps_in(image.shape, 0.1)] = np.nan
    flat = convolve(image, kernel, missing="ignore", holes="fill", padding="none", backend=backend)
    total = float(kernel.weights.sum())
    known = flat[~np.isnan(flat)]
    assert known.size > flat.size / 2
    assert_allclose(known, 200 * total, rtol=0, atol=30 * bound(kernel.weights, 200, double=False))


@pytest.mark.parametrize("extent", ["same", "full"])
def test_without_padding_a_gaussian_of_a_constant_is_the_constant(extent):
    for dtype, constant in ((np.uint8, 93), (np.float64, 0.25)):
        image = np.full((40, 50, 3), constant, dtype)
        smooth = convolve(image, load_kernel("gaussian:sigma=3"), padding="none", extent=extent)
        assert_allclose(smooth, constant, rtol=2e-6)


@pytest.mark.parametrize("out_dtype", [None, np.uint8])
@pytest.mark.parametrize("backend", [*GENERAL, "auto"])
def test_tiles_that_see_nothing_missing_are_those_of_the_plain_run(backend, out_dtype):
    image, weights = random_image((700, 900), np.uint8), random_kernel((5, 5))
    mask = np.ones(image.shape, bool)
    mask[650:, 800:] = False
    plain = convolve(image, weights, backend=backend, out_dtype=out_dtype)
    result = convolve(image, weights, backend=backend, out_dtype=out_dtype, mask=mask)
    assert_array_equal(result[:200, :500], plain[:200, :500])
    assert_array_equal(convolve(image, weights, backend=backend, out_dtype=out_dtype, mask=np.ones_like(mask)), plain)


def test_each_kernel_of_a_composite_is_normalized_by_itself():
    image = random_image((30, 40), np.float32)
    image[gaps_in(image.shape, 0.05)] = np.nan
    parts = random_kernel((3, 3)), random_kernel((5, 3), 1)
    options = {"missing": "ignore", "holes": "fill", "padding": "none"}
    one, two = (convolve(image, part, **options) for part in parts)
    both = CompositeKernel("both", tuple(Kernel("k", part) for part in parts), combine="magnitude")
    assert_allclose(convolve(image, both, **options), np.hypot(one, two), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("padding", ["none", "wrap", "constant"])
def test_a_nodata_geotiff_through_a_gaussian_is_what_astropy_makes_of_it(padding):
    image = random_image((60, 70), np.float32) + 300
    image[gaps_in(image.shape, 0.1)] = np.nan
    kernel = load_kernel("gaussian:sigma=2")
    boundary = {"none": {"boundary": "fill", "fill_value": np.nan}, "wrap": {"boundary": "wrap"}}.get(
        padding, {"boundary": "fill", "fill_value": 0.0}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a hole is larger than the kernel
        expected = convolution.convolve(
            image.astype(np.float64),
            kernel.weights,
            nan_treatment="interpolate",
            preserve_nan=padding != "none",
            **boundary,
        )
    if padding == "none":
        expected[np.isnan(image)] = np.nan
    raster = np.where(np.isnan(image), np.float32(-9999), image)
    result = convolve(raster, kernel, nodata=-9999.0, padding=padding, precision="double")
    assert_allclose(result, expected, rtol=1e-6)


def test_missing_integers_take_the_nodata_value_and_others_the_least():
    image = np.full((9, 9), 50, np.int16)
    image[3:6, 3:6] = -9999
    result = convolve(image, np.ones((3, 3)) / 9, nodata=-9999, out_dtype=np.int16)
    assert_array_equal(result, image)
    assert_array_equal(convolve(image, np.ones((3, 3)) / 9, nodata=-9999, out_dtype=np.uint8)[4, 3:6], 0)
    assert np.isnan(convolve(image, np.ones((3, 3)) / 9, nodata=-9999)[4, 4])
    with pytest.raises(UsageError, match="out_dtype must be one of"):
        convolve(image, np.ones((3, 3)) / 9, out_dtype=np.int64)


def test_a_nodata_value_that_no_sample_can_be_changes_nothing():
    image, weights = random_image((20, 20), np.uint8), random_kernel((3, 3))
    assert_array_equal(convolve(image, weights, nodata=-9999), convolve(image, weights))


def test_infinity_is_known_and_reaches_what_it_reaches():
    image = np.ones((20, 20), np.float32)
    image[5, 5], image[12, 12] = np.inf, np.nan
    result = convolve(image, np.ones((3, 3)) / 9, missing="ignore", holes="fill")
    expected = np.ones(image.shape)
    expected[4:7, 4:7] = np.inf
    assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (np.ones((4, 5)), "a mask of 4 x 5 does not fit an image of 5 x 5"),
        (np.ones((5, 5, 2)), "a mask of 5 x 5 x 2 does not fit"),
        (np.full((5, 5), 255), "a mask holds numbers from 0"),
        (np.full((5, 5), np.nan), "a mask holds numbers from 0"),
    ],
)
def test_a_mask_that_fits_no_image_is_refused(mask, error):
    with pytest.raises(FilterError, match=error):
        convolve(np.zeros((5, 5)), np.ones((3, 3)), mask=mask)


@pytest.mark.parametrize("options", [{"missing": "interpolate"}, {"holes": "close"}, {"min_coverage": 1.5}])
def test_words_and_numbers_of_missing_samples_are_checked(options):
    with pytest.raises(UsageError):
        MissingOptions(**options)
