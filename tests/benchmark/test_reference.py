"""The reference, against scipy in float64 (oracle.py)."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracle import NUMPY_PADDING, bound, random_image, random_kernel, reference

from convcli import convolve, load_kernel
from convcli.benchmark.reference import Reference, compute_reference
from convcli.convolution.options import ConvolveOptions
from convcli.kernel.model import Kernel

GEOMETRIES = {
    "usual": {},
    "anchored, strided and dilated": {"anchor": (0, 0), "stride": (2, 3), "dilation": (2, 1)},
    "flipped": {"flip": True, "dilation": (1, 2)},
}


@pytest.mark.parametrize("large", [math.inf, 0.0], ids=["by definition", "by transforms"])
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("extent", ["same", "valid", "full"])
@pytest.mark.parametrize("padding", NUMPY_PADDING)
def test_the_reference_is_exact(padding, extent, geometry, large):
    image, weights = random_image((16, 23, 2), np.uint8), random_kernel((4, 3))
    options = {"padding": padding, "padding_value": 300.5 if padding == "constant" else 0.0, "extent": extent}
    expected, largest = reference(image, weights, **options, **geometry)
    found = compute_reference(image, Kernel("k", weights), ConvolveOptions(**options, **geometry), large=large)
    assert_allclose(found.values, expected, rtol=0, atol=1e-13 * np.abs(weights).sum() * largest)
    assert_allclose(found.bound, bound(weights, largest, double=False), rtol=1e-12)
    assert found.checked_error <= 1e-13 * np.abs(weights).sum() * largest


def test_large_work_is_checked_at_a_thousand_pixels_that_are_computed_directly():
    image = random_image((60, 50, 1), np.float32)
    found = compute_reference(image, load_kernel("gaussian"), ConvolveOptions(), large=0.0)
    assert found.method == "computed in float64 by transforms, and by the definition at 1,000 pixels"


@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_bound_goes_by_the_precision(precision):
    image, kernel = random_image((8, 9, 1), np.float32), load_kernel("sobel_x")
    found = compute_reference(image, kernel, ConvolveOptions(precision=precision))
    assert_allclose(found.bound, bound(kernel.weights, float(np.abs(image).max()), precision == "double"), rtol=1e-12)


@pytest.mark.parametrize("name", ["sobel", "kirsch", "roberts"])
def test_several_kernels_in_one_are_combined(name):
    image = random_image((20, 21, 3), np.uint8)
    found = compute_reference(image, load_kernel(name), ConvolveOptions())
    assert found.error(convolve(image, load_kernel(name), precision="double")) < 1e-9
    assert found.error(convolve(image, load_kernel(name))) <= found.bound


def test_a_wrong_sample_is_seen_wherever_it_is():
    image = random_image((700, 500, 1), np.uint8)
    found = compute_reference(image, load_kernel("box"), ConvolveOptions())
    result = found.values.astype(np.float32)
    result[650, 3] += 0.5
    assert found.error(result) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ([np.nan, np.inf, 1.0], 0.0),
        ([np.nan, np.inf, 1.5], 0.5),
        ([np.nan, -np.inf, 1.0], math.inf),
        ([0.0, np.inf, 1.0], math.inf),
        ([np.nan, np.inf, np.nan], math.inf),
        ([np.nan, np.inf], math.inf),
    ],
)
def test_what_is_not_finite_must_be_so_in_just_the_same_places(result, error):
    exact = Reference(np.array([np.nan, np.inf, 1.0]).reshape(1, -1, 1), 0.1, "")
    assert exact.error(np.array(result).reshape(1, -1, 1)) == error


def test_integers_are_held_against_the_saturated_response_and_may_be_rounded():
    exact = Reference(np.array([-3.0, 0.5, 254.6, 300.0]).reshape(1, -1, 1), 0.01, "")
    assert exact.error(np.array([0, 0, 255, 255], np.uint8).reshape(1, -1, 1)) == 0.5
    assert exact.allowed(np.dtype(np.uint8)) == 0.51
    assert exact.allowed(np.dtype(np.float32)) == 0.01
