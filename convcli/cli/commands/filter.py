"""`convcli filter`: images in, filtered images out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.options import shared as opt
from convcli.cli.report_files import check_report
from convcli.cli.streams import STANDARD_STREAM, check_streams
from convcli.errors import OutputError
from convcli.system.memory import keep_freed_memory

if TYPE_CHECKING:
    from convcli.process.image_job import FilterOptions

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)

# Where what has been sent to standard input can be told from an output; where there is none, nothing can.
_STANDARD_INPUT = "/dev/stdin"


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

    keep_freed_memory()
    if convolve.threads != 1:
        _read_ahead(inputs[0])

    # Not before here is numpy needed.
    from convcli.cli.each import do_each
    from convcli.cli.views.results import Reporter
    from convcli.kernel.catalogue import hiding_notes
    from convcli.process import image_job as job
    from convcli.process.kernel_chain import ToneOptions

    reporter = Reporter(quiet=quiet, verbose=verbose, json=json, timing=timing, report=report)
    options = job.FilterOptions(
        kernels=tuple(kernel),
        convolve=convolve,
        tone=ToneOptions(signed=signed, scale=scale, bias=bias, gray=gray, linear=linear, alpha=alpha),
        depth=depth,
        existing=policy,
        format=format_,
        quality=quality,
        compression=compression,
        dry_run=dry_run,
    )
    kernels = job.load_kernels(options)
    outputs = job.output_paths(inputs, output, kernels, format_)
    skipped = _check_outputs(inputs, outputs, options)
    if report is not None:
        check_report(report, [*inputs, *outputs])
    hiding = dict.fromkeys(note for spec in kernel for note in hiding_notes(spec))
    for note in (*hiding, *opt.pointless(padding, convolve)):
        reporter.note(note)

    do_each(inputs, outputs, skipped, lambda source, path: job.run(source, path, kernels, options), reporter)


def _read_ahead(source: str) -> None:
    """Let another core begin with a large picture while this one loads what filters it."""
    from convcli.convolution.options import available_threads
    from convcli.image import read_ahead

    if available_threads() > 1:
        read_ahead.begin(source)


def _check_outputs(inputs: Sequence[str], outputs: Sequence[str], options: "FilterOptions") -> set[str]:
    """Check every output before anything is read; returns those to be skipped because they exist."""
    from convcli.image.formats.registry import format_for
    from convcli.kernel.spec import split_spec
    from convcli.process.image_job import check_depth
    from convcli.system.output_path import check_destination

    files = [_STANDARD_INPUT if source == STANDARD_STREAM else source for source in inputs]
    files += [path for path, _ in map(split_spec, options.kernels) if Path(path).is_file()]
    skipped = set()
    for source, output in zip(inputs, outputs, strict=True):
        if output == STANDARD_STREAM:
            continue
        if source != STANDARD_STREAM and (Path(source).is_dir() or not Path(source).exists()):
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
