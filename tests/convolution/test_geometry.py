"""Sizes and paddings along an axis, against counting; the formulas that are shown, against arithmetic."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcli.convolution.geometry import axis_geometry, size_formula
from convcli.errors import FilterError, UsageError


@given(
    length=st.integers(1, 30),
    taps=st.integers(1, 6),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 4),
    extent=st.sampled_from(["same", "valid", "full"]),
    data=st.data(),
)
def test_output_sizes_count_the_places_where_the_kernel_lies(length, taps, stride, dilation, extent, data):
    anchor = data.draw(st.integers(0, taps - 1))
    span = dilation * (taps - 1) + 1
    # Every place of the kernel's first sample, counted from the image's first.
    places = {
        "same": range(-anchor * dilation, length - anchor * dilation),
        "valid": range(length - span + 1),
        "full": range(1 - span, length),
    }[extent]
    if not places:
        with pytest.raises(FilterError, match="does not fit into"):
            axis_geometry(length, taps, anchor=anchor, extent=extent, stride=stride, dilation=dilation)
        return
    axis = axis_geometry(length, taps, anchor=anchor, extent=extent, stride=stride, dilation=dilation)
    assert axis.output == len(places[::stride])
    assert -axis.before == places[0]
    assert axis.before + length + axis.after >= (axis.output - 1) * stride + span


def test_an_anchor_outside_the_kernel_is_refused():
    with pytest.raises(UsageError, match="anchor 3 lies outside a kernel of 3"):
        axis_geometry(10, 3, anchor=3)


@pytest.mark.parametrize(
    ("extent", "before", "after", "output"), [("same", 4, 6, 20), ("valid", 0, 0, 10), ("full", 10, 10, 30)]
)
def test_the_padding_of_a_dilated_even_kernel_by_hand(extent, before, after, output):
    axis = axis_geometry(20, 6, anchor=2, extent=extent, dilation=2)
    assert (axis.span, axis.stride, axis.before, axis.after, axis.output) == (11, 1, before, after, output)


@pytest.mark.parametrize(
    ("extent", "dilation", "formula"),
    [
        ("same", 1, "20 = 20"),
        ("same", 3, "20 = 20"),
        ("valid", 1, "20 - 5 + 1 = 16"),
        ("valid", 3, "20 - 3*(5 - 1) = 8"),
        ("full", 1, "20 + 5 - 1 = 24"),
        ("full", 3, "20 + 3*(5 - 1) = 32"),
    ],
)
def test_at_stride_1_a_formula_rounds_nothing(extent, dilation, formula):
    output = axis_geometry(20, 5, anchor=2, extent=extent, dilation=dilation).output
    assert size_formula(20, 5, output, extent=extent, dilation=dilation) == formula


@given(
    length=st.integers(1, 60),
    taps=st.integers(1, 9),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 4),
    extent=st.sampled_from(["same", "valid", "full"]),
)
def test_a_formula_comes_to_the_size_that_it_ends_in(length, taps, stride, dilation, extent):
    assume(extent != "valid" or dilation * (taps - 1) < length)
    output = axis_geometry(length, taps, anchor=0, extent=extent, stride=stride, dilation=dilation).output
    formula, _, shown = size_formula(length, taps, output, extent=extent, stride=stride, dilation=dilation).partition(
        " = "
    )
    assert int(shown) == output
    assert eval(formula, {"ceil": math.ceil, "floor": math.floor}) == output
