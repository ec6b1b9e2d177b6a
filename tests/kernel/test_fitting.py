"""Fitting a kernel to an image and its response, against numpy.linalg.lstsq on the windows written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import PHOTO
from scipy import ndimage

from convcli import read_image
from convcli.errors import FilterError, UsageError
from convcli.image.model import Image
from convcli.kernel import fitting
from convcli.kernel.fitting import SYMMETRIES, FitOptions, Pair, fit_kernel, gradient, symmetry_orbits
from convcli.process.kernel_fitting import pair_of


@pytest.fixture(scope="module")
def photo():
    return read_image(PHOTO).pixels[100:260, 200:420]


def random_kernel(size, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, size)


def response(pixels, weights):
    """The float response of every channel, as large as the image, in float64."""
    planes = [ndimage.correlate(pixels[..., c].astype(float), weights, mode="mirror") for c in range(pixels.shape[2])]
    return np.stack(planes, axis=-1)


def windows_and_targets(pair, size):
    """The whole least-squares problem of a pair of one size, one row for each window."""
    before = np.lib.stride_tricks.sliding_window_view(pair.before.astype(float), size, axis=(0, 1))
    top, left = size[0] // 2, size[1] // 2
    after = pair.after[top : top + before.shape[0], left : left + before.shape[1]]
    return before.reshape(-1, size[0] * size[1]), after.reshape(-1).astype(float)


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


def test_saturated_pixels_are_left_out_and_counted(photo):
    weights = random_kernel((5, 5), seed=3)
    exact = response(photo, weights)
    after = np.clip(np.rint(exact), 0, 255).astype(np.uint8)
    inner = after[2:-2, 2:-2]
    saturated = int(((inner == 0) | (inner == 255)).sum())
    assert saturated > inner.size // 10
    fit = fit_kernel([Pair(photo, after)], FitOptions((5, 5)))
    assert fit.counts.saturated == saturated
    assert fit.counts.used == inner.size - saturated
    assert fit.counts.border == after.size - inner.size
    np.testing.assert_allclose(fit.weights, weights, atol=2e-2)
    # Had they been used, the answer would be another.
    windows, targets = windows_and_targets(Pair(photo, after), (5, 5))
    wrong = np.linalg.lstsq(windows, targets)[0].reshape(5, 5)
    assert np.abs(wrong - weights).max() > 0.1


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
@settings(max_examples=30, deadline=None)
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


def test_an_output_of_extent_valid_fits_as_well(photo):
    weights = random_kernel((5, 3))
    after = response(photo, weights)[2:-2, 1:-1]
    fit = fit_kernel([Pair(photo, after)], FitOptions((5, 3)))
    np.testing.assert_allclose(fit.weights, weights, atol=1e-8)
    assert fit.counts.border == 0


def test_an_anchor_says_where_the_kernel_lies(photo):
    weights = random_kernel((3, 4))
    moved = np.stack([ndimage.correlate(photo[..., c].astype(float), weights, origin=(1, -1)) for c in range(3)], -1)
    # scipy's origin is added to the middle (1, 2), with its sign turned: the anchor is (1 + 1, 2 - 1).
    fit = fit_kernel([Pair(photo, moved)], FitOptions((3, 4), anchor=(2, 1)))
    np.testing.assert_allclose(fit.weights, weights, atol=1e-8)


def test_unknown_pixels_spoil_no_window(photo):
    weights = random_kernel((3, 5))
    before = photo.astype(np.float64)
    after = response(before, weights)
    before[50:60, 70] = np.nan
    after[20:25, 30:40] = np.inf
    usable = np.ones(before.shape[:2], bool)
    usable[100, 100] = False
    before[100, 100] = 1e6  # never seen
    fit = fit_kernel([Pair(before, after, usable=usable)], FitOptions((3, 5)))
    np.testing.assert_allclose(fit.weights, weights, atol=1e-8)
    assert fit.counts.unknown == 3 * (12 * 5 + 3 * 5)
    assert fit.counts.saturated == 3 * 50
    assert fit.counts.used + fit.counts.border + fit.counts.unknown + fit.counts.saturated == after.size


def test_blocks_of_any_size_give_the_same(photo, monkeypatch):
    after = np.clip(np.rint(response(photo, random_kernel((5, 4)))), 0, 255).astype(np.uint8)
    whole = fit_kernel([Pair(photo, after)], FitOptions((5, 4), bias=True))
    monkeypatch.setattr(fitting, "_LEAST_BLOCK", 100)
    monkeypatch.setattr(fitting, "_BLOCK_SAMPLES", 20 * 300)  # a row and a bit; then less than a row
    rows = fit_kernel([Pair(photo, after)], FitOptions((5, 4), bias=True))
    monkeypatch.setattr(fitting, "_BLOCK_SAMPLES", 1)
    tiles = fit_kernel([Pair(photo.swapaxes(0, 1)[:, :150], after.swapaxes(0, 1)[:, :150])], FitOptions((4, 5)))
    np.testing.assert_allclose(rows.weights, whole.weights, atol=1e-10)
    assert rows.counts == whole.counts
    assert tiles.weights.shape == (4, 5)


def test_threads_change_no_bit_of_the_result(photo, monkeypatch):
    monkeypatch.setattr(fitting, "_LEAST_BLOCK", 100)  # many blocks, which threads finish in any order
    monkeypatch.setattr(fitting, "_BLOCK_SAMPLES", 1)
    after = np.clip(np.rint(response(photo, random_kernel((5, 4)))), 0, 255).astype(np.uint8)
    fits = [fit_kernel([Pair(photo, after)], FitOptions((5, 4), bias=True), threads) for threads in (1, 2, 5)]
    for fit in fits[1:]:
        np.testing.assert_array_equal(fit.weights, fits[0].weights)
        assert (fit.bias, fit.residual_rms, fit.residual_max) == (
            fits[0].bias,
            fits[0].residual_rms,
            fits[0].residual_max,
        )


def test_every_channel_is_an_image_of_its_own_with_the_same_kernel(photo):
    weights = random_kernel((3, 3))
    after = response(photo, weights)
    apart = [Pair(photo[..., c : c + 1], after[..., c : c + 1]) for c in range(3)]
    one, three = fit_kernel([Pair(photo, after)], FitOptions((3, 3))), fit_kernel(apart, FitOptions((3, 3)))
    np.testing.assert_allclose(one.weights, three.weights, atol=1e-12)
    assert one.counts == three.counts


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ((4, 20, 1), (4, 20, 1), r"a: no window of 5x5 lies within an image of 4x20"),
        ((20, 20, 3), (20, 20, 1), r"a: 3 channels before and 1 after"),
        (
            (20, 20, 1),
            (20, 19, 1),
            r"a: 20x20 before and 20x19 after: expected the same size, or 16x16 of",
        ),
    ],
)
def test_sizes_that_do_not_match_are_refused(before, after, message):
    with pytest.raises(FilterError, match=message):
        fit_kernel([Pair(np.zeros(before), np.zeros(after), name="a")], FitOptions((5, 5)))


def test_an_output_that_is_saturated_all_over_is_refused(photo):
    with pytest.raises(FilterError, match=r"a: no pixel is left to fit 3x3 weights to: .* are saturated"):
        fit_kernel([Pair(photo, np.zeros_like(photo), name="a")], FitOptions((3, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 3)}, "--size 0x3: a kernel has at least one row"),
        ({"size": (100, 100)}, "--size 100x100: at most 4096 weights are fitted"),
        ({"size": (3, 3), "anchor": (3, 0)}, "--anchor 3,0: outside a kernel of 3x3"),
        ({"size": (3, 3), "ridge": -1.0}, "--ridge -1: must be zero or a positive number"),
        ({"size": (3, 3), "ridge": float("nan")}, "--ridge nan: must be"),
        ({"size": (3, 3), "total": float("inf")}, "--sum inf: must be finite"),
        ({"size": (3, 3), "symmetry": "radail"}, "unknown symmetry 'radail'.*did you mean 'radial'"),
        ({"size": (3, 5), "symmetry": "full"}, "--symmetric full: turns rows into columns, which 3x5 cannot"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        FitOptions(**options)


def test_a_pair_of_files_is_brought_to_known_units_and_colours(photo):
    deep = Image((photo * np.uint16(257)).astype(np.uint16))
    assert pair_of(Image(photo), deep, "a").unit == 257.0
    assert pair_of(Image(photo), Image(photo.astype(np.float32)), "a").unit == 1.0
    assert pair_of(Image(photo.astype(np.float32)), Image(photo), "a").unit == 255.0
    assert pair_of(Image(photo), Image(photo[..., :1]), "a").before.shape[2] == 1
    with pytest.raises(FilterError, match="a: 1 channels before and 3 after: they must match, or --gray makes both"):
        pair_of(Image(photo[..., :1]), Image(photo), "a")


def test_gray_of_a_saturated_colour_counts_as_saturated():
    before = np.full((2, 2, 3), 100, np.uint8)
    after = before.copy()
    after[0, 1, 2] = 255
    pair = pair_of(Image(before), Image(after), "a", gray=True)
    np.testing.assert_array_equal(np.isnan(pair.after[..., 0]), [[False, True], [False, False]])


def test_pixels_that_are_not_opaque_are_unknown():
    rgba = np.full((3, 3, 4), 255, np.uint8)
    assert pair_of(Image(rgba, alpha=True), Image(rgba, alpha=True), "a").usable is None
    rgba[1, 2, 3] = 254
    pair = pair_of(Image(rgba, alpha=True), Image(rgba[..., :3]), "a")
    assert pair.before.shape == (3, 3, 3)
    np.testing.assert_array_equal(np.argwhere(~pair.usable), [[1, 2]])
