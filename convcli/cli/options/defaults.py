"""Defaults of options that files set: which options, which files, what goes before what, and what is said of it.

Loaded only where there is a file that may set any. The command line goes before all files. Of the folders from the
current one upwards the nearest that sets anything counts, `convcli.toml` before `[tool.convcli]` of a `pyproject.toml`;
then comes the user's own `config.toml`, option by option. In each file the table of a command goes before what stands
outside of tables.

A folder may be anybody's. Therefore a file sets only how pixels are computed, shown and compressed: never what is read
or written, replaced or kept quiet about; and what the file of a folder sets is said on each run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# The parser that typer brings has no public name; our pin of typer holds it still.
from typer._click.core import ParameterSource
from typer._click.exceptions import BadParameter

from convcli.cli.messages import say
from convcli.convolution.options import BACKENDS, DEVICES, PRECISIONS, ConvolveOptions
from convcli.errors import UsageError, check_word, nearest
from convcli.image.formats.registry import COMPRESSIONS
from convcli.process.choices import ALPHA, SIGNED
from convcli.system.user_folders import configuration_folder

# What a file may set: nothing that names, makes, replaces or hides anything.
SETTABLE = (
    "padding",
    "padding-value",
    "signed",
    "alpha",
    "linear",
    "backend",
    "precision",
    "threads",
    "device",
    "jobs",
    "quality",
    "compression",
    "timing",
    "verbose",
)
COMMANDS = ("filter", "run", "batch")

# An option that means something only beside another: a typed one of these leaves the file's value for the first out.
_BELONGS_TO = {"padding-value": "padding", "device": "backend", "verbose": "quiet"}
# What the steps of a pipeline say for themselves.
_OF_STEPS = ("padding", "padding-value", "precision", "linear")
_WORDS = {
    "signed": SIGNED,
    "alpha": ALPHA,
    "backend": BACKENDS,
    "precision": PRECISIONS,
    "device": DEVICES,
    "compression": COMPRESSIONS,
}
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Setting:
    """A default that a file sets.

    Attributes
    ----------
    option : str
        The option's name without its dashes.
    value : str, int, float or bool
    file : str
        Where it stands.
    command : str
        The command that it is for, empty for all that have the option.
    own : bool
        Whether the file is the user's own, not a folder's.
    """

    option: str
    value: Any
    file: str
    command: str = ""
    own: bool = False


def read_settings(files: Sequence[str]) -> list[Setting]:
    """Return what files set, that which goes before the rest first.

    Parameters
    ----------
    files : sequence of str
        As `convcli.system.user_folders.settings_files` gives them.

    Raises
    ------
    UsageError
        For a file that cannot be read, an option that no file may set, or a value that it cannot take.
    """
    settings: list[Setting] = []
    in_folder = False
    for file in files:
        own = file == str(configuration_folder() / "config.toml")
        if in_folder and not own:
            continue
        found = _settings_of(file, own)
        in_folder = in_folder or bool(found)
        # The table of a command goes before the rest of its file.
        settings += sorted(found, key=lambda setting: not setting.command)
    return settings


def settings_for(command: str, settings: Sequence[Setting]) -> dict[str, Setting]:
    """Return the settings that hold for a command, by the option's name."""
    chosen: dict[str, Setting] = {}
    for setting in settings:
        if setting.command in ("", command):
            chosen.setdefault(setting.option, setting)
    return chosen


@contextmanager
def defaults_in_effect(ctx: Any, files: Sequence[str]) -> Iterator[None]:
    """Let a command be parsed with the defaults of files, and say which of them hold.

    Parameters
    ----------
    ctx : Context
        The parser's context of the command.
    files : sequence of str
        Files that may set defaults.
    """
    settings = settings_for(ctx.info_name, read_settings(files)) if ctx.info_name in COMMANDS else {}
    known = {parameter.name for parameter in ctx.command.params}
    chosen = {_field(name): setting for name, setting in settings.items() if _field(name) in known}
    ctx.default_map = {name: setting.value for name, setting in chosen.items()}
    try:
        yield
    except BadParameter as error:
        name = getattr(error.param, "name", None)
        if name in chosen and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
            raise UsageError(error.message, where=f"{chosen[name].file}: {chosen[name].option}") from error
        raise
    held = {name: each for name, each in chosen.items() if _holds(ctx, name)}
    for name in set(chosen) - set(held):
        if ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
            parameter = next(each for each in ctx.command.params if each.name == name)
            ctx.params[name] = parameter.default
    if not ctx.params.get("quiet"):
        for file in dict.fromkeys(each.file for each in held.values() if not each.own):
            pairs = ", ".join(f"{each.option} = {_text(each.value)}" for each in held.values() if each.file == file)
            say(f"convcli: note: {file} sets {pairs}")


