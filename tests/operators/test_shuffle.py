"""Channels exchanged for pixels."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import random

from convcli.errors import FilterError
from convcli.operators.dense import flatten
from convcli.operators.shuffle import pixel_shuffle, pixel_unshuffle

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_shuffles_undo_each_other_and_flatten_goes_channel_by_channel():
    x = random(6, 9, 4)
    assert_array_equal(pixel_shuffle(pixel_unshuffle(x, 3), 3), x)
    assert_array_equal(flatten(x)[0, 0], np.concatenate([x[..., c].ravel() for c in range(4)]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pixel_shuffle(X, 3), FilterError, "4 channels cannot be laid out as 3 x 3 pixels"),
        (lambda: pixel_unshuffle(X, 2), FilterError, "5 x 6 pixels cannot be split into squares of 2 x 2"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
