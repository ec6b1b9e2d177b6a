"""The command line: its commands, loaded when they are called, and how every run of it ends."""

import gc
import importlib
import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from convcli import __version__
from convcli.cli.messages import say
from convcli.errors import INTERRUPTED, ConvcliError, nearest
from convcli.system.termination import interrupted_by_termination

_OBJECTS_OF_IMPORTS = 200_000

# What the parser says, and how we say it.
_OUR_WORDS = {
    ". Did you mean": "; did you mean",
    "is not a valid float": "is not a number",
    "is not a valid int": "is not a whole number",
}

# What `convcli --help` says of each command, so that it need not import them.
_COMMANDS = {
    "filter": ("convcli.cli.commands.filter", "Filter images with one kernel, or several in turn."),
    "batch": ("convcli.cli.commands.batch", "Filter folders of images on all cores; take up where a run was left."),
    "run": ("convcli.cli.commands.run", "Run images through a pipeline of steps, in branches and joined."),
    "compare": ("convcli.cli.commands.compare", "Compare the backends on an image: time, memory, accuracy."),
    "tune": ("convcli.cli.commands.tune", "Measure this machine, so that auto chooses by what things cost here."),
    "explain": ("convcli.cli.commands.explain", "Lay the arithmetic of a pipeline or kernel open."),
    "kernels": ("convcli.cli.commands.kernels", "List, show, check, export, compose and fit kernels."),
}


class _LazyGroup(TyperGroup):
    """A group whose commands are known by name and summary, and imported only when one is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update(
            (name, TyperCommand(name, callback=None, help=summary)) for name, (_, summary) in _COMMANDS.items()
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name in _COMMANDS:
            command = typer.main.get_command(importlib.import_module(_COMMANDS[name][0]).app)
            command.name = name
        return name, command, rest


app = typer.Typer(
    cls=_LazyGroup,
    name="convcli",
    invoke_without_command=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"convcli {__version__}")
        raise typer.Exit


@app.callback()
def convcli(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Filter images by convolution: any kernel, any padding, any backend, measured.

    [bold]Example[/]

      convcli filter photo.png -k sobel_x      writes photo_sobel_x.png
      convcli kernels list                     what there is besides sobel_x
      convcli filter --help                    every option
    """
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


def main() -> NoReturn:
    """Run the command line on the process's arguments, and leave with its exit status.

    A short run is mostly start and end. Imports make many objects that all stay, so that looking for garbage among them
    is wasted; and memory goes back in one piece, rather than numpy and OpenCV being taken down object by object. Both
    together take a third off filtering a small image. Files are closed by then, and no thread of ours is left.
    """
    gc.set_threshold(_OBJECTS_OF_IMPORTS)
    status = run()
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(status)


def run(args: list[str] | None = None) -> int:
    """Run the command line and tell its exit status. Whatever goes wrong becomes one line on standard error."""
    try:
        with interrupted_by_termination():
            status = app(args=args, prog_name="convcli", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except (ConvcliError, TyperException, KeyboardInterrupt, MemoryError, OSError) as error:
        message, status = _explain(error)
        if message:
            say(f"convcli: error: {message}")
    return status if isinstance(status, int) else 0


def _explain(error: BaseException) -> tuple[str, int]:
    """Give the message and the exit status of what ended a run."""
    match error:
        case ConvcliError():
            return str(error), error.exit_status
        case TyperException():
            return _usage_message(error), error.exit_code
        case MemoryError():
            return "there is not enough memory: filter smaller images, or fewer at a time", 1
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", 1
        case _:
            return "interrupted", INTERRUPTED


def _closed_pipe() -> int:
    """End quietly: whoever was reading has gone. What Python would still flush goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 1


def _usage_message(error: TyperException) -> str:
    """Turn the parser's complaint into our form: lower case, no full stop, the nearest option offered."""
    message = error.format_message().strip().rstrip(".")
    if not message:
        return ""  # a command without arguments has shown its help instead
    option = getattr(error, "option_name", None)
    context = getattr(error, "ctx", None)
    if option is not None and message.startswith("No such option"):
        known = [name for parameter in context.command.params for name in parameter.opts] if context else []
        message = f"no such option: {option}{nearest(option, known)}"
    for theirs, ours in _OUR_WORDS.items():
        message = message.replace(theirs, ours)
    name = message.removeprefix("No such command '").removesuffix("'")
    if name != message and os.path.isfile(name):
        message += f"; to filter that file: convcli filter {name} -k sobel_x"
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    return f"{message[:1].lower()}{message[1:]}{hint}"
