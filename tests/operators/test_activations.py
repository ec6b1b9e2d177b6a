"""Activations and softmax at their limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import random

from convcli.errors import UsageError
from convcli.operators.activations import leaky_relu, relu, sigmoid, softmax, tanh
from convcli.operators.normalise import batch_norm

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_activations_keep_their_limits():
    x = np.array([[[-np.inf, -1000, -1, 0, 1, 1000, np.inf, np.nan]]], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert_array_equal(relu(x)[0, 0], [0, 0, 0, 0, 1, 1000, np.inf, np.nan])
        assert_allclose(sigmoid(x)[0, 0], [0, 0, 0.26894142, 0.5, 0.7310586, 1, 1, np.nan], rtol=1e-6)
        assert_allclose(tanh(x)[0, 0], [-1, -1, -0.7615942, 0, 0.7615942, 1, 1, np.nan], rtol=1e-6)
        assert_allclose(softmax(x[..., 1:6]).sum(), 1, rtol=1e-6)
    assert_allclose(leaky_relu(x, 0.5)[0, 0, 1:6], [-500, -0.5, 0, 1, 1000])


@pytest.mark.parametrize("function", [relu, leaky_relu, sigmoid, tanh, lambda x, out: batch_norm(x, 1, 2, out=out)])
def test_a_result_may_take_its_inputs_place(function):
    x = random(50, 60, 3)
    expected = function(x.copy(), out=np.empty_like(x))
    assert function(x, out=x) is x
    assert_array_equal(x, expected)


def test_softmax_over_positions_sums_to_one_in_each_channel():
    shares = softmax(random(30, 40, 3), over="positions")
    assert_allclose(shares.sum(axis=(0, 1)), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: softmax(X, over="rows"), UsageError, "unknown over 'rows'"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
