"""The step gated_conv."""

import numpy as np
from numpy.testing import assert_allclose
from scipy import special
from step_cases import IMAGE, document, step


def test_gates_and_weights_are_drawn_apart():
    result = step("gated_conv", "{out: 4, kernel: 1}")
    made = document("gated_conv", "{out: 4, kernel: 1}")
    node = made.node(made.output.source)
    store = made.store
    drawn = [store.get(None, (4, 3, 1, 1), place) for place in (node.id, f"{node.id}.gate")]
    assert not np.array_equal(*drawn)
    plain, gate = (IMAGE @ each.reshape(4, 3).T for each in drawn)
    assert_allclose(result, plain * special.expit(gate), rtol=1e-4, atol=1e-3)
