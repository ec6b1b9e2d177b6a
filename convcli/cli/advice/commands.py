"""The commands that there are, with their options, as the advice on mistakes needs them. Imports them all."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import typer

Commands = Mapping[str, Any]


@cache
def commands_of(root: Any) -> Commands:
    """Return each command by the words that it is called with, such as `convcli kernels show`.

    Parameters
    ----------
    root : LazyGroup
        The group of all commands.
    """

    def below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
        context = typer.Context(group)
        for name in group.entries:
            _, command, _ = group.resolve_command(context, [name])
            if hasattr(command, "entries"):
                yield from below(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command

    return dict(below(root, "convcli"))


def options(command: Any) -> set[str]:
    """Return the options of a command."""
    return {
        option for parameter in command.params if parameter.param_type_name == "option" for option in parameter.opts
    }


def arguments(command: Any, words: Sequence[str]) -> list[str]:
    """Return those of the words after a command that are neither options nor their values."""
    with_value = {
        option
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.is_flag
        for option in parameter.opts
    }
    found = []
    left = iter(words)
    for word in left:
        if word in with_value:
            next(left, None)
        elif word == "-" or not word.startswith("-"):
            found.append(word)
    return found
