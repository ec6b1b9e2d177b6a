"""Batch normalisation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from convcli.errors import UsageError
from convcli.operators.normalise import batch_norm

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: batch_norm(X, 0, -1), UsageError, "a variance plus epsilon must be positive"),
        (lambda: batch_norm(X, [0, 1], 1), UsageError, "mean holds 2 numbers for 4 channels"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("channels", [3, 40])
def test_batch_normalisation_is_a_gain_and_an_offset_for_each_channel(channels):
    random = np.random.default_rng(4)
    x = random.normal(size=(5, 6, channels)).astype(np.float32)
    mean, scale, shift = random.normal(size=(3, channels))
    variance = random.uniform(0.5, 2, channels)
    result = batch_norm(x, mean, variance, scale, shift, epsilon=0.1)
    assert_allclose(result, (x - mean) / np.sqrt(variance + 0.1) * scale + shift, rtol=1e-5, atol=1e-5)
