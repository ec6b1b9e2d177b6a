"""Dense layers and attention as steps."""

import pytest
from numpy.testing import assert_allclose
from step_cases import HE, IMAGE, SIZE, step

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("flatten", "", lambda x: x.transpose(2, 0, 1).reshape(1, 1, -1)),
        ("linear", "{weights: [[1, 2, 3], [0, 1, 0]], bias: [5, 0]}", lambda x: x @ [[1, 0], [2, 1], [3, 0]] + [5, 0]),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{linear: {weights: [[1, 2]]}}]", "weights read 2 channels, and the input has 3"),
        ("[{linear: {}}]", "needs out, the number of outputs"),
        ("[{attention: {heads: 2}}]", "heads: 3 query and 3 value channels do not split into 2 heads"),
        ("[{upsample: 100}, {attention: {}}]", "steps[1].attention: "),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
