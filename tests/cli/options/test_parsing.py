"""The options of a command: groups become its signature and come back filled, and values are read from text."""

from dataclasses import field
from typing import Annotated

import pytest
import typer

from convcli.cli.options.parsing import (
    Only,
    OptionGroup,
    command,
    listed,
    number,
    parse_pair,
    parse_point,
    parse_size,
    parse_values,
    whole_number,
)
from convcli.errors import UsageError


class Drink(OptionGroup):
    """What to drink."""

    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Which.")]
    sugar: Annotated[int, typer.Option("--sugar", metavar="N", help="Spoons.")] = 2
    hot: Annotated[bool, typer.Option("--hot", help="Heated.")] = False


class LongDrink(Drink):
    """What to drink, in a tall glass."""

    ice: Annotated[int, typer.Option("--ice", metavar="N", help="Cubes.")] = field(
        default=0, metadata={"before": "sugar"}
    )
    sugar: Annotated[int, typer.Option("--sweet", metavar="N", help="Less.")] = 1


class Meal(OptionGroup):
    """What to eat; salt and pepper exclude each other."""

    salt: Annotated[bool, typer.Option("--salt", help="Salted.")] = False
    pepper: Annotated[bool, typer.Option("--pepper", help="Peppered.")] = False

    def __post_init__(self):
        if self.salt and self.pepper:
            raise UsageError("both")


def call(made, *arguments):
    return made.main(args=list(arguments), prog_name="order", standalone_mode=False)


def options_of(made):
    return [name for parameter in made.params for name in parameter.opts]


def test_the_options_of_groups_stand_among_the_others_in_order():
    @command
    def order(*, table: Annotated[int, typer.Argument(metavar="N", help="Where.")], drink: Drink, meal: Meal):
        """Order."""

    assert options_of(order) == ["table", "--name", "--sugar", "--hot", "--salt", "--pepper"]
    assert order.help == "Order."


def test_a_command_is_handed_its_groups_filled_with_what_was_said_and_defaults():
    given = []

    @command
    def order(*, drink: Drink, more: Annotated[list[str] | None, typer.Option("--more", help="More.")] = None):
        """Order."""
        given.extend([drink, more])

    call(order, "--name", "tea", "--hot", "--more", "a", "--more", "b")
    drink, more = given
    assert vars(drink) == {"name": "tea", "sugar": 2, "hot": True}
    assert more == ["a", "b"]


def test_only_the_chosen_options_of_a_group_are_taken_and_the_others_keep_their_defaults():
    given = []

    @command
    def order(*, drink: Annotated[Drink, Only("hot", "name")]):
        """Order."""
        given.append(drink)

    assert options_of(order) == ["--name", "--hot"]
    call(order, "--name", "tea")
    assert given[0].sugar == 2


def test_an_inherited_group_may_replace_an_option_and_stand_one_before_it():
    @command
    def order(*, drink: LongDrink):
        """Order."""

    assert options_of(order) == ["--name", "--ice", "--sweet", "--hot"]


def test_a_group_checks_its_options_against_one_another():
    @command
    def order(*, meal: Meal):
        """Order."""

    call(order, "--salt")
    with pytest.raises(UsageError, match="both"):
        call(order, "--salt", "--pepper")


def test_words_are_listed_with_remarks_and_the_last_one_joined():
    assert listed(["a", "b", "c"], {"b": "why"}, last="and") == "a, b (why) and c"


@pytest.mark.parametrize(("read", "text"), [(number, "x"), (number, ""), (whole_number, "2.0"), (whole_number, "high")])
def test_what_is_no_number_is_refused_by_the_parser_in_our_words(read, text):
    with pytest.raises(typer.BadParameter, match=r"is not a (whole )?number") as caught:
        read(text)
    assert repr(text) in caught.value.message


def test_numbers_are_read():
    assert (number("-2.5e1"), whole_number("-25")) == (-25.0, -25)


@pytest.mark.parametrize(("text", "pair"), [("3", (3, 3)), ("3,4", (3, 4)), (" 3 , 4 ", (3, 4)), ("-1,2", (-1, 2))])
def test_one_number_is_for_rows_and_columns_alike_and_two_are_rows_and_columns(text, pair):
    assert parse_pair("--x", text, least=-1) == pair


@pytest.mark.parametrize("text", ["", "2.0", "2,", "1,2,3", "a", "1;2", "²"])
def test_what_is_no_pair_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"^--x takes a whole number, or two as rows,columns, such as 2 or 2,3; not "):
        parse_pair("--x", text)


def test_a_pair_below_the_least_is_refused():
    with pytest.raises(UsageError, match=r"^--x 1,0: must be at least 1$"):
        parse_pair("--x", "1,0", least=1)


@pytest.mark.parametrize("text", ["1", "1,2,3", ""])
def test_a_point_needs_a_row_and_a_column(text):
    with pytest.raises(UsageError, match=r"^--at takes a row and a column, such as 1,2; not "):
        parse_point("--at", text)


@pytest.mark.parametrize(("text", "size"), [("4x5", (4, 5)), ("4X5x3", (4, 5, 3))])
def test_sizes_are_rows_columns_and_channels(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["4", "4x5x3x2", "0x5", "4x-5", "4x5x", "10000000x1"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="--input-size"):
        parse_size(text)


def test_values_are_one_number_or_several():
    assert (parse_values("--x", "1.5"), parse_values("--x", "1,2")) == (1.5, (1.0, 2.0))
    with pytest.raises(UsageError, match=r"^--x takes numbers, one or one per channel"):
        parse_values("--x", "1,a")
