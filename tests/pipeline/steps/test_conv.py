"""The step conv."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import signal
from step_cases import HE, IMAGE, SIZE, step

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "conv",
            "{weights: [[[[1, 2]], [[0, 1]], [[3, 4]]]], bias: [7]}",
            lambda x: (
                sum(
                    signal.correlate2d(x[..., c].astype(float), [row], mode="valid")
                    for c, row in enumerate([[1, 2], [0, 1], [3, 4]])
                )[..., np.newaxis]
                + 7
            ),
        ),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{conv: {kernel: 3}}]", "steps[0].conv: needs out, the number of output channels"),
        ("[{conv: {out: 3}}]", "steps[0].conv: needs kernel, its size"),
        ("[{conv: {out: 4, kernel: 20}}]", "steps[0].conv: a kernel that spans 20 does not fit into 12"),
        ("[{conv: {out: 4, kernel: 3, groups: 2}}]", "groups: 3 input channels do not split into 2 groups"),
        ("[{conv: {out: 4, kernel: 3, groups: 3}}]", "groups: 4 output channels do not split into 3 groups"),
        (
            "[{conv: {weights: [[[[1, 2]]]], groups: channels}}]",
            "groups: 1 output channel does not split into 3 groups: write out a kernel for each, or lay one on all",
        ),
        ("[{conv: {weights: [[[[1]]]]}}]", "weights of 1x1x1x1 read 1 channels, and the input has 3"),
        ("[gray, {conv: {weights: [[[[1]]]], out: 2}}]", "out: is 2, and weights are written out for 1"),
        ("[gray, {conv: {weights: [[[[1]]]], kernel: 3}}]", "kernel: is 3x3, and weights are written out for 1x1"),
        ("[gray, {conv: {weights: [[[[1]]]], bias: [1, 2]}}]", "steps[1].conv: bias: are of 2, and must be of 1"),
        ("[{conv: {out: 4, kernel: 3, padding: same, stride: 2}}]", "padding same goes with stride 1 only"),
        ("[{conv: {out: 4, kernel: 3, weights: none.npy}}]", "weights: none.npy: no such file"),
        ("[{flatten: }, {conv: {out: 1, kernel: 3}}]", "does not fit into 1"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
