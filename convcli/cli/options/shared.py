"""The options that every command which filters has in common, and the reading of their values.

Each is a type for a command's signature, so that its names, its help and its place on the help page are written once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer

from convcli.convolution.options import BACKENDS, PADDING_MODES, ConvolveOptions
from convcli.errors import UsageError
from convcli.reporting.formats import REPORT_SUFFIXES

_RESPONSE = "From response to picture"
_GEOMETRY = "Geometry"
_COMPUTING = "Computing"
_FILES = "Files"
_MESSAGES = "Messages and reports"


def _alternatives(words: Sequence[str]) -> str:
    """Join words as `a, b or c`."""
    return " or ".join(", ".join(words).rsplit(", ", 1))


def complete_kernel(incomplete: str) -> Iterable[str]:
    """Offer the names of the catalogue and of the user's own kernels to a shell that completes one."""
    from convcli.kernel.catalogue import catalogue_names, user_files

    return sorted(name for name in {*catalogue_names(), *user_files()} if name.startswith(incomplete))


_KERNEL = typer.Option(
    "--kernel",
    "-k",
    metavar="SPEC",
    autocompletion=complete_kernel,
    help="A name (sobel_x), with parameters (gaussian:sigma=2), a YAML file, or weights "
    "('0 -1 0; -1 5 -1; 0 -1 0'). Given again: applied after the one before.",
)
KernelOption = Annotated[list[str], _KERNEL]
OptionalKernelOption = Annotated[list[str] | None, _KERNEL]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="A file, a folder, or - for standard output. Default: beside the input, as img_sobel_x.png of img.png.",
        rich_help_panel=_FILES,
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="png, jpeg, tiff, webp, npy, ... where the output's suffix does not say it.",
        rich_help_panel=_FILES,
    ),
]
ExistingOption = Annotated[
    str | None,
    typer.Option(
        "--existing",
        metavar="POLICY",
        help="When the output exists: error (the default), skip or overwrite.",
        rich_help_panel=_FILES,
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", "-f", help="The same as --existing overwrite.", rich_help_panel=_FILES)
]
QualityOption = Annotated[
    int | None,
    typer.Option("--quality", metavar="N", help="Of JPEG, WebP, AVIF and JPEG 2000, 1 to 100.", rich_help_panel=_FILES),
]
CompressionOption = Annotated[
    str,
    typer.Option(
        "--compression",
        metavar="LEVEL",
        help="Of PNG and TIFF: fast, balanced or small.",
        rich_help_panel=_FILES,
    ),
]
PaddingOption = Annotated[
    str | None,
    typer.Option(
        "--padding",
        "--border",
        metavar="MODE",
        help=f"Samples outside the image: {_alternatives(PADDING_MODES)}. Default: reflect101.",
        rich_help_panel=_GEOMETRY,
    ),
]
PaddingValueOption = Annotated[
    str | None,
    typer.Option(
        "--padding-value",
        metavar="V[,V...]",
        help="For constant: one number, or one per channel, in the file's own units. Default: 0.",
        rich_help_panel=_GEOMETRY,
    ),
]
ExtentOption = Annotated[
    str,
    typer.Option(
        "--extent",
        metavar="same|valid|full",
        help="Output as large as the input, only where the kernel fits, or wherever it touches.",
        rich_help_panel=_GEOMETRY,
    ),
]
FlipOption = Annotated[
    bool,
    typer.Option(
        "--flip",
        help="Turn the kernel by 180 degrees: convolution as in mathematics.",
        rich_help_panel=_GEOMETRY,
    ),
]
AnchorOption = Annotated[
    str | None,
    typer.Option(
        "--anchor",
        metavar="Y,X",
        help="The kernel element over the output pixel, rows first, from 0. Default: rows // 2, columns // 2.",
        rich_help_panel=_GEOMETRY,
    ),
]
StrideOption = Annotated[
    str,
    typer.Option("--stride", metavar="N[,M]", help="Keep every Nth row and Mth column.", rich_help_panel=_GEOMETRY),
]
DilationOption = Annotated[
    str,
    typer.Option(
        "--dilation", metavar="N[,M]", help="Spread the kernel's elements N apart.", rich_help_panel=_GEOMETRY
    ),
]
GrayOption = Annotated[
    bool, typer.Option("--gray", help="Filter one channel, the BT.601 luma.", rich_help_panel=_RESPONSE)
]
LinearOption = Annotated[
    bool,
    typer.Option("--linear", help="Filter in linear light: the sRGB curve undone.", rich_help_panel=_RESPONSE),
]
AlphaOption = Annotated[
    str,
    typer.Option(
        "--alpha",
        metavar="MODE",
        help="auto, keep, filter, premultiply or drop. auto: premultiply where no weight is negative, else keep.",
        rich_help_panel=_RESPONSE,
    ),
]
ScaleOption = Annotated[
    float,
    typer.Option("--scale", metavar="F", help="Multiply the response, before the mapping.", rich_help_panel=_RESPONSE),
]
BiasOption = Annotated[float, typer.Option("--bias", metavar="F", help="Then add to it.", rich_help_panel=_RESPONSE)]
SignedOption = Annotated[
    str,
    typer.Option(
        "--signed",
        metavar="MAPPING",
        help="auto, clip, abs, offset (mid-grey is zero) or stretch. auto: as the kernel says, else abs where its "
        "weights sum to zero, else clip.",
        rich_help_panel=_RESPONSE,
    ),
]
DepthOption = Annotated[
    str,
    typer.Option(
        "--depth",
        metavar="same|u8|u16|f32",
        help="Sample type of the output; f32 is the response itself.",
        rich_help_panel=_RESPONSE,
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        metavar="NAME",
        help=f"auto (by predicted cost), {_alternatives(BACKENDS[1:])}.",
        rich_help_panel=_COMPUTING,
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda",
        help="Where the torch backend computes. auto: a GPU where there is one.",
        rich_help_panel=_COMPUTING,
    ),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        "--precision", metavar="single|double", help="Compute in float32 or float64.", rich_help_panel=_COMPUTING
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        help="How many cores to use. Default: all that this process may use.",
        rich_help_panel=_COMPUTING,
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.", rich_help_panel=_MESSAGES)
]
TimingOption = Annotated[
    bool, typer.Option("--timing", help="Show where the time went, on standard error.", rich_help_panel=_MESSAGES)
]
ReportOption = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help=f"Write times and choices as {', '.join(REPORT_SUFFIXES)}.",
        rich_help_panel=_MESSAGES,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object per image on standard output.", rich_help_panel=_MESSAGES),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No messages but errors.", rich_help_panel=_MESSAGES)]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="More messages.", rich_help_panel=_MESSAGES)]


