"""Steps of arithmetic on each sample."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from step_cases import IMAGE, document, run, step

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.steps.base import StepContext
from convcli.pipeline.weights.store import WeightStore

BRIGHTEST = IMAGE.max(axis=2, keepdims=True)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("divide", " @input, one", lambda x: x / BRIGHTEST),
        ("divide", "white", lambda x: x / 255),
        ("divide", "4", lambda x: x / 4),
        (
            "divide",
            "{floor: 90} @one, input",
            lambda x: BRIGHTEST / np.where(x < 0, np.minimum(x, -90), np.maximum(x, 90)),
        ),
        ("sqrt", "{floor: 100}", lambda x: np.sqrt(np.maximum(x, 100))),
        ("exp", "1.01", lambda x: 1.01**x),
        ("log", "{floor: 1}", lambda x: np.log(np.maximum(x, 1))),
        ("log", "{base: 10, floor: 1}", lambda x: np.log10(np.maximum(x, 1))),
        ("power", "2", lambda x: x**2),
        ("power", "{exponent: 0.5, floor: 1}", lambda x: np.maximum(x, 1) ** 0.5),
        ("invert", "", lambda x: 255 - x),
        ("constant", "white", lambda x: np.full((12, 15, 1), 255)),
        ("constant", "[1, 2]", lambda x: np.tile([1.0, 2.0], (12, 15, 1))),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options", "factor"), [("divide", "white", 1), ("invert", "", -1), ("multiply", "3", 3), ("add", "[2]", 2)]
)
def test_steps_that_scale_say_by_how_much(name, options, factor):
    made = document(name, options)
    bank = made.nodes[-1].step.bank((12, 15, 3), context=StepContext(WeightStore(), white=1.0))
    assert_allclose(bank.planes()[0][2], [[factor]])
    one, other = run(made, IMAGE, 1.0), run(made, IMAGE + 1, 1.0)
    assert_allclose(other - one, factor, rtol=1e-4)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[divide]", "steps[0].divide: takes 2 inputs: name them with from: [a, b]"),
        ("[multiply]", "steps[0].multiply: takes 2 or more inputs: name them with from: [a, b]"),
        ("[{divide: 0}]", "steps[0].divide: value: is 0, which nothing is divided by"),
        ("[{sqrt: {floor: -1}}]", "steps[0].sqrt: floor: is -1: a square root wants 0 or more"),
        ("[{log: 1}]", "steps[0].log: base: is 1, which has no logarithms"),
        ("[{power: .inf}]", "steps[0].power: exponent: must be a finite number"),
    ],
)
def test_what_has_no_meaning_is_refused_where_the_document_is_read(steps, message):
    with pytest.raises(DocumentError) as caught:
        parse_document(f"steps: {steps}", "net.yaml")
    assert str(caught.value) == f"net.yaml: {message}"


def test_a_number_and_a_second_input_are_one_too_many():
    with pytest.raises(DocumentError, match=r"takes a number, divide: 2, or a second input"):
        step("divide", "2 @input, one")
