"""One image through a pipeline, from file to file: read, run, mapped to a picture or kept as maps, written, timed."""

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import FilterError, ImageWriteError, OutputError, UsageError, check_word
from convcli.image.formats.registry import Format, format_for
from convcli.image.model import Image
from convcli.image.tone import Finish, convert_depth, full_range, span, stretch
from convcli.image.writing import encode_to, write_image
from convcli.pipeline.document.loading import load_document
from convcli.pipeline.document.model import ALPHA, Document, Node
from convcli.pipeline.errors import DocumentError, StepError
from convcli.pipeline.execution.contact_sheet import contact_sheet, sheet_size, tiff_pages
from convcli.pipeline.execution.program import Computing, Pipeline, Program
from convcli.pipeline.steps.base import Maps, size_text
from convcli.pipeline.steps.filters import Filter
from convcli.pipeline.steps.properties import Shape
from convcli.process import image_job as job
from convcli.process.kernel_chain import SIGNED, resolve_mapping
from convcli.system.atomic_file import write_file
from convcli.system.output_path import check_destination
from convcli.timing import Stopwatch

ALPHAS = ("keep", "drop")
_DTYPES = {"u8": np.uint8, "u16": np.uint16, "i16": np.int16, "f32": np.float32}
_BYTE_WHITE = 255.0


@dataclass(frozen=True)
class RunOptions:
    """Everything that `convcli run` was asked for, but for the names of images.

    `contact_sheet` draws the result's channels as labelled tiles, each stretched, or all on one scale with
    `common_scale`. `save_steps` is a folder for what every step gives. `alpha` is what becomes of opacity: kept where
    the result is as large as the image, or dropped. The others are those of `filter`.

    Raises
    ------
    UsageError
        for an unknown word, a quality outside 1..100, or a scale without a sheet.
    """

    signed: str = "auto"
    depth: str = "same"
    alpha: str = "keep"
    contact_sheet: bool = False
    common_scale: bool = False
    save_steps: str | None = None
    existing: str = "error"
    format: str | None = None
    quality: int | None = None
    compression: str = "balanced"
    computing: Computing = field(default_factory=Computing)
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_word("signed mapping", self.signed, SIGNED)
        check_word("depth", self.depth, job.DEPTHS)
        check_word("alpha treatment", self.alpha, ALPHAS)
        check_word("treatment of existing outputs", self.existing, job.EXISTING)
        check_word("compression", self.compression, job.COMPRESSIONS)
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality must lie within 1..100, not {self.quality}")
        if self.common_scale and not (self.contact_sheet or self.save_steps):
            raise UsageError("--common-scale is the scale of a sheet: say --contact-sheet or --save-steps too")
        if self.contact_sheet and self.depth not in ("same", "u8"):
            raise UsageError(
                f"--contact-sheet draws 8-bit tiles: drop --depth {self.depth}, or write .npy for the values"
            )
        if self.contact_sheet and self.signed != "auto":
            raise UsageError(f"--contact-sheet stretches its tiles: drop --signed {self.signed}")


@dataclass(frozen=True)
class StepRun(job.Step):
    """One step of a run: `kernel` is its id, `step` what it is, `size` that of its result, `seconds` what it took."""

    step: str = ""
    size: Shape | None = None
    seconds: float | None = None

    def record(self) -> dict[str, Any]:
        """Give this step in the form of the machine-readable output."""
        return {
            **super().record(),
            "step": self.step,
            "output_size": None if self.size is None else list(self.size),
            "seconds": self.seconds,
        }


def prepare(path: str, options: RunOptions) -> Pipeline:
    """Load a pipeline file, and check what can be checked before any image is known.

    Raises
    ------
    DocumentError
        in one line: file, path in it, reason.
    """
    pipeline = Pipeline(load_document(path), options.computing, everything=options.save_steps is not None)
    document = pipeline.document
    try:
        document.store.check_default()
    except StepError as error:
        raise DocumentError(f"{document.where}: {error}") from error
    run = {node.id for node in pipeline.nodes}
    for node in document.nodes:
        try:
            document.store.check_files(node.step)
            if node.id in run:
                document.store.check_given(node.step.required_weights(), node.step.required_biases(), node.id)
            node.step.check_files()
        except StepError as error:
            raise DocumentError(f"{node.where}: {error}") from error
    wanted = document.input
    if wanted.size is not None and wanted.channels is not None:
        pipeline.program((*wanted.size, wanted.channels), _white(document, np.dtype(np.uint8)))
    return pipeline


