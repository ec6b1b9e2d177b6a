"""Joining images against NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random

from convcli.errors import FilterError, UsageError
from convcli.operators.joining import (
    add,
    concat,
    direction,
    joined_shape,
    magnitude,
    max_over_channels,
    multiply,
    select,
)


def test_joining_goes_sample_by_sample():
    x, y, z = random(30, 40, 3), random(30, 40, 3, seed=1), random(30, 40, 1, seed=2)
    assert_array_equal(concat([x, z, y]), np.concatenate([x, z, y], axis=2))
    assert_allclose(add([x, y, z]), x + y + z, atol=1e-6)
    assert_allclose(add([x, y], [2, -1]), 2 * x - y, atol=1e-6)
    assert_allclose(add([x, y], [2, -1], 0.5), 2 * x - y + 0.5, atol=1e-6)
    assert_allclose(multiply([x, y], -2), -2 * x * y, atol=1e-6)
    assert_array_equal(select(x, [3, 3, 1]), x[..., [2, 2, 0]])
    assert_allclose(multiply([x, y, z]), x * y * z, atol=1e-6)
    assert_allclose(multiply([x, np.array([[[1.0, 2.0, 3.0]]])]), x * [1, 2, 3], atol=1e-6)
    assert_array_equal(max_over_channels(x), x.max(axis=2, keepdims=True))
    assert_allclose(magnitude(x, y), np.hypot(x, y), rtol=1e-6)
    assert_allclose(magnitude(x, y, "l1"), np.abs(x) + np.abs(y), rtol=1e-6)
    assert_allclose(direction(x, y), np.degrees(np.arctan2(y, x)), atol=1e-4)
    assert joined_shape("add", x.shape, z.shape) == x.shape


def test_magnitudes_do_not_overflow():
    assert magnitude([[[3e30]]], [[[4e30]]])[0, 0, 0] == np.float32(5e30)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: concat([np.ones((2, 3, 1)), np.ones((2, 4, 1))]),
            FilterError,
            "not 2 x 3 and 2 x 4",
        ),
        (lambda: select(np.ones((2, 3, 2)), [0]), FilterError, "there is no channel 0: the input has 2"),
        (lambda: concat([]), UsageError, "concat wants at least one input"),
        (lambda: add([np.ones((2, 3, 2)), np.ones((2, 3, 3))]), FilterError, "add wants inputs of one size"),
        (lambda: add([np.ones((2, 3, 2))], [1, 2]), UsageError, "add was given 2 factors for 1 inputs"),
        (lambda: magnitude(np.ones((2, 3, 2)), np.ones((2, 3, 1))), FilterError, "magnitude wants inputs of one size"),
        (lambda: magnitude(np.ones((2, 3, 2)), np.ones((2, 3, 2)), "l3"), UsageError, "unknown norm 'l3'"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
