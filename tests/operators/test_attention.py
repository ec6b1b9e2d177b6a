"""Self-attention against its definition."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import close, random

from convcli.errors import FilterError, UsageError
from convcli.operators.attention import attention, check_attention

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_attention_is_a_mean_weighted_by_likeness():
    x, (query, key, value) = random(5, 4, 3), (random(n, 3, seed=n) for n in (4, 4, 6))
    query, key, value = random(4, 3, seed=1), random(4, 3, seed=2), random(6, 3, seed=3)
    flat = x.reshape(20, 3).astype(float)
    out = np.zeros((20, 6))
    for head in range(2):
        q, k, v = flat @ query[2 * head :][:2].T, flat @ key[2 * head :][:2].T, flat @ value[3 * head :][:3].T
        for i in range(20):
            likeness = np.exp(k @ q[i] / np.sqrt(2))
            out[i, 3 * head :][:3] = likeness @ v / likeness.sum()
    close(attention(x, query, key, value, heads=2), out.reshape(5, 4, 6))


def test_attention_does_not_overflow_where_scores_are_large():
    x = np.array([[[100.0], [-100.0]]])
    assert_array_equal(attention(x, [[1.0]], [[1.0]], [[1.0]]), x)


def test_attention_over_a_photograph_is_refused_with_an_estimate():
    check_attention(256, 256)
    with pytest.raises(FilterError, match=r"each of 307,200 positions to all: 9.4e\+10 scores, 377 GB as a matrix"):
        attention(np.zeros((480, 640, 1)), [[1.0]], [[1.0]], [[1.0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: attention(X, W[0, 0], W[0, 0], W[0, 0]), UsageError, "weights of 3 x 3 read 3 channels"),
        (lambda: attention(X, np.ones((2, 4)), np.ones((3, 4)), np.ones((2, 4))), UsageError, "of one shape"),
        (lambda: attention(X, *[np.ones((3, 4))] * 3, heads=2), UsageError, "cannot be split into 2 heads"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
