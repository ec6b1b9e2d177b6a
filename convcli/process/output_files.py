"""The files that results become: their names, whether they may be there, and what their formats can hold."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from convcli.errors import OutputError, UsageError, check_word
from convcli.image.formats.registry import COMPRESSIONS, Format, format_for, formats_taking, joined_titles
from convcli.process.choices import DEPTHS
from convcli.process.result import Placement, Size
from convcli.system.output_file import EXISTING, check_destination

STANDARD_STREAM = "-"

# Where what has been sent to standard input can be told from an output; where there is none, nothing can.
_STANDARD_INPUT = "/dev/stdin"

_DEPTH_TITLES = {"u8": "8-bit", "u16": "16-bit", "f32": "float", "f64": "double"}
# Types whose samples mean something else when they are brought to the range of another: signs and large numbers.
_KEPT_DEPTHS = ("i8", "i16", "i32", "u32")


@dataclass(frozen=True)
class OutputOptions:
    """How results are written, whatever was done to the images.

    Parameters
    ----------
    depth : str
        One of `DEPTHS`: the sample type, where it is not to be that of the image.
    existing : str
        What to do with an output that exists: `error`, `skip` or `overwrite`.
    format : str, optional
        The name of the format, where the output's suffix does not say it.
    quality : int, optional
        Of lossy formats, 1 to 100.
    compression : str
        `fast`, `balanced` or `small`, of PNG and TIFF.
    dry_run : bool
        Whether to stop short of computing.
    strip : bool
        Whether all of the image's metadata is left out.
    stamp : bool
        Whether what was done is written into the output, as text.

    Raises
    ------
    UsageError
        For an unknown word, or a quality outside 1..100.
    """

    depth: str = "same"
    existing: str = "error"
    format: str | None = None
    quality: int | None = None
    compression: str = "balanced"
    dry_run: bool = False
    strip: bool = False
    stamp: bool = False

    def __post_init__(self) -> None:
        check_word("depth", self.depth, DEPTHS)
        check_word("treatment of existing outputs", self.existing, EXISTING)
        check_word("compression", self.compression, COMPRESSIONS)
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality must lie within 1..100, not {self.quality}")

    def cache_key(self) -> tuple[object, ...]:
        """Return what the bytes of an output depend on."""
        return self.depth, self.format, self.quality, self.compression, self.strip, self.stamp


@dataclass(frozen=True, eq=False)
class OutputPlan:
    """The output of one image, decided before it is computed.

    Parameters
    ----------
    format : Format
        The output's format, which holds such samples.
    depth : str
        The output's sample type: u8, u16, i16, f32, ...
    size : (int, int, int)
        Height, width and channels, opacity among them.
    mapping : str, optional
        How the response becomes a picture; None where it stays as it is.
    alpha : bool
        Whether the last channel is opacity.
    opacity : str, optional
        What is done with the image's opacity; None for an image without.
    pages : bool
        Whether each channel becomes a page of its own.
    keeps_metadata : bool
        Whether the image's metadata is that of the result too.
    roles : tuple of str
        What each channel is, as in `Image`; those of pictures by default.
    alpha_place : int, optional
        The index at which a file holds opacity, where that is not after all other bands.
    nodata : float, optional
        The value that stands for missing samples.
    placement : Placement, optional
        Where its samples lie on the image, where that is not simply one over the other.
    notes : tuple of str
        Lines that a user should see.
    """

    format: Format
    depth: str
    size: Size
    mapping: str | None = None
    alpha: bool = False
    opacity: str | None = None
    pages: bool = False
    keeps_metadata: bool = True
    roles: tuple[str, ...] = ()
    alpha_place: int | None = None
    nodata: float | None = None
    placement: Placement | None = None
    notes: tuple[str, ...] = ()


class SuffixError(OutputError):
    """An output whose suffix means another format than was asked for."""


def file_name_part(names: Iterable[str]) -> str:
    """Join names of any characters, as a part of a file's name.

    >>> file_name_part(["sobel_x", "my blur"])
    'sobel_x_my_blur'
    """
    return "_".join("".join(c if c.isalnum() or c in "-_." else "_" for c in name) for name in names)


def options_in_words(options: Any, leaving: Collection[str] = ()) -> list[str]:
    """Return the fields of a dataclass that differ from its defaults, as `stride=2,2`, but for those in `leaving`.

    >>> options_in_words(OutputOptions(depth="u16"))
    ['depth=u16']
    """
    said = []
    for each in fields(options):
        value = getattr(options, each.name)
        if each.name in leaving or value == each.default:
            continue
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
        said.append(each.name.replace("_", "-") if value is True else f"{each.name.replace('_', '-')}={shown}")
    return said


def output_paths(sources: Sequence[str], output: str | None, name: str, format_name: str | None) -> list[str]:
    """Name the output of each input: beside it, in the folder `output`, or `output` itself.

    Parameters
    ----------
    sources : sequence of str
        The inputs. What comes from standard input, `-`, goes to standard output.
    output : str or None
        What was asked for.
    name : str
        What is done to the images, in words that a file's name may have.
    format_name : str or None
        A format, which changes suffixes that do not mean it.

    Raises
    ------
    UsageError
        Where two inputs would be written to one output, the folder is missing, or `output` is empty.

    Examples
    --------
    >>> output_paths(["photos/img.png", "-"], None, "sobel_x", "jpeg")
    ['photos/img_sobel_x.jpg', '-']
    """
    if output == "":
        raise UsageError("-o is empty: name a file, a folder, or - for standard output")
    if output is None:
        outputs = [_default_output(source, name, format_name) for source in sources]
    elif _names_folder(output):
        if STANDARD_STREAM in sources:
            raise UsageError(f"{output}: an image from standard input needs a file as its output, not a folder")
        files = (Path(_default_output(source, name, format_name)).name for source in sources)
        outputs = [str(Path(output) / file) for file in files]
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
            if os.path.realpath(claimed[place]) == os.path.realpath(source):
                again = "is given twice" if claimed[place] == source else f"is the same file as {claimed[place]}"
                raise UsageError(f"{source} {again}: once is enough")
            raise UsageError(f"{claimed[place]} and {source} would both be written to {path}: filter them apart")
        claimed[place] = source
    return outputs


def folder_for_many(sources: Sequence[str], output: str | None) -> str | None:
    """Return where several outputs go: a name without a suffix that is not there yet is a folder to be made.

    It is none where an input is missing, and the command may have been meant otherwise.

    >>> folder_for_many([], "blurred"), folder_for_many([], "blurred.png"), folder_for_many(["missing"], "blurred")
    ('blurred/', 'blurred.png', 'blurred')
    """
    if not output or output.endswith("/") or output == STANDARD_STREAM or os.path.splitext(output)[1]:
        return output
    new = not os.path.lexists(output) and all(source == STANDARD_STREAM or os.path.exists(source) for source in sources)
    return f"{output}/" if new else output


def output_paths_of_bank(
    sources: Sequence[str], output: str | None, names: Sequence[str], format_name: str | None
) -> list[list[str]]:
    """Name the outputs of each of several operations on the same inputs, as `output_paths` does for one.

    Raises
    ------
    UsageError
        Also where one file is to hold the outputs of several operations.
    """
    if len(names) > 1 and (STANDARD_STREAM in sources or (output and not _names_folder(output))):
        raise UsageError(
            f"{len(names)} kernels make {len(names)} outputs", advice="name a folder for them, as -o bank/"
        )
    return [output_paths(sources, output, name, format_name) for name in names]


def _names_folder(output: str) -> bool:
    """Whether an output is a folder, or one that will be made, which a slash at its end says."""
    if output == STANDARD_STREAM:
        return False
    return Path(output).is_dir() or output.endswith("/")


def _default_output(source: str, name: str, format_name: str | None) -> str:
    if source == STANDARD_STREAM:
        return STANDARD_STREAM
    path = Path(source)
    suffix = path.suffix
    if format_name is not None:
        named = format_for(None, format_name)
        if suffix.lower() not in named.suffixes:
            suffix = named.suffixes[0]
    return str(path.parent / ("_".join(filter(None, [path.stem, name])) + suffix))


def make_output_folder(output: str | None) -> None:
    """Make the folder that outputs go to, where it ends in `/` and is not there yet. Raises OutputError."""
    if output is not None and output.endswith("/") and not os.path.isdir(output):
        try:
            os.makedirs(output, exist_ok=True)
        except OSError as error:
            raise OutputError(f"the folder cannot be made: {error.strerror}", where=output) from error


def check_outputs(
    inputs: Sequence[str], outputs: Sequence[str], options: OutputOptions, files: Sequence[str] = (), folder: str = ""
) -> set[str]:
    """Check every output before anything is read.

    Parameters
    ----------
    inputs, outputs : sequence of str
        As many of each; either may be `-`, a standard stream.
    options : OutputOptions
        How outputs are written.
    files : sequence of str
        More files that no output may replace.
    folder : str
        What was asked for as the output: where that is a folder that is missing, it will be made.

    Returns
    -------
    set of str
        The outputs that are to be skipped, because they exist.

    Raises
    ------
    OutputExistsError
        Where one exists, and that is to be an error.
    UsageError
        Where one would replace an input, or one of the files.
    OutputError
        Where one cannot be written, or its format not hold what was asked for.
    """
    kept = [*(_STANDARD_INPUT if source == STANDARD_STREAM else source for source in inputs), *files]
    skipped = set()
    new = folder.endswith("/") and not os.path.lexists(folder.rstrip("/"))
    for source, output in zip(inputs, outputs, strict=True):
        if output == STANDARD_STREAM:
            continue
        if source != STANDARD_STREAM and (Path(source).is_dir() or not Path(source).exists()):
            continue  # reading it will say what is wrong
        check_output_format(output, options)
        if not new and check_destination(output, options.existing, kept) == "skip":
            skipped.add(output)
    return skipped


def check_output_format(output: str, options: OutputOptions) -> Format:
    """Return the format of the file `output`, checked as far as no image is needed for it.

    Raises
    ------
    OutputError
        For an unknown format, or one that cannot hold the depth that was asked for.
    SuffixError
        Where the suffix means another format than was asked for.
    """
    named = format_for(output, options.format)
    suffix = os.path.splitext(output)[1]
    if options.format is not None and suffix and suffix.lower() not in named.suffixes:
        raise SuffixError(f"its suffix and --format {options.format} differ", where=output, advice="drop one of them")
    if options.depth != "same":
        _check_depth(output, named, options.depth)
    return named


def output_format(source: str, output: str, input_format: str, options: OutputOptions) -> Format:
    """Return the format that an output is written in: on a standard stream, that of the input unless told.

    Raises
    ------
    OutputError
        Where there is none, or only its files can be read.
    """
    if output != STANDARD_STREAM or options.format is not None:
        return format_for(output, options.format)
    try:
        return format_for(None, input_format)
    except OutputError as error:
        raise OutputError(
            f"cannot write the format it came in, {input_format}", where=source, advice="name one with --format"
        ) from error


def output_depth(
    source: str, output: str, format_: Format, input_depth: str, options: OutputOptions
) -> tuple[str, tuple[str, ...]]:
    """Decide the sample type of an output.

    Returns
    -------
    (str, tuple of str)
        The depth, and a note where that is not the input's although nothing else was asked for.

    Raises
    ------
    OutputError
        Where the format cannot hold what was asked for, or would lose the sign of the input's samples.
    """
    if options.depth != "same":
        _check_depth(output, format_, options.depth)
        return options.depth, ()
    if input_depth in format_.depths:
        return input_depth, ()
    if input_depth in _KEPT_DEPTHS:
        raise OutputError(
            f"{format_.title} cannot hold {input_depth}",
            where=source,
            advice="choose --depth u8, u16 or f32, or write .npy",
        )
    depth = format_.nearest_depth(input_depth)
    was, becomes = _DEPTH_TITLES[input_depth], _DEPTH_TITLES[depth]
    return depth, (f"{was} samples are written as {becomes}, because {format_.title} does not hold {was} ones",)


def _check_depth(output: str, format_: Format, depth: str) -> None:
    """Check that a format can hold the depth that was asked for, as far as no image is needed for it.

    Radiance HDR holds floats, but with one byte of mantissa and no sign: it is no place for the response itself.
    """
    if depth == "f32" and format_.rounds_floats:
        error = OutputError(
            f"{format_.title} rounds f32 and holds no negative values", advice="write .tiff, .pfm or .npy"
        )
        raise _at_output(error, output)
    try:
        format_.check(depth, 3 if format_.colour else 1, alpha=False)
    except OutputError as error:
        raise _at_output(error, output) from error


def check_picture(output: str, plan: OutputPlan) -> None:
    """Check that the format of a plan can hold its result. Raises OutputError."""
    height, width, channels = plan.size
    try:
        if not plan.pages:
            plan.format.check(plan.depth, channels, plan.alpha)
        plan.format.check_size(height, width)
    except OutputError as error:
        raise _at_output(error, output) from error


def _at_output(error: OutputError, output: str) -> OutputError:
    return error if output == STANDARD_STREAM else error.at(output)


def notes_without_effect(options: OutputOptions, signed: str, plan: OutputPlan) -> tuple[str, ...]:
    """Name what was asked for of every output and can have no effect on this one."""
    notes = []
    title = plan.format.title
    if plan.mapping is None and signed != "auto":
        notes.append(f"--signed {signed} does nothing to {plan.depth}, which holds the response itself")
    asked = {"quality": options.quality is not None, "compression": options.compression != "balanced"}
    for option, given in asked.items():
        if given and option not in plan.format.encoder_options:
            notes.append(f"--{option} does nothing to {title}: it is for {joined_titles(formats_taking(option))}")
    return tuple(notes)
