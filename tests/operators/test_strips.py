"""Strips of rows, computed in threads."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.operators.strips import in_strips, pointwise


@pytest.mark.parametrize("threads", [1, 3, None])
@pytest.mark.parametrize(("rows", "samples"), [(1, 10), (7, 10), (100, 250), (100, 1 << 20)])
def test_strips_cover_every_row_once(rows, samples, threads):
    count = np.zeros(rows, int)

    def strip(part):
        count[part] += 1

    in_strips(rows, 100, strip, threads, samples)
    assert_array_equal(count, 1)


@pytest.mark.parametrize("in_place", [False, True])
def test_pointwise_fills_a_new_array_or_the_input_itself(in_place):
    image = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    expected = image + 1
    out = image if in_place else None
    result = pointwise(image, lambda part, to: np.add(part, 1, out=to), out)
    assert (result is image) == in_place
    assert_array_equal(result, expected)
