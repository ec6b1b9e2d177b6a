"""The reference and the plain calls, against scipy in float64 (oracle.py)."""

import math
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracle import NUMPY_PADDING, bound, random_image, random_kernel, reference

from convcli import convolve, load_kernel
from convcli.benchmark.library_calls import LIBRARY_CALLS, library_run
from convcli.benchmark.reference import Reference, compute_reference
from convcli.benchmark.workload import Workload
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError
from convcli.kernel.model import Kernel

GEOMETRIES = {
    "usual": {},
    "anchored, strided and dilated": {"anchor": (0, 0), "stride": (2, 3), "dilation": (2, 1)},
    "flipped": {"flip": True, "dilation": (1, 2)},
}
CALLS = {call.name: call for call in LIBRARY_CALLS}


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


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("extent", ["same", "valid", "full"])
@pytest.mark.parametrize("padding", NUMPY_PADDING)
def test_a_plain_call_does_what_convcli_does_or_says_why_not(padding, extent, geometry, call):
    options = ConvolveOptions(padding=padding, padding_value=0.0, extent=extent, **geometry)
    for dtype, rounded in product((np.uint8, np.float32), (False, True)):
        image = random_image((19, 26, 3), dtype)
        case = Workload(image, Kernel("k", random_kernel((4, 3)) / 9), options, rounded)
        refusal = call.refusal(case)
        if refusal is not None:
            assert refusal.isprintable()
            continue
        exact = compute_reference(image, case.kernel, options)
        result = library_run(call, case)()
        assert result.dtype == case.dtype
        assert exact.error(result) <= exact.allowed(case.dtype)


def case_of(pixels=None, spec="box", **options):
    pixels = np.zeros((9, 9, 1), np.uint8) if pixels is None else pixels
    return Workload(pixels, load_kernel(spec), ConvolveOptions(**options))


@pytest.mark.parametrize(
    ("name", "case", "reason"),
    [
        ("cv2.filter2D", case_of(padding="wrap"), "filter2D knows no wrap"),
        ("cv2.filter2D", case_of(padding="constant", padding_value=3), "lays zeros around an image"),
        ("cv2.filter2D", case_of(extent="full"), "knows no full extent"),
        ("cv2.filter2D", case_of(spec="sobel"), "it lays on one kernel, and sobel is 2 in one"),
        ("cv2.filter2D", case_of(np.zeros((9, 9, 200), np.uint8)), "takes up to 128 channels, not 200"),
        ("cv2.filter2D", case_of(np.zeros((9, 9, 1), np.float32), precision="double"), "no float64 for float32"),
        ("cv2.filter2D on f32", case_of(np.zeros((9, 9, 1), np.float32)), "made of floats already"),
        ("scipy.ndimage.correlate", case_of(extent="full"), "knows no full extent"),
        (
            "scipy.signal.oaconvolve",
            case_of(np.zeros((9, 9, 2), np.uint8), padding="constant", padding_value=(1, 2)),
            "one constant around all channels",
        ),
    ],
)
def test_what_a_plain_call_cannot_do_is_said(name, case, reason):
    assert reason in CALLS[name].refusal(case)


def test_a_failure_of_a_library_becomes_one_line(monkeypatch):
    def fail(*_, **__):
        raise ValueError("too\nmuch")

    monkeypatch.setattr("convcli.benchmark.library_calls.cv2.filter2D", fail)
    with pytest.raises(FilterError, match=r"^cv2.filter2D fails: too much$"):
        library_run(CALLS["cv2.filter2D"], case_of())()


def test_without_scipy_its_calls_say_how_to_get_it(monkeypatch):
    monkeypatch.setattr("convcli.benchmark.library_calls.find_spec", lambda name: None)
    for name in ("scipy.ndimage.correlate", "scipy.signal.oaconvolve"):
        assert CALLS[name].refusal(case_of()) == "scipy is not installed: pip install scipy"