def check_size(pipeline: Pipeline, size: Shape) -> Program:
    """Check a whole document, weights too, for 8-bit images of a size, without any. Raises DocumentError."""
    return pipeline.program(size, _white(pipeline.document, np.dtype(np.uint8)))


def run_file(
    source: str, output: str, pipeline: Pipeline, options: RunOptions, *, temporary_folder: str | None = None
) -> job.Result:
    """Run the image in the file `source` through a pipeline into the file `output`; either may be `-`.

    The output's folder, and whether the output may be replaced, are taken as checked (`check_destination`). What is not
    whole yet is written in `temporary_folder`, by default beside the output.

    Raises
    ------
    ImageReadError, FilterError, ImageWriteError
        This image cannot be read, put through, or written.
    OutputError
        The output's format cannot hold the result.
    """
    watch = Stopwatch()
    document = pipeline.document
    try:
        with watch.stage("read"):
            image = job.read_source(source)
        with watch.stage("prepare"):
            maps, alpha = _maps_of(image, document)
            program = pipeline.program(_shape(maps), _white(document, image.pixels.dtype))
            program.check_memory()
            handed = [maps]  # over to the program, which lets go of the image once it is read
            del maps
            plan = _plan_output(source, output, image, program, options)
            saver = _Saver(source, program, options) if options.save_steps is not None else None
        seconds: dict[str, float] = {}
        notes = plan.notes
        if not options.dry_run:
            with watch.stage("filter"):
                result, seconds = program.run(handed.pop(), alpha, saver)
            with watch.stage("write"):
                notes += _write(output, result, image, plan, options, temporary_folder)
    except DocumentError as error:
        raise FilterError(f"{source}: {error}") from error
    except FilterError as error:
        raise FilterError(f"{source}: {error}") from error
    except MemoryError as error:
        raise FilterError(f"{source}: there is not enough memory for this image: use a smaller one") from error
    return job.Result(
        input=source,
        output=output,
        status="planned" if options.dry_run else "done",
        input_size=image.size,
        output_size=plan.size,
        depth=plan.depth,
        mapping=plan.mapping,
        alpha=plan.alpha if image.alpha else None,
        steps=tuple(
            StepRun(
                node.id,
                program.prepared[node.id].backend,
                program.prepared[node.id].reason,
                step=node.step.name,
                size=program.properties[node.id].output,
                seconds=seconds.get(node.id),
            )
            for node in program.nodes
        ),
        seconds=_stages(watch, saver),
        notes=image.notes + notes,
        input_bytes=_file_bytes(source),
        output_bytes=None if options.dry_run else _file_bytes(output),
    )


def run_image(image: Image, pipeline: Pipeline) -> Maps:
    """Run an image through a pipeline: the result as float32 (rows, columns, channels) in the document's units."""
    maps, alpha = _maps_of(image, pipeline.document)
    program = pipeline.program(_shape(maps), _white(pipeline.document, image.pixels.dtype))
    return program.run(maps, alpha)[0]


@dataclass(frozen=True)
class _Output:
    """What becomes of a result: a picture of `depth` by `mapping`, a sheet, or maps as they are (no mapping)."""

    format: Format
    depth: str
    mapping: str | None
    kind: str  # picture, sheet, pages
    size: Shape
    unit: float = 1.0
    alpha: str = "drop"
    notes: tuple[str, ...] = ()


