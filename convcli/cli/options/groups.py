"""The options that commands share, in groups: each with its names, help, panel and default, written here alone.

A group becomes what the core takes by a method of its own, so that no command names every option again. Words that an
option may take, and what it is where nothing is said, come from the core.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.options.parsing import OptionGroup, listed, number, parse_pair, parse_point, parse_values, whole_number
from convcli.convolution.options import BACKENDS, DEVICES, EXTENTS, PADDING_MODES, PRECISIONS, ConvolveOptions
from convcli.errors import UsageError
from convcli.image.formats.registry import COMPRESSIONS
from convcli.process.choices import ALPHA, DEPTHS, SIGNED
from convcli.reporting.formats import REPORT_SUFFIXES
from convcli.system.output_file import EXISTING

if TYPE_CHECKING:
    from convcli.pipeline.execution.program import Computing
    from convcli.process.tone_options import ToneOptions

STANDARD_STREAM = "-"

# Options under each heading of a help page.
file_option = partial(typer.Option, rich_help_panel="Files")
geometry_option = partial(typer.Option, rich_help_panel="Geometry")
response_option = partial(typer.Option, rich_help_panel="From response to picture")
computing_option = partial(typer.Option, rich_help_panel="Computing")
seeing_option = partial(typer.Option, rich_help_panel="Before and after")
message_option = partial(typer.Option, rich_help_panel="Messages and reports")


def complete_kernel(incomplete: str) -> Iterable[str]:
    """Return what continues a SPEC: names of the catalogue and of the user's own kernels, or a kernel's parameters.

    >>> list(complete_kernel("gaussian:sigma=2,tr"))
    ['gaussian:sigma=2,truncate=']
    """
    from convcli.errors import KernelError
    from convcli.kernel.catalogue import catalogue_names, user_files
    from convcli.kernel.formulas import FAMILIES
    from convcli.kernel.model import CHANGES, Kernel
    from convcli.kernel.spec import load_kernel

    name, colon, parameters = incomplete.partition(":")
    if not colon:
        return sorted(name for name in {*catalogue_names(), *user_files()} if name.startswith(incomplete))
    try:
        kernel = load_kernel(name)
    except KernelError:
        return []
    if not isinstance(kernel, Kernel):
        return []
    family = FAMILIES.get(kernel.family or "")
    given, comma, begun = parameters.rpartition(",")
    used = {part.partition("=")[0].strip() for part in given.split(",")}
    known = [*(parameter.name for parameter in family.parameters), *CHANGES] if family else [*CHANGES]
    return [f"{name}:{given}{comma}{each}=" for each in known if each.startswith(begun) and each not in used]


def one_of(words: Iterable[str]) -> Callable[[str], list[str]]:
    """Return the completion of an option that takes one of some words."""
    known = tuple(words)

    def complete(incomplete: str) -> list[str]:
        return [word for word in known if word.startswith(incomplete)]

    return complete


def kernel_option(text: str) -> Any:
    """Return the option -k with a help text of the command's own."""
    return typer.Option("--kernel", "-k", metavar="SPEC", autocompletion=complete_kernel, help=text)


IMAGES = typer.Argument(metavar="INPUT...", help="Images; - is standard input.", show_default=False)
KERNEL = kernel_option(
    "A name (sobel_x), with parameters (gaussian:sigma=2), a kernel file (YAML, CSV, NPY, PNG, ...), or weights "
    "('0 -1 0; -1 5 -1; 0 -1 0'). Given again: applied after the one before."
)
KernelsOption = Annotated[list[str], KERNEL]


def output_option(example: str) -> Any:
    """Return the option -o of a command whose outputs are by default called as the example says."""
    return file_option(
        "--output",
        "-o",
        metavar="PATH",
        help=f"A file, a folder, or - for standard output. Default: beside the input, as {example} of img.png.",
    )


