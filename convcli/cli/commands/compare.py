"""`convcli compare`: which way of computing is fastest, on this image and this machine, and whether all agree."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from convcli.cli.messages import say
from convcli.cli.options.comparisons import (
    COMPARED_DEPTHS,
    ComparingGroup,
    GrayOption,
    JsonOption,
    ReportsOption,
    compared_options,
)
from convcli.cli.options.groups import ComputingGroup, GeometryGroup, MessagesGroup, kernel_option
from convcli.cli.options.parsing import Only, command
from convcli.cli.report_files import check_report
from convcli.errors import ImageWriteError, UsageError, check_word
from convcli.reporting.formats import report_suffix

if TYPE_CHECKING:
    from convcli.benchmark.report import Report


@command
def compare_backends(
    *,
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="An image; - is standard input.", show_default=False)
    ] = None,
    kernel: Annotated[
        list[str],
        kernel_option(
            "A name (sobel_x), with parameters (gaussian:sigma=2), a YAML file, or weights. Given again: compared "
            "after the one before."
        ),
    ],
    comparing: ComparingGroup,
    geometry: GeometryGroup,
    gray: GrayOption = False,
    computing: Annotated[ComputingGroup, Only("precision", "threads", "device")],
    report: ReportsOption = None,
    json: JsonOption = False,
    messages: Annotated[MessagesGroup, Only("quiet", "verbose")],
) -> None:
    """Compare the backends on an image: time, memory, accuracy.

    All of them run in turn, round after round. The exit status is 1 where a result lies outside the error bound.

    [bold]Examples[/]

      convcli compare photo.png -k gaussian:sigma=3
      convcli compare photo.png -k gabor:theta=30 --baseline --report gabor.html
      convcli compare --synthetic 2048x2048x1 -k box --kernel-sizes 3,7,15,31
      convcli compare photo.png -k sobel --backends opencv,direct --runs 30
    """
    convolve = compared_options(geometry, computing)
    check_word("depth", comparing.depth, COMPARED_DEPTHS)
    reports = list(dict.fromkeys(report or ()))
    _check(image, comparing.synthetic, reports)

    # Not before here is numpy needed.
    from convcli.benchmark.candidates import default_backends, parse_backends
    from convcli.benchmark.compared_image import made_image, read_compared_image
    from convcli.benchmark.comparison import CompareOptions, compare
    from convcli.benchmark.report_blocks import comparison_text
    from convcli.benchmark.sweep import parse_sizes
    from convcli.cli.views.compare import print_report
    from convcli.cli.views.progress import StatusLine
    from convcli.kernel.catalogue import hiding_notes

    names = None if comparing.backends is None else parse_backends(comparing.backends)
    if convolve.device != "auto" and "torch" not in (names or default_backends()):
        raise UsageError(
            f"--device {convolve.device} is for the torch backend, which does not take part",
            advice="drop it, or add torch to --backends",
        )
    options = CompareOptions(
        convolve=convolve,
        backends=names,
        runs=comparing.runs,
        sizes=() if comparing.kernel_sizes is None else parse_sizes(comparing.kernel_sizes),
        plain=comparing.baseline,
        rounded=comparing.depth == "same",
        memory=comparing.memory,
        pictures=any(path.lower().endswith(".html") for path in reports),
    )
    compared = made_image(comparing.synthetic or "") if image is None else read_compared_image(image, gray=gray)
    if not messages.quiet:
        for note in (*dict.fromkeys(note for spec in kernel for note in hiding_notes(spec)), *compared.notes):
            say(f"convcli: note: {note}")
    with StatusLine(wanted=not messages.quiet) as progress:
        typed = shlex.join(["convcli", *sys.argv[1:]])
        found = compare(compared.pixels, compared.name, kernel, options, progress.tell, typed)
    problems = _write(found, reports)
    if not messages.quiet:
        _print_warnings(found)
    if json:
        print(comparison_text(found, ".json"), end="", flush=True)
    else:
        print_report(found, verbose=messages.verbose)
    if not messages.quiet:
        for path in (path for path in reports if path not in problems):
            say(f"wrote {path}")
    _print_errors(found, problems.values())
    if found.disagreements or problems:
        raise typer.Exit(1)


def _check(image: str | None, synthetic: str | None, reports: Sequence[str]) -> None:
    """Check what can be checked before anything is loaded."""
    if image is None and synthetic is None:
        raise UsageError("no image was given: name one, or have one made with --synthetic 2048x2048x1")
    if image is not None and synthetic is not None:
        raise UsageError(f"--synthetic stands in place of an image, and {image} was given too: drop one of them")
    for path in reports:
        report_suffix(path)
        check_report(path, [] if image is None else [image])


def _write(found: "Report", reports: Sequence[str]) -> dict[str, ImageWriteError]:
    """Write the reports and return the errors of those that failed: what was measured is shown all the same."""
    from convcli.benchmark.report_blocks import write_comparison

    problems = {}
    for path in reports:
        try:
            write_comparison(found, path)
        except ImageWriteError as error:
            problems[path] = error
    return problems


def _print_warnings(found: "Report") -> None:
    """Print what makes times unreliable, before the tables that hold them."""
    from convcli.convolution.planning.profile import problems

    for problem in problems():  # a profile is looked for when the first plan is made
        say(f"convcli: note: {problem}")
    for warning in found.warnings:
        say(f"convcli: warning: {warning}")


def _print_errors(found: "Report", problems: Iterable[ImageWriteError]) -> None:
    from convcli.benchmark.report_text import disagreement

    for row in found.disagreements:
        say(f"convcli: error: {row.kernel}: {disagreement(row)}")
    for problem in problems:
        say(f"convcli: error: {problem}")
