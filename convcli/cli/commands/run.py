"""`convcli run`: images through a pipeline."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import (
    IMAGES,
    STANDARD_STREAM,
    ComputingGroup,
    MessagesGroup,
    OutputGroup,
    ResponseGroup,
    output_option,
)
from convcli.cli.options.parsing import Only, command, parse_size
from convcli.cli.options.pipelines import DocumentsGroup, MapsGroup, PipelineAlphaOption, PipelineSignedOption
from convcli.cli.report_files import check_report
from convcli.errors import OutputError, UsageError

if TYPE_CHECKING:
    from convcli.pipeline.execution.program import Pipeline
    from convcli.process.pipeline_job import RunOptions


@command
def run_pipeline(
    *,
    pipeline: Annotated[
        str | None, typer.Argument(metavar="PIPELINE.yaml", help="A document of steps.", show_default=False)
    ] = None,
    inputs: Annotated[list[str] | None, IMAGES] = None,
    output: Annotated[str | None, output_option("img_canny.png")] = None,
    outputs: OutputGroup,
    maps: MapsGroup,
    signed: PipelineSignedOption = "auto",
    response: Annotated[ResponseGroup, Only("depth")],
    alpha: PipelineAlphaOption = "keep",
    documents: DocumentsGroup,
    computing: Annotated[ComputingGroup, Only("backend", "threads", "device")],
    messages: MessagesGroup,
) -> None:
    """Run images through a pipeline of steps, in branches and joined.

    A pipeline is a YAML file that names its steps, one after the other.

    [bold]Examples[/]

      convcli run canny.yaml photo.png -o edges.png
      convcli run gabor_bank.yaml photo.png -o bank.png --contact-sheet
      convcli run lenet5.yaml digit.png -o digit.npy --save-steps steps/ --timing
      convcli run vgg16.yaml --input-size 224x224x3
    """
    if documents.describes:
        _describe(documents, json=messages.json)
        return
    if pipeline is None:
        raise UsageError("there is no pipeline: name a PIPELINE.yaml, whose steps --steps lists")
    images = inputs or []
    if not images and documents.input_size is None:
        raise UsageError("there is no image: name one, or say --input-size to check the document alone")
    written = outputs.output_options()
    computing.convolve_options()
    size = None if documents.input_size is None else parse_size(documents.input_size)
    if images:
        messages.check_streams(images, output)

    # Not before here is numpy needed.
    from convcli.cli.each import do_each
    from convcli.cli.views.run import PipelineReporter
    from convcli.process import image_job as job
    from convcli.process import pipeline_job as runner

    options = runner.RunOptions(
        signed=signed,
        depth=response.depth,
        alpha=alpha,
        computing=computing.pipeline_computing(),
        dry_run=messages.dry_run,
        **maps.map_options(),
        **written,
    )
    prepared = runner.prepare(pipeline, options)
    document = prepared.document
    reporter = PipelineReporter(document.name, **messages.reporting())
    for note in document.notes if not options.save_steps else ():
        reporter.note(note)
    if size is not None:
        _check_size(prepared, size, quiet=messages.quiet)
    if not images:
        return
    paths = job.output_paths(images, output, [document], options.format)
    skipped = _check_outputs(images, paths, pipeline, options)
    if messages.report is not None:
        check_report(messages.report, [*images, *paths])

    do_each(images, paths, skipped, lambda source, path: runner.run_file(source, path, prepared, options), reporter)


def _describe(documents: DocumentsGroup, *, json: bool) -> None:
    """Print what was asked for about documents and their steps, the first of these where it is several."""
    from convcli.pipeline.steps.description import step_help, step_record, step_summaries
    from convcli.reporting.records import to_json

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


def _check_size(prepared: "Pipeline", size: tuple[int, ...], *, quiet: bool) -> None:
    """Check a document for images of a size, and say what it would make of them."""
    from convcli.pipeline.steps.base import size_text
    from convcli.process.pipeline_job import check_size

    channels = size[2] if len(size) == 3 else prepared.document.input.channels
    if channels is None:
        raise UsageError(f"--input-size {'x'.join(map(str, size))}: say the channels too, such as x3")
    shape = (size[0], size[1], channels)
    program = check_size(prepared, shape)
    if not quiet:
        steps = len(program.nodes)
        say(
            f"{prepared.document.where}: {size_text(shape)} becomes {size_text(program.output_size)} in {steps} "
            f"step{'s' if steps != 1 else ''}"
        )


def _check_outputs(inputs: Sequence[str], outputs: Sequence[str], pipeline: str, options: "RunOptions") -> set[str]:
    """Check every output before anything is read; returns those to be skipped because they exist."""
    from convcli.image.formats.registry import format_for
    from convcli.process.image_job import check_depth
    from convcli.system.output_path import check_destination

    files = [*(source for source in inputs if source != STANDARD_STREAM), pipeline]
    skipped = set()
    for source, output in zip(inputs, outputs, strict=True):
        if output == STANDARD_STREAM or (source != STANDARD_STREAM and not Path(source).is_file()):
            continue  # reading it will say what is wrong
        named = format_for(output, options.format)
        suffix = Path(output).suffix
        if options.format is not None and suffix and suffix.lower() not in named.suffixes:
            raise OutputError(f"{output}: its suffix and --format {options.format} differ: drop one of them")
        if options.depth != "same":
            check_depth(output, named, options.depth)
        if check_destination(output, options.existing, files) == "skip":
            skipped.add(output)
    return skipped
