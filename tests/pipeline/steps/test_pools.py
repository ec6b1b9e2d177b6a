"""Pools as steps."""

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
        ("global_average_pool", "", lambda x: x.mean(axis=(0, 1), keepdims=True, dtype=np.float64)),
        ("global_max_pool", "", lambda x: x.max(axis=(0, 1), keepdims=True)),
        ("max_pool", "3", lambda x: x.reshape(4, 3, 5, 3, 3).max(axis=(1, 3))),
        ("average_pool", "3", lambda x: x.reshape(4, 3, 5, 3, 3).mean(axis=(1, 3), dtype=np.float64)),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{max_pool: {size: 2, padding: 2}}]", "a pool is padded by at most half of its window"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
