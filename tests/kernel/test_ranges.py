"""Ranges in SPECs."""

import pytest

from convcli.errors import KernelError
from convcli.kernel.ranges import expand_ranges


def test_two_ranges_go_through_all_combinations_the_last_the_fastest():
    chains = expand_ranges(["gabor:theta=0..90..90,sigma=2", "gaussian:sigma=1..3"])
    assert [name for _, name in chains] == [f"theta{theta}_sigma{sigma}" for theta in (0, 90) for sigma in (1, 2, 3)]
    assert chains[-1][0] == ("gabor:theta=90,sigma=2", "gaussian:sigma=3")


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("gaussian:sigma=0.1..0.3..0.1", ["0.1", "0.2", "0.3"]),  # though 0.1 + 0.2 is not 0.3
        ("gabor:theta=0..-90..-45", ["0", "-45", "-90"]),
        ("gabor:theta=0..100..45", ["0", "45", "90"]),
        ("gabor:theta=5..5", ["5"]),
    ],
)
def test_a_range_goes_from_its_first_to_its_last(spec, values):
    prefix = spec.split("=")[0]
    assert [chain for chain, _ in expand_ranges([spec])] == [(f"{prefix}={value}",) for value in values]


def test_without_a_range_there_is_one_chain_as_it_stands():
    assert expand_ranges(["../my..kernels/edge.yaml", "0 1; 1 0"]) == [(("../my..kernels/edge.yaml", "0 1; 1 0"), "")]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gabor:theta=0..90..0", "gabor:theta=0..90..0: theta: 0..90..0 leads nowhere"),
        ("gabor:theta=0..90..-1", "gabor:theta=0..90..-1: theta: 0..90..-1 leads nowhere"),
        ("gabor:theta=a..b", "gabor:theta=a..b: theta: must be a number or a fraction like 1/16, not 'a'"),
        ("gabor:theta=0..9..1..2", "gabor:theta=0..9..1..2: theta: a range is first..last or first..last..step"),
        ("gabor:theta=0..1e9", "gabor:theta=0..1e9: theta: 0..1e9 stands for 1000001 kernels; at most 1000"),
    ],
)
def test_what_is_no_range_is_named(spec, message):
    with pytest.raises(KernelError) as caught:
        expand_ranges([spec])
    assert str(caught.value).startswith(message)
