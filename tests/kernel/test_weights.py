"""Numbers as people write them, and weights normalised and turned."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import any_weights

from convcli.kernel.weights import MAX_WEIGHTS, check_number_of_weights, normalized, parse_number, read_number, rotated


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_by_repr_is_read_back_exactly(value):
    assert parse_number(repr(value)) == value
    assert read_number(value) == value


@given(st.integers(-9999, 9999), st.integers(1, 9999))
def test_a_fraction_is_the_quotient_rounded_once(over, under):
    assert parse_number(f"{over}/{under}") == over / under


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "must be a number or a fraction like 1/16, not 'x'"),
        ("", "must be a number or a fraction like 1/16, not ''"),
        ("1/2/3", "must be a number or a fraction like 1/16, not '1/2/3'"),
        ("-.inf", "must be a finite number, not -.inf"),
        ("1e999", "must be a finite number, not 1e999"),
        ("1/0", "divides by zero: 1/0"),
    ],
)
def test_what_is_no_finite_number_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        parse_number(text)


def test_a_whole_number_beyond_floats_is_not_finite():
    with pytest.raises(ValueError, match="must be a finite number, not inf"):
        read_number(10**400)


def test_the_most_weights_are_allowed_and_one_more_is_not():
    check_number_of_weights(1, MAX_WEIGHTS)
    with pytest.raises(ValueError, match="at most 16777216 weights are allowed"):
        check_number_of_weights(1, MAX_WEIGHTS + 1)


@given(any_weights, st.sampled_from(["sum", "abssum", "posneg"]))
def test_normalized_weights_have_the_sum_they_were_asked_for(weights, how):
    absolute = math.fsum(np.abs(weights).ravel())
    if absolute < 1e-290 or (how == "sum" and abs(math.fsum(weights.ravel())) < 1e-6 * absolute):
        return  # zero, or so near that rounding decides
    found = normalized(weights, how)
    positive, negative = found[found > 0].sum(), found[found < 0].sum()
    if how == "sum":
        np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-8)
    elif how == "abssum":
        np.testing.assert_allclose(positive - negative, 1.0, rtol=1e-12)
    else:
        assert positive == pytest.approx(1.0 if (weights > 0).any() else 0.0, rel=1e-12)
        assert negative == pytest.approx(-1.0 if (weights < 0).any() else 0.0, rel=1e-12)


@given(any_weights, st.integers(-8, 8))
def test_quarter_turns_are_numpys(weights, quarters):
    np.testing.assert_array_equal(rotated(weights, 90 * quarters), np.rot90(weights, quarters))


def test_two_eighths_of_a_turn_are_a_quarter():
    weights = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(rotated(rotated(weights, 45), 45), np.rot90(weights))
    np.testing.assert_array_equal(rotated(rotated(weights, 135), -45), np.rot90(weights))


def test_posneg_scales_each_side_for_itself_however_small_it_is():
    np.testing.assert_array_equal(normalized(np.array([[1e300, -5e-324]]), "posneg"), [[1.0, -1.0]])
