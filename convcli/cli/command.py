"""How commands are made and found: a signature written in groups of options, and a module loaded when it is called."""

import importlib
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, ClassVar, dataclass_transform, get_origin

from typer.core import TyperCommand, TyperGroup
from typer.main import get_params_convertors_ctx_param_name_from_function

from convcli.errors import UsageError, nearest

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


@dataclass_transform()
class OptionGroup:
    """A group of options, which a command takes as one parameter: a dataclass whose fields are annotated options.

    The order of the fields is that of the help page. A field's metadata may hold `before`, the name of an inherited
    field that it stands before.
    """

    def __init_subclass__(cls) -> None:
        # Groups are made once, by name, and neither compared nor shown; generated methods would slow every start.
        dataclass(init=False, eq=False, repr=False)(cls)

    def __init__(self, **values: Any) -> None:
        for field in _fields(self):
            setattr(self, field.name, values.get(field.name, field.default))
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the options against one another. Raises UsageError."""


class Only:
    """Which options of a group a command takes; the others keep their defaults.

    Examples
    --------
    ::

        computing: Annotated[ComputingGroup, Only("threads", "device")]
    """

    def __init__(self, *names: str) -> None:
        self.names = names


def command(function: Callable[..., None]) -> TyperCommand:
    """Make a command of a function.

    Parameters
    ----------
    function : callable
        Each of its parameters is annotated with an option or argument of typer, or with an `OptionGroup`, whose options
        stand in its place on the help page. Its docstring is the help.

    Returns
    -------
    TyperCommand
        The command. It calls the function with its groups filled.
    """
    parameters: list[inspect.Parameter] = []
    groups: list[tuple[str, type[OptionGroup], list[str]]] = []
    for parameter in inspect.signature(function).parameters.values():
        group = _group_of(parameter.annotation)
        if group is None:
            parameters.append(parameter)
            continue
        grouped = list(_options(parameter.annotation, group))
        parameters += grouped
        groups.append((parameter.name, group, [option.name for option in grouped]))

    def call(**values: Any) -> None:
        for name, convert in conversions.items():
            values[name] = convert(values[name])
        for name, group, members in groups:
            values[name] = group(**{option: values.pop(option) for option in members})
        function(**values)

    # What a Typer app would do for its only command, but without going over all options twice.
    vars(call)["__signature__"] = inspect.Signature(parameters)
    options, conversions, _ = get_params_convertors_ctx_param_name_from_function(call)
    return TyperCommand(
        function.__name__,
        params=list(options),
        callback=call,
        help=inspect.getdoc(function),
        rich_markup_mode="rich",
        context_settings=SETTINGS,
    )


def _group_of(annotation: Any) -> type[OptionGroup] | None:
    """Return the group that a parameter is annotated with, or None for a single option."""
    kind = annotation.__origin__ if get_origin(annotation) is Annotated else annotation
    return kind if isinstance(kind, type) and issubclass(kind, OptionGroup) else None


def _options(annotation: Any, group: type[OptionGroup]) -> Iterator[inspect.Parameter]:
    """Lay out the options of a group as keyword parameters."""
    chosen = next((extra.names for extra in getattr(annotation, "__metadata__", ()) if isinstance(extra, Only)), None)
    for field in _in_order(group):
        if chosen is None or field.name in chosen:
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.type)


def _fields(group: Any) -> tuple[Field[Any], ...]:
    """Return the fields of a group, which for mypy is no dataclass."""
    return fields(group)


def _in_order(group: type[OptionGroup]) -> list[Field[Any]]:
    ordered: list[Field[Any]] = []
    for field in _fields(group):
        following = field.metadata.get("before")
        place = next((i for i, other in enumerate(ordered) if other.name == following), len(ordered))
        ordered.insert(place, field)
    return ordered


class LazyGroup(TyperGroup):
    """A group whose commands are known by name and summary, and imported only when one is called.

    Attributes
    ----------
    entries : mapping of str to (str, str)
        Of each command, where it is, as `module:name`, and what the group's help says of it: the first line of its own.
    """

    entries: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update(
            (name, TyperCommand(name, callback=None, help=summary)) for name, (_, summary) in self.entries.items()
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name of the command that `args` begin with, the command, and the rest of them."""
        name, *rest = args
        if name in self.entries:
            module, _, attribute = self.entries[name][0].partition(":")
            found = getattr(importlib.import_module(module), attribute)
            found.name = name
            return name, found, rest
        if ctx.resilient_parsing or name.startswith("-"):
            return super().resolve_command(ctx, args)
        is_file = os.path.isfile(name)
        advice = f"; to filter that file: convcli filter {name} -k sobel_x" if is_file else nearest(name, self.entries)
        raise UsageError(f"no such command {name!r}{advice} (see {ctx.command_path} --help)")