class OutputGroup(OptionGroup):
    """How outputs are written, whatever was done to the images."""

    format: Annotated[
        str | None,
        file_option(
            "--format",
            metavar="NAME",
            help="png, jpeg, tiff, webp, npy, ... where the output's suffix does not say it.",
        ),
    ] = None
    existing: Annotated[
        str | None,
        file_option(
            "--existing",
            autocompletion=one_of(EXISTING),
            metavar="POLICY",
            help=f"When the output exists: {listed(EXISTING, {'error': 'the default'})}.",
        ),
    ] = None
    force: Annotated[bool, file_option("--force", "-f", help="The same as --existing overwrite.")] = False
    quality: Annotated[
        int | None,
        file_option(
            "--quality", metavar="N", parser=whole_number, help="Of JPEG, WebP, AVIF, JPEG 2000 and JPEG XL, 1 to 100."
        ),
    ] = None
    compression: Annotated[
        str,
        file_option(
            "--compression",
            autocompletion=one_of(COMPRESSIONS),
            metavar="LEVEL",
            help=f"Of PNG and TIFF: {listed(COMPRESSIONS)}.",
        ),
    ] = "balanced"
    strip: Annotated[bool, file_option("--strip", help="Leave out all metadata of the input.")] = False
    stamp: Annotated[
        bool, file_option("--stamp", help="Write into the output, as text, what was done: version, kernels, options.")
    ] = False

    def output_options(self) -> dict[str, Any]:
        """Return the fields of the core's options of an output that have these names.

        Raises
        ------
        UsageError
            Where -f and another policy are both asked for.
        """
        options = dict(vars(self))
        force, existing = options.pop("force"), options.pop("existing")
        if force and existing not in (None, "overwrite"):
            raise UsageError(f"-f means --existing overwrite, not --existing {existing}", advice="choose one")
        return options | {"existing": "overwrite" if force else existing or "error"}


class GeometryGroup(OptionGroup):
    """Where a kernel is laid on an image, and what lies outside of that."""

    padding: Annotated[
        str | None,
        geometry_option(
            "--padding",
            "--border",
            autocompletion=one_of(PADDING_MODES),
            metavar="MODE",
            help=f"Samples outside the image: {listed(PADDING_MODES, {ConvolveOptions.padding: 'the default'})}.",
        ),
    ] = None
    padding_value: Annotated[
        str | None,
        geometry_option(
            "--padding-value",
            metavar="V[,V...]",
            help="For constant: one number, or one per channel, in the file's own units. Default: 0.",
        ),
    ] = None
    extent: Annotated[
        str,
        geometry_option(
            "--extent",
            autocompletion=one_of(EXTENTS),
            metavar="|".join(EXTENTS),
            help="Output as large as the input, only where the kernel fits, or wherever it touches.",
        ),
    ] = ConvolveOptions.extent
    flip: Annotated[
        bool, geometry_option("--flip", help="Turn the kernel by 180 degrees: convolution as in mathematics.")
    ] = False
    anchor: Annotated[
        str | None,
        geometry_option(
            "--anchor",
            metavar="Y,X",
            help="The kernel element over the output pixel, rows first, from 0. Default: rows // 2, columns // 2.",
        ),
    ] = None
    stride: Annotated[str, geometry_option("--stride", metavar="N[,M]", help="Keep every Nth row and Mth column.")] = (
        "1"
    )
    dilation: Annotated[
        str, geometry_option("--dilation", metavar="N[,M]", help="Spread the kernel's elements N apart.")
    ] = "1"

    def convolve_options(self, **computing: Any) -> ConvolveOptions:
        """Return the options of a convolution, of which `computing` are those that say how it is computed.

        Raises
        ------
        UsageError
            For a value that an option cannot take, or a padding value where no constant is laid around the image.
        """
        options = ConvolveOptions(
            padding=self.padding or ConvolveOptions.padding,
            padding_value=(0.0 if self.padding_value is None else parse_values("--padding-value", self.padding_value)),
            extent=self.extent,
            flip=self.flip,
            anchor=None if self.anchor is None else parse_point("--anchor", self.anchor),
            stride=parse_pair("--stride", self.stride, least=1),
            dilation=parse_pair("--dilation", self.dilation, least=1),
            **computing,
        )
        if self.padding_value is not None and options.padding != "constant":
            raise UsageError(f"--padding-value needs --padding constant, not {options.padding}")
        return options

    def notes_on_options_without_effect(self) -> Iterator[str]:
        """Name what was asked for and can have no effect on any image."""
        if self.extent == "valid" and self.padding is not None:
            yield f"--padding {self.padding} does nothing under --extent valid, which stays inside the image"
        if self.extent != "same" and self.anchor is not None:
            yield f"--anchor does nothing under --extent {self.extent}: it matters for same"

    def explanations(self) -> Iterator[str]:
        """Yield which of two things a word means that other libraries use for either."""
        if self.padding == "reflect":
            yield (
                "--padding reflect repeats the outermost sample (c b a | a b c d), as OpenCV's and scipy's reflect do; "
                "numpy's and PyTorch's do not: reflect101"
            )


