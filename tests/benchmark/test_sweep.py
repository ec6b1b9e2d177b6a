"""Sweeps over kernel sizes, on times that were made up."""

import pytest
from numpy.testing import assert_allclose

from convcli.benchmark.statistics import Interval
from convcli.benchmark.sweep import (
    Crossover,
    FastestRange,
    SizeTiming,
    check_sizable,
    crossovers,
    describe_sweep,
    fastest_ranges,
    parse_sizes,
    sized_spec,
)
from convcli.errors import KernelError, UsageError
from convcli.kernel.spec import load_kernel


def standings(times, uncertainty=0.0):
    """Make the standings of {size: {backend: seconds}}, each ratio known to within `uncertainty`."""
    table = {}
    for size, here in times.items():
        best = min(here.values())
        table[size] = {
            name: SizeTiming(t, Interval(t / best, t / best * (1 - uncertainty), t / best * (1 + uncertainty), 0.95))
            for name, t in here.items()
        }
    return table


POWERS = {
    # taps: s^2, passes: 10 s, transforms: 400; they cross at 10 and at 40.
    size: {"taps": 1.0 * size**2, "passes": 10.0 * size, "transforms": 400.0}
    for size in (3, 7, 15, 31, 63)
}


def test_crossovers_of_powers_of_the_size_are_found_where_they_are():
    first, second = crossovers(standings(POWERS))
    assert (first.before, first.after, first.between) == ("taps", "passes", (7, 15))
    assert (second.before, second.after, second.between) == ("passes", "transforms", (31, 63))
    # Powers are straight lines, log over log: what is between sizes is exact.
    assert_allclose([first.near, second.near], [10, 40], rtol=1e-6)


def test_who_is_fastest_is_told_in_words():
    assert describe_sweep("gaussian", standings(POWERS)) == (
        "gaussian: taps is fastest up to 7, passes from 15 to 31, transforms from 63 on (crossings near 10 and 40)"
    )


def test_who_is_fastest_everywhere_is_told_so():
    alone = standings({size: {"taps": 1.0, "passes": 2.0} for size in (3, 5)})
    assert describe_sweep("box", alone) == "box: taps is fastest at every size from 3 to 5"
    assert describe_sweep("box", alone, " of the two") == "box: taps is fastest of the two at every size from 3 to 5"
    assert crossovers(alone) == []
    assert describe_sweep("box", standings({3: {"taps": 1.0, "passes": 2.0}})) == "box: taps is fastest at size 3"


def test_noise_dethrones_nobody():
    times = {3: {"a": 1.0, "b": 2.0}, 5: {"a": 1.1, "b": 1.0}, 7: {"a": 1.0, "b": 1.2}, 9: {"a": 3.0, "b": 1.0}}
    assert fastest_ranges(standings(times)) == [
        FastestRange("a", 3, 3),
        FastestRange("b", 5, 5),
        FastestRange("a", 7, 7),
        FastestRange("b", 9, 9),
    ]
    assert fastest_ranges(standings(times, uncertainty=0.15)) == [FastestRange("a", 3, 7), FastestRange("b", 9, 9)]


def test_a_backend_that_is_as_fast_at_one_size_and_fastest_at_the_next_reigns_at_both():
    times = {3: {"a": 1.0, "b": 1.01}, 5: {"a": 2.0, "b": 1.0}}
    assert fastest_ranges(standings(times)) == [FastestRange("b", 3, 5)]


def test_where_one_of_two_has_no_time_the_crossover_lies_somewhere_between():
    times = {3: {"winograd": 1.0, "fft": 2.0}, 5: {"fft": 2.0}}
    assert crossovers(standings(times)) == [Crossover("winograd", "fft", (3, 5), None)]
    assert describe_sweep("disk", standings(times)) == "disk: winograd is fastest up to 3, fft from 5 on"


def test_a_size_that_nobody_could_do_is_passed_over():
    times = standings({3: {"a": 1.0}, 7: {"a": 1.0, "b": 3.0}})
    assert fastest_ranges({**times, 5: {}}) == [FastestRange("a", 3, 3), FastestRange("a", 7, 7)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("box", "box:size=7"),
        ("gaussian:sigma=2", "gaussian:sigma=2,size=7"),
        ("gaussian:size=9,sigma=2", "gaussian:size=7,sigma=2"),
        ("gabor:theta=30,size=9x5", "gabor:theta=30,size=7"),
    ],
)
def test_the_size_of_a_spec_is_set_and_the_rest_of_it_stays(spec, expected):
    assert sized_spec(spec, 7) == expected
    assert load_kernel(sized_spec(spec, 7)).size == (7, 7)
    check_sizable(spec)


@pytest.mark.parametrize("spec", ["kirsch_x", "sobel", "1 2 1", "laplacian_8"])
def test_a_kernel_without_a_size_is_named_with_some_that_have_one(spec):
    with pytest.raises(KernelError, match=r"has no parameter `size` for --kernel-sizes to set, unlike .*gaussian"):
        check_sizable(spec)


@pytest.mark.parametrize("text", ["", "3,", "a", "3,-5", "0", "3.5", "3;5", "9" * 5000])
def test_sizes_are_whole_numbers(text):
    with pytest.raises(UsageError, match=r"^--kernel-sizes takes whole numbers, such as 3,7,15,31,63; not "):
        parse_sizes(text)
