"""The command line as a whole: its commands, and what its parser refuses."""

import pytest
import typer
from commandline import done, refused
from repository import ROOT
from typer.core import TyperArgument, TyperOption

from convcli.cli.app import LazyGroup, app
from convcli.cli.options.parsing import OptionGroup
from convcli.convolution.options import BACKENDS, DEVICES, EXTENTS, PADDING_MODES, PRECISIONS
from convcli.image.formats.registry import COMPRESSIONS, formats_taking, written_formats
from convcli.kernel.fitting import SYMMETRIES
from convcli.process.choices import ALPHA, DEPTHS, SIGNED
from convcli.system.output_file import EXISTING


def found(group, path=()):
    """Yield (words, what the group says of it, the command) for each command below a group."""
    context = typer.Context(group)
    for name, (_, summary) in group.entries.items():
        _, command, _ = group.resolve_command(context, [name])
        yield (*path, name), summary, command
        if isinstance(command, LazyGroup):
            yield from found(command, (*path, name))


COMMANDS = {words: (summary, command) for words, summary, command in found(typer.main.get_command(app))}
ALONE = {words: command for words, (_, command) in COMMANDS.items() if not isinstance(command, LazyGroup)}
PARAMETERS = [
    pytest.param(words, parameter, id=f"{'-'.join(words)} {parameter.name}")
    for words, command in ALONE.items()
    for parameter in command.params
]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Help pages on which no word is broken."""
    monkeypatch.setenv("COLUMNS", "200")


def help_page(*words):
    return done(*words, "--help").output.decode()


def one_line(text):
    """A part of a help page without the frame and the breaks of lines."""
    return " ".join(text.replace("│", " ").split())


def test_every_module_of_commands_holds_a_command():
    folder = ROOT / "convcli/cli/commands"
    modules = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert modules - {"__init__"} == {words[0] for words in COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_what_a_group_says_of_a_command_is_the_first_line_of_its_help(words):
    summary, command = COMMANDS[words]
    assert command.help.splitlines()[0] == summary


@pytest.mark.parametrize("words", ALONE, ids=" ".join)
def test_every_command_has_an_example_in_its_help(words):
    before, _, examples = ALONE[words].help.partition("[bold]Example")
    assert before
    assert f"convcli {' '.join(words)}" in examples


@pytest.mark.parametrize(("words", "parameter"), PARAMETERS)
def test_every_option_says_what_it_is_and_what_it_takes(words, parameter):
    assert parameter.help
    assert isinstance(parameter, TyperArgument) or parameter.is_flag or parameter.metavar


@pytest.mark.parametrize("words", ALONE, ids=" ".join)
def test_every_option_stands_on_the_help_page_of_its_command(words):
    page = one_line(help_page(*words))
    for parameter in ALONE[words].params:
        names = parameter.opts if isinstance(parameter, TyperOption) else [parameter.metavar]
        assert all(name in page for name in names), parameter.name


def test_every_option_of_every_group_is_one_of_a_command():
    taken = {parameter.help for command in ALONE.values() for parameter in command.params}
    groups = [group for group in OptionGroup.__subclasses__() if group.__module__.startswith("convcli.")]
    assert groups
    while groups:
        group = groups.pop()
        groups += group.__subclasses__()
        for field in group.__dataclass_fields__.values():
            (option,) = field.type.__metadata__
            assert option.help in taken, f"{group.__name__}.{field.name}"


@pytest.mark.parametrize(
    ("words", "option", "choices"),
    [
        (["filter"], "--existing", EXISTING),
        (["filter"], "--compression", COMPRESSIONS),
        (["filter"], "--padding", PADDING_MODES),
        (["filter"], "--extent", EXTENTS),
        (["filter"], "--alpha", ALPHA),
        (["filter"], "--signed", SIGNED),
        (["filter"], "--depth", DEPTHS),
        (["filter"], "--backend", BACKENDS),
        (["filter"], "--precision", PRECISIONS),
        (["filter"], "--device", DEVICES),
        (["filter"], "--quality", [format_.title for format_ in formats_taking("quality")]),
        (["filter"], "--compression", [format_.title for format_ in formats_taking("compression")]),
        (["run"], "--signed", SIGNED),
        (["compare"], "--backends", BACKENDS),
        (["kernels", "fit"], "--symmetric", SYMMETRIES),
    ],
)
def test_the_help_of_an_option_lists_the_words_that_it_takes(words, option, choices):
    (parameter,) = (each for each in ALONE[tuple(words)].params if option in each.opts)
    told = f"{parameter.help} {parameter.metavar} {parameter.show_default} {parameter.default}"
    assert [word for word in choices if word not in told] == []


def test_the_formats_that_the_help_names_are_formats():
    (parameter,) = (each for each in ALONE["filter",].params if "--format" in each.opts)
    named = parameter.help.partition(", ...")[0].split(", ")
    assert len(named) > 1
    assert set(named) <= set(written_formats())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["filtr"], "no such command 'filtr'; did you mean 'filter'? (see convcli --help)"),
        (["--versoin"], "no such option: --versoin; did you mean '--version'? (see convcli --help)"),
        (["filter"], "missing argument 'INPUT...' (see convcli filter --help)"),
        (
            ["filter", "photo.png"],
            "missing option '--kernel' / '-k', such as -k sobel_x; `convcli kernels list` shows them all",
        ),
        (["filter", "-", "-", "-k", "sobel_x"], "standard input, -, can be read only once"),
    ],
)
def test_what_the_parser_refuses_has_the_same_form(arguments, message):
    assert refused(*arguments) == message


def test_a_file_in_place_of_a_command_is_told_to_be_filtered(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(b"")
    assert f"to filter that file: convcli filter {path} -k sobel_x" in refused(path, "-k", "sobel_x")
    assert "to filter" not in refused(tmp_path / "none.png", "-k", "sobel_x")
