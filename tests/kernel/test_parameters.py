"""Parameters of families: what they take, and what they say of it."""

import pytest

from convcli.kernel.parameters import KernelSize, OneOfWords, Parameter, RealNumber


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (RealNumber(), "-1/4", -0.25),
        (RealNumber(above=0), 3, 3.0),
        (RealNumber(at_least=1), 1, 1.0),
        (OneOfWords(("raw", "zero")), "zero", "zero"),
        (KernelSize(), "4", (4, 4)),
        (KernelSize(), "4×3", (4, 3)),
        (KernelSize(odd=True), [5, 7], (5, 7)),
    ],
)
def test_a_value_is_read_as_it_is_written_in_a_spec_or_a_file(kind, value, expected):
    assert kind.read(value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (RealNumber(above=0), 0, "must be greater than 0, not 0"),
        (RealNumber(at_least=1), "0.5", "must be at least 1, not 0.5"),
        (RealNumber(), True, "must be a number, not True"),
        (RealNumber(), [1], r"must be a number, not \[1\]"),
        (RealNumber(), float("nan"), "must be a finite number, not nan"),
        (OneOfWords(("raw", "zero")), "none", "must be raw or zero, not none"),
        (OneOfWords(("raw", "zero")), 0, "must be raw or zero, not 0"),
        (KernelSize(), 0, "must be at least 1, not 0"),
        (KernelSize(), "3.5", "must be a whole number N or HxW, not 3.5"),
        (KernelSize(), [1, 2, 3], "must be a whole number N or HxW"),
        (KernelSize(), "99999x5", "makes a kernel of 99999x5: at most 32768 rows and columns are allowed"),
        (KernelSize(odd=True), "3x4", "must be odd, so that the kernel has a centre, not 3x4"),
    ],
)
def test_what_is_not_taken_is_refused_with_a_reason(kind, value, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        kind.read(value)


def test_auto_is_taken_where_it_stands_for_something():
    assert Parameter("size", "size", KernelSize(), auto="as far as it reaches").read("auto") is None
    with pytest.raises(ValueError, match="must be a whole number N or HxW, not auto"):
        Parameter("size", "size", KernelSize(), 3).read("auto")


def test_the_help_holds_meaning_unit_range_and_what_auto_stands_for():
    parameter = Parameter("sigma_x", "deviation", RealNumber(above=0), unit="pixels", auto="sigma")
    assert parameter.help == "deviation, in pixels: a number greater than 0; auto: sigma"
