"""`convcli run`: images through a pipeline."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.messages import say
from convcli.cli.options import shared as opt
from convcli.cli.report_files import check_report
from convcli.cli.streams import STANDARD_STREAM, check_streams
from convcli.errors import OutputError, UsageError

if TYPE_CHECKING:
    from convcli.pipeline.execution.program import Pipeline
    from convcli.process.pipeline_job import RunOptions

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)

_FILES = "Files"
_RESPONSE = "From response to picture"
_MAPS = "Feature maps"
_DOCUMENTS = "Documents"


def _describe(*, schema: bool, steps: bool, step: str | None, json: bool) -> None:
    """Print what was asked for about documents and their steps, the first of these where it is several."""
    from convcli.pipeline.document.step_help import step_help, step_record, step_summaries
    from convcli.reporting.records import to_json

    if schema:
        from convcli.pipeline.document.schema import schema_text

        print(schema_text(), end="")
    elif steps:
        summaries = step_summaries()
        width = max(map(len, summaries))
        for name, summary in summaries.items():
            print(to_json({"step": name, "summary": summary}) if json else f"{name.ljust(width)}  {summary}")
    elif step is not None:
        print(to_json(step_record(step)) if json else step_help(step))


@app.command("run")
def run_pipeline(
    *,
    pipeline: Annotated[
        str | None, typer.Argument(metavar="PIPELINE.yaml", help="A document of steps.", show_default=False)
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help="Images; - is standard input.", show_default=False),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="A file, a folder, or - for standard output. Default: beside the input, as img_canny.png of img.png.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    format_: opt.FormatOption = None,
    existing: opt.ExistingOption = None,
    force: opt.ForceOption = False,
    quality: opt.QualityOption = None,
    compression: opt.CompressionOption = "balanced",
    contact_sheet: Annotated[
        bool,
        typer.Option(
            "--contact-sheet",
            help="Draw the result's channels as labelled tiles, each stretched from its least sample to its greatest.",
            rich_help_panel=_MAPS,
        ),
    ] = False,
    common_scale: Annotated[
        bool, typer.Option("--common-scale", help="Stretch all tiles of a sheet alike.", rich_help_panel=_MAPS)
    ] = False,
    save_steps: Annotated[
        str | None,
        typer.Option(
            "--save-steps",
            metavar="DIR",
            help="Keep what every step gives: its values as .npy, and a sheet of them as .png.",
            rich_help_panel=_MAPS,
        ),
    ] = None,
    signed: Annotated[
        str,
        typer.Option(
            "--signed",
            metavar="MAPPING",
            help="auto, clip, abs, offset (mid-grey is zero) or stretch. auto: as the document says, else as the "
            "kernel of a last filter says, else clip.",
            rich_help_panel=_RESPONSE,
        ),
    ] = "auto",
    depth: opt.DepthOption = "same",
    alpha: Annotated[
        str,
        typer.Option(
            "--alpha",
            metavar="keep|drop",
            help="Lay the image's opacity over a result as large as it, or not. A pipeline that reads it has used it.",
            rich_help_panel=_RESPONSE,
        ),
    ] = "keep",
    input_size: Annotated[
        str | None,
        typer.Option(
            "--input-size",
            metavar="HxWxC",
            help="Check the whole document, weights too, for images of this size, such as 224x224x3.",
            rich_help_panel=_DOCUMENTS,
        ),
    ] = None,
    backend: opt.BackendOption = "auto",
    threads: opt.ThreadsOption = None,
    device: opt.DeviceOption = "auto",
    dry_run: opt.DryRunOption = False,
    timing: opt.TimingOption = False,
    report: opt.ReportOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
    steps: Annotated[
        bool,
        typer.Option(
            "--steps",
            help="List the steps that there are, and exit.",
            rich_help_panel=_DOCUMENTS,
        ),
    ] = False,
    step: Annotated[
        str | None,
        typer.Option(
            "--step",
            metavar="NAME",
            help="Describe one step and its options, and exit.",
            rich_help_panel=_DOCUMENTS,
        ),
    ] = None,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Print the JSON Schema of documents, for editors, and exit.",
            rich_help_panel=_DOCUMENTS,
        ),
    ] = False,
) -> None:
    """Run images through a pipeline: a YAML file of steps, one after the other, in branches and joined.

    [bold]Examples[/]

      convcli run canny.yaml photo.png -o edges.png
      convcli run gabor_bank.yaml photo.png -o bank.png --contact-sheet
      convcli run lenet5.yaml digit.png -o digit.npy --save-steps steps/ --timing
      convcli run vgg16.yaml --input-size 224x224x3
    """
    if schema or steps or step is not None:
        _describe(schema=schema, steps=steps, step=step, json=json)
        return
    if pipeline is None:
        raise UsageError("there is no pipeline: name a PIPELINE.yaml, whose steps --steps lists")
    images = inputs or []
    if not images and input_size is None:
        raise UsageError("there is no image: name one, or say --input-size to check the document alone")
    policy = opt.existing_policy(existing, force=force)
    computing = opt.convolve_options(
        padding=None,
        padding_value=None,
        extent="same",
        flip=False,
        anchor=None,
        stride="1",
        dilation="1",
        backend=backend,
        precision="single",
        threads=threads,
        device=device,
    )
    size = None if input_size is None else opt.parse_size(input_size)
    if images:
        check_streams(images, output, json=json, dry_run=dry_run)

    # Not before here is numpy needed.
    from convcli.cli.each import do_each
    from convcli.cli.views.run import PipelineReporter
    from convcli.pipeline.execution.program import Computing
    from convcli.process import image_job as job
    from convcli.process import pipeline_job as runner

    options = runner.RunOptions(
        signed=signed,
        depth=depth,
        alpha=alpha,
        contact_sheet=contact_sheet,
        common_scale=common_scale,
        save_steps=save_steps,
        existing=policy,
        format=format_,
        quality=quality,
        compression=compression,
        computing=Computing(computing.backend, computing.threads, computing.device),
        dry_run=dry_run,
    )
    prepared = runner.prepare(pipeline, options)
    document = prepared.document
    reporter = PipelineReporter(document.name, quiet=quiet, verbose=verbose, json=json, timing=timing, report=report)
    for note in document.notes if not options.save_steps else ():
        reporter.note(note)
    if size is not None:
        _check_size(prepared, size, quiet=quiet)
    if not images:
        return
    outputs = job.output_paths(images, output, [document], format_)
    skipped = _check_outputs(images, outputs, pipeline, options)
    if report is not None:
        check_report(report, [*images, *outputs])

    do_each(images, outputs, skipped, lambda source, path: runner.run_file(source, path, prepared, options), reporter)


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
