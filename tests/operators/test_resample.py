"""Enlarging and cropping."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import random

from convcli.errors import FilterError, UsageError
from convcli.operators.resample import crop, upsample

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_a_crop_is_a_copy_of_its_part():
    x = random(6, 9, 2)
    part = crop(x, 1, 2, 3, 4)
    assert_array_equal(part, x[1:4, 2:6])
    assert not np.shares_memory(part, x)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: upsample(X, 0), UsageError, "scale must be a positive number"),
        (lambda: upsample(X, 0.1), FilterError, "leaves nothing of 5 x 6 x 4"),
        (lambda: upsample(X, 2, align_corners=True), UsageError, "align_corners goes with mode bilinear only"),
        (lambda: crop(X, 3, 0, 3, 6), FilterError, "a crop of 3 x 6 from row 3 and column 0 does not lie inside 5 x 6"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
