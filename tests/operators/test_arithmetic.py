"""Arithmetic on samples against NumPy in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random

from convcli.errors import FilterError, UsageError
from convcli.operators.arithmetic import constant, divide, exponential, invert, logarithm, power, square_root

X, Y = random(300, 400, 3) * 10, random(300, 400, 3, seed=1)
X[5, 6] = Y[7, 8] = 0
WIDE = X.astype(np.float64)


def quiet(function, *arrays):
    """What NumPy gives in float64, with NaN in place of infinities."""
    with np.errstate(all="ignore"):
        found = function(*(each.astype(np.float64) for each in arrays))
    return np.where(np.isinf(found), np.nan, found)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda: divide(X, Y), lambda: quiet(np.divide, X, Y)),
        (lambda: divide(X, Y[..., :1]), lambda: quiet(np.divide, X, Y[..., :1])),
        (lambda: divide(X[:1, :1, :1], Y), lambda: quiet(np.divide, X[:1, :1, :1], Y)),
        (lambda: divide(X, 4), lambda: WIDE / 4),
        (lambda: divide(X, Y, 0.5), lambda: WIDE / np.where(Y < 0, np.minimum(Y, -0.5), np.maximum(Y, 0.5))),
        (lambda: square_root(X), lambda: quiet(np.sqrt, X)),
        (lambda: square_root(X, 0.25), lambda: np.sqrt(np.maximum(WIDE, 0.25))),
        (lambda: exponential(X), lambda: np.exp(WIDE)),
        (lambda: exponential(X, 2), lambda: 2**WIDE),
        (lambda: power(X, 2), lambda: WIDE**2),
        (lambda: power(X, 0.3), lambda: quiet(lambda x: x**0.3, X)),
        (lambda: power(X, -1), lambda: quiet(lambda x: x**-1.0, X)),
        (lambda: power(X, 0.5, 4), lambda: np.maximum(WIDE, 4) ** 0.5),
        (lambda: invert(X, 255), lambda: 255 - WIDE),
    ],
)
def test_a_function_is_that_of_numpy_with_nan_for_what_has_no_value(result, expected):
    # A few roundings of float32; exp magnifies the argument's last place, by up to 50.
    assert_allclose(result(), expected(), rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize(("base", "function"), [(None, np.log), (10, np.log10), (2, np.log2), (3, None)])
def test_logarithms_are_those_of_numpy(base, function):
    expected = quiet(function or (lambda x: np.log(x) / np.log(3)), X)
    assert_allclose(logarithm(X, base), expected, rtol=3e-6, atol=1e-6)
    raised = np.log(np.maximum(WIDE, 0.1)) / np.log(base or np.e)
    assert_allclose(logarithm(X, base, floor=0.1), raised, rtol=3e-6, atol=1e-6)


def test_missing_samples_stay_missing_also_where_a_floor_raises_others():
    x = np.array([[[np.nan, -1.0]]])
    for result in (square_root(x, 1), logarithm(x, floor=1), power(x, 2, 1), divide(x, 2), divide(1 + 0 * x, x, 0.1)):
        assert np.isnan(result[0, 0, 0])
        assert np.isfinite(result[0, 0, 1])


def test_a_constant_has_its_size_and_values():
    assert_array_equal(constant(4, 5, [1, 2.5]), np.stack([np.full((4, 5), 1), np.full((4, 5), 2.5)], axis=2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: divide(X, Y[:5]), FilterError, "divide wants inputs of one size"),
        (lambda: divide(X, Y, -1), UsageError, "the floor of a divisor must be a finite number from 0 on, not -1"),
        (lambda: square_root(X, -1), UsageError, "the floor of a square root must be a number from 0 on, not -1"),
        (lambda: logarithm(X, floor=0), UsageError, "the floor of a logarithm must be a number above 0, not 0"),
        (lambda: logarithm(X, 1), UsageError, "a base must be a positive number other than 1, not 1"),
        (lambda: exponential(X, -2), UsageError, "a base must be a positive number, not -2"),
        (lambda: power(X, np.inf), UsageError, "an exponent must be a finite number, not inf"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
