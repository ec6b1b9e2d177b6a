"""Groups of options become the signature of a command, and come back as groups."""

from dataclasses import field
from typing import Annotated

import pytest
import typer

from convcli.cli.command import Only, OptionGroup, command
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
