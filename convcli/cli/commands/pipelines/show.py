"""`convcli pipelines show`: one pipeline, with its steps and constants."""

from typing import Annotated

import typer

from convcli.cli.commands.kernels.shared import JsonOption, print_json
from convcli.cli.options.parsing import command
from convcli.cli.options.pipelines import PIPELINE_HELP, SetOption, complete_pipeline, set_constants

PipelineArgument = Annotated[
    str, typer.Argument(metavar="PIPELINE", help=PIPELINE_HELP, autocompletion=complete_pipeline)
]


@command
def show_pipeline(*, pipeline: PipelineArgument, constants: SetOption = None, as_json: JsonOption = False) -> None:
    """Show one pipeline: its steps, what they read, and the constants to set.

    Blocks that are repeated are shown turn by turn, as they run.

    [bold]Examples[/]

      convcli pipelines show canny
      convcli pipelines show "gray | gaussian:sigma=2 | sobel"
    """
    from convcli.cli.views.pipelines import pipeline_record, print_pipeline
    from convcli.pipeline.document.named import find_described

    head, document = find_described(pipeline, set_constants(constants))
    if as_json:
        print_json(pipeline_record(head, document))
    else:
        print_pipeline(head, document)