class ResponseGroup(OptionGroup):
    """What is done to pixels before the kernels, and to their response after them."""

    gray: Annotated[bool, response_option("--gray", help="Filter one channel, the BT.601 luma.")] = False
    linear: Annotated[bool, response_option("--linear", help="Filter in linear light: the sRGB curve undone.")] = False
    alpha: Annotated[
        str,
        response_option(
            "--alpha",
            autocompletion=one_of(ALPHA),
            metavar="MODE",
            help=f"{listed(ALPHA)}. auto: premultiply where no weight is negative, else keep.",
        ),
    ] = "auto"
    normalize: Annotated[
        str | None,
        response_option(
            "--normalize",
            autocompletion=one_of(("sum", "abssum", "posneg")),
            metavar="SUM",
            help="Scale the weights of each kernel: sum (to a sum of 1), abssum (of their magnitudes) or posneg "
            "(the positive ones to 1, the negative ones to -1). Default: as the kernel says.",
        ),
    ] = None
    scale: Annotated[
        float, response_option("--scale", metavar="F", parser=number, help="Multiply the response, before the mapping.")
    ] = 1.0
    bias: Annotated[float, response_option("--bias", metavar="F", parser=number, help="Then add to it.")] = 0.0
    signed: Annotated[
        str,
        response_option(
            "--signed",
            autocompletion=one_of(SIGNED),
            metavar="MAPPING",
            help=f"{listed(SIGNED, {'offset': 'mid-grey is zero'})}. auto: as the kernel says, else abs where its "
            "weights sum to zero, else clip.",
        ),
    ] = "auto"
    depth: Annotated[
        str,
        response_option(
            "--depth",
            autocompletion=one_of(DEPTHS),
            metavar="|".join(DEPTHS),
            help="Sample type of the output; f32 is the response itself.",
        ),
    ] = "same"

    def tone_options(self) -> "ToneOptions":
        """Return what is done to pixels before and after the kernels. Raises UsageError."""
        from convcli.process.tone_options import ToneOptions

        return ToneOptions(**{name: value for name, value in vars(self).items() if name not in ("depth", "normalize")})


