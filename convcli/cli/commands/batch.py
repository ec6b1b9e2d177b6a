"""`convcli batch`: folders of images in, a folder of filtered images out."""

import sys
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.options.batches import BatchComputingGroup, BatchFilesGroup, BatchPipelineGroup
from convcli.cli.options.groups import KERNEL, GeometryGroup, MessagesGroup, OutputGroup, ResponseGroup
from convcli.cli.options.parsing import command
from convcli.cli.options.samples import MissingGroup, ReadingGroup, RegionGroup, refuse_for_pipelines
from convcli.cli.report_files import check_report
from convcli.convolution.options import ConvolveOptions
from convcli.errors import INTERRUPTED, UsageError

if TYPE_CHECKING:
    from convcli.batch.plan import BatchOptions, BatchPlan
    from convcli.cli.views.batch import BatchReporter
    from convcli.process.pipeline_options import RunOptions
    from convcli.process.result import ImageResult
    from convcli.process.tone_options import ToneOptions


@command
def filter_folders(
    *,
    inputs: Annotated[list[str] | None, typer.Argument(metavar="INPUT...", help="Images, and folders of them.")] = None,
    kernel: Annotated[list[str] | None, KERNEL] = None,
    pipeline: BatchPipelineGroup,
    files: BatchFilesGroup,
    outputs: OutputGroup,
    reading: ReadingGroup,
    geometry: GeometryGroup,
    region: RegionGroup,
    missing: MissingGroup,
    response: ResponseGroup,
    computing: BatchComputingGroup,
    messages: MessagesGroup,
) -> None:
    """Filter folders of images on all cores; take up where a run was left.

    An interrupted run is taken up with --existing skip.

    [bold]Examples[/]

      convcli batch photos/ -k gaussian:sigma=2 -o blurred/
      convcli batch photos/ -r -k sobel -o edges/ --format png --name '{stem}_{kernel}{suffix}'
      convcli batch photos/ -k sharpen -o sharp/ --existing skip
      convcli batch photos/ --pipeline canny -o edges/
      convcli batch photos/ -r --include '*.jpg' --exclude 'raw/*' --newer 2024-05-31 -k sharpen -o sharp/
      find photos -name '*.jpg' -print0 | convcli batch --files-from - -k sharpen -o sharp/
    """
    convolve = computing.convolve_options(geometry)
    if (pipeline.pipeline is None) == (kernel is None):
        raise UsageError("name what to do with -k KERNEL, such as -k sobel_x, or with --pipeline PIPELINE: one of both")
    if pipeline.pipeline is None and any(pipeline.map_options().values()):
        raise UsageError("--set, --contact-sheet and --common-scale are for a --pipeline")
    asked = outputs.output_options()
    if messages.json and sys.stdout is None:
        raise UsageError("--json: standard output is closed")

    # Not before here is numpy needed, and from here it loads quickest. CPython keeps frames in pieces of 16 KiB; calls
    # across the end of one map memory anew, and imports within imports make thousands of them.
    import numpy  # noqa: F401  # loaded for those below

    from convcli.batch.input_list import batch_inputs
    from convcli.batch.plan import BatchOptions, plan_batch
    from convcli.batch.totals import BatchTotals
    from convcli.cli.views.batch import Asked, BatchReporter
    from convcli.process.kernel_operation import FilterOptions
    from convcli.process.output_files import OutputOptions

    sources = batch_inputs(inputs or (), files.files_from)
    written = OutputOptions(depth=response.depth, dry_run=messages.dry_run, **asked)
    tone = response.tone_options()
    todo: FilterOptions | RunOptions
    if pipeline.pipeline is None:
        todo = FilterOptions(
            kernels=tuple(kernel or ()),
            convolve=convolve,
            tone=tone,
            output=written,
            normalize=response.normalize,
            reading=reading.read_options(),
            missing=missing.missing_inputs(),
            region=region.region(),
        )
    else:
        refuse_for_pipelines(region, missing)
        _check_left_to_pipeline(convolve, tone, response.normalize)
        from convcli.process import pipeline_options

        todo = pipeline_options.RunOptions(
            signed=tone.signed,
            alpha="keep" if tone.alpha == "auto" else tone.alpha,
            computing=computing.pipeline_computing(),
            output=written,
            reading=reading.read_options(),
            **pipeline.map_options(),
        )
    options = BatchOptions(
        filter=todo, pipeline=pipeline.pipeline, **files.batch_options(), **computing.batch_options()
    )
    plan = plan_batch(sources, options)
    if messages.report is not None:
        _check_report(messages.report, plan, options)
    totals = BatchTotals(len(plan), sum(item.bytes for item in plan.items), ready=len(plan.skipped))
    with BatchReporter(totals, files.output, Asked(**messages.reporting())) as reporter:
        details = plan.details if messages.verbose else ()
        for note in (*geometry.notes_on_options_without_effect(), *plan.notes, *details):
            reporter.note(note)
        _follow(plan, options, reporter)
        reporter.finish()
    if totals.interrupted:
        raise typer.Exit(INTERRUPTED)
    if totals.failures:
        raise typer.Exit(1)


def _check_left_to_pipeline(convolve: ConvolveOptions, tone: "ToneOptions", normalize: str | None) -> None:
    """Check that nothing was asked for that the steps of a pipeline say for themselves. Raises UsageError."""
    # What computing takes, and how the result becomes a picture, is no matter of steps.
    usual = ConvolveOptions(backend=convolve.backend, threads=convolve.threads, device=convolve.device)
    plain = replace(type(tone)(), signed=tone.signed, alpha=tone.alpha)
    asked = [field.name for field in fields(convolve) if getattr(convolve, field.name) != getattr(usual, field.name)]
    asked += [field.name for field in fields(tone) if getattr(tone, field.name) != getattr(plain, field.name)]
    asked += ["normalize"] if normalize is not None else []
    if asked:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise UsageError(f"{named}: with --pipeline that is said in the steps of the document")


def _check_report(report: str, plan: "BatchPlan", options: "BatchOptions") -> None:
    """Check that the report can be written; the output folder, which the run makes, may still be missing."""
    # Only what is called like a report can be one: of many images few are worth a look.
    suffix = Path(report).suffix
    alike = [path for item in plan.items for path in (item.source, item.output) if path.endswith(suffix)]
    made = options.output if not options.filter.output.dry_run else None
    check_report(report, alike, made=made)


def _follow(plan: "BatchPlan", options: "BatchOptions", reporter: "BatchReporter") -> None:
    """Run a batch and tell of it as it goes; where it is interrupted, that is noted in the totals."""
    from convcli.batch.run import run_batch

    late: list[ImageResult] = []  # told after the processes have ended, so that nothing that is said can hold that up
    try:
        with closing(run_batch(plan, options, on_tick=reporter.tick, on_late=late.append)) as results:
            for result in results:
                reporter.show(result)
    except KeyboardInterrupt:
        reporter.totals.interrupted = True
    for result in late:
        reporter.show(result)
