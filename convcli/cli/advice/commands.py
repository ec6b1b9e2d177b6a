"""The commands that there are, with their options, as the advice on mistakes needs them. Imports them all."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, cast

import typer


@cache
def commands() -> dict[str, Any]:
    """Return each command by the words that it is called with: `convcli kernels show`."""
    from convcli.cli.app import LazyGroup, app

    def below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
        context = typer.Context(group)
        for name in group.entries:
            _, command, _ = group.resolve_command(context, [name])
            if isinstance(command, LazyGroup):
                yield from below(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command

    return dict(below(cast("Any", typer.main.get_command(app)), "convcli"))


def options(command: Any) -> set[str]:
    """Return the options of a command."""
    return {
        option for parameter in command.params if parameter.param_type_name == "option" for option in parameter.opts
    }


def arguments(path: str, words: Sequence[str]) -> list[str]:
    """Return those of the words after a command that are neither options nor their values.

    >>> arguments("convcli run", ["-o", "a.png", "--timing", "canny.yaml", "--depth=u8", "photo.png"])
    ['canny.yaml', 'photo.png']
    """
    with_value = {
        option
        for parameter in commands()[path].params
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
