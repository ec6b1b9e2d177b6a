"""What all steps inherit."""

import numpy as np
import pytest

from convcli.pipeline.steps.base import Step, StepContext, pair, size_text
from convcli.pipeline.steps.pointwise import Relu
from convcli.pipeline.weights.store import WeightStore


def test_a_step_that_says_nothing_else_keeps_the_size_and_costs_nothing():
    properties = Relu().properties((4, 5, 3))
    assert (properties.output, properties.parameters, properties.macs) == ((4, 5, 3), 0, 0)
    assert Relu().output((4, 5, 3)) == (4, 5, 3)
    assert Relu().bank((4, 5, 3), context=StepContext(WeightStore())) is None


def test_a_prepared_step_runs_with_the_threads_of_its_context():
    threads = []

    class Noting(Step, frozen=True):
        def run(self, *inputs, threads=None):
            noted.append(threads)
            return inputs[0]

    noted = threads
    image = np.ones((4, 5, 3), np.float32)
    assert Noting().prepare((4, 5, 3), context=StepContext(WeightStore(), threads=3)).run(image) is image
    assert threads == [3]


def test_a_step_that_runs_only_when_prepared_says_so():
    with pytest.raises(NotImplementedError, match="runs when it is prepared"):
        Step().run(np.ones((1, 1, 1), np.float32))


def test_pairs_and_sizes():
    assert pair(3) == (3, 3)
    assert pair((3, 2)) == (3, 2)
    assert size_text((4, 5, 3)) == "4x5x3"
