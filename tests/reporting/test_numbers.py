"""How numbers read."""

import math

import pytest

from convcli.reporting.numbers import counted, digits, duration, megabytes, milliseconds, percent, pixel_size, ratio


@pytest.mark.parametrize(
    ("value", "column", "sentence"),
    [
        (0.0, "0", "0"),
        (4.2e-7, "4.20e-7", "4.2e-7"),
        (0.00123456, "0.00123", "0.00123"),
        (0.5, "0.500", "0.5"),
        (0.9996, "1.00", "1"),
        (9.996, "10.0", "10"),
        (99.96, "100", "100"),
        (120.4, "120", "120"),
        (123456.7, "123457", "123457"),
        (-2.5, "-2.50", "-2.5"),
        (math.nan, "-", "-"),
        (math.inf, "-", "-"),
    ],
)
def test_numbers_have_three_digits(value, column, sentence):
    assert digits(value) == column
    assert digits(value, zeros=False) == sentence


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 ms"),
        (0.00999, "9.99 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00 min"),
        (3599.6, "1:00 h"),
        (90_000, "25:00 h"),
    ],
)
def test_durations_change_their_unit_where_rounding_reaches_the_next(seconds, told):
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0%"), (0.994, "99%"), (0.996, "99.6%"), (0.99996, "99.996%"), (1.0, "100%"), (1.5, "150%")],
)
def test_only_the_whole_is_100_percent(share, told):
    assert percent(share) == told


def test_what_is_nearer_to_the_whole_than_four_places_tell_is_the_whole():
    assert percent(1 - 1e-9) == "100%"


def test_other_figures():
    assert milliseconds(1.5) == "1500"
    assert megabytes(0) == "0.0"
    assert ratio(9.994) == "9.99"
    assert pixel_size((2, 3, 2)) == "3 x 2 gray+alpha"
    assert counted(0, "run") == "0 runs"
