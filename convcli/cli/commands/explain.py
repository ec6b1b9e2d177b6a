"""`convcli explain`: what a pipeline or a kernel sees, keeps and costs, and how one output comes about."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convcli.cli.messages import say
from convcli.cli.options.groups import GeometryGroup, complete_kernel
from convcli.cli.options.parsing import command, parse_point, parse_size
from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.explain.pipeline import Explanation

_ONE_OUTPUT = "One output of a kernel"
_PIPELINES = (".yaml", ".yml")
Shape = tuple[int, int, int]


@command
def explain_arithmetic(
    *,
    target: Annotated[
        str | None,
        typer.Argument(metavar="PIPELINE.yaml|IMAGE", help="A pipeline; or, with -k, an image.", show_default=False),
    ] = None,
    kernel: Annotated[
        list[str] | None,
        typer.Option(
            "--kernel",
            "-k",
            metavar="SPEC",
            autocompletion=complete_kernel,
            help="Explain this kernel, as filter takes it. Given again: applied after the one before.",
        ),
    ] = None,
    input_size: Annotated[
        str | None,
        typer.Option(
            "--input-size",
            metavar="HxWxC",
            help="Of the images: rows x columns x channels, such as 224x224x3. Not needed where the pipeline says it.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="PIPELINE.yaml|SPEC", help="Set the figures of another pipeline, or kernel, beside."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="Y,X",
            help="Show the samples, weights and products of this output of IMAGE.",
            rich_help_panel=_ONE_OUTPUT,
        ),
    ] = None,
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix",
            help="Show the matrix that the kernel equals on one channel of a small image, and its transpose.",
            rich_help_panel=_ONE_OUTPUT,
        ),
    ] = False,
    gray: Annotated[
        bool, typer.Option("--gray", help="Of IMAGE, take the BT.601 luma.", rich_help_panel=_ONE_OUTPUT)
    ] = False,
    geometry: GeometryGroup,
    json: Annotated[bool, typer.Option("--json", help="As one JSON object on standard output.")] = False,
    md: Annotated[bool, typer.Option("--md", help="As Markdown on standard output.")] = False,
) -> None:
    """Lay the arithmetic of a pipeline or kernel open: sizes, weights, multiply-adds, receptive fields.

    Multiply-adds are those of the definition, memory is that of float32.

    [bold]Examples[/]

      convcli explain resnet18.yaml --input-size 224x224x3
      convcli explain two_3x3.yaml --against one_5x5.yaml
      convcli explain -k gaussian:sigma=2 -k sobel_x --input-size 480x640
      convcli explain photo.png -k sobel_x --at 0,17
      convcli explain -k "1 2 1" --matrix --input-size 1x6
    """
    options = geometry.convolve_options()
    kernels = kernel or []
    _check(target, kernels, against, at, options, matrix=matrix, gray=gray)
    if json and md:
        raise UsageError("--json and --md both take standard output: choose one")
    size = None if input_size is None else parse_size(input_size)
    for note in _hiding_notes([*kernels, *([against] if against and not _is_pipeline(against) else [])]):
        say(f"convcli: note: {note}")
    if at is not None or matrix:
        point = None if at is None else parse_point("--at", at)
        _explain_kernel(target, kernels, size, point, options, gray=gray, json=json, md=md)
        return
    found = _explained(target, kernels, size, options, gray=gray)
    # What is compared is compared on the same images.
    other = None
    if against is not None:
        other = _explained_other(against, found.input, options)
        found, other = _told_apart(found, kernels or [target or ""], other, against)
    _show(found, other, json=json, md=md)
    for each in (found, other):
        for warning in () if each is None else each.warnings:
            say(f"convcli: warning: {'' if other is None or each is None else f'{each.name}: '}{warning}")


def _is_pipeline(text: str) -> bool:
    return text.lower().endswith(_PIPELINES)


def _check(
    target: str | None,
    kernels: Sequence[str],
    against: str | None,
    at: str | None,
    options: ConvolveOptions,
    *,
    matrix: bool,
    gray: bool,
) -> None:
    """Check what goes with what."""
    pipeline = target is not None and _is_pipeline(target)
    if target is None and not kernels:
        raise UsageError("there is nothing to explain: name a PIPELINE.yaml, or a kernel with -k")
    if pipeline and kernels:
        raise UsageError(f"-k explains a kernel, and {target} is a pipeline: give one of them")
    if target is not None and not pipeline and not kernels:
        raise UsageError(f"{target}: give a kernel to explain on it with -k, or a pipeline that ends in .yaml")
    if pipeline and options != ConvolveOptions():
        raise UsageError("a pipeline's steps have their own padding, extent, stride and the like: these are for -k")
    if at is not None and matrix:
        raise UsageError("--at and --matrix exclude each other: choose one")
    if against is not None and (at is not None or matrix):
        raise UsageError(f"--against compares whole figures, which --{'matrix' if matrix else 'at'} does not give")
    if pipeline and (at is not None or matrix):
        raise UsageError(f"--{'matrix' if matrix else 'at'} explains a kernel: give it with -k")
    if at is not None and target is None:
        raise UsageError("--at needs an image to look at: name one")
    if at is not None and len(kernels) > 1:
        raise UsageError("--at explains one kernel: give -k once, or compose them first with kernels compose")
    if matrix and len(kernels) > 1:
        raise UsageError("--matrix writes one kernel out: give -k once, or compose them first with kernels compose")
    if gray and (target is None or pipeline):
        raise UsageError("--gray is for an image: name one")


def _hiding_notes(specs: Sequence[str]) -> list[str]:
    from convcli.kernel.catalogue import hiding_notes

    return [note for spec in dict.fromkeys(specs) for note in hiding_notes(spec)]


def _explained(
    target: str | None,
    kernels: Sequence[str],
    size: tuple[int, ...] | None,
    options: ConvolveOptions,
    *,
    gray: bool,
) -> "Explanation":
    from convcli.explain.pipeline import explain, filters_document
    from convcli.pipeline.document.loading import load_document

    if target is not None and _is_pipeline(target):
        document = load_document(target)
        given, channels = document.input.size, document.input.channels
        if size is None and given is None:
            raise UsageError(f"{target}: does not say how large images are: give --input-size HxWxC, as 224x224x3")
        rows, columns, *rest = size or given or ()
        if not rest and channels is None:
            raise UsageError(f"{target}: does not say how many channels images have: give --input-size HxWxC")
        return explain(document, (rows, columns, rest[0] if rest else channels or 1))
    document = filters_document(kernels, options)
    if target is not None:
        if size is not None:
            raise UsageError(f"--input-size and the image {target} both say the size: give one of them")
        height, width, channels = _pixels(target, gray=gray).shape
        return explain(document, (height, width, channels))
    if size is None:
        raise UsageError("give the size of the images, --input-size HxWxC, or an image")
    return explain(document, (size[0], size[1], size[2] if len(size) == 3 else 1))


def _explained_other(against: str, image: Shape, options: ConvolveOptions) -> "Explanation":
    from convcli.explain.pipeline import explain, filters_document
    from convcli.pipeline.document.loading import load_document

    other = load_document(against) if _is_pipeline(against) else filters_document([against], options)
    return explain(other, image)


def _told_apart(
    found: "Explanation", given: Sequence[str], other: "Explanation", against: str
) -> tuple["Explanation", "Explanation"]:
    """Call kernels by their whole specs, and pipelines by their files where both have one name."""
    alike = found.name == other.name

    def named(explained: "Explanation", specs: Sequence[str]) -> "Explanation":
        return explained if _is_pipeline(specs[0]) and not alike else replace(explained, name=" then ".join(specs))

    return named(found, given), named(other, [against])


def _pixels(path: str, *, gray: bool) -> "NDArray[Any]":
    """Read an image's colours, without opacity."""
    from convcli.image import tone
    from convcli.image.reading import decode_image, read_image

    image = decode_image(sys.stdin.buffer.read(), "standard input") if path == "-" else read_image(path)
    for note in image.notes:
        say(f"convcli: note: {path}: {note}")
    if image.alpha:
        say(f"convcli: note: {path}: its opacity is left off")
    pixels = image.pixels[..., : image.size[2] - image.alpha]
    return tone.to_gray(pixels) if gray else pixels


