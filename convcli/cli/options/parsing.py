"""How the options of a command are parsed: groups of them as one signature, and their values from text."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, dataclass_transform, get_origin

import typer
from typer._click.exceptions import NoSuchOption
from typer.core import TyperArgument, TyperCommand
from typer.main import get_params_convertors_ctx_param_name_from_function

from convcli.errors import UsageError
from convcli.system.user_folders import settings_files

_MOST_BANDS = 100_000
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


class _Command(TyperCommand):
    """A command that heeds the defaults of files, and takes a SPEC which begins with a minus, `-1 0 1`, for one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a command, beside the defaults that files set. Raises TyperException and UsageError."""
        files = [] if ctx.resilient_parsing else settings_files()
        if not files:
            return self._parsed(ctx, args)
        from convcli.cli.options.defaults import defaults_in_effect

        with defaults_in_effect(ctx, files):
            return self._parsed(ctx, args)

    def _parsed(self, ctx: Any, args: list[str]) -> list[str]:
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except NoSuchOption as error:
            takes_spec = any(
                isinstance(each, TyperArgument) and (each.metavar or "").startswith("SPEC") for each in self.params
            )
            if not takes_spec or not error.option_name.removeprefix("-")[:1].isdecimal():
                raise
            # The parser takes what begins with a minus for options, and a SPEC may begin with a blank.
            return super().parse_args(
                ctx, [f" {word}" if word[:1] == "-" and word[1:2].isdecimal() else word for word in words]
            )


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
    return _Command(
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


def listed(words: Sequence[str], remarks: Mapping[str, str] | None = None, last: str = "or") -> str:
    """List words for a help text, each with a remark in parentheses where there is one.

    Parameters
    ----------
    words : sequence of str
        What an option takes.
    remarks : mapping of str to str, optional
        Remarks on some of them.
    last : str
        What joins the last one.

    Examples
    --------
    >>> listed(("error", "skip", "overwrite"), {"error": "the default"})
    'error (the default), skip or overwrite'
    """
    remarks = remarks or {}
    shown = [f"{word} ({remarks[word]})" if word in remarks else word for word in words]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def number(text: str) -> float:
    """Read a number, or a fraction of two, for the parser. Raises BadParameter.

    >>> number("2.5"), number("1/4")
    (2.5, 0.25)
    """
    over, slash, under = str(text).partition("/")  # the parser sends a default through as it is
    try:
        return float(over) / float(under) if slash else float(text)
    except ZeroDivisionError:
        raise typer.BadParameter(f"{text!r} divides by zero") from None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number, nor a fraction such as 1/9") from None


def whole_number(text: str) -> int:
    """Read a whole number, for the parser. Raises BadParameter.

    >>> whole_number("25")
    25
    """
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def parse_pair(option: str, text: str, least: int = 0) -> tuple[int, int]:
    """Read `2` as (2, 2), and `2,3` and `2x3` as (2, 3): rows, columns.

    >>> parse_pair("--stride", "2"), parse_pair("--stride", "2,3"), parse_pair("--stride", "2x3")
    ((2, 2), (2, 3), (2, 3))

    Raises
    ------
    UsageError
        For anything else, `2.0`, `2,` and `1,2,3` among them, and for numbers below `least`.
    """
    numbers = [_whole(part) for part in text.lower().replace("x", ",").split(",")]
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or None in numbers:
        raise UsageError(f"{option} takes a whole number, or two as rows,columns, such as 2 or 2,3; not {text!r}")
    rows, columns = (n for n in numbers if n is not None)
    if min(rows, columns) < least:
        raise UsageError(f"must be at least {least}", where=f"{option} {text}")
    return rows, columns


def parse_point(option: str, text: str) -> tuple[int, int]:
    """Read `1,2` as (1, 2): a row and a column.

    >>> parse_point("--anchor", "1,2")
    (1, 2)
    """
    if text.lower().count("x") + text.count(",") != 1:
        raise UsageError(f"{option} takes a row and a column, such as 1,2; not {text!r}")
    return parse_pair(option, text)


def parse_size(text: str) -> tuple[int, ...]:
    """Read `224x224x3` as (224, 224, 3), and `480x640` as (480, 640): rows, columns, channels.

    >>> parse_size("224x224x3")
    (224, 224, 3)
    """
    parts = text.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--input-size takes rows x columns x channels, such as 224x224x3, not {text!r}")
    if max(map(len, parts)) > 7:
        raise UsageError("at most 9999999 in each direction", where=f"--input-size {text}")
    return tuple(map(int, parts))


def parse_values(option: str, text: str) -> float | tuple[float, ...]:
    """Read `255` as 255.0 and `255,0,0` as (255.0, 0.0, 0.0).

    >>> parse_values("--padding-value", "255,0,0")
    (255.0, 0.0, 0.0)
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} takes numbers, one or one per channel, such as 255 or 255,0,0; not {text!r}"
        ) from None
    return values[0] if len(values) == 1 else values


def parse_bands(option: str, text: str) -> tuple[int, ...]:
    """Read `1,3-5` as (1, 3, 4, 5): the numbers of bands, from 1.

    >>> parse_bands("--bands", "1,3-5")
    (1, 3, 4, 5)

    Raises
    ------
    UsageError
        For anything else, band 0 and ranges that go down among them.
    """
    bands: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, stop = _whole(first), _whole(last or first)
        if start is None or stop is None:
            raise UsageError(f"{option} takes numbers and ranges of bands, such as 1,3-5; not {text!r}")
        if start < 1:
            raise UsageError("bands are counted from 1", where=f"{option} {text}")
        if stop < start:
            raise UsageError(f"a range goes up: {stop}-{start}", where=f"{option} {text}")
        if stop - start >= _MOST_BANDS:
            raise UsageError(f"no image has as many bands as {part}", where=f"{option} {text}")
        bands += range(start, stop + 1)
    return tuple(bands)


def parse_count(option: str, text: str) -> int:
    """Read `200M` as 200,000,000 and `1.5G` as 1,500,000,000.

    >>> parse_count("--max-pixels", "200M"), parse_count("--max-pixels", "5000")
    (200000000, 5000)

    Raises
    ------
    UsageError
        For what is no number above 0.
    """
    factor = {"M": 10**6, "G": 10**9}.get(text[-1:].upper(), 1)
    try:
        count = int(float(text[:-1]) * factor) if factor > 1 else int(text)
    except (ValueError, OverflowError):
        count = 0
    if count < 1:
        raise UsageError(f"{option} takes a number above 0, such as 5000000, 200M or 1.5G; not {text!r}")
    return count


def parse_region(option: str, text: str) -> tuple[int, int, int, int]:
    """Read `10,20,300,200` as (10, 20, 300, 200): first column and row, width and height.

    >>> parse_region("--roi", "10,20,300,200")
    (10, 20, 300, 200)

    Raises
    ------
    UsageError
        For anything else.
    """
    numbers = [number for part in text.split(",") if (number := _whole(part)) is not None]
    if len(numbers) != 4 or text.count(",") != 3:
        raise UsageError(
            f"{option} takes four whole numbers X,Y,W,H, first column and row, width and height, such as "
            f"10,20,300,200; not {text!r}"
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None
