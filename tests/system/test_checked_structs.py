"""Plain data become structures, or one line that says where they cannot and why."""

import math
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from convcli.errors import UsageError
from convcli.system.checked_structs import StructError, read_struct

Whole = Annotated[int, Meta(ge=1, le=9)]


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    mode: Literal["zoom", "area", "auto"] = "auto"
    source: str = msgspec.field(default="", name="from")


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    size: Whole | Annotated[tuple[Whole, ...], Meta(min_length=2, max_length=2)]
    anchor: tuple[int, int] | None = None
    slope: Annotated[float, Meta(gt=0, lt=5)] = 1.0
    factors: list[float] = []
    limit: float | None = 9.0
    scale: float | None = None
    deep: bool = False
    note: str = ""
    inner: Inner | None = None
    parts: list[str | Inner] = []
    table: dict[str, float] = {}
    words: list[Literal["b", "a"]] = []
    either: Literal["auto"] | float = "auto"
    whatever: Any = None


GOOD = {"size": 3}


def test_data_that_fit_are_converted():
    read = read_struct({"size": [3, 4], "anchor": [0, 1], "slope": 2, "inner": {"from": "x"}, "either": 2.5}, Outer)
    assert (read.size, read.anchor, read.slope, read.inner, read.either) == (
        (3, 4),
        (0, 1),
        2.0,
        Inner(source="x"),
        2.5,
    )


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"siz": 3}, "", "unknown key 'siz'; did you mean 'size'? The keys are size, anchor, slope, "),
        ({"qqqq": 3}, "", "unknown key 'qqqq'; the keys are size, anchor, "),
        ({"size": 0}, "size", "must be a whole number of at least 1, not 0"),
        ({"size": 10}, "size", "must be a whole number of at most 9, not 10"),
        ({"size": 2.5}, "size", "must be a whole number or a list, not 2.5"),
        ({"size": True}, "size", "must be a whole number or a list, not true"),
        ({"size": None}, "size", "must be a whole number or a list, not nothing"),
        ({"size": [1]}, "size", "must be a list of at least 2, not [1]"),
        ({"size": [1, 2, 3]}, "size", "must be a list of at most 2, not [1, 2, 3]"),
        ({"size": [1, 0]}, "size[1]", "must be a whole number of at least 1, not 0"),
        ({"anchor": [1]}, "anchor", "must be a list of 2, not [1]"),
        ({"anchor": [1, "x"]}, "anchor[1]", "must be a whole number, not 'x'"),
        ({"anchor": 3}, "anchor", "must be a list, not 3"),
        ({"slope": 0}, "slope", "must be more than 0, not 0"),
        ({"slope": 5.0}, "slope", "must be less than 5, not 5.0"),
        ({"slope": "1"}, "slope", "must be a number, not '1'"),
        ({"slope": math.nan}, "slope", "must be "),
        ({"factors": [1, math.inf]}, "factors[1]", "must be a finite number, not inf"),
        ({"limit": math.inf}, "limit", "must be a finite number, or null for none, not inf"),
        ({"scale": math.inf}, "scale", "must be a finite number, not inf"),
        ({"deep": 1}, "deep", "must be true or false, not 1"),
        ({"note": ["a"]}, "note", "must be text, not ['a']"),
        ({"inner": []}, "inner", "must be a mapping, not []"),
        (
            {"inner": {"mode": "zom"}},
            "inner.mode",
            "unknown word 'zom': expected zoom, area, auto; did you mean 'zoom'?",
        ),
        ({"inner": {"mode": 3}}, "inner.mode", "must be text, not 3"),
        ({"inner": {"from": 3}}, "inner.from", "must be text, not 3"),
        ({"inner": {"source": "x"}}, "inner", "unknown key 'source'; the keys are mode, from"),
        (
            {"parts": ["a", {"mod": "zoom"}]},
            "parts[1]",
            "unknown key 'mod'; did you mean 'mode'? The keys are mode, from",
        ),
        ({"parts": [3]}, "parts[0]", "must be text or a mapping, not 3"),
        ({"table": {"a": 1, "b": "x"}}, "table.b", "must be a number, not 'x'"),
        ({"words": ["a", "c"]}, "words[1]", "unknown word 'c': expected b, a"),
        ({"either": "now"}, "either", "unknown word 'now': expected auto"),
        ({"note": list(range(99))}, "note", "must be text, not [0, 1, 2, "),
    ],
)
def test_the_first_fault_is_named_with_its_place(change, where, what):
    with pytest.raises(StructError) as caught:
        read_struct(GOOD | change, Outer)
    assert caught.value.where == where
    assert caught.value.what.startswith(what)
    assert len(caught.value.what) < 160


def test_what_is_missing_and_what_is_no_mapping_is_named():
    with pytest.raises(StructError, match=r"^needs size$"):
        read_struct({}, Outer)
    with pytest.raises(StructError, match=r"^must be a mapping, not \[1\]$"):
        read_struct([1], Outer)


def test_fields_are_called_as_the_caller_calls_them():
    class Empty(msgspec.Struct, forbid_unknown_fields=True):
        pass

    with pytest.raises(StructError, match=r"^unknown option 'x'; there are no options$"):
        read_struct({"x": 1}, Empty, "option")


def test_what_a_structure_itself_refuses_keeps_its_parts():
    class Range(msgspec.Struct):
        low: float
        high: float

        def __post_init__(self):
            if self.low > self.high:
                raise UsageError("is above high", where="low", advice="swap them")

    with pytest.raises(StructError) as caught:
        read_struct({"low": 3, "high": 1}, Range)
    assert (caught.value.where, caught.value.what, caught.value.advice) == ("low", "is above high", "swap them")


scalars = st.none() | st.booleans() | st.integers(-3, 12) | st.floats() | st.sampled_from(["auto", "zoom", "b", ""])
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.sampled_from(["mode", "from", "x"]), scalars)
keys = st.sampled_from([*Outer.__struct_encode_fields__, "other"])


def reason(data):
    try:
        read_struct(data, Outer)
    except StructError as error:
        return error.what
    return ""


@given(st.dictionaries(keys, values | st.lists(values, max_size=2)))
def test_a_reason_is_found_for_all_that_msgspec_refuses_and_for_nothing_else_but_infinities(data):
    try:
        msgspec.convert(data, Outer)
        starts = ("", "must be a finite number")
    except msgspec.ValidationError:
        starts = ("must be ", "unknown ", "needs ")
    found = reason(data)
    assert found in starts or found.startswith(tuple(filter(None, starts)))
