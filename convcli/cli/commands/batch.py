"""`convcli batch`: folders of images in, a folder of filtered images out."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.options import shared as opt
from convcli.cli.report_files import check_report
from convcli.convolution.options import ConvolveOptions
from convcli.errors import INTERRUPTED, UsageError

if TYPE_CHECKING:
    from convcli.batch.plan import BatchOptions, BatchPlan
    from convcli.cli.views.batch import BatchReporter
    from convcli.process.kernel_chain import ToneOptions
    from convcli.process.pipeline_options import RunOptions
    from convcli.process.result import ImageResult

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)

_STANDARD_STREAM = "-"

_FILES = "Files"
_COMPUTING = "Computing"


@app.command("batch")
def batch(
    *,
    inputs: Annotated[list[str] | None, typer.Argument(metavar="INPUT...", help="Images, and folders of them.")] = None,
    kernel: opt.OptionalKernelOption = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            metavar="FILE",
            help="Run each image through a pipeline, as `convcli run` does, in place of kernels.",
        ),
    ] = None,
    contact_sheet: Annotated[
        bool,
        typer.Option("--contact-sheet", help="With --pipeline: draw the result's channels as labelled tiles."),
    ] = False,
    common_scale: Annotated[
        bool, typer.Option("--common-scale", help="With --contact-sheet: stretch all tiles alike.")
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="OUTDIR",
            help="The folder for the outputs; made where there is none. The tree of an input folder is kept below it.",
            rich_help_panel=_FILES,
        ),
    ],
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Take folders within folders too.", rich_help_panel=_FILES)
    ] = False,
    files_from: Annotated[
        str | None,
        typer.Option(
            "--files-from",
            metavar="FILE",
            help="Take a list of inputs from a file, - for standard input: one a line, or NUL-separated.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="PATTERN",
            help="What each output is called, such as '{stem}_{kernel}{suffix}'; of {stem}, {suffix}, {kernel}, "
            "{parent}, the input's folder, and {ext}, the input's own suffix without its dot.",
            rich_help_panel=_FILES,
        ),
    ] = "{stem}{suffix}",
    format_: opt.FormatOption = None,
    existing: opt.ExistingOption = None,
    force: opt.ForceOption = False,
    quality: opt.QualityOption = None,
    compression: opt.CompressionOption = "balanced",
    padding: opt.PaddingOption = None,
    padding_value: opt.PaddingValueOption = None,
    extent: opt.ExtentOption = "same",
    flip: opt.FlipOption = False,
    anchor: opt.AnchorOption = None,
    stride: opt.StrideOption = "1",
    dilation: opt.DilationOption = "1",
    gray: opt.GrayOption = False,
    linear: opt.LinearOption = False,
    alpha: opt.AlphaOption = "auto",
    scale: opt.ScaleOption = 1.0,
    bias: opt.BiasOption = 0.0,
    signed: opt.SignedOption = "auto",
    depth: opt.DepthOption = "same",
    backend: opt.BackendOption = "auto",
    precision: opt.PrecisionOption = "single",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            help="How many images to work on at a time. Default: as many as there are cores.",
            rich_help_panel=_COMPUTING,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            help="How many cores each image may use. Default: one; all of them with --jobs 1.",
            rich_help_panel=_COMPUTING,
        ),
    ] = None,
    device: opt.DeviceOption = "auto",
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="Give up after the first image that fails.", rich_help_panel=_COMPUTING),
    ] = False,
    dry_run: opt.DryRunOption = False,
    timing: opt.TimingOption = False,
    report: opt.ReportOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
) -> None:
    """Filter many images, on all cores; an interrupted run is taken up with --existing skip.

    [bold]Examples[/]

      convcli batch photos/ -k gaussian:sigma=2 -o blurred/
      convcli batch photos/ -r -k sobel -o edges/ --format png --name '{stem}_{kernel}{suffix}'
      convcli batch photos/ -k sharpen -o sharp/ --existing skip
      convcli batch photos/ --pipeline canny.yaml -o edges/
      find photos -name '*.jpg' -print0 | convcli batch --files-from - -k sharpen -o sharp/
    """
    convolve = opt.convolve_options(
        padding=padding,
        padding_value=padding_value,
        extent=extent,
        flip=flip,
        anchor=anchor,
        stride=stride,
        dilation=dilation,
        backend=backend,
        precision=precision,
        threads=threads,
        device=device,
    )
    if (pipeline is None) == (kernel is None):
        raise UsageError("name what to do with -k KERNEL, such as -k sobel_x, or with --pipeline FILE: one of both")
    if pipeline is None and (contact_sheet or common_scale):
        raise UsageError("--contact-sheet and --common-scale are for the maps of a --pipeline")
    policy = opt.existing_policy(existing, force=force)
    opt.check_loudness(quiet=quiet, verbose=verbose)
    if json and sys.stdout is None:
        raise UsageError("--json: standard output is closed")
    sources = _sources(inputs or [], files_from)

    # Not before here is numpy needed.
    from convcli.batch.plan import BatchOptions, plan_batch
    from convcli.batch.totals import BatchTotals
    from convcli.cli.views.batch import Asked, BatchReporter
    from convcli.process.kernel_chain import ToneOptions
    from convcli.process.kernel_operation import FilterOptions
    from convcli.process.output_files import OutputOptions

    written = OutputOptions(
        depth=depth,
        existing=policy,
        format=format_,
        quality=quality,
        compression=compression,
        dry_run=dry_run,
    )
    tone = ToneOptions(signed=signed, scale=scale, bias=bias, gray=gray, linear=linear, alpha=alpha)
    todo: FilterOptions | RunOptions
    if pipeline is None:
        todo = FilterOptions(kernels=tuple(kernel or ()), convolve=convolve, tone=tone, output=written)
    else:
        _check_left_to_pipeline(convolve, tone)
        from convcli.pipeline.execution.program import Computing
        from convcli.process import pipeline_options

        todo = pipeline_options.RunOptions(
            signed=signed,
            alpha="keep" if alpha == "auto" else alpha,
            contact_sheet=contact_sheet,
            common_scale=common_scale,
            computing=Computing(convolve.backend, convolve.threads, convolve.device),
            output=written,
        )
    options = BatchOptions(
        filter=todo,
        output=output,
        recursive=recursive,
        name=name,
        jobs=jobs,
        fail_fast=fail_fast,
        pipeline=pipeline,
    )
    plan = plan_batch(sources, options)
    if report is not None:
        _check_report(report, plan, options)
    totals = BatchTotals(len(plan), sum(item.bytes for item in plan.items), ready=len(plan.skipped))
    asked = Asked(quiet=quiet, verbose=verbose, json=json, timing=timing, report=report)
    with BatchReporter(totals, output, asked) as reporter:
        for note in (*opt.pointless(padding, convolve), *plan.notes, *(plan.details if asked.verbose else ())):
            reporter.note(note)
        _follow(plan, options, reporter)
        reporter.finish()
    if totals.interrupted:
        raise typer.Exit(INTERRUPTED)
    if totals.failures:
        raise typer.Exit(1)


def _check_left_to_pipeline(convolve: ConvolveOptions, tone: "ToneOptions") -> None:
    """Check that nothing was asked for that the steps of a pipeline say for themselves. Raises UsageError."""
    # What computing takes, and how the result becomes a picture, is no matter of steps.
    usual = ConvolveOptions(backend=convolve.backend, threads=convolve.threads, device=convolve.device)
    plain = replace(type(tone)(), signed=tone.signed, alpha=tone.alpha)
    asked = [field.name for field in fields(convolve) if getattr(convolve, field.name) != getattr(usual, field.name)]
    asked += [field.name for field in fields(tone) if getattr(tone, field.name) != getattr(plain, field.name)]
    if asked:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise UsageError(f"{named}: with --pipeline that is said in the steps of the document")


def _sources(inputs: Sequence[str], files_from: str | None) -> list[str]:
    """Give the inputs that were named, and those of the list."""
    if _STANDARD_STREAM in inputs:
        raise UsageError("batch reads no image from standard input: use convcli filter; for a list: --files-from -")
    listed = [] if files_from is None else _listed(files_from)
    if files_from is None and not inputs:
        raise UsageError("no input was given: name images, folders of them, or a list with --files-from")
    return [*inputs, *listed]


def _listed(path: str) -> list[str]:
    """Read the names in a list: separated by NUL where it holds one, as `find -print0` writes them, else one a line."""
    if path != _STANDARD_STREAM:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise UsageError(f"--files-from {path}: {error.strerror}") from error
    elif sys.stdin is None or sys.stdin.isatty():
        raise UsageError("--files-from -: standard input is no list: send it one, such as find photos -print0 |")
    else:
        data = sys.stdin.buffer.read()
    nul_separated = b"\0" in data
    names = data.split(b"\0") if nul_separated else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    found = [os.fsdecode(name) for name in names if name]
    if not found:
        raise UsageError(f"--files-from {path}: the list is empty")
    return found


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
