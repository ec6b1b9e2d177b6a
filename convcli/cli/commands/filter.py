"""`convcli filter`: images in, filtered images out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from convcli.cli.options.groups import (
    IMAGES,
    STANDARD_STREAM,
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
from convcli.errors import OutputError
from convcli.system.allocator import keep_freed_memory

if TYPE_CHECKING:
    from convcli.process.image_job import FilterOptions

# Where what has been sent to standard input can be told from an output; where there is none, nothing can.
_STANDARD_INPUT = "/dev/stdin"


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
    messages.check_streams(inputs, output)

    keep_freed_memory()
    if convolve.threads != 1:
        _read_ahead(inputs[0])

    # Not before here is numpy needed.
    from convcli.cli.each import do_each
    from convcli.cli.views.results import Reporter
    from convcli.kernel.catalogue import hiding_notes
    from convcli.process import image_job as job

    reporter = Reporter(**messages.reporting())
    options = job.FilterOptions(
        kernels=tuple(kernel),
        convolve=convolve,
        tone=response.tone_options(),
        depth=response.depth,
        dry_run=messages.dry_run,
        **written,
    )
    kernels = job.load_kernels(options)
    paths = job.output_paths(inputs, output, kernels, options.format)
    skipped = _check_outputs(inputs, paths, options)
    if messages.report is not None:
        check_report(messages.report, [*inputs, *paths])
    hiding = dict.fromkeys(note for spec in kernel for note in hiding_notes(spec))
    for note in (*hiding, *geometry.notes_on_options_without_effect()):
        reporter.note(note)

    do_each(inputs, paths, skipped, lambda source, path: job.run(source, path, kernels, options), reporter)


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
