"""Large Gaussians on a coarse grid, against the kernel's own two passes in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracle import random_image

from convcli import convolve, load_kernel
from convcli.convolution.execution import decimated
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.padding import PADDINGS, axis_geometry, source_indices
from convcli.convolution.plan import plan_convolution
from convcli.kernel.decimation import decimated as decimated_factor


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    """Take the grid wherever it is exact enough, in several tiles."""
    monkeypatch.setattr(decimated, "_seconds", lambda *_: 0.0)
    monkeypatch.setattr(decimated, "_POINTS_ACROSS", 32)
    monkeypatch.setattr(decimated, "_ROW_SAMPLES", 128)


def exact(image, kernel, options):
    """The response in float64, down and then across."""
    result = image.astype(np.float64)
    for axis in (0, 1):
        taps = kernel.size[axis]
        anchor = (options.anchor or kernel.origin)[axis]
        one = axis_geometry(image.shape[axis], taps, anchor=anchor, extent=options.extent, stride=options.stride[axis])
        indices = source_indices(image.shape[axis], one.before, one.after, options.padding)
        # A value beyond the image is the same after the other pass, as each factor sums to 1.
        outside = np.expand_dims(indices < 0, tuple({0, 1, 2} - {axis}))
        padded = np.where(outside, options.padding_value, result.take(np.maximum(indices, 0), axis))
        factor = kernel.weights.sum(axis=1 - axis)
        windows = np.lib.stride_tricks.sliding_window_view(padded, taps, axis)
        result = (windows @ factor).take(np.arange(one.output) * one.stride, axis)
    return result


def check(image, spec, options):
    kernel = load_kernel(spec)
    plan = plan_convolution(image.shape, image.dtype, kernel, options)
    assert plan.form == "decimated", plan.reason
    largest = max(float(np.abs(image.astype(np.float64)).max()), abs(options.padding_value))
    assert_allclose(plan.run(image), exact(image, kernel, options), rtol=0, atol=2e-6 * largest)


@pytest.mark.parametrize("sigma", [8, 9.7, 12, 15.3, 20, 33, 60])
@pytest.mark.parametrize("truncate", [5.5, 6.5])
def test_any_sigma_is_within_the_bound(sigma, truncate):
    image = random_image((150, 211, 3), np.uint8)
    check(image, f"gaussian:sigma={sigma},truncate={truncate}", ConvolveOptions())


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_every_type_of_samples(dtype):
    check(random_image((90, 80, 1), dtype), "gaussian:sigma=10,truncate=5.5", ConvolveOptions())


def test_a_white_image_stays_white():
    image = np.full((300, 310, 1), 255, np.uint8)
    check(image, "gaussian:sigma=24,truncate=5.5", ConvolveOptions())


@pytest.mark.parametrize("padding", [mode.name for mode in PADDINGS if not mode.missing])
@pytest.mark.parametrize("extent", ["same", "valid", "full"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 5)])
@pytest.mark.parametrize("anchor", [None, (0, 70)])
def test_every_geometry(padding, extent, stride, anchor):
    options = ConvolveOptions(padding, 90.0 if padding == "constant" else 0.0, extent, stride=stride, anchor=anchor)
    check(random_image((120, 131, 2), np.uint8, seed=2), "gaussian:sigma_y=9,sigma_x=11,truncate=5.5", options)


def test_the_number_of_threads_makes_no_difference():
    image, kernel = random_image((200, 180, 3), np.uint8), load_kernel("gaussian:sigma=12,truncate=6")
    one, three = (convolve(image, kernel, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_a_missing_sample_reaches_its_windows_alone():
    image = random_image((140, 150, 1), np.float32)
    image[3, 4] = np.nan
    kernel = load_kernel("gaussian:sigma=8,truncate=5.5")
    missing = np.isnan(convolve(image, kernel, padding="constant"))[..., 0]
    half = kernel.size[0] // 2
    expected = np.zeros_like(missing)
    expected[: 3 + half + 1, : 4 + half + 1] = True
    np.testing.assert_array_equal(missing, expected)


@pytest.mark.parametrize("spec", ["gaussian:sigma=20", "box:size=101", "gaussian:sigma=5,truncate=8", "log:sigma=12"])
def test_what_the_grid_would_change_goes_another_way(spec):
    assert plan_convolution((99, 99, 1), np.uint8, load_kernel(spec), ConvolveOptions()).form != "decimated"


@pytest.mark.parametrize("sigma", [8, 30, 300, 1000])
def test_a_factor_states_its_error(sigma):
    """Against the three steps run on impulses, one at each place."""
    places = np.arange(-int(5.5 * sigma), int(5.5 * sigma) + 1)
    bell = np.exp(-0.5 * (places / sigma) ** 2)
    found = decimated_factor(bell / bell.sum())
    assert found.error < 4e-7
    assert_allclose([found.analysis.sum(), found.middle.sum()], 1.0, rtol=1e-12)
    assert_allclose(found.synthesis.sum(), found.step, rtol=1e-12)
