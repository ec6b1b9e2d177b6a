"""`convcli filter`: images in, filtered images out."""

from dataclasses import replace
from itertools import chain
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
    SeeingGroup,
    output_option,
)
from convcli.cli.options.parsing import command
from convcli.cli.options.samples import MissingGroup, ReadingGroup, RegionGroup
from convcli.cli.report_files import check_report
from convcli.errors import UsageError
from convcli.image.read_ahead import start_early


@command
def filter_images(
    *,
    inputs: Annotated[list[str], IMAGES],
    kernel: KernelsOption,
    output: Annotated[str | None, output_option("img_sobel_x.png")] = None,
    outputs: OutputGroup,
    reading: ReadingGroup,
    geometry: GeometryGroup,
    region: RegionGroup,
    missing: MissingGroup,
    response: ResponseGroup,
    computing: ComputingGroup,
    seeing: SeeingGroup,
    messages: MessagesGroup,
) -> None:
    """Filter images with one kernel, or several in turn.

    [bold]Examples[/]

      convcli filter photo.png -k sobel_x
      convcli filter photo.jpg -k gaussian:sigma=2 -k laplacian -o edges.png
      convcli filter *.png -k sharpen -o sharp/ --padding replicate
      convcli filter photo.png -k sobel --compare both.html --open
      convcli filter photo.png -k gabor:theta=0..150..30 -o bank/
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
    from convcli.process.output_files import (
        OutputOptions,
        check_outputs,
        folder_for_many,
        make_output_folder,
        output_paths_of_bank,
    )
    from convcli.process.shell import process_images

    reporter = Reporter(**messages.reporting())
    options = OutputOptions(depth=response.depth, dry_run=messages.dry_run, **written)
    chains = [(tuple(kernel), "")]
    if any(".." in spec.rpartition(":")[2] for spec in kernel):
        from convcli.kernel.ranges import expand_ranges  # which few runs need

        chains = expand_ranges(kernel)
    if len(inputs) * len(chains) > 1:
        output = folder_for_many(inputs, output)
    asked = FilterOptions(
        kernels=chains[0][0],
        convolve=convolve,
        tone=response.tone_options(),
        output=options,
        normalize=response.normalize,
        reading=reading.read_options(),
        missing=missing.missing_inputs(),
        region=region.region(),
    )
    operations = [load_kernels(replace(asked, kernels=specs)) for specs, _ in chains]
    names = ["_".join(filter(None, [each.name, varied])) for each, (_, varied) in zip(operations, chains, strict=True)]
    runs = []
    for operation, paths in zip(operations, output_paths_of_bank(inputs, output, names, options.format), strict=True):
        skipped = check_outputs(inputs, paths, options, operation.files, output or "")
        runs.append(process_images(inputs, paths, skipped, operation))
        if messages.report is not None:
            check_report(messages.report, [*inputs, *paths])
        if seeing.asked:
            from convcli.cli.views.before_after import BeforeAndAfter

            if len(operations) > 1:
                raise UsageError(
                    "they show one result", where="--preview, --compare", advice="give one kernel, not a range"
                )
            reporter.shown = BeforeAndAfter(seeing, messages, inputs, paths, options.existing)
    for note in (
        *dict.fromkeys(note for operation in operations for note in operation.notes),
        *geometry.notes_on_options_without_effect(),
    ):
        reporter.note(note)
    for explanation in geometry.explanations() if messages.verbose else ():
        reporter.note(explanation)
    if not messages.dry_run:
        make_output_folder(output)
    if status := reporter.show_all(chain.from_iterable(runs)):
        raise typer.Exit(status)
