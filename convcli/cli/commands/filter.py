"""`convcli filter`: images in, filtered images out."""

from typing import Annotated

import typer

from convcli.cli.options.groups import (
    IMAGES,
    ComputingGroup,
    GeometryGroup,
    KernelsOption,
    MessagesGroup,
    OutputGroup,
    ResponseGroup,
    output_option,
)
from convcli.cli.options.parsing import command
from convcli.cli.report_files import check_report
from convcli.image.read_ahead import start_early


@command
def filter_images(
    *,
    inputs: Annotated[list[str], IMAGES],
    kernel: KernelsOption,
    output: Annotated[str | None, output_option("img_sobel_x.png")] = None,
    outputs: OutputGroup,
    geometry: GeometryGroup,
    response: ResponseGroup,
    computing: ComputingGroup,
    messages: MessagesGroup,
) -> None:
    """Filter images with one kernel, or several in turn.

    [bold]Examples[/]

      convcli filter photo.png -k sobel_x
      convcli filter photo.jpg -k gaussian:sigma=2 -k laplacian -o edges.png
      convcli filter *.png -k sharpen -o sharp/ --padding replicate
      convcli filter scan.tif -k log:sigma=3 --depth f32 -o response.tif
    """
    convolve = computing.convolve_options(geometry)
    written = outputs.output_options()
    messages.check_streams(inputs, output, kernel)

    start_early(inputs[0], convolve.threads)

    # Not before here is numpy needed, and from here it loads quickest. CPython keeps frames in pieces of 16 KiB; calls
    # across the end of one map memory anew, and imports within imports make thousands of them.
    import numpy  # noqa: F401  # loaded for those below

    from convcli.cli.views.results import Reporter
    from convcli.process.kernel_operation import FilterOptions, load_kernels
    from convcli.process.output_files import OutputOptions, check_outputs, make_output_folder, output_paths
    from convcli.process.shell import process_images

    reporter = Reporter(**messages.reporting())
    options = OutputOptions(depth=response.depth, dry_run=messages.dry_run, **written)
    operation = load_kernels(
        FilterOptions(kernels=tuple(kernel), convolve=convolve, tone=response.tone_options(), output=options)
    )
    paths = output_paths(inputs, output, operation.name, options.format)
    skipped = check_outputs(inputs, paths, options, operation.files, output or "")
    if messages.report is not None:
        check_report(messages.report, [*inputs, *paths])
    for note in (*operation.notes, *geometry.notes_on_options_without_effect()):
        reporter.note(note)
    for explanation in geometry.explanations() if messages.verbose else ():
        reporter.note(explanation)
    if not messages.dry_run:
        make_output_folder(output)
    if status := reporter.show_all(process_images(inputs, paths, skipped, operation)):
        raise typer.Exit(status)
