"""`convcli filter`: images in, filtered images out."""

from typing import Annotated

import typer

from convcli.cli.options import shared as opt
from convcli.cli.report_files import check_report
from convcli.cli.streams import check_streams

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)


@app.command("filter")
def filter_images(
    *,
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Images; - is standard input.")],
    kernel: opt.KernelOption,
    output: opt.OutputOption = None,
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
    threads: opt.ThreadsOption = None,
    device: opt.DeviceOption = "auto",
    dry_run: opt.DryRunOption = False,
    timing: opt.TimingOption = False,
    report: opt.ReportOption = None,
    json: opt.JsonOption = False,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
) -> None:
    """Filter images with one kernel, or several in turn.

    [bold]Examples[/]

      convcli filter photo.png -k sobel_x
      convcli filter photo.jpg -k gaussian:sigma=2 -k laplacian -o edges.png
      convcli filter *.png -k sharpen -o sharp/ --padding replicate
      convcli filter scan.tif -k log:sigma=3 --depth f32 -o response.tif
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
    policy = opt.existing_policy(existing, force=force)
    check_streams(inputs, output, json=json, dry_run=dry_run)

    from convcli.process.startup import start_early

    start_early(inputs[0], convolve.threads)

    # Not before here is numpy needed.
    from convcli.cli.views.results import Reporter
    from convcli.process.kernel_chain import ToneOptions
    from convcli.process.kernel_operation import FilterOptions, load_kernels
    from convcli.process.output_files import OutputOptions, check_outputs, output_paths
    from convcli.process.shell import process_images

    reporter = Reporter(quiet=quiet, verbose=verbose, json=json, timing=timing, report=report)
    written = OutputOptions(
        depth=depth,
        existing=policy,
        format=format_,
        quality=quality,
        compression=compression,
        dry_run=dry_run,
    )
    operation = load_kernels(
        FilterOptions(
            kernels=tuple(kernel),
            convolve=convolve,
            tone=ToneOptions(signed=signed, scale=scale, bias=bias, gray=gray, linear=linear, alpha=alpha),
            output=written,
        )
    )
    outputs = output_paths(inputs, output, operation.name, format_)
    skipped = check_outputs(inputs, outputs, written, operation.files)
    if report is not None:
        check_report(report, [*inputs, *outputs])
    for note in (*operation.notes, *opt.pointless(padding, convolve)):
        reporter.note(note)
    if status := reporter.show_all(process_images(inputs, outputs, skipped, operation)):
        raise typer.Exit(status)
