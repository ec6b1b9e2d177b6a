"""Steps that combine several inputs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from step_cases import HE, IMAGE, SIZE, step

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("concat", " @input, one", lambda x: np.concatenate([x, x.max(axis=2, keepdims=True)], axis=2)),
        ("add", " @input, one", lambda x: x + x.max(axis=2, keepdims=True)),
        ("add", "[2, -0.5] @input, one", lambda x: 2 * x - 0.5 * x.max(axis=2, keepdims=True)),
        ("multiply", " @input, input", lambda x: x * x),
        ("add", "0.5", lambda x: x + 0.5),
        ("add", "{factors: [2], value: -1}", lambda x: 2 * x - 1),
        ("add", "{value: 3} @input, one", lambda x: x + x.max(axis=2, keepdims=True) + 3),
        ("multiply", "2", lambda x: 2 * x),
        ("multiply", "0.5 @input, input", lambda x: 0.5 * x * x),
        ("select", "2", lambda x: x[..., 1:2]),
        ("select", "[3, 1, 3]", lambda x: x[..., [2, 0, 2]]),
        ("max_over_channels", "", lambda x: x.max(axis=2, keepdims=True)),
        ("magnitude", " @input, input", lambda x: np.hypot(x, x)),
        ("magnitude", "l1 @input, input", lambda x: 2 * np.abs(x)),
        ("direction", " @input, input", lambda x: np.degrees(np.arctan2(x, x))),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "[gray, gray, {concat: , from: [input, small]}, {max_pool: 2, from: input, name: small}]",
            "of one height and",
        ),
        ("[{max_pool: 2, name: small}, {add: , from: [input, small]}]", "add wants inputs of one size"),
        (
            "[{magnitude: , from: [input, one]}, {gray: , from: input, name: one}]",
            "must be of one size, not 12x15x3 and",
        ),
        ("[{add: [1], from: [input, input]}]", "factors: are 1 for 2 inputs: give one each"),
        ("[{select: 4}]", "there is no channel 4: the input has 3, counted from 1"),
        ("[{concat: , from: [input, input]}, gray]", "steps[1].gray: takes 1 or 3 channels, not 6"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
