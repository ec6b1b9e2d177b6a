"""Steps on the value of each sample."""

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
        ("abs", "", np.abs),
        ("clip", "", lambda x: np.clip(x, 0, 255)),
        ("clip", "{low: null, high: 100}", lambda x: np.minimum(x, 100)),
        ("threshold", "100", lambda x: 255.0 * (x > 100)),
        ("threshold", "{at: 100, mode: below, value: 1}", lambda x: 1.0 * (x <= 100)),
        ("threshold", "{at: 100, mode: keep}", lambda x: x * (x > 100)),
        ("threshold", "{at: 100, mode: keep_abs}", lambda x: x * (np.abs(x) > 100)),
        ("gray", "", lambda x: (x @ np.array([0.299, 0.587, 0.114]))[..., np.newaxis]),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(("white", "value"), [(1.0, 1.0), (255.0, 255.0), (65535.0, 65535.0)])
def test_white_is_that_of_the_documents_range(white, value):
    assert step("threshold", "1", white=white).max() == value
    assert step("hysteresis", "{low: 1, high: 2}", white=white).max() == value
    image = np.full((6, 6, 1), white / 2, np.float32)
    linear = step("to_linear", "", image, white)
    assert_allclose(linear, 0.2140411 * white, rtol=1e-5)
    assert_allclose(step("to_srgb", "", linear, white), image, rtol=1e-5)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{fill: {}}]", "takes a value, or a second input, and not both"),
        ("[{fill: {value: [1]}}]", "steps[0].fill.value: must be a number or text, not [1]"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
