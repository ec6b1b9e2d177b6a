"""Fitting a kernel to an image and its response, against numpy.linalg.lstsq on the windows written out."""

import numpy as np
import pytest
from fitting_cases import random_kernel, response, windows_and_targets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from convcli.errors import FilterError
from convcli.kernel.fitting import SYMMETRIES, FitOptions, Pair, fit_kernel, gradient, symmetry_orbits


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 7), (1, 9), (4, 6), (13, 2)])
@pytest.mark.parametrize("bias", [0.0, -12.5])
def test_a_random_kernel_comes_back_from_its_float_response(photo, size, bias):
    weights = random_kernel(size)
    after = (response(photo, weights) + bias).astype(np.float32)
    fit = fit_kernel([Pair(photo, after)], FitOptions(size, bias=bias != 0))
    np.testing.assert_allclose(fit.weights, weights, atol=1e-4)
    assert fit.bias == pytest.approx(bias, abs=1e-3)
    assert fit.warnings == ()
    assert (fit.unknowns, fit.determined) == (weights.size, weights.size)
    assert fit.residual_max < 1e-3
    assert fit.explained > 0.999999


@pytest.mark.parametrize("bias", [0.0, 20.0])
def test_a_7x7_kernel_comes_back_from_a_rounded_output(photo, bias):
    weights = np.random.default_rng(1).uniform(0, 1, (7, 7))
    weights /= weights.sum()
    exact = response(photo, weights) + bias
    after = np.clip(np.rint(exact), 0, 255).astype(np.uint8)
    fit = fit_kernel([Pair(photo, after)], FitOptions((7, 7), bias=bias != 0))
    np.testing.assert_allclose(fit.weights, weights, atol=2e-2)
    assert fit.bias == pytest.approx(bias, abs=0.1)
    # Rounding adds the variance of a uniform distribution of width 1.
    assert fit.residual_rms == pytest.approx(1 / np.sqrt(12), rel=0.05)
    # What the largest standard error promises of 49 weights: none is off by five times that.
    assert np.abs(fit.weights - weights).max() < 5 * fit.standard_error < 2e-2


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.01])
def test_it_is_the_least_squares_solution_with_noise_ridge_and_bias(bias, ridge):
    rng = np.random.default_rng(4)
    before, after = rng.uniform(0, 9, (30, 31, 2)), rng.uniform(0, 9, (30, 31, 2))
    pair = Pair(before, after)
    fit = fit_kernel([pair], FitOptions((3, 4), bias=bias, ridge=ridge))
    windows, targets = windows_and_targets(pair, (3, 4))
    means = (windows.mean(axis=0), targets.mean()) if bias else (0.0, 0.0)
    windows, targets = windows - means[0], targets - means[1]
    strength = ridge * (windows**2).sum() / windows.shape[1]
    stacked = np.vstack([windows, np.sqrt(strength) * np.eye(12)])
    expected = np.linalg.lstsq(stacked, np.append(targets, np.zeros(12)))[0]
    np.testing.assert_allclose(fit.weights.ravel(), expected, atol=1e-10)
    residual = windows @ expected - targets
    assert fit.residual_rms == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-9)
    assert fit.residual_max == pytest.approx(np.abs(residual).max(), rel=1e-9)
    if bias:
        assert fit.bias == pytest.approx(means[1] - means[0] @ expected, abs=1e-9)


def test_the_condition_and_the_standard_errors_are_those_of_the_problem():
    rng = np.random.default_rng(5)
    pair = Pair(rng.uniform(0, 9, (20, 25, 1)), rng.uniform(0, 9, (20, 25, 1)))
    fit = fit_kernel([pair], FitOptions((3, 3)))
    windows, targets = windows_and_targets(pair, (3, 3))
    assert fit.condition == pytest.approx(np.linalg.cond(windows), rel=1e-8)
    residual = windows @ fit.weights.ravel() - targets
    variance = residual @ residual / (targets.size - 9)
    expected = np.sqrt(variance * np.diag(np.linalg.inv(windows.T @ windows)).max())
    assert fit.standard_error == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
