"""One image, from file to file: read, filter, write, timed."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from stat import S_ISREG
from typing import Any, Protocol

import numpy as np

from convcli.convolution.convolve import Plan
from convcli.convolution.options import ConvolveOptions
from convcli.errors import (
    ConvcliError,
    FilterError,
    ImageReadError,
    ImageWriteError,
    OutputError,
    UsageError,
    check_word,
)
from convcli.image.formats.registry import Format, format_for
from convcli.image.model import Image
from convcli.kernel.model import AnyKernel, CompositeKernel
from convcli.process.choices import COMPRESSIONS, DEPTHS, EXISTING, WITH_COMPRESSION, WITH_QUALITY
from convcli.process.kernel_chain import Chain, ToneOptions, resolve_alpha
from convcli.timing import Stopwatch

STANDARD_STREAM = "-"

_DTYPES = {"u8": np.uint8, "u16": np.uint16, "i16": np.int16, "f32": np.float32, "f64": np.float64}
_DEPTH_TITLES = {"u8": "8-bit", "u16": "16-bit", "i16": "signed 16-bit", "f32": "float", "f64": "double"}


@dataclass(frozen=True)
class FilterOptions:
    """Everything that `convcli filter` was asked for, but for the names of files.

    `kernels` are SPECs, applied one after the other, each with the options of `convolve`. `format` is the name of the
    output's format where its suffix does not say it. `dry_run` stops short of filtering.

    Raises
    ------
    UsageError
        for an unknown word, no kernel, or a quality outside 1..100.
    """

    kernels: tuple[str, ...]
    convolve: ConvolveOptions = field(default_factory=ConvolveOptions)
    tone: ToneOptions = field(default_factory=ToneOptions)
    depth: str = "same"
    existing: str = "error"
    format: str | None = None
    quality: int | None = None
    compression: str = "balanced"
    dry_run: bool = False

    def __post_init__(self) -> None:
        if not self.kernels:
            raise UsageError("no kernel was given: name one with --kernel, such as -k sobel_x")
        check_word("depth", self.depth, DEPTHS)
        check_word("treatment of existing outputs", self.existing, EXISTING)
        check_word("compression", self.compression, COMPRESSIONS)
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality must lie within 1..100, not {self.quality}")


@dataclass(frozen=True)
class Step:
    """One kernel of a run, as it was asked for, and how it was computed.

    `predicted_seconds` is what that was expected to take; `runner_up` is the next best backend, and what it was.
    """

    kernel: str
    backend: str
    reason: str = ""
    predicted_seconds: float | None = None
    runner_up: tuple[str, float] | None = None

    def record(self) -> dict[str, Any]:
        """Give this step in the form of the machine-readable output."""
        next_best = None
        if self.runner_up is not None:
            next_best = {"backend": self.runner_up[0], "predicted_seconds": self.runner_up[1]}
        return {
            "kernel": self.kernel,
            "backend": self.backend,
            "reason": self.reason,
            "predicted_seconds": self.predicted_seconds,
            "runner_up": next_best,
        }


@dataclass(frozen=True)
class Result:
    """What became of one image. Sizes are (height, width, channels); times are in seconds.

    `status` is `done`, `skipped`, `planned` or `failed`, and then `error` holds the message. `mapping` is None for a
    float output, which holds the response itself; `alpha` says what was done with opacity, None where there is none.
    `input_bytes` and `output_bytes` are the files' sizes, None for a stream and for what is not there.
    """

    input: str
    output: str
    status: str
    input_size: tuple[int, int, int] | None = None
    output_size: tuple[int, int, int] | None = None
    depth: str | None = None
    mapping: str | None = None
    alpha: str | None = None
    steps: tuple[Step, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None
    input_bytes: int | None = None
    output_bytes: int | None = None

    @property
    def megapixels_per_second(self) -> float:
        """10^6 output pixels per second of filtering; NaN where nothing was filtered."""
        spent = self.seconds.get("filter", 0.0)
        if not spent or self.output_size is None:
            return math.nan
        return self.output_size[0] * self.output_size[1] / spent / 1e6

    def record(self) -> dict[str, Any]:
        """Give this result in the form of the machine-readable output."""
        speed = self.megapixels_per_second
        record: dict[str, Any] = {
            "input": self.input,
            "output": self.output,
            "status": self.status,
            "input_size": None if self.input_size is None else list(self.input_size),
            "output_size": None if self.output_size is None else list(self.output_size),
            "input_bytes": self.input_bytes,
            "output_bytes": self.output_bytes,
            "depth": self.depth,
            "mapping": self.mapping,
            "alpha": self.alpha,
            "steps": [step.record() for step in self.steps],
            "seconds": self.seconds,
            "megapixels_per_second": None if math.isnan(speed) else speed,
            "notes": list(self.notes),
        }
        if self.error is not None:
            record["error"] = self.error
        return record


def load_kernels(options: FilterOptions) -> tuple[AnyKernel, ...]:
    """Load the kernels of a run, and check what can be checked of them before any image is known.

    Raises
    ------
    KernelError
        for an unknown kernel, a bad file or a bad parameter.
    UsageError
        where premultiplied opacity was asked of kernels that cannot weigh it, or a backend that cannot do them.
    """
    from convcli.convolution.planning.costs import refusal
    from convcli.kernel.spec import load_kernel

    kernels = tuple(load_kernel(spec) for spec in options.kernels)
    resolve_alpha(options.tone.alpha, kernels)
    asked = options.convolve
    for spec, kernel in zip(options.kernels, kernels, strict=True):
        for part in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
            reason = refusal(asked.backend, part.size, asked.stride, asked.dilation)
            if reason is not None:
                raise UsageError(f"{spec}: {reason}")
    return kernels


def run(
    source: str,
    output: str,
    kernels: Sequence[AnyKernel],
    options: FilterOptions,
    *,
    cold: bool = True,
    temporary_folder: str | None = None,
) -> Result:
    """Filter the image in the file `source` into the file `output`; either may be `-`, a standard stream.

    The output's folder, and whether the output may be replaced, are taken as checked (`check_destination`). `cold` is
    said by a process that filters once, in which what a backend takes to load counts. What is not whole yet is written
    in `temporary_folder`, by default beside the output.

    Raises
    ------
    ImageReadError, FilterError, ImageWriteError
        This image cannot be read, filtered or written.
    OutputError
        The output's format cannot hold the result.
    """
    _load_codec(source)
    watch = Stopwatch()
    try:
        with watch.stage("read"):
            image, input_bytes = _read(source, options.convolve.threads)
        with watch.stage("prepare"):
            format_ = _output_format(source, output, image, options)
            depth, notes = _output_depth(source, output, format_, image, options)
            chain = Chain(image, kernels, options.convolve, options.tone, np.dtype(_DTYPES[depth]), cold=cold)
            _check_format(output, format_, depth, chain)
        if not options.dry_run:
            with watch.stage("filter"):
                pixels = chain.run()
            with watch.stage("write"):
                result = Image(pixels, alpha=chain.alpha, metadata=image.metadata, format=format_.name)
                notes += _write(output, result, format_, options, temporary_folder)
    except FilterError as error:
        raise FilterError(f"{source}: {error}") from error
    except MemoryError as error:
        raise FilterError(
            f"{source}: there is not enough memory for this image: filter a smaller part of it"
        ) from error
    return Result(
        input=source,
        output=output,
        status="planned" if options.dry_run else "done",
        input_size=image.size,
        output_size=chain.output_size,
        depth=depth,
        mapping=chain.mapping,
        alpha=chain.opacity,
        steps=tuple(map(_step, options.kernels, chain.plans)),
        seconds=watch.seconds(),
        notes=image.notes + _pointless(options, chain, depth, format_) + notes,
        input_bytes=input_bytes,
        output_bytes=None if options.dry_run else _file_bytes(output),
    )


@lru_cache(maxsize=64)  # images of one size are filtered alike
def _step(kernel: str, plan: Plan) -> Step:
    return Step(kernel, plan.backend, plan.reason, plan.seconds, plan.runner_up)


def _read(source: str, threads: int | None) -> tuple[Image, int | None]:
    """Read an image, and tell the file's size. Raises ImageReadError, also where the file has changed meanwhile."""
    before = _state(source)
    image = read_source(source, threads)
    if before is not None and _state(source) != before:
        raise ImageReadError(f"{source}: changed while it was read; run again when it is finished")
    return image, None if before is None else before[0]