def _plan_output(source: str, output: str, image: Image, program: Program, options: RunOptions) -> _Output:
    """Decide how the result is written, from what is known before it is computed."""
    height, width, channels = program.output_size
    format_ = _format(source, output, image, options)
    if options.contact_sheet:
        size = sheet_size(program.output_size, common_scale=options.common_scale)
        return _Output(format_, "u8", None, "sheet", size)
    white = _white(program.document, image.pixels.dtype)
    picture = channels in (1, 3)
    if not picture and format_.name not in ("npy", "tiff"):
        raise OutputError(
            f"{output}: the result has {channels} channels ({size_text(program.output_size)}), which are no picture: "
            "say --contact-sheet, or write .npy or .tiff"
        )
    notes: tuple[str, ...] = ()
    depth = options.depth
    if depth != "same":
        job.check_depth(output, format_, depth)
    elif not picture:
        depth = "f32"
    else:
        depth = format_.nearest_depth("f32" if image.depth == "f64" else image.depth)
        if depth != image.depth:
            notes = (f"{image.depth} samples are written as {depth}, because {format_.title} holds no {image.depth}",)
    dtype = np.dtype(_DTYPES[depth])
    alpha = "drop"
    if image.alpha and options.alpha == "keep" and not _reads_alpha(program):
        if picture and (height, width) == image.size[:2]:
            alpha = "keep"
        else:
            notes += ("its opacity is dropped: the result is of another size, or no picture",)
    try:
        if picture:
            format_.check(depth, channels + (alpha == "keep"), alpha == "keep")
        format_.check_size(height, width)
    except OutputError as error:
        raise OutputError(f"{output}: {error}" if output != job.STANDARD_STREAM else str(error)) from error
    mapping = None if depth == "f32" else _mapping(program, options)
    if mapping is None and options.signed != "auto":
        notes += (f"--signed {options.signed} does nothing to f32, which holds the result itself",)
    size = (height, width, channels + (alpha == "keep"))
    unit = 1.0 if depth == "f32" else full_range(dtype) / white
    kind = "picture" if picture or format_.name == "npy" else "pages"
    return _Output(format_, depth, mapping, kind, size, unit, alpha, notes)


def _format(source: str, output: str, image: Image, options: RunOptions) -> Format:
    if output != job.STANDARD_STREAM or options.format is not None:
        return format_for(output, options.format)
    try:
        return format_for(None, image.format)
    except OutputError as error:
        raise OutputError(
            f"{source}: cannot write the format it came in, {image.format}: name one with --format"
        ) from error


def _mapping(program: Program, options: RunOptions) -> str:
    """How the result becomes a picture: as asked, as the document says, as a last filter's kernel says, or clipped."""
    document = program.document
    for word in (options.signed, document.output.mapping):
        if word != "auto":
            return word
    last = document.node(document.output.source).step
    return resolve_mapping("auto", [last.load_kernel()], 0) if isinstance(last, Filter) else "clip"


def _reads_alpha(program: Program) -> bool:
    """Whether opacity went into the result, so that it is not to be laid over it again."""
    return any(ALPHA in node.sources for node in program.nodes)


def _white(document: Document, dtype: np.dtype[Any]) -> float:
    """What stands for white in the document's units."""
    return {"unit": 1.0, "byte": _BYTE_WHITE}.get(document.input.range) or full_range(dtype)


def _maps_of(image: Image, document: Document) -> tuple[Maps, Maps | None]:
    """The image's colours in the document's units, and its opacity from 0 to 1."""
    colours = image.pixels[..., : image.pixels.shape[2] - image.alpha]
    maps = np.ascontiguousarray(colours, np.float32)
    factor = _white(document, image.pixels.dtype) / full_range(image.pixels.dtype)
    if factor != 1:
        maps = maps * np.float32(factor)
    if not image.alpha or not any(ALPHA in node.sources for node in document.nodes):
        return maps, None
    return maps, np.ascontiguousarray(image.pixels[..., -1:], np.float32) / np.float32(full_range(image.pixels.dtype))


def _write(
    output: str, maps: Maps, image: Image, plan: _Output, options: RunOptions, temporary_folder: str | None
) -> tuple[str, ...]:
    if plan.kind == "sheet":
        picture = Image(contact_sheet(maps, common_scale=options.common_scale), format=plan.format.name)
        return _put(output, picture, plan.format, options, temporary_folder)
    samples = _samples(maps, plan)
    if plan.kind == "pages":
        return _put_bytes(output, tiff_pages(samples), temporary_folder)
    if plan.alpha == "keep":
        opacity = convert_depth(image.pixels[..., -1:], samples.dtype)
        samples = np.concatenate([samples, opacity], axis=2)
    picture = Image(samples, alpha=plan.alpha == "keep", metadata=image.metadata, format=plan.format.name)
    return _put(output, picture, plan.format, options, temporary_folder)