@pytest.mark.parametrize("total", [None, 1.0])
def test_symmetry_and_sum_are_kept_and_nothing_better_keeps_them(symmetry, total):
    rng = np.random.default_rng(6)
    pair = Pair(rng.uniform(0, 9, (25, 26, 1)), rng.uniform(0, 9, (25, 26, 1)))
    fit = fit_kernel([pair], FitOptions((5, 5), symmetry=symmetry, total=total))
    orbits = symmetry_orbits((5, 5), symmetry).ravel()
    weights = fit.weights.ravel()
    for number in range(orbits.max() + 1):
        np.testing.assert_allclose(weights[orbits == number], weights[orbits == number][0], atol=1e-12)
    if total is not None:
        assert weights.sum() == pytest.approx(total, abs=1e-12)
    assert fit.unknowns == orbits.max() + 1 - (total is not None)
    # By Lagrange's conditions: along every direction that is free the slope is zero.
    windows, targets = windows_and_targets(pair, (5, 5))
    slope = windows.T @ (windows @ weights - targets)
    free = np.array([slope[orbits == number].sum() for number in range(orbits.max() + 1)])
    sizes = np.bincount(orbits)
    if total is not None:
        free = free - sizes * (free @ sizes) / (sizes @ sizes)
    np.testing.assert_allclose(free, 0.0, atol=1e-7 * np.abs(windows.T @ targets).max())


@pytest.mark.parametrize(
    ("symmetry", "maps"),
    [
        ("left-right", [np.fliplr]),
        ("up-down", [np.flipud]),
        ("both", [np.fliplr, np.flipud]),
        ("point", [lambda k: np.rot90(k, 2)]),
        ("quarter", [np.rot90]),
        ("full", [np.rot90, np.fliplr]),
    ],
)
@pytest.mark.parametrize("size", [(4, 4), (5, 5)])
def test_an_orbit_is_what_the_turns_and_mirrors_of_a_symmetry_reach(symmetry, maps, size):
    """Each weight's orbit is found by moving a single one around until nothing new comes."""
    orbits = symmetry_orbits(size, symmetry)
    for place in np.ndindex(*size):
        reached = np.zeros(size, bool)
        reached[place] = True
        before = 0
        while reached.sum() != before:
            before = reached.sum()
            for move in maps:
                reached |= move(reached)
        np.testing.assert_array_equal(orbits == orbits[place], reached)


def test_radial_orbits_are_rings():
    y, x = np.indices((4, 7))
    distances = np.hypot(y - 1.5, x - 3)
    orbits = symmetry_orbits((4, 7), "radial")
    for number in range(orbits.max() + 1):
        assert np.ptp(distances[orbits == number]) < 1e-12
    assert orbits.max() + 1 == np.unique(distances.round(9)).size


@given(seed=st.integers(0, 1 << 30), height=st.integers(1, 4), width=st.integers(1, 4))
@settings(max_examples=30)
def test_the_gradient_is_the_slope_of_half_the_squared_errors(seed, height, width):
    rng = np.random.default_rng(seed)
    before, weights = rng.standard_normal((9, 8)), rng.standard_normal((height, width))
    after = rng.standard_normal((9 - height + 1, 8 - width + 1))

    def half_squares(kernel):
        error = np.einsum("yxuv,uv->yx", np.lib.stride_tricks.sliding_window_view(before, kernel.shape), kernel) - after
        return error, 0.5 * (error**2).sum()

    error, _ = half_squares(weights)
    slope = gradient(before, error, (height, width))
    for place in np.ndindex(height, width):
        step = np.zeros((height, width))
        step[place] = 1e-3
        # A parabola's central difference is its slope.
        expected = (half_squares(weights + step)[1] - half_squares(weights - step)[1]) / 2e-3
        assert slope[place] == pytest.approx(expected, abs=1e-7)


