"""Steps that change the number of pixels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from step_cases import HE, IMAGE, SIZE, run, step

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("upsample", "[2, 3]", lambda x: x.repeat(2, axis=0).repeat(3, axis=1)),
        ("crop", "{top: 2, left: 3, height: 4}", lambda x: x[2:6, 3:]),
        ("pad", "2", lambda x: np.pad(x, ((2, 2), (2, 2), (0, 0)), mode="reflect")),
        (
            "pad",
            "{by: [0, 4], mode: constant, value: white}",
            lambda x: np.pad(x, ((0, 0), (4, 4), (0, 0)), constant_values=255),
        ),
        ("pad", "{top: 1, left: 20, mode: circular}", lambda x: np.pad(x, ((1, 0), (20, 0), (0, 0)), mode="wrap")),
        ("crop", "{top: 1} @input, cut", lambda x: x[1:5, :5]),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


def test_pixel_shuffle_is_undone_by_its_inverse():
    text = "steps: [{pixel_unshuffle: 3}, {pixel_shuffle: 3}]"
    assert_array_equal(run(parse_document(text)), IMAGE)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{crop: {height: 40}}]", "steps[0].crop: "),
        ("[{pixel_shuffle: 2}]", "3 channels do not split into groups of 2x2"),
        ("[{pixel_unshuffle: 7}]", "12x15x3 does not split into blocks of 7x7"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
