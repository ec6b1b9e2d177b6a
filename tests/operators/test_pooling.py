"""Pools at the edges, with NaN, and of whole images."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random

from convcli.errors import FilterError, UsageError
from convcli.operators.pooling import average_pool, global_average_pool, global_max_pool, max_pool

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_pools_hold_to_their_windows_at_the_edges():
    x = random(7, 8, 3)
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    expected = [[padded[i * 2 : i * 2 + 3, j * 3 : j * 3 + 3].max(axis=(0, 1)) for j in range(3)] for i in range(4)]
    assert_array_equal(max_pool(x, 3, stride=(2, 3), padding=1), expected)
    ones = np.ones((5, 5, 1))
    # In the corner 4 of 9 samples are the image's; what hangs over the end does not count at all.
    assert average_pool(ones, 3, padding=1, stride=2)[0, 0, 0] == np.float32(4 / 9)
    assert average_pool(ones, 2, stride=2, ceil=True).min() == 1
    assert average_pool(ones, 3, padding=1, stride=1, divisor=2)[2, 2, 0] == 4.5


def test_nan_wins_in_a_max_pool_and_spoils_an_average_of_its_own_window_only():
    x = np.zeros((4, 4, 1))
    x[1, 1] = np.nan
    for pool in (max_pool, average_pool):
        assert_array_equal(np.isnan(pool(x, 2))[..., 0], [[True, False], [False, False]])


def test_global_pools_see_all():
    x = random(50, 60, 4)
    assert_allclose(global_average_pool(x)[0, 0], x.mean(axis=(0, 1), dtype=float), atol=1e-7)
    assert_array_equal(global_max_pool(x)[0, 0], x.max(axis=(0, 1)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_pool(X, 2, padding=2), "padded by at most half of its window: 1 of 2, not 2"),
        (lambda: average_pool(X, 2, divisor=0.0), "divisor of an average must be a number other than 0"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_pool(X, 7), "a window that spans 7 does not fit into 5$"),
    ],
)
def test_an_image_that_is_too_small_is_refused_in_one_line(call, message):
    with pytest.raises(FilterError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