def _show(found: "Explanation", other: "Explanation | None", *, json: bool, md: bool) -> None:
    from convcli.explain.pipeline import comparison_record
    from convcli.reporting.json_text import to_json

    if json:
        print(to_json(found.record() if other is None else comparison_record(found, other)))
    elif md:
        from convcli.explain.text import markdown

        print(markdown(found, other), end="")
    else:
        from convcli.cli.views.explain import print_explanation

        print_explanation(found, other)


def _explain_kernel(
    target: str | None,
    kernels: Sequence[str],
    size: tuple[int, ...] | None,
    at: tuple[int, int] | None,
    options: ConvolveOptions,
    *,
    gray: bool,
    json: bool,
    md: bool,
) -> None:
    """Show one output's arithmetic, or the matrix of a small case."""
    from convcli.cli.views.explain import width
    from convcli.explain import single_output as sample
    from convcli.explain import single_output_text as sample_words
    from convcli.kernel.spec import load_kernel
    from convcli.reporting.json_text import to_json

    kernel = load_kernel(kernels[0])
    if target is not None and size is not None:
        raise UsageError(f"--input-size and the image {target} both say the size: give one of them")
    if at is not None:
        assert target is not None  # checked with the other options
        outputs = sample.explain_output(_pixels(target, gray=gray), kernel, options, at)
        place = sample_words.place_line(outputs[0].parts[0], at)
        record: dict[str, Any] = {"image": target, "kernel": kernels[0], "at": list(at), "padding": options.padding}
        record["channels"] = [sample_words.output_record(output) for output in outputs]
        head = f"{kernel.name}, {place}"
        lines = list(sample_words.output_lines(outputs, options, width()))
    else:
        if target is not None:
            size = _pixels(target, gray=gray).shape
        if size is None:
            raise UsageError("give the size of a small image, such as --input-size 4x5")
        found = sample.filter_matrix(kernel, (size[0], size[1]), options)
        record = {"kernel": kernels[0], "padding": options.padding} | sample_words.matrix_record(found)
        head = f"{kernel.name} as a matrix"
        lines = list(sample_words.matrix_lines(found, width()))
    if json:
        print(to_json(record))
    elif md:
        print("\n".join([f"# {head}", "", *(f"    {line}".rstrip() for line in lines)]))
    else:
        print("\n".join([head, "", *lines]).rstrip())
