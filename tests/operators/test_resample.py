"""Enlarging, cropping and padding."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import random

from convcli.convolution.padding import PADDINGS
from convcli.errors import FilterError, UsageError
from convcli.operators.resample import crop, pad, upsample

X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


def test_a_crop_is_a_copy_of_its_part():
    x = random(6, 9, 2)
    part = crop(x, 1, 2, 3, 4)
    assert_array_equal(part, x[1:4, 2:6])
    assert not np.shares_memory(part, x)


@pytest.mark.parametrize("around", [((0, 0), (0, 0)), ((1, 2), (0, 3)), ((13, 20), (19, 30))])
@pytest.mark.parametrize("mode", [mode for mode in PADDINGS if mode.numpy], ids=lambda mode: mode.name)
def test_padding_goes_on_as_that_of_numpy(mode, around):
    x = random(6, 9, 2)
    value = {"constant_values": 7} if mode.filled else {}
    assert_array_equal(pad(x, *around, mode.name, 7), np.pad(x, (*around, (0, 0)), mode.numpy, **value))


def test_padding_takes_other_words_for_its_modes():
    x = random(6, 9, 2)
    assert_array_equal(pad(x, (3, 3), (3, 3), "circular"), pad(x, (3, 3), (3, 3), "wrap"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: upsample(X, 0), UsageError, "scale must be a positive number"),
        (lambda: upsample(X, 0.1), FilterError, "leaves nothing of 5 x 6 x 4"),
        (lambda: upsample(X, 2, align_corners=True), UsageError, "align_corners goes with mode bilinear only"),
        (lambda: pad(X, (0, -1), (0, 0)), UsageError, "pad adds 0 rows and columns or more, not -1"),
        (lambda: pad(X, (0, 1), (0, 0), "mirrored"), UsageError, "unknown mode 'mirrored'"),
        (lambda: crop(X, 3, 0, 3, 6), FilterError, "a crop of 3 x 6 from row 3 and column 0 does not lie inside 5 x 6"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
