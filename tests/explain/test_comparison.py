"""Two pipelines side by side, against published ratios."""

import pytest
from explain_cases import conv, explained

from convcli.explain.comparison import compare
from convcli.explain.pipeline_text import comparison_sentence


@pytest.mark.parametrize(("count", "size", "weights", "share"), [(2, 5, (18, 25), "72%"), (3, 7, (27, 49), "55%")])
def test_small_kernels_in_a_row_take_fewer_weights_than_one_large(count, size, weights, share):
    small = explained([conv(1, 3)] * count, (32, 32, 1), name="small")
    large = explained([conv(1, size)], (32, 32, 1), name="large")
    assert (small.totals.parameters, large.totals.parameters) == weights
    assert small.totals.receptive_field == large.totals.receptive_field == (size, size)
    assert small.totals.output == large.totals.output
    assert f"small has {weights[0]} parameters to the {weights[1]} of large: {share}" in comparison_sentence(
        small, large
    )
    assert compare(small, large)[0].ratio == pytest.approx(weights[0] / weights[1])


def test_depthwise_separable_convolutions_take_fewer_weights():
    depthwise = {"conv": {"kernel": 3, "padding": 1, "groups": "channels", "bias": False}}
    standard = explained([conv(64, 3, padding=1)], (56, 56, 32))
    separable = explained([depthwise, conv(64, 1)], (56, 56, 32))
    assert standard.totals.parameters == 18_432
    assert [step.parameters for step in separable.steps] == [288, 2_048]
    assert separable.totals.parameters == 2_336
    assert standard.totals.macs == 18_432 * 56 * 56
    with_bias = {"conv": {"kernel": 3, "padding": 1, "groups": "channels"}}
    standard = explained([{"conv": {"out": 32, "kernel": 3, "padding": 1}}], (28, 28, 16))
    separable = explained([with_bias, {"conv": {"out": 32, "kernel": 1}}], (28, 28, 16))
    assert (standard.totals.parameters, separable.totals.parameters) == (4_640, 704)
    assert compare(standard, separable)[0].ratio == pytest.approx(6.6, abs=0.01)
