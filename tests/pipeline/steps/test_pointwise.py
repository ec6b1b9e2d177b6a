"""Steps that compute each pixel by itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special
from step_cases import HE, IMAGE, SIZE, step

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("relu", "", lambda x: np.maximum(x, 0)),
        ("leaky_relu", "0.2", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("sigmoid", "", special.expit),
        ("tanh", "", np.tanh),
        ("softmax", "", lambda x: special.softmax(x, axis=2)),
        ("softmax", "positions", lambda x: special.softmax(x, axis=(0, 1))),
        ("batch_norm", "", lambda x: x / np.sqrt(1 + 1e-5)),
        (
            "batch_norm",
            "{mean: [1, 2, 3], variance: [1, 4, 9], scale: [1, 1, 2], shift: [0, 1, 0], epsilon: 0}",
            lambda x: (x - [1, 2, 3]) / [1, 2, 3] * [1, 1, 2] + [0, 1, 0],
        ),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{batch_norm: {mean: [1, 2]}}]", "mean: are of 2, and must be of 3"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
