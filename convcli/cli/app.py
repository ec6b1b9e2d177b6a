"""The command line: its commands, loaded when they are called, and how every run of it ends."""

import gc
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from convcli import __version__
from convcli.cli.messages import say
from convcli.cli.options.parsing import SETTINGS
from convcli.errors import INTERRUPTED, ConvcliError, UsageError

_OBJECTS_OF_IMPORTS = 200_000
_PATIENCE = 1.0  # seconds that a run has to end by itself once it was interrupted
_OPENCV_NO_MEMORY = -4  # cv2.Error.StsNoMem


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
        if name == "help":
            return self._help(ctx, rest)
        from convcli.cli.advice.messages import unknown_command

        raise UsageError(unknown_command(ctx.command_path, name, rest, self.entries))

    def _help(self, ctx: Any, rest: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command whose help page `help COMMAND` asks for, or print the group's own and exit."""
        if rest:
            return self.resolve_command(ctx, [*rest, "--help"])
        print(ctx.get_help())
        raise typer.Exit


class _Commands(LazyGroup):
    """All commands. What the help says of each is the first line of its own help."""

    entries: ClassVar = {
        "filter": (
            "convcli.cli.commands.filter:filter_images",
            "Filter images with one kernel, or several in turn.",
        ),
        "batch": (
            "convcli.cli.commands.batch:filter_folders",
            "Filter folders of images on all cores; take up where a run was left.",
        ),
        "run": (
            "convcli.cli.commands.run:run_pipeline",
            "Run images through a pipeline of steps, in branches and joined.",
        ),
        "compare": (
            "convcli.cli.commands.compare:compare_backends",
            "Compare the backends on an image: time, memory, accuracy.",
        ),
        "tune": (
            "convcli.cli.commands.tune:tune_machine",
            "Measure this machine, so that auto chooses by what things cost here.",
        ),
        "explain": (
            "convcli.cli.commands.explain:explain_arithmetic",
            "Show the arithmetic of a pipeline or kernel: sizes, weights, multiply-adds, receptive fields.",
        ),
        "explore": (
            "convcli.cli.commands.explore:explore_kernels",
            "Write a page to design kernels on: sliders, weights and geometry, with your picture following at once.",
        ),
        "kernels": (
            "convcli.cli.commands.kernels:kernels",
            "List, show, check, export, compose and fit kernels.",
        ),
        "pipelines": (
            "convcli.cli.commands.pipelines:pipelines",
            "List, show and export pipelines.",
        ),
        "config": (
            "convcli.cli.commands.config:show_config",
            "Show the defaults that files set, and where each comes from.",
        ),
    }


app = typer.Typer(
    cls=_Commands,
    name="convcli",
    invoke_without_command=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"convcli {__version__}")
        raise typer.Exit


@app.callback()
def convcli(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Print the version and exit.", callback=_print_version, is_eager=True),
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
    if hasattr(signal, "SIGHUP") and sys.argv[1:2] != ["batch"]:
        _end_soon_after_signals()
    status = run()
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(status)


def _end_soon_after_signals() -> None:
    """Have a thread end this process where a signal was not heard in time.

    Python hears signals between its own instructions, and a single call of OpenCV or BLAS may last for minutes. The
    thread waits for a byte, which the signal itself writes. A batch does without: it forks, which wants no other
    thread, and its own process makes no long calls.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_wait_for_signal, args=(heard,), daemon=True).start()


def _wait_for_signal(heard: int) -> None:
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    while os.read(heard, 1)[0] not in ending:
        pass
    time.sleep(_PATIENCE)
    from convcli.system.output_file import remove_unfinished

    remove_unfinished()
    say("convcli: error: interrupted")
    os._exit(INTERRUPTED)


def run(args: list[str] | None = None) -> int:
    """Run the command line and return its exit status. Whatever goes wrong becomes one line on standard error."""
    try:
        with interrupted_by_termination():
            status = app(args=args, prog_name="convcli", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except (
        ConvcliError,
        TyperException,
        KeyboardInterrupt,
        MemoryError,
        OSError,
        ImportError,
        RecursionError,
    ) as error:
        message, status = _explain(error, sys.argv[1:] if args is None else args)
        if message:
            say(f"convcli: error: {message}")
    except _errors_of_opencv() as error:
        say(f"convcli: error: {_of_opencv(error)}")
        status = 1
    return status if isinstance(status, int) else 0


def _explain(error: BaseException, words: list[str]) -> tuple[str, int]:
    """Return the message and the exit status of what ended a run; `words` are what was typed."""
    match error:
        case ConvcliError():
            from convcli.cli.advice.messages import error_message

            return error_message(error, words, typer.main.get_command(app)), error.exit_status
        case TyperException():
            from convcli.cli.advice.messages import parser_message

            return parser_message(error, words), error.exit_code
        case MemoryError():
            return "there is not enough memory: filter smaller images, or fewer at a time", 1
        case ImportError():
            library = f" {error.name.partition('.')[0]}" if error.name else ""
            return f"a library{library} cannot be loaded: {error}; there may be too little memory for it", 1
        case RecursionError():
            return "something is nested too deeply: a path, a pipeline or a file of fewer levels is taken", 1
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}", 1
        case _:
            return "interrupted", INTERRUPTED


def _errors_of_opencv() -> tuple[type[BaseException], ...]:
    """Return the class of OpenCV's errors where it is loaded: looked up when something went wrong, not before."""
    error = getattr(sys.modules.get("cv2"), "error", None)
    return () if error is None else (error,)


def _of_opencv(error: BaseException) -> str:
    """Return what OpenCV raised in a line; what it is short of most often is memory."""
    if getattr(error, "code", None) == _OPENCV_NO_MEMORY or "bad_alloc" in str(error):
        return _explain(MemoryError(), [])[0]
    return f"OpenCV cannot do this: {getattr(error, 'err', '') or error}; try another --backend"


def _closed_pipe() -> int:
    """End quietly: whoever was reading has gone. What Python would still flush goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 1


@contextmanager
def interrupted_by_termination() -> Iterator[None]:
    """Raise KeyboardInterrupt within the block on SIGTERM, and at the end of the terminal, as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    handled = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # What somebody else handles, and what nohup has switched off, stays as it is.
    handled = [number for number in handled if signal.getsignal(number) == signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        handled = []
    for number in handled:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