class ComputingGroup(OptionGroup):
    """How convolutions are computed."""

    backend: Annotated[
        str,
        computing_option(
            "--backend",
            autocompletion=one_of(BACKENDS),
            metavar="NAME",
            help=f"{listed(BACKENDS, {'auto': 'by predicted cost'})}.",
        ),
    ] = ConvolveOptions.backend
    precision: Annotated[
        str,
        computing_option(
            "--precision",
            autocompletion=one_of(PRECISIONS),
            metavar="|".join(PRECISIONS),
            help="Compute in float32 or float64.",
        ),
    ] = ConvolveOptions.precision
    threads: Annotated[
        int | None,
        computing_option(
            "--threads",
            metavar="N",
            parser=whole_number,
            help="How many cores to use. Default: all that this process may use.",
        ),
    ] = None
    device: Annotated[
        str,
        computing_option(
            "--device",
            autocompletion=one_of(DEVICES),
            metavar="|".join(DEVICES),
            help="Where the torch backend computes. auto: a GPU where there is one.",
        ),
    ] = ConvolveOptions.device

    def convolve_options(self, geometry: GeometryGroup | None = None) -> ConvolveOptions:
        """Return the options of a convolution, laid on an image as `geometry` says.

        Raises
        ------
        UsageError
            For a value that an option cannot take, options that need others, or a device for a backend without one.
        """
        options = (geometry or GeometryGroup()).convolve_options(
            backend=self.backend, precision=self.precision, threads=self.threads, device=self.device
        )
        if self.device != ConvolveOptions.device and self.backend != "torch":
            raise UsageError(f"--device {self.device} is for --backend torch: the others have no choice")
        return options

    def pipeline_computing(self) -> "Computing":
        """Return how the steps of a pipeline are computed. Raises UsageError."""
        from convcli.pipeline.execution.program import Computing

        options = self.convolve_options()
        return Computing(options.backend, options.threads, options.device)


class SeeingGroup(OptionGroup):
    """How an image is shown before and after."""

    preview: Annotated[
        bool,
        seeing_option("--preview", help="Show it in the terminal: by kitty's protocol, sixels or half blocks."),
    ] = False
    compare: Annotated[
        str | None,
        seeing_option("--compare", metavar="FILE", help="Write both: side by side as .png, under a slider as .html."),
    ] = None
    open_it: Annotated[
        bool, seeing_option("--open", help="Open the comparison, or the output, when it is written.")
    ] = False

    @property
    def asked(self) -> bool:
        """Whether anything is to be shown."""
        return self.preview or self.open_it or self.compare is not None


class MessagesGroup(OptionGroup):
    """What a person wants to be told, and where."""

    dry_run: Annotated[bool, message_option("--dry-run", help="Say what would be done, and write nothing.")] = False
    timing: Annotated[bool, message_option("--timing", help="Show where the time went, on standard error.")] = False
    report: Annotated[
        str | None,
        message_option("--report", metavar="FILE", help=f"Write times and choices as {listed(REPORT_SUFFIXES)}."),
    ] = None
    json: Annotated[bool, message_option("--json", help="Print one JSON object per image on standard output.")] = False
    quiet: Annotated[bool, message_option("--quiet", "-q", help="No messages but errors.")] = False
    verbose: Annotated[bool, message_option("--verbose", "-v", help="More messages.")] = False

    def __post_init__(self) -> None:
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose exclude each other", advice="choose one")

    def reporting(self) -> dict[str, Any]:
        """Return what a reporter has to know, by its names for it."""
        return {name: value for name, value in vars(self).items() if name != "dry_run"}

    def check_streams(self, inputs: Sequence[str], output: str | None, kernels: Sequence[str] = ()) -> None:
        """Check that nothing else takes the standard streams that images are read from and written to.

        Parameters
        ----------
        inputs : sequence of str
            The images; `-` is standard input.
        output : str or None
            Where they go; `-` is standard output, and the default of an image from standard input.
        kernels : sequence of str, optional
            SPECs; `-` is a kernel on standard input.

        Raises
        ------
        UsageError
            Where a stream is wanted twice, closed, or a terminal.
        """
        if [*inputs, *(spec.partition(":")[0].strip() for spec in kernels)].count(STANDARD_STREAM) > 1:
            raise UsageError("standard input, -, can be read only once")
        if output != STANDARD_STREAM and (output is not None or STANDARD_STREAM not in inputs):
            return
        if self.json:
            raise UsageError("--json and -o - would both write to standard output", advice="name a file with -o")
        if sys.stdout is None:
            raise UsageError("standard output is closed", advice="name a file with -o")
        if sys.stdout.isatty() and not self.dry_run:
            raise UsageError("standard output is a terminal", advice="name a file with -o, or send it on with | or >")
