"""`convcli kernels`: list, show, check, export, compose and fit kernels; one module a command."""

from typing import ClassVar

import typer

import convcli.image  # noqa: F401  # which adds pictures to the notations of kernels
from convcli.cli.app import LazyGroup
from convcli.cli.options.parsing import SETTINGS

_HERE = "convcli.cli.commands.kernels"


class _KernelCommands(LazyGroup):
    """The commands on kernels. What the help says of each is the first line of its own help."""

    entries: ClassVar = {
        "list": (
            f"{_HERE}.listing:list_kernels",
            "List all kernels, the shipped and your own, with size, sum, rank and what they do.",
        ),
        "show": (
            f"{_HERE}.show:show_kernel",
            "Show kernels: weights in colour, a small picture, sum, rank, formula and parameters; or as a plot.",
        ),
        "check": (
            f"{_HERE}.check:check_files",
            "Check kernel files of your own, one line each; the exit status is 2 if any is bad.",
        ),
        "export": (
            f"{_HERE}.export:export_kernel",
            "Print a kernel as a file in full precision: YAML to edit and use as your own, or another notation.",
        ),
        "compose": (
            f"{_HERE}.compose:compose_kernels",
            "Print the one kernel that equals several applied in turn, as a file.",
        ),
        "fit": (
            f"{_HERE}.fit:fit_to_images",
            "Find the kernel that best turns one image into another, by least squares.",
        ),
    }


kernels = typer.main.get_group(
    typer.Typer(
        cls=_KernelCommands,
        name="kernels",
        help="List, show, check, export, compose and fit kernels.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        context_settings=SETTINGS,
    )
)