def test_going_down_the_gradient_ends_where_the_closed_form_begins():
    """What a layer would be trained to, step by step, is what the equations give at once."""
    rng = np.random.default_rng(7)
    before = rng.standard_normal((40, 50, 1))
    after = response(before, random_kernel((3, 3))) + rng.normal(0, 0.1, before.shape)
    fit = fit_kernel([Pair(before, after)], FitOptions((3, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(before[..., 0], (3, 3))
    weights = np.zeros((3, 3))
    for _ in range(200):
        error = np.einsum("yxuv,uv->yx", windows, weights) - after[1:-1, 1:-1, 0]
        weights -= 0.5 * gradient(before[..., 0], error, (3, 3)) / error.size
    np.testing.assert_allclose(weights, fit.weights, atol=1e-9)


def test_the_gradient_at_the_bottom_is_zero():
    rng = np.random.default_rng(8)
    pair = Pair(rng.uniform(0, 255, (40, 41, 1)), rng.uniform(0, 255, (40, 41, 1)))
    fit = fit_kernel([pair], FitOptions((5, 3)))
    windows, targets = windows_and_targets(pair, (5, 3))
    scale = np.abs(windows.T @ targets).max() / targets.size
    assert np.abs(fit.gradient).max() < 1e-12 * scale
    # Held elsewhere by a sum that it would not have, it still slopes.
    held = fit_kernel([pair], FitOptions((5, 3), total=5.0))
    assert np.abs(held.gradient).max() > 0.1 * scale


def test_several_pairs_determine_what_none_does_alone():
    stripes = np.tile(np.random.default_rng(9).uniform(0, 9, (1, 40, 1)), (40, 1, 1))
    bars = stripes.swapaxes(0, 1) + np.random.default_rng(10).uniform(0, 9, (40, 40, 1))
    weights = random_kernel((3, 3))
    pairs = [Pair(image, response(image, weights)) for image in (stripes, bars)]
    alone = fit_kernel(pairs[:1], FitOptions((3, 3)))
    # The rows of an image whose rows are all alike tell no more than the sums of a kernel's columns.
    assert (alone.determined, alone.unknowns, alone.condition) == (3, 9, np.inf)
    assert alone.warnings[0].startswith(
        "the images do not determine the kernel: the images show too few patterns, which fix 3 of 9 numbers"
    )
    np.testing.assert_allclose(alone.weights, np.tile(weights.mean(axis=0), (3, 1)), atol=1e-8)
    together = fit_kernel(pairs, FitOptions((3, 3)))
    np.testing.assert_allclose(together.weights, weights, atol=1e-8)
    assert together.warnings == ()


def test_too_few_pixels_are_said_to_be_so():
    rng = np.random.default_rng(11)
    before = rng.uniform(0, 9, (6, 6, 1))
    fit = fit_kernel([Pair(before, response(before, random_kernel((5, 5))))], FitOptions((5, 5)))
    assert (fit.determined, fit.unknowns) == (4, 25)
    assert "only 4 pixels are left, which fix 4 of 25 numbers" in fit.warnings[0]
    assert fit.residual_max < 1e-9


def test_uncertain_weights_are_said_to_be_so():
    rng = np.random.default_rng(12)
    smooth = ndimage.gaussian_filter(rng.uniform(0, 255, (60, 60)), 2)[..., np.newaxis]
    after = np.rint(response(smooth, np.full((5, 5), 0.04)))
    fit = fit_kernel([Pair(smooth, after)], FitOptions((5, 5)))
    assert fit.determined == 25
    assert fit.warnings[0].startswith("the images hardly determine the kernel: weights are uncertain by up to")
    assert fit_kernel([Pair(smooth, after)], FitOptions((5, 5), ridge=1e-4)).warnings == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(
    ("options", "tells"),
    [
        (FitOptions((3, 3)), "only what the weights sum to"),
        (FitOptions((3, 3), bias=True), "nothing about the weights"),
        (FitOptions((3, 3), total=1.0), "only what the weights sum to"),
    ],
)
def test_a_constant_image_is_named(dtype, options, tells):
    flat = np.full((20, 20, 1), 100, dtype)
    with pytest.raises(FilterError, match=f"flat.png, b.png: the image before is constant, which tells {tells}: fit"):
        fit_kernel([Pair(flat, flat, name="flat.png, b.png")], options)


def test_a_constant_image_with_a_ridge_gives_equal_weights_and_a_warning():
    flat = np.full((20, 20, 1), 100, np.uint8)
    fit = fit_kernel([Pair(flat, flat)], FitOptions((3, 3), ridge=1e-9))
    np.testing.assert_allclose(fit.weights, 1 / 9, rtol=1e-6)
    assert fit.warnings == ("the images before are constant: that the weights are equal comes from the ridge alone",)


def test_an_output_that_is_saturated_all_over_is_refused(photo):
    with pytest.raises(FilterError, match=r"a: no pixel is left to fit 3x3 weights to: .* are saturated"):
        fit_kernel([Pair(photo, np.zeros_like(photo), name="a")], FitOptions((3, 3)))
