"""`convcli pipelines export`: one pipeline as a file."""

import sys

from convcli.cli.commands.kernels.shared import FileOption, ForceOption, checked_target
from convcli.cli.commands.pipelines.show import PipelineArgument
from convcli.cli.messages import say
from convcli.cli.options.parsing import command


@command
def export_pipeline(*, pipeline: PipelineArgument, output: FileOption = None, force: ForceOption = False) -> None:
    """Print a pipeline as a YAML file, to edit and use as your own.

    Steps in one line become a file too. Constants keep their names.

    [bold]Examples[/]

      convcli pipelines export canny -o mine.yaml
      convcli pipelines export "gray | gaussian:sigma=2 | sobel" -o edges.yaml
    """
    from convcli.pipeline.document.named import pipeline_text

    target = checked_target(output, force=force)
    text = pipeline_text(pipeline)
    if target is None:
        from convcli.system.output_file import stream_sink

        stream_sink(sys.stdout.buffer)(text.encode())
        return
    from convcli.image.writing import write_bytes

    write_bytes(target, text.encode())
    say(f"wrote {target}")
