"""`convcli pipelines`: list, show and export pipelines; one module a command."""

from typing import ClassVar

import typer

from convcli.cli.app import LazyGroup
from convcli.cli.options.parsing import SETTINGS

_HERE = "convcli.cli.commands.pipelines"


class _PipelineCommands(LazyGroup):
    """The commands on pipelines. What the help says of each is the first line of its own help."""

    entries: ClassVar = {
        "list": (
            f"{_HERE}.listing:list_pipelines",
            "List all pipelines that have a name, the shipped and your own.",
        ),
        "show": (
            f"{_HERE}.show:show_pipeline",
            "Show one pipeline: its steps, what they read, and the constants to set.",
        ),
        "export": (
            f"{_HERE}.export:export_pipeline",
            "Print a pipeline as a YAML file, to edit and use as your own.",
        ),
    }


pipelines = typer.main.get_group(
    typer.Typer(
        cls=_PipelineCommands,
        name="pipelines",
        help="List, show and export pipelines.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        context_settings=SETTINGS,
    )
)
