"""The step deformable_conv."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from step_cases import HE, IMAGE, RNG, SIZE, run

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


def test_deformable_conv_without_offsets_is_a_conv(tmp_path):
    np.save(tmp_path / "zero.npy", np.zeros((12, 15, 18), np.float32))
    np.save(tmp_path / "half.npy", np.full((12, 15, 9), 0.5, np.float32))
    np.save(tmp_path / "w.npy", RNG.normal(size=(4, 3, 3, 3)))
    plain = "steps: [{conv: {out: 4, kernel: 3, padding: 1, weights: w.npy, bias: false}}]"
    moved = plain.replace("conv:", "deformable_conv:").replace("bias: false", "bias: false, offsets: zero.npy")
    expected = run(parse_document(plain, folder=tmp_path))
    assert_allclose(run(parse_document(moved, folder=tmp_path)), expected, rtol=1e-4, atol=1e-2)
    halved = moved.replace("offsets", "mask: half.npy, offsets")
    assert_allclose(run(parse_document(halved, folder=tmp_path)), expected / 2, rtol=1e-4, atol=1e-2)


def test_deformable_conv_follows_offsets_of_an_earlier_step():
    # Each tap one column further: a conv of the picture moved by one.
    text = """
steps:
  - conv: {weights: [[[[0]]], [[[0]]]], bias: [0, 1]}
    from: one
    name: offsets
  - max_over_channels:
    from: input
    name: one
  - deformable_conv: {weights: [[[[1]]]], bias: false}
    from: [one, offsets]
"""
    one = IMAGE.max(axis=2)
    assert_allclose(run(parse_document(text))[:, :-1, 0], one[:, 1:], rtol=1e-6)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{deformable_conv: {out: 1, kernel: 3}}]", "needs its offsets once: as a second input"),
        ("[{deformable_conv: {out: 1, kernel: 3}, from: [input, input]}]", "steps[0].deformable_conv: "),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
