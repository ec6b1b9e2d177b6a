"""`convcli compare`: which way of computing is fastest, on this image and this machine, and whether all agree."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options import shared as opt
from convcli.cli.report_files import check_report
from convcli.convolution.options import BACKENDS, ConvolveOptions
from convcli.errors import ImageWriteError, UsageError, check_word
from convcli.reporting.formats import REPORT_SUFFIXES, report_suffix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.benchmark.report import Report

app = typer.Typer(
    add_completion=False, rich_markup_mode="rich", context_settings={"help_option_names": ["-h", "--help"]}
)

_COMPARING = "What is compared"
_MESSAGES = "Messages and reports"


@app.command("compare")
def compare_backends(
    *,
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="An image; - is standard input.", show_default=False)
    ] = None,
    kernel: Annotated[
        list[str],
        typer.Option(
            "--kernel",
            "-k",
            metavar="SPEC",
            autocompletion=opt.complete_kernel,
            help="A name (sobel_x), with parameters (gaussian:sigma=2), a YAML file, or weights. Given again: compared "
            "after the one before.",
        ),
    ],
    synthetic: Annotated[
        str | None,
        typer.Option(
            "--synthetic",
            metavar="HxWxC",
            help="A made picture in place of IMAGE: rows x columns x channels of u8; 2048x2048x1:f32 is one of floats.",
            rich_help_panel=_COMPARING,
        ),
    ] = None,
    backends: Annotated[
        str | None,
        typer.Option(
            "--backends",
            metavar="A,B,C",
            help=f"Which of {' and '.join(', '.join(BACKENDS).rsplit(', ', 1))}. Default: all that can do it.",
            rich_help_panel=_COMPARING,
        ),
    ] = None,
    baseline: Annotated[
        bool,
        typer.Option(
            "--baseline",
            help="Also the plain calls one would write instead, of cv2 and, where installed, scipy.",
            rich_help_panel=_COMPARING,
        ),
    ] = False,
    kernel_sizes: Annotated[
        str | None,
        typer.Option(
            "--kernel-sizes",
            metavar="N,N,N",
            help="Compare at each of these sizes, such as 3,7,15,31,63, and say where backends overtake each other.",
            rich_help_panel=_COMPARING,
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs",
            metavar="N",
            help="Rounds, in each of which every backend runs once. Default: about 10, fewer for slow ones.",
            rich_help_panel=_COMPARING,
        ),
    ] = None,
    memory: Annotated[
        bool,
        typer.Option(
            "--memory/--no-memory",
            help="Measure the peak of each in a process of its own.",
            rich_help_panel=_COMPARING,
        ),
    ] = True,
    depth: Annotated[
        str,
        typer.Option(
            "--depth",
            metavar="f32|same",
            help="What each computes: the float response, or samples of the image's own type.",
            rich_help_panel=_COMPARING,
        ),
    ] = "f32",
    padding: opt.PaddingOption = None,
    padding_value: opt.PaddingValueOption = None,
    extent: opt.ExtentOption = "same",
    flip: opt.FlipOption = False,
    anchor: opt.AnchorOption = None,
    stride: opt.StrideOption = "1",
    dilation: opt.DilationOption = "1",
    gray: Annotated[
        bool, typer.Option("--gray", help="Filter one channel, the BT.601 luma.", rich_help_panel="Geometry")
    ] = False,
    precision: opt.PrecisionOption = "single",
    threads: opt.ThreadsOption = None,
    device: opt.DeviceOption = "auto",
    report: Annotated[
        list[str] | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help=f"Write a report as {', '.join(REPORT_SUFFIXES)}; may be given several times.",
            rich_help_panel=_MESSAGES,
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object on standard output.", rich_help_panel=_MESSAGES),
    ] = False,
    quiet: opt.QuietOption = False,
    verbose: opt.VerboseOption = False,
) -> None:
    """Compare the backends on an image: time, memory, accuracy, and who is fastest.

    All of them run in turn, round after round. The exit status is 1 where a result lies outside the error bound.

    [bold]Examples[/]

      convcli compare photo.png -k gaussian:sigma=3
      convcli compare photo.png -k gabor:theta=30 --baseline --report gabor.html
      convcli compare --synthetic 2048x2048x1 -k box --kernel-sizes 3,7,15,31
      convcli compare photo.png -k sobel --backends opencv,direct --runs 30
    """
    convolve = _options(
        padding=padding,
        padding_value=padding_value,
        extent=extent,
        flip=flip,
        anchor=anchor,
        stride=stride,
        dilation=dilation,
        precision=precision,
        threads=threads,
        device=device,
    )
    check_word("depth", depth, ("f32", "same"))
    reports = list(dict.fromkeys(report or ()))
    _check(image, synthetic, reports, quiet=quiet, verbose=verbose)

    # Not before here is numpy needed.
    from convcli.benchmark.candidates import default_backends, parse_backends
    from convcli.benchmark.comparison import CompareOptions, compare
    from convcli.benchmark.report_blocks import comparison_text, write_comparison
    from convcli.benchmark.report_text import disagreement
    from convcli.benchmark.sweep import parse_sizes
    from convcli.cli.views.compare import print_report
    from convcli.cli.views.progress import StatusLine
    from convcli.kernel.catalogue import hiding_notes

    names = None if backends is None else parse_backends(backends)
    if device != "auto" and "torch" not in (names or default_backends()):
        raise UsageError(
            f"--device {device} is for the torch backend, which does not take part: drop it, or add torch to --backends"
        )
    options = CompareOptions(
        convolve=convolve,
        backends=names,
        runs=runs,
        sizes=() if kernel_sizes is None else parse_sizes(kernel_sizes),
        plain=baseline,
        rounded=depth == "same",
        memory=memory,
        pictures=any(path.lower().endswith(".html") for path in reports),
    )
    pixels, source, notes = _pixels(image, synthetic, gray=gray)
    if not quiet:
        for note in (*dict.fromkeys(note for spec in kernel for note in hiding_notes(spec)), *notes):
            say(f"convcli: note: {note}")
    with StatusLine(wanted=not quiet) as progress:
        found = compare(pixels, source, kernel, options, progress.tell)
    failed: dict[str, ImageWriteError] = {}
    for path in reports:
        try:
            write_comparison(found, path)
        except ImageWriteError as error:  # what took a minute to measure is shown all the same
            failed[path] = error
    if json:
        print(comparison_text(found, ".json"), end="", flush=True)
    else:
        print_report(found, verbose=verbose)
    if not quiet:
        _say_what_else(found, [path for path in reports if path not in failed])
    for row in found.disagreements:
        say(f"convcli: error: {row.kernel}: {disagreement(row)}")
    for problem in failed.values():
        say(f"convcli: error: {problem}")
    if found.disagreements or failed:
        raise typer.Exit(1)


def _say_what_else(found: "Report", reports: Sequence[str]) -> None:
    from convcli.convolution.planning.profile import problems

    for problem in problems():  # a profile is looked for when the first plan is made
        say(f"convcli: note: {problem}")
    for warning in found.warnings:
        say(f"convcli: warning: {warning}")
    for path in reports:
        say(f"wrote {path}")


def _check(image: str | None, synthetic: str | None, reports: Sequence[str], *, quiet: bool, verbose: bool) -> None:
    """Check what can be checked before anything is loaded."""
    if quiet and verbose:
        raise UsageError("--quiet and --verbose exclude each other: choose one")
    if image is None and synthetic is None:
        raise UsageError("no image was given: name one, or have one made with --synthetic 2048x2048x1")
    if image is not None and synthetic is not None:
        raise UsageError(f"--synthetic stands in place of an image, and {image} was given too: drop one of them")
    for path in reports:
        report_suffix(path)
        check_report(path, [] if image is None else [image])


def _options(*, device: str, **options: Any) -> ConvolveOptions:
    """Read the options of a convolution; whose backends all take part, of which one can choose a device."""
    from dataclasses import replace

    return replace(opt.convolve_options(backend="auto", device="auto", **options), device=device)


def _pixels(image: str | None, synthetic: str | None, *, gray: bool) -> "tuple[NDArray[Any], str, Sequence[str]]":
    """Read or make the image: its samples, what it is called, and what there is to say of it."""
    import numpy as np

    from convcli.image import tone

    if image is None:
        from convcli.benchmark.synthetic import parse_synthetic, synthetic_image

        assert synthetic is not None  # one of both was given
        return synthetic_image(*parse_synthetic(synthetic)), "synthetic", ()
    from convcli.process.shell import read_source

    read = read_source(image)
    pixels = tone.to_gray(read.pixels, read.alpha) if gray else read.pixels
    notes = ("opacity is filtered as any other channel here",) if read.alpha else ()
    return np.ascontiguousarray(pixels), image, (*read.notes, *notes)