def _state(source: str) -> tuple[int, int] | None:
    """What changes when a file does: its size and time; None for what is no file."""
    try:
        status = os.stat(source) if source != STANDARD_STREAM else None
    except (OSError, ValueError):  # reading it will say what is wrong
        return None
    return (status.st_size, status.st_mtime_ns) if status is not None and S_ISREG(status.st_mode) else None


def _file_bytes(path: str) -> int | None:
    state = _state(path)
    return None if state is None else state[0]


def failed(source: str, output: str, error: ConvcliError) -> Result:
    """Give the result of an image that could not be done."""
    return Result(source, output, "failed", error=str(error))


def skipped(source: str, output: str) -> Result:
    """Give the result of an image whose output was there already."""
    return Result(source, output, "skipped", notes=(f"{output} exists",))


def _load_codec(source: str) -> None:
    """Load OpenCV before the clock runs, where it will be needed: that takes longer than reading a small picture."""
    if not source.endswith(".npy") and (source == STANDARD_STREAM or os.path.isfile(source)):
        import_module("convcli.image.formats.opencv_codec")


def read_source(source: str, threads: int | None = None) -> Image:
    """Read the image in the file `source`, or standard input where that is `-`. Raises ImageReadError.

    `threads` is how many cores to use, by default all.
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
    output: str, image: Image, format_: Format, options: FilterOptions, temporary_folder: str | None
) -> tuple[str, ...]:
    from convcli.image.writing import encode_to
    from convcli.system.atomic_file import whole_file
    from convcli.system.output_path import check_destination

    how: dict[str, Any] = {
        "quality": options.quality,
        "compression": options.compression,
        "threads": options.convolve.threads,
    }
    if output != STANDARD_STREAM:
        # What was not there when it was checked may be by now.
        if options.existing != "overwrite" and check_destination(output, options.existing) == "skip":
            return ()
        with whole_file(output, temporary_folder) as sink:
            return encode_to(sink, image, format_, **how)
    import sys

    out = sys.stdout.buffer
    try:
        notes = encode_to(out.write, image, format_, **how)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(f"standard output: {error.strerror}") from error
    return notes


def _output_format(source: str, output: str, image: Image, options: FilterOptions) -> Format:
    if output != STANDARD_STREAM or options.format is not None:
        return format_for(output, options.format)
    try:
        return format_for(None, image.format)
    except OutputError as error:
        raise OutputError(
            f"{source}: cannot write the format it came in, {image.format}: name one with --format"
        ) from error


def _output_depth(
    source: str, output: str, format_: Format, image: Image, options: FilterOptions
) -> tuple[str, tuple[str, ...]]:
    """Decide the output's sample type, and say so where it cannot be the input's."""
    if options.depth != "same":
        check_depth(output, format_, options.depth)
        return options.depth, ()
    depth = format_.nearest_depth(image.depth)
    if depth == image.depth:
        return depth, ()
    if image.depth == "i16":
        raise OutputError(f"{source}: {format_.title} cannot hold i16: choose --depth u8, u16 or f32, or write .npy")
    was, becomes = _DEPTH_TITLES[image.depth], _DEPTH_TITLES[depth]
    return depth, (f"{was} samples are written as {becomes}, because {format_.title} does not hold {was} ones",)


def check_depth(output: str, format_: Format, depth: str) -> None:
    """Check that the format of `output` can hold the depth that was asked for, as far as no image is needed for it.

    Raises OutputError where it cannot. Radiance HDR holds floats, but with one byte of mantissa and no sign: it is no
    place for the response itself.
    """
    where = "" if output == STANDARD_STREAM else f"{output}: "
    if depth == "f32" and format_.name == "hdr":
        raise OutputError(f"{where}{format_.title} rounds f32 and holds no negative values: write .tiff, .pfm or .npy")
    try:
        format_.check(depth, 3 if format_.colour else 1, alpha=False)
    except OutputError as error:
        raise OutputError(f"{where}{error}") from error


def _check_format(output: str, format_: Format, depth: str, chain: Chain) -> None:
    try:
        height, width, channels = chain.output_size
        format_.check(depth, channels, chain.alpha)
        format_.check_size(height, width)
    except OutputError as error:
        raise OutputError(f"{output}: {error}" if output != STANDARD_STREAM else str(error)) from error


def _pointless(options: FilterOptions, chain: Chain, depth: str, format_: Format) -> tuple[str, ...]:
    """Name what was asked for and can have no effect on this output."""
    notes = []
    toning = options.tone
    if chain.mapping is None:
        if toning.signed != "auto":
            notes.append(f"--signed {toning.signed} does nothing to {depth}, which holds the response itself")
        if toning.linear:
            notes.append(f"{depth} holds the response in linear light: the sRGB curve is not put back")
    if chain.mapping == "stretch" and toning.bias:
        notes.append("--bias does nothing under --signed stretch")
    if options.quality is not None and format_.name not in WITH_QUALITY:
        notes.append(f"--quality does nothing to {format_.title}: it is for JPEG, WebP, AVIF and JPEG 2000")
    if options.compression != "balanced" and format_.name not in WITH_COMPRESSION:
        notes.append(f"--compression does nothing to {format_.title}: it is for PNG and TIFF")
    return tuple(notes)


class Named(Protocol):
    """What an output is named after: a kernel, a pipeline."""

    @property
    def name(self) -> str:
        """The name, of any characters."""
        ...


def output_paths(
    sources: Sequence[str], output: str | None, kernels: Sequence[Named], format_name: str | None
) -> list[str]:
    """Name the output of each input: beside it, in the folder `output`, or `output` itself.

    `img.png` becomes `img_sobel_x.png`; a `format_name` that the suffix does not mean changes the suffix. What comes
    from standard input goes to standard output.

    >>> output_paths(["photos/img.png", "-"], None, (), "jpeg")
    ['photos/img.jpg', '-']

    Raises
    ------
    UsageError
        where two inputs would be written to one output, the folder is missing, or `output` is empty.
    """
    if output == "":
        raise UsageError("-o is empty: name a file, a folder, or - for standard output")
    if output is None:
        outputs = [_default_output(source, kernels, format_name) for source in sources]
    elif _names_folder(output):
        if STANDARD_STREAM in sources:
            raise UsageError(f"{output}: an image from standard input needs a file as its output, not a folder")
        names = (Path(_default_output(source, kernels, format_name)).name for source in sources)
        outputs = [str(Path(output) / name) for name in names]
    elif len(sources) > 1:
        stray = next((source for source in sources if "=" in source and not Path(source).exists()), None)
        if stray is not None:
            raise UsageError(f"{stray}: no such file; a kernel's parameters follow its name, as in -k gaussian:{stray}")
        folder = os.path.splitext(output)[0]
        again = "" if folder == output else f", then -o {folder}"
        hint = "" if output == STANDARD_STREAM else f"; to make one: mkdir {folder}{again}"
        raise UsageError(f"-o {output}: {len(sources)} inputs need a folder as their output{hint}")
    else:
        outputs = [output]
    claimed: dict[str, str] = {}
    for source, path in zip(sources, outputs, strict=True):
        place = os.path.realpath(path)  # which, unlike Path.resolve, gets out of a loop of links
        if place in claimed:
            raise UsageError(f"{claimed[place]} and {source} would both be written to {path}: filter them apart")
        claimed[place] = source
    return outputs


def _names_folder(output: str) -> bool:
    if output == STANDARD_STREAM:
        return False
    if Path(output).is_dir():
        return True
    if output.endswith("/"):
        raise OutputError(f"{output}: no such folder; to make it: mkdir -p {output}")
    return False


def _default_output(source: str, kernels: Sequence[Named], format_name: str | None) -> str:
    if source == STANDARD_STREAM:
        return STANDARD_STREAM
    path = Path(source)
    suffix = path.suffix
    if format_name is not None:
        named = format_for(None, format_name)
        if suffix.lower() not in named.suffixes:
            suffix = named.suffixes[0]
    return str(path.parent / ("_".join(filter(None, [path.stem, joined_names(kernels)])) + suffix))


def joined_names(kernels: Sequence[Named]) -> str:
    """Join the names of kernels, as a part of a file's name.

    >>> from convcli.kernel.model import Kernel
    >>> joined_names([Kernel("sobel_x", np.ones((1, 1))), Kernel("my blur", np.ones((1, 1)))])
    'sobel_x_my_blur'
    """
    names = ("".join(c if c.isalnum() or c in "-_." else "_" for c in kernel.name) for kernel in kernels)
    return "_".join(names)
