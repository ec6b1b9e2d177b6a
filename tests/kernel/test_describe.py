"""Facts about kernels as plain data."""

import json

import pytest

from convcli.kernel.describe import KernelFigures, describe, summarize
from convcli.kernel.spec import load_kernel
from convcli.kernel.weights import common_denominator


def test_a_description_holds_what_json_can():
    about = json.loads(json.dumps(describe(load_kernel("gaussian:size=3x5"))))
    assert (about["size"], about["rank"], about["separable"], about["anchor"]) == ([3, 5], 1, True, [1, 2])
    assert about["parameters"]["size"] == [3, 5]
    assert about["sum"] == 1.0
    assert [part["name"] for part in describe(load_kernel("sobel"))["kernels"]] == ["sobel_x", "sobel_y"]


@pytest.mark.parametrize(
    ("spec", "denominator"),
    [
        ("sobel_x", 1),
        ("box", 9),
        ("binomial:size=5", 256),
        ("box:size=7", 49),
        ("gaussian", None),
        ("0 0", 1),
        ("1e-10 2e-10", None),
    ],
)
def test_a_common_denominator_is_found_where_there_is_a_small_one(spec, denominator):
    assert common_denominator(load_kernel(spec).weights) == denominator


def test_a_composite_is_summarized_by_what_it_combines():
    assert summarize(load_kernel("kirsch")) == "kirsch, max of 8 kernels"


def test_a_sum_within_rounding_of_a_round_number_becomes_that_number():
    assert KernelFigures.of(load_kernel("0.1 0.2 -0.3")).sum == 0.0
    assert KernelFigures.of(load_kernel("0.1 0.2 0.7")).sum == 1.0
    assert KernelFigures.of(load_kernel("0.1 0.2 0.25")).sum == pytest.approx(0.55, abs=1e-15)
