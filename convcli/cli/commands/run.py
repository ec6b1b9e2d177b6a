"""`convcli run`: images through a pipeline."""

from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import (
    IMAGES,
    ComputingGroup,
    MessagesGroup,
    OutputGroup,
    ResponseGroup,
    SeeingGroup,
    output_option,
)
from convcli.cli.options.parsing import Only, command, parse_size
from convcli.cli.options.pipelines import (
    PIPELINE_HELP,
    DocumentsGroup,
    MapsGroup,
    PipelineAlphaOption,
    PipelineSignedOption,
    SetOption,
    complete_pipeline,
    set_constants,
)
from convcli.cli.options.samples import ReadingGroup
from convcli.cli.report_files import check_report
from convcli.errors import UsageError

if TYPE_CHECKING:
    from convcli.process.pipeline_operation import PipelineOperation


@command
def run_pipeline(
    *,
    pipeline: Annotated[
        str | None,
        typer.Argument(metavar="PIPELINE", help=PIPELINE_HELP, show_default=False, autocompletion=complete_pipeline),
    ] = None,
    inputs: Annotated[list[str] | None, IMAGES] = None,
    constants: SetOption = None,
    output: Annotated[str | None, output_option("img_canny.png")] = None,
    outputs: OutputGroup,
    reading: ReadingGroup,
    maps: MapsGroup,
    signed: PipelineSignedOption = "auto",
    response: Annotated[ResponseGroup, Only("depth")],
    alpha: PipelineAlphaOption = "keep",
    documents: DocumentsGroup,
    computing: Annotated[ComputingGroup, Only("backend", "threads", "device")],
    seeing: SeeingGroup,
    messages: MessagesGroup,
) -> None:
    """Run images through a pipeline of steps, in branches and joined.

    A pipeline is one of those that `convcli pipelines list` shows, a YAML file of
    steps of your own, or a few steps in one line.

    [bold]Examples[/]

      convcli run canny photo.png --set low=20 --set high=60
      convcli run "gray | gaussian:sigma=2 | sobel | threshold:at=40" photo.png
      convcli run own.yaml photo.png -o edges.png --save-steps steps/ --timing
      convcli run gabor_bank photo.png -o bank.png --contact-sheet
      convcli run vgg16 --input-size 224x224x3
    """
    if documents.describes:
        _describe(documents, json=messages.json)
        return
    if pipeline is None:
        raise UsageError("there is no pipeline: name one, such as canny; `convcli pipelines list` shows them")
    images = inputs or []
    if not images and documents.input_size is None:
        raise UsageError("there is no image: name one, or say --input-size to check the document alone")
    written = outputs.output_options()
    threads = computing.convolve_options().threads
    size = None if documents.input_size is None else parse_size(documents.input_size)
    if images:
        from convcli.image.read_ahead import start_early

        messages.check_streams(images, output)
        start_early(images[0], threads)

    # Not before here is numpy needed.
    from convcli.cli.views.run import PipelineReporter
    from convcli.process.output_files import OutputOptions, check_outputs, make_output_folder, output_paths
    from convcli.process.pipeline_operation import load_pipeline
    from convcli.process.pipeline_options import RunOptions
    from convcli.process.shell import process_images

    options = OutputOptions(depth=response.depth, dry_run=messages.dry_run, **written)
    operation = load_pipeline(
        pipeline,
        RunOptions(
            signed=signed,
            alpha=alpha,
            constants=set_constants(constants),
            computing=computing.pipeline_computing(),
            output=options,
            reading=reading.read_options(),
            **maps.map_options(),
        ),
    )
    reporter = PipelineReporter(operation.document.name, **messages.reporting())
    for note in operation.notes:
        reporter.note(note)
    if size is not None:
        _check_size(operation, size, quiet=messages.quiet)
    if not images:
        return
    paths = output_paths(images, output, operation.name, options.format)
    skipped = check_outputs(images, paths, options, operation.files, output or "")
    if messages.report is not None:
        check_report(messages.report, [*images, *paths])
    if seeing.asked:
        from convcli.cli.views.before_after import BeforeAndAfter

        reporter.shown = BeforeAndAfter(seeing, messages, images, paths, options.existing)
    if not messages.dry_run:
        make_output_folder(output)
    if status := reporter.show_all(process_images(images, paths, skipped, operation)):
        raise typer.Exit(status)


def _describe(documents: DocumentsGroup, *, json: bool) -> None:
    """Print what was asked for about documents and their steps, the first of these where it is several."""
    from convcli.pipeline.document.step_help import step_help, step_record, step_summaries
    from convcli.reporting.json_text import to_json

    if documents.schema:
        from convcli.pipeline.document.schema import schema_text

        print(schema_text(), end="")
    elif documents.steps:
        summaries = step_summaries()
        width = max(map(len, summaries))
        for name, summary in summaries.items():
            print(to_json({"step": name, "summary": summary}) if json else f"{name.ljust(width)}  {summary}")
    elif documents.step is not None:
        print(to_json(step_record(documents.step)) if json else step_help(documents.step))


def _check_size(operation: "PipelineOperation", size: tuple[int, ...], *, quiet: bool) -> None:
    """Check a document for images of a size, and say what it would make of them."""
    from convcli.pipeline.steps.base import size_text

    channels = size[2] if len(size) == 3 else operation.document.input.channels
    if channels is None:
        raise UsageError(f"--input-size {'x'.join(map(str, size))}: say the channels too, such as x3")
    shape = (size[0], size[1], channels)
    program = operation.check_size(shape)
    if not quiet:
        steps = len(program.nodes)
        say(
            f"{operation.document.where}: {size_text(shape)} becomes {size_text(program.output_size)} in {steps} "
            f"step{'s' if steps != 1 else ''}"
        )
