"""Named constants of documents, formulas of them, and their values from the command line."""

import math

import pytest

from convcli.pipeline.document.constants import read_value, settled_constants, substituted
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("1.6 * sigma", 1.6 * 2.5),
        ("-1 / (2 * sigma ** 2)", -1 / (2 * 2.5**2)),
        ("12 * n - 1", 35),
        ("n // 2 + n % 2", 2),
        ("(n + 1) * (n - 1)", 8),
        ("n ** -1", 1 / 3),
        ("+n", 3),
    ],
)
def test_a_formula_is_what_python_makes_of_it(formula, expected):
    found = substituted(f"$({formula})", {"sigma": 2.5, "n": 3}, "here")
    assert math.isclose(found, expected, rel_tol=1e-15)


def test_whole_results_are_whole_numbers_for_options_that_count():
    assert repr(substituted("$(4 / 2)", {}, "here")) == "2"
    assert repr(substituted("gabor:sigma=$(4 / 2)", {}, "here")) == "'gabor:sigma=2'"


def test_a_reference_alone_keeps_its_type_and_within_a_text_is_written_out():
    constants = {"low": 20, "on": True, "mode": "wrap"}
    data = {"a": "$low", "b": ["$on", "$mode"], "c": "x=$low,y=$on", "$mode": "$$low"}
    assert substituted(data, constants, "here") == {"a": 20, "b": [True, "wrap"], "c": "x=20,y=true", "wrap": "$low"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$lo", "here: there is no constant called 'lo'; there are low, mode"),
        ("$modes", "here: there is no constant called 'modes'; did you mean 'mode'?"),
        ("$(low + )", "here: $(low +): is no formula of + - * / ** and constants"),
        ("$(__import__('os'))", "here: $(__import__('os')): is no formula of + - * / ** and constants"),
        ("$(low.real)", "here: $(low.real): is no formula of + - * / ** and constants"),
        ("$(mode * 2)", "here: $(mode * 2): mode is wrap, not a number"),
        ("$(low / 0)", "here: $(low / 0): division by zero"),
        ("$((-8) ** 0.5)", "here: $((-8) ** 0.5): is no real number"),
        ("$(9 ** 65)", "here: $(9 ** 65): an exponent is at most 64, not 65"),
        ("$(" + "1+" * 120 + "1)", "here: a formula is longer than 200 characters"),
        ("5 $", "here: a $ stands before the name of a constant, or a formula as in $(2 * sigma)"),
    ],
)
def test_what_is_no_reference_is_refused(text, message):
    with pytest.raises(DocumentError) as error:
        substituted(text, {"low": 20, "mode": "wrap"}, "here")
    assert str(error.value) == message


def test_a_formula_cannot_grow_without_end():
    with pytest.raises(DocumentError, match="too large"):
        substituted("$(((9 ** 64) ** 64) ** 64)", {}, "here")


def test_values_are_read_from_text():
    texts = ("20", "-2.5", "1/4", "true", "wrap", "1e3")
    assert [read_value(text) for text in texts] == [20, -2.5, 0.25, True, "wrap", 1000]


def test_given_constants_replace_those_of_the_document(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    declared = {"low": 100, "on": False, "mode": "wrap", "other": None}
    given = {"low": "1/2", "on": "true", "mode": "12", "other": "sub/mask.png"}
    expected = {"low": 0.5, "on": True, "mode": "12", "other": str(tmp_path / "sub" / "mask.png")}
    assert settled_constants(declared, given, "doc") == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hihg": "3"}, "doc: there is no constant called 'hihg'; did you mean 'high'?"),
        ({"zebra": "3"}, "doc: there is no constant called 'zebra'; its constants are high, on, other"),
        ({"high": "many"}, "doc: high: must be a number, not 'many'"),
        ({"high": "true"}, "doc: high: must be a number, not 'true'"),
        ({"on": "1"}, "doc: on: must be true or false, not '1'"),
        ({}, "doc: needs other: say --set other=VALUE"),
    ],
)
def test_constants_that_do_not_fit_are_refused(given, message):
    with pytest.raises(DocumentError) as error:
        settled_constants({"high": 200, "on": True, "other": None}, given, "doc")
    assert str(error.value) == message


def test_constants_reach_input_output_weights_and_options():
    text = """
constants: {map: stretch, white: unit, at: 0.5, sigma: 2}
input: {range: $white}
steps: [{filter: "gaussian:sigma=$sigma"}, {threshold: {at: $at}}]
output: {mapping: $map}
"""
    document = parse_document(text, constants={"at": "0.25", "sigma": "3"})
    assert (document.input.range, document.output.mapping) == ("unit", "stretch")
    assert document.nodes[0].step.kernel == "gaussian:sigma=3"
    assert document.nodes[1].step.at == 0.25


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{constants: {a-b: 1}, steps: [abs]}", "pipeline: constants: a constant is called by letters, digits and _"),
        ("{constants: {a: [1]}, steps: [abs]}", "pipeline: constants.a: must be"),
        ("{constants: 3, steps: [abs]}", "pipeline: constants: must be a mapping"),
        ("{steps: [{threshold: $at}]}", "pipeline: steps[0].threshold: there is no constant called 'at'; the document"),
        ("{constants: {at: low}, steps: [{threshold: $at}]}", "pipeline: steps[0].threshold.at: must be a number"),
    ],
)
def test_the_place_of_a_wrong_constant_is_named(text, message):
    with pytest.raises(DocumentError) as error:
        parse_document(text)
    assert str(error.value).startswith(message)
