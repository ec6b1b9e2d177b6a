"""The one way from file to file: an image is read, an operation laid on it, and its result written, all of it timed."""

import os
from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from convcli.errors import ConvcliError, FilterError, ImageReadError, ImageWriteError
from convcli.image.model import Image, Metadata
from convcli.process.output_files import STANDARD_STREAM, OutputPlan, notes_without_effect, output_format
from convcli.process.result import ImageResult, failed_result, skipped_result
from convcli.system.output_file import Sink
from convcli.timing import Stopwatch

if TYPE_CHECKING:
    from convcli.process.operation import Operation


def process_images(
    inputs: Sequence[str], outputs: Sequence[str], skipped: Collection[str], operation: "Operation"
) -> Iterator[ImageResult]:
    """Process images one after another; one that fails does not stop the others.

    Parameters
    ----------
    inputs, outputs : sequence of str
        The files, as many of each; either may be `-`, a standard stream.
    skipped : collection of str
        Outputs that are left as they are.
    operation : Operation
        What is done to each image.

    Yields
    ------
    ImageResult
        One for each image, as soon as it is done.
    """
    for source, output in zip(inputs, outputs, strict=True):
        if output in skipped:
            yield skipped_result(source, output)
            continue
        try:
            result = process_image(source, output, operation)
        except ConvcliError as error:
            result = failed_result(source, output, error)
        yield result


def process_image(
    source: str, output: str, operation: "Operation", *, temporary_folder: str | None = None
) -> ImageResult:
    """Process the image in the file `source` into the file `output`; either may be `-`, a standard stream.

    Parameters
    ----------
    source, output : str
        The files. The output's folder, and whether the output may be replaced, are taken as checked (`check_outputs`).
    operation : Operation
        What is done to the image, and how the result is written.
    temporary_folder : str, optional
        Where what is not whole yet is written; by default beside the output.

    Raises
    ------
    ImageReadError, FilterError, ImageWriteError
        This image cannot be read, computed or written.
    OutputError
        The output's format cannot hold the result.
    """
    _load_codec(source)
    options = operation.output
    watch = Stopwatch()
    try:
        with watch.stage("read"):
            image, input_bytes = _read_unchanged(source, operation.threads)
        with watch.stage("prepare"):
            format_ = output_format(source, output, image.format, options)
            laid = operation.on_image(image, source, output, format_)
            plan = laid.plan
            input_size, metadata, notes = image.size, image.metadata, image.notes
            notes += notes_without_effect(options, operation.signed, plan) + plan.notes
            del image  # whose samples the operation lets go of when it has no more need of them
        if not options.dry_run:
            with watch.stage("filter"):
                samples = laid.run()
                notes += laid.notes
            with watch.stage("write"):
                notes += _write(output, samples, metadata, plan, operation, temporary_folder)
    except FilterError as error:
        raise error.at(source) from error
    except MemoryError as error:
        raise FilterError(
            "there is not enough memory for this image", where=source, advice="process a smaller part of it"
        ) from error
    seconds = watch.seconds()
    if laid.writing_seconds:
        seconds["filter"] -= laid.writing_seconds
        seconds["write"] += laid.writing_seconds
    return ImageResult(
        input=source,
        output=output,
        status="planned" if options.dry_run else "done",
        input_size=input_size,
        output_size=plan.size,
        depth=plan.depth,
        mapping=plan.mapping,
        alpha=plan.opacity,
        steps=laid.steps(),
        seconds=seconds,
        notes=notes,
        input_bytes=input_bytes,
        output_bytes=None if options.dry_run else _file_bytes(output),
    )


def _load_codec(source: str) -> None:
    """Load OpenCV before the clock runs, where it will be needed: that takes longer than reading a small picture."""
    if not source.endswith(".npy") and (source == STANDARD_STREAM or os.path.isfile(source)):
        import_module("convcli.image.formats.opencv_codec")


def _read_unchanged(source: str, threads: int | None) -> tuple[Image, int | None]:
    """Read an image, and return the file's size too. Raises ImageReadError, also where the file changes meanwhile."""
    before = _size_and_time(source)
    image = read_source(source, threads)
    if before is not None and _size_and_time(source) != before:
        raise ImageReadError("changed while it was read; run again when it is finished", where=source)
    return image, None if before is None else before[0]


def read_source(source: str, threads: int | None = None) -> Image:
    """Read the image in the file `source`, or standard input where that is `-`.

    Parameters
    ----------
    source : str
        The file.
    threads : int, optional
        How many cores to use, by default all.

    Raises
    ------
    ImageReadError
        Where there is no image, or it is damaged.
    """
    from convcli.image.reading import decode_image, read_all, read_image

    if source != STANDARD_STREAM:
        return read_image(source, threads=threads)
    import sys

    data = b"" if sys.stdin is None else read_all(sys.stdin.buffer)
    if not data:
        raise ImageReadError("standard input is empty: send it an image")
    return decode_image(data, "standard input", threads=threads)


def _write(
    output: str,
    samples: NDArray[Any],
    metadata: Metadata,
    plan: OutputPlan,
    operation: "Operation",
    temporary_folder: str | None,
) -> tuple[str, ...]:
    """Write a result where it belongs, and return notes of what was lost."""
    from convcli.system.output_file import check_destination, stream_sink, whole_file

    if output != STANDARD_STREAM:
        # What was not there when it was checked may be by now.
        existing = operation.output.existing
        if existing != "overwrite" and check_destination(output, existing) == "skip":
            return ()
        with whole_file(output, temporary_folder) as sink:
            return _encode(sink, samples, metadata, plan, operation)
    import sys

    out = sys.stdout.buffer
    try:
        notes = _encode(stream_sink(out), samples, metadata, plan, operation)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(f"standard output: {error.strerror}") from error
    return notes


def _encode(
    sink: Sink, samples: NDArray[Any], metadata: Metadata, plan: OutputPlan, operation: "Operation"
) -> tuple[str, ...]:
    if plan.pages:
        from convcli.pipeline.execution.contact_sheet import tiff_pages  # which filtering does not need

        sink(tiff_pages(samples))
        return ()
    from convcli.image.writing import encode_to

    result = Image(
        samples,
        alpha=plan.alpha,
        metadata=metadata if plan.keeps_metadata else Metadata(),
        format=plan.format.name,
    )
    options = operation.output
    return encode_to(
        sink,
        result,
        plan.format,
        quality=options.quality,
        compression=options.compression,
        threads=operation.threads,
    )


def _size_and_time(path: str) -> tuple[int, int] | None:
    """Return what changes when a file does, its size and time; None for what is no file."""
    try:
        status = os.stat(path) if path != STANDARD_STREAM else None
    except (OSError, ValueError):  # reading it will say what is wrong
        return None
    return (status.st_size, status.st_mtime_ns) if status is not None and S_ISREG(status.st_mode) else None


def _file_bytes(path: str) -> int | None:
    found = _size_and_time(path)
    return None if found is None else found[0]
