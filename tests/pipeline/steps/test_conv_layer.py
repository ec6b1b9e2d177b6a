"""What convolution layers share."""

import pytest

from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import StepContext
from convcli.pipeline.steps.conv import Conv
from convcli.pipeline.weights.store import WeightInit, WeightStore


def test_groups_are_a_number_or_as_many_as_channels():
    assert Conv(out=4, kernel=3, groups=2).group_count(6) == 2
    assert Conv(kernel=3, groups="channels").group_count(6) == 6
    with pytest.raises(StepError, match="5 input channels do not split into 2 groups"):
        Conv(out=4, kernel=3, groups=2).group_count(5)


def test_weights_and_biases_have_the_shapes_of_the_layer():
    context = StepContext(WeightStore(default=WeightInit("he")), "c", threads=2)
    layer = Conv(out=6, kernel=(3, 2), stride=2, groups=3)
    weights, bias = layer.arrays(((9, 9, 3),), context)
    assert weights.shape == layer.weight_shape((9, 9, 3)) == (6, 1, 3, 2)
    assert bias.shape == (6,)
    options = layer.bank_options(((9, 9, 3),), context)
    assert (options["stride"], options["groups"], options["threads"]) == ((2, 2), 3, 2)
    assert Conv(out=6, kernel=1, bias=False).arrays(((9, 9, 3),), context)[1] is None