def _samples(maps: Maps, plan: _Output) -> NDArray[Any]:
    """Map the result to samples of the output's type; a float type takes it as it is."""
    if plan.mapping is None:
        return maps
    samples = np.empty(maps.shape, _DTYPES[plan.depth])
    if plan.mapping == "stretch":
        stretch(maps, span(maps), samples)
    else:
        Finish(samples.dtype, unit=plan.unit, mapping=plan.mapping)(maps.copy(), samples)
    return samples


def _put(
    output: str, picture: Image, format_: Format, options: RunOptions, temporary_folder: str | None
) -> tuple[str, ...]:
    settings: dict[str, Any] = {
        "quality": options.quality,
        "compression": options.compression,
        "threads": options.computing.threads,
    }
    if output != job.STANDARD_STREAM:
        return write_image(
            output, picture, format=format_, existing=options.existing, temporary_folder=temporary_folder, **settings
        )
    try:
        notes = encode_to(sys.stdout.buffer.write, picture, format_, **settings)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(f"standard output: {error.strerror}") from error
    return notes


def _put_bytes(output: str, data: bytes, temporary_folder: str | None) -> tuple[str, ...]:
    if output != job.STANDARD_STREAM:
        write_file(output, (data,), temporary_folder)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return ()


def _stages(watch: Stopwatch, saver: "_Saver | None") -> dict[str, float]:
    """The seconds of each stage; what was kept of steps was written, although between them."""
    seconds = watch.seconds()
    if saver is not None:
        seconds["filter"] -= saver.seconds
        seconds["write"] += saver.seconds
    return seconds


class _Saver:
    """Keeps what every step gives in a folder: the values as .npy, and a sheet of them as .png.

    `seconds` is the time that has taken.
    """

    def __init__(self, source: str, program: Program, options: RunOptions) -> None:
        self.seconds = 0.0
        self._folder = Path(options.save_steps or ".")
        self._common_scale = options.common_scale
        stem = "stdin" if source == job.STANDARD_STREAM else Path(source).stem
        digits = len(str(len(program.nodes)))
        self._paths = {
            node.id: str(self._folder / f"{stem}_{index:0{digits}}_{node.id}")
            for index, node in enumerate(program.nodes, start=1)
        }
        if not options.dry_run:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"--save-steps {self._folder}: cannot be made: {error.strerror}") from error
        # A step that exists is replaced or skipped as the output is; an error is found before any computing.
        self._wanted = {
            path + suffix
            for path in self._paths.values()
            for suffix in (".npy", ".png")
            if not self._folder.is_dir() or _check_kept(path + suffix, options.existing, source) == "write"
        }

    def __call__(self, node: Node, maps: Maps) -> None:
        started = perf_counter()
        path = self._paths[node.id]
        if f"{path}.npy" in self._wanted:
            write_image(f"{path}.npy", Image(maps))
        if f"{path}.png" in self._wanted:
            title = f"{node.id}  {size_text(_shape(maps))}"
            write_image(f"{path}.png", Image(contact_sheet(maps, title, self._common_scale)))
        self.seconds += perf_counter() - started


def _check_kept(path: str, existing: str, source: str) -> str:
    """Check the destination of what is kept of a step, in the folder that --save-steps names, not -o."""
    try:
        return check_destination(path, existing, [source])
    except UsageError as error:
        told = re.sub(r"choose another\b.* with -o$", "choose another folder with --save-steps", str(error))
        raise type(error)(told) from error


def _shape(maps: NDArray[Any]) -> Shape:
    return maps.shape[0], maps.shape[1], maps.shape[2]


def _file_bytes(path: str) -> int | None:
    if path == job.STANDARD_STREAM:
        return None
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return None