def _holds(ctx: Any, name: str) -> bool:
    """Whether a file's value for a parameter is in effect: nothing typed goes before it or takes its meaning."""
    if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
        return False
    if ctx.info_name == "batch" and ctx.params.get("pipeline") is not None and name in map(_field, _OF_STEPS):
        return False
    other = _field(_BELONGS_TO.get(name.replace("_", "-"), ""))
    return not other or ctx.get_parameter_source(other) is not ParameterSource.COMMANDLINE


def _settings_of(file: str, own: bool) -> list[Setting]:
    try:
        with open(file, "rb") as stream:
            data = stream.read(_LARGEST)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=file) from error
    inside = file.endswith("pyproject.toml")
    import tomllib

    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        if inside:  # it is for others to say what is wrong with theirs
            return []
        raise UsageError(f"is not TOML: {error}", where=file) from error
    if inside:
        tool = table.get("tool")
        table = tool.get("convcli", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise UsageError("[tool.convcli] must be a table", where=file)
    found = []
    for key, value in table.items():
        if key in COMMANDS and isinstance(value, dict):
            found += [_setting(name, each, file, key, own) for name, each in value.items()]
        else:
            found.append(_setting(key, value, file, "", own))
    return found


def _setting(key: str, value: Any, file: str, command: str, own: bool) -> Setting:
    option = key.replace("_", "-")
    where = f"{file}: {f'{command}.' if command else ''}{key}"
    if option not in SETTABLE:
        hint = (
            nearest(option, SETTABLE) or f"; a file sets {', '.join(SETTABLE)}, in tables of {', '.join(COMMANDS)} too"
        )
        raise UsageError(f"is no option that a file may set{hint}", where=where)
    if isinstance(value, list) and option == "padding-value":
        value = ",".join(map(str, value))
    try:
        _check(option, value)
    except UsageError as error:
        raise UsageError(str(error), where=where) from error
    return Setting(option, str(value) if option == "padding-value" else value, file, command, own)


def _check(option: str, value: Any) -> None:
    """Check a value as the option does, so that the message can name the file. Raises UsageError."""
    if option in ("linear", "timing", "verbose"):
        if not isinstance(value, bool):
            raise UsageError(f"must be true or false, not {value!r}")
    elif option in ("threads", "jobs", "quality"):
        most = 100 if option == "quality" else _LARGEST
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise UsageError(f"must be a whole number from 1 to {most}, not {value!r}")
    elif option == "padding-value":
        if not all(re.fullmatch(r"\s*-?[\d.]+(e[-+]?\d+)?\s*", each) for each in str(value).split(",")):
            raise UsageError(f"must be a number, or one per channel, not {value!r}")
    elif not isinstance(value, str):
        raise UsageError(f"must be a word, not {value!r}")
    elif option == "padding":
        ConvolveOptions(padding=value)
    else:
        check_word(option, value, _WORDS[option])


def shown_settings(settings: Sequence[Setting]) -> list[Mapping[str, Any]]:
    """Return what holds for each option, as records of option, command, value and file.

    The value is None where nothing is set. A setting that another goes before is left out.
    """
    records: list[Mapping[str, Any]] = []
    for option in SETTABLE:
        found: dict[str, Setting] = {}
        for setting in settings:
            if setting.option == option:
                found.setdefault(setting.command, setting)
        general = found.get("")
        place = settings.index(general) if general else len(settings)
        records += [
            {"option": option, "command": each.command or None, "value": each.value, "file": each.file}
            for each in found.values()
            if not each.command or settings.index(each) < place
        ]
        if general is None:
            records.append({"option": option, "command": None, "value": None, "file": None})
    return records


def _field(option: str) -> str:
    return option.replace("-", "_")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
