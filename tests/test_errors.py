"""Every error has parts, a message of one line, an exit status, and survives its way between processes."""

import copy
import importlib
import pickle
import pkgutil

import pytest

import convcli
from convcli.errors import (
    INTERRUPTED,
    ConvcliError,
    FilterError,
    ImageReadError,
    ImageWriteError,
    KernelError,
    OutputError,
    OutputExistsError,
    ProfileError,
    UsageError,
    check_word,
    nearest,
)

WRONG_USAGE = {UsageError, KernelError, OutputError, OutputExistsError}
ONE_IMAGE = {ConvcliError, ImageReadError, ImageWriteError, ProfileError, FilterError}


def family(kind=ConvcliError):
    yield kind
    for each in kind.__subclasses__():
        yield from family(each)


# Rooms above add their own: all modules are loaded, so that none is missed.
for _module in pkgutil.walk_packages(convcli.__path__, "convcli."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)
KINDS = sorted(set(family()), key=lambda kind: kind.__qualname__)

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__qualname__)


@every_kind
def test_the_message_is_where_what_and_advice(kind):
    error = kind("is empty", where="a.yaml", advice="write something")
    assert (error.where, error.what, error.advice) == ("a.yaml", "is empty", "write something")
    assert str(error) == "a.yaml: is empty: write something"
    assert str(kind("is empty")) == "is empty"
    assert str(kind("is empty", where="a.yaml")) == "a.yaml: is empty"
    assert str(kind("is empty", advice="write something")) == "is empty: write something"


@every_kind
def test_a_place_is_put_around_the_one_there_was(kind):
    error = kind("is empty", where="weights", advice="write something")
    assert type(error.at("a.yaml")) is kind
    assert error.at("a.yaml").where == "a.yaml: weights"
    assert kind("is empty").at("a.yaml").where == "a.yaml"
    assert error.at("a.yaml").advice == "write something"
    assert error.where == "weights"


@every_kind
def test_other_advice_takes_the_place_of_what_there_was(kind):
    error = kind("is empty", where="a.yaml", advice="write something").advising("delete it")
    assert type(error) is kind
    assert str(error) == "a.yaml: is empty: delete it"


@every_kind
def test_the_same_parts_make_an_error_of_another_kind(kind):
    error = kind("is empty", where="a.yaml", advice="write something").as_kind(FilterError)
    assert type(error) is FilterError
    assert (error.where, error.what, error.advice) == ("a.yaml", "is empty", "write something")


@every_kind
@pytest.mark.parametrize("copied", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_the_parts_survive_a_copy_into_another_process(kind, copied):
    error = kind("is empty", where="a.yaml", advice="write something")
    again = copied(error)
    assert type(again) is kind
    assert str(again) == str(error)
    assert (again.where, again.what, again.advice) == (error.where, error.what, error.advice)
    assert str(again.at("b")) == "b: a.yaml: is empty: write something"


@every_kind
def test_wrong_usage_exits_with_2_and_all_else_with_1(kind):
    assert kind("x").exit_status == (2 if issubclass(kind, UsageError) else 1)


def test_the_statuses_are_those_of_the_contract():
    assert {kind.exit_status for kind in WRONG_USAGE} == {2}
    assert {kind.exit_status for kind in ONE_IMAGE} == {1}
    assert INTERRUPTED == 130


@pytest.mark.parametrize("kind", [UsageError, KernelError, OutputError, FilterError])
def test_a_wrong_value_is_a_value_error_for_callers_in_python(kind):
    assert issubclass(kind, ValueError)


def test_a_misspelt_word_gets_the_nearest_choice():
    assert nearest("sobelx", ["sobel_x", "gaussian"]) == "; did you mean 'sobel_x'?"
    assert nearest("qqqq", iter(["sobel_x", "gaussian"])) == ""


def test_an_unknown_word_is_answered_with_the_choices():
    check_word("extent", "same", ("same", "full"))
    with pytest.raises(UsageError, match=r"^unknown extent 'ful': expected same, full; did you mean 'full'\?$"):
        check_word("extent", "ful", ("same", "full"))
    with pytest.raises(UsageError, match=r"^unknown padding 'bordr': expected zero; did you mean 'border'\?$"):
        check_word("padding", "bordr", ("zero",), also=("border",))