def convolve_options(
    *,
    padding: str | None,
    padding_value: str | None,
    extent: str,
    flip: bool,
    anchor: str | None,
    stride: str,
    dilation: str,
    backend: str,
    precision: str,
    threads: int | None,
    device: str,
) -> ConvolveOptions:
    """Read the options of a convolution as they stand on the command line.

    Raises
    ------
    UsageError
        for a value that is none, or a padding value where no constant is laid around the image.
    """
    options = ConvolveOptions(
        padding=padding or "reflect101",
        padding_value=0.0 if padding_value is None else parse_values("--padding-value", padding_value),
        extent=extent,
        flip=flip,
        anchor=None if anchor is None else parse_point("--anchor", anchor),
        stride=parse_pair("--stride", stride, least=1),
        dilation=parse_pair("--dilation", dilation, least=1),
        backend=backend,
        precision=precision,
        threads=threads,
        device=device,
    )
    if device != "auto" and backend != "torch":
        raise UsageError(f"--device {device} is for --backend torch: the others have no choice")
    if padding_value is not None and options.padding != "constant":
        raise UsageError(f"--padding-value needs --padding constant, not {options.padding}")
    return options


def existing_policy(existing: str | None, *, force: bool) -> str:
    """Tell what to do with outputs that exist: `error` unless something else is said.

    >>> existing_policy(None, force=True)
    'overwrite'

    Raises
    ------
    UsageError
        where -f and another policy are both asked for.
    """
    if force and existing not in (None, "overwrite"):
        raise UsageError(f"-f means --existing overwrite, not --existing {existing}: choose one")
    return "overwrite" if force else existing or "error"


def check_loudness(*, quiet: bool, verbose: bool) -> None:
    """Raise UsageError where more and fewer messages are both asked for."""
    if quiet and verbose:
        raise UsageError("--quiet and --verbose exclude each other: choose one")


def pointless(padding: str | None, options: ConvolveOptions) -> Iterator[str]:
    """Name what was asked for and can have no effect on any image; `padding` is None where it was not asked for."""
    if options.extent == "valid" and padding is not None:
        yield f"--padding {padding} does nothing under --extent valid, which stays inside the image"
    if options.extent != "same" and options.anchor is not None:
        yield f"--anchor does nothing under --extent {options.extent}: it matters for same"


def parse_pair(option: str, text: str, least: int = 0) -> tuple[int, int]:
    """Read `2` as (2, 2) and `2,3` as (2, 3): rows, columns.

    >>> parse_pair("--stride", "2"), parse_pair("--stride", "2,3")
    ((2, 2), (2, 3))

    Raises
    ------
    UsageError
        for anything else, `2.0`, `2,` and `1,2,3` among them, and for numbers below `least`.
    """
    numbers = [_whole(part) for part in text.split(",")]
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or None in numbers:
        raise UsageError(f"{option} takes a whole number, or two as rows,columns, such as 2 or 2,3; not {text!r}")
    rows, columns = (n for n in numbers if n is not None)
    if min(rows, columns) < least:
        raise UsageError(f"{option} {text}: must be at least {least}")
    return rows, columns


def parse_point(option: str, text: str) -> tuple[int, int]:
    """Read `1,2` as (1, 2): a row and a column.

    >>> parse_point("--anchor", "1,2")
    (1, 2)
    """
    if text.count(",") != 1:
        raise UsageError(f"{option} takes a row and a column, such as 1,2; not {text!r}")
    return parse_pair(option, text)


def parse_size(text: str) -> tuple[int, ...]:
    """Read `224x224x3` as (224, 224, 3), and `480x640` as (480, 640): rows, columns, channels.

    >>> parse_size("224x224x3")
    (224, 224, 3)
    """
    parts = text.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--input-size takes rows x columns x channels, such as 224x224x3, not {text!r}")
    if max(map(len, parts)) > 7:
        raise UsageError(f"--input-size {text}: at most 9999999 in each direction")
    return tuple(map(int, parts))


def parse_values(option: str, text: str) -> float | tuple[float, ...]:
    """Read `255` as 255.0 and `255,0,0` as (255.0, 0.0, 0.0).

    >>> parse_values("--padding-value", "255,0,0")
    (255.0, 0.0, 0.0)
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} takes numbers, one or one per channel, such as 255 or 255,0,0; not {text!r}"
        ) from None
    return values[0] if len(values) == 1 else values


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None
