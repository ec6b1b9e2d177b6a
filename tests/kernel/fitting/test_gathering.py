"""Which pixels a fit is made from, in which blocks, and on how many threads."""

import numpy as np
from fitting_cases import random_kernel, response, windows_and_targets
from scipy import ndimage

from convcli.kernel.fitting import FitOptions, Pair, fit_kernel, gathering


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
    monkeypatch.setattr(gathering, "_LEAST_BLOCK", 100)
    monkeypatch.setattr(gathering, "_BLOCK_SAMPLES", 20 * 300)  # a row and a bit; then less than a row
    rows = fit_kernel([Pair(photo, after)], FitOptions((5, 4), bias=True))
    monkeypatch.setattr(gathering, "_BLOCK_SAMPLES", 1)
    tiles = fit_kernel([Pair(photo.swapaxes(0, 1)[:, :150], after.swapaxes(0, 1)[:, :150])], FitOptions((4, 5)))
    np.testing.assert_allclose(rows.weights, whole.weights, atol=1e-10)
    assert rows.counts == whole.counts
    assert tiles.weights.shape == (4, 5)


def test_threads_change_no_bit_of_the_result(photo, monkeypatch):
    monkeypatch.setattr(gathering, "_LEAST_BLOCK", 100)  # many blocks, which threads finish in any order
    monkeypatch.setattr(gathering, "_BLOCK_SAMPLES", 1)
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


def test_the_equations_are_the_products_of_the_windows(photo):
    pair = Pair(photo, response(photo, random_kernel((3, 4))))
    windows, targets = windows_and_targets(pair, (3, 4))
    equations = gathering.UsedPixels([pair], FitOptions((3, 4)), threads=2).equations()
    assert equations.count == targets.size
    np.testing.assert_allclose(equations.gram, windows.T @ windows, rtol=1e-12)
    np.testing.assert_allclose(equations.cross, windows.T @ targets, atol=1e-9 * np.abs(windows.T @ targets).max())
    np.testing.assert_allclose(equations.sums, windows.sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(equations.squares, targets @ targets, rtol=1e-12)


def test_the_misfit_is_that_of_the_weights_it_is_given(photo):
    pair = Pair(photo, response(photo, random_kernel((3, 3))))
    weights = random_kernel((3, 3), seed=1).ravel()
    windows, targets = windows_and_targets(pair, (3, 3))
    error = windows @ weights + 2.5 - targets
    misfit = gathering.UsedPixels([pair], FitOptions((3, 3)), threads=1).misfit(weights, 2.5)
    np.testing.assert_allclose(misfit.squares, error @ error, rtol=1e-10)
    np.testing.assert_allclose(misfit.largest, np.abs(error).max(), rtol=1e-10)
    np.testing.assert_allclose(misfit.gradient, windows.T @ error, rtol=1e-9)
