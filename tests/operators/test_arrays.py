"""The arrays that operators take."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.errors import FilterError, UsageError
from convcli.operators.arrays import as_image, per_channel, same_shape, shape_text


def test_an_image_becomes_float32_and_is_not_copied_where_it_is():
    image = np.zeros((2, 3, 1), np.float32)
    assert as_image(image) is image
    assert as_image(image.astype(np.uint8)).dtype == np.float32


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1, 1), (0, 3, 1), (2, 3, 0)])
def test_what_is_no_image_is_refused_with_its_shape(shape):
    with pytest.raises(FilterError, match="a mask has 3 dimensions") as caught:
        as_image(np.zeros(shape), "a mask")
    assert str(shape) in str(caught.value)


def test_inputs_of_other_shapes_are_refused_and_equal_ones_are_not():
    one, other = np.zeros((2, 3, 1), np.float32), np.zeros((2, 4, 1), np.float32)
    same_shape("add", one, one)
    with pytest.raises(FilterError, match="not 2 x 3 x 1 and 2 x 4 x 1"):
        same_shape("add", one, other)
    assert shape_text((2, 4)) == "2 x 4"


def test_one_number_stands_for_every_channel():
    assert_array_equal(per_channel("bias", 3, 4), [3, 3, 3, 3])
    assert_array_equal(per_channel("bias", [1, 2], 2), [1, 2])
    with pytest.raises(UsageError, match="bias holds 2 numbers for 3 channels"):
        per_channel("bias", [1, 2], 3)
