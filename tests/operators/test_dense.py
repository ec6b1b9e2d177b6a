"""Dense layers against products of matrices."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from convcli.errors import UsageError
from convcli.operators.dense import linear

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linear(X, np.zeros((2, 5))), UsageError, "weights of 2 x 5 read 5 channels, and the input has 4"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bias", [None, True])
def test_linear_is_a_product_for_each_pixel_by_any_number_of_threads(bias):
    random = np.random.default_rng(8)
    x, weights = random.normal(size=(90, 110, 60)), random.normal(size=(70, 60))  # several strips
    added = random.normal(size=70) if bias else None
    expected = np.einsum("yxc,oc->yxo", x, weights) + (0 if added is None else added)
    one = linear(x, weights, added, threads=1)
    assert_allclose(one, expected, atol=1e-5 * np.abs(expected).max())
    assert_array_equal(linear(x, weights, added, threads=3), one)
