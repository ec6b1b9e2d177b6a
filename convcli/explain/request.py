"""What `convcli explain` is asked, checked, and answered: a pipeline, a comparison, one output, or a matrix."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.explain.comparison import comparison_record
from convcli.explain.filter_matrix import filter_matrix
from convcli.explain.filter_matrix_text import matrix_lines
from convcli.explain.pipeline import Explanation, explain, filters_document
from convcli.explain.pipeline_text import markdown
from convcli.explain.single_output import explain_output
from convcli.explain.single_output_text import output_lines, place_line
from convcli.image import tone
from convcli.image.reading import decode_image, read_image
from convcli.kernel.catalogue import find, hiding_notes, is_file
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.named import find_document, names_pipeline
from convcli.pipeline.steps.properties import Shape

# Called with each note for the user.
Notify = Callable[[str], None]


@dataclass(frozen=True)
class ExplainRequest:
    """What is to be explained.

    Attributes
    ----------
    target : str or None
        A pipeline, by its name, its file, which ends in .yaml, or in one line; or the path of an image, "-" for one
        on standard input.
    kernels : sequence of str
        SPECs of kernels that are applied one after the other.
    constants : mapping of str to str
        Constants of the pipeline in place of its own, as text.
    input_size : tuple of int or None
        Rows, columns and perhaps channels of the images.
    against : str or None
        A second pipeline or SPEC, to compare with.
    at : tuple of (int, int) or None
        Row and column of the one output to work out.
    matrix : bool
        Whether to write the kernel as a matrix.
    gray : bool
        Whether to take the luma of the image.
    options : ConvolveOptions
        Options of the kernels.
    """

    target: str | None = None
    kernels: Sequence[str] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    input_size: tuple[int, ...] | None = None
    against: str | None = None
    at: tuple[int, int] | None = None
    matrix: bool = False
    gray: bool = False
    options: ConvolveOptions = field(default_factory=ConvolveOptions)

    def check(self) -> None:
        """Raise UsageError if parts of the request do not go together."""
        target, kernels = self.target, self.kernels
        pipeline = target is not None and _is_pipeline(target)
        alone = "--at" if self.at is not None else "--matrix" if self.matrix else None
        if target is None and not kernels:
            raise UsageError("there is nothing to explain: name a pipeline, or a kernel with -k")
        if pipeline and kernels:
            raise UsageError(f"-k explains a kernel, and {target} is a pipeline: give one of them")
        if target is not None and not pipeline and not kernels:
            raise UsageError(f"{target}: give a kernel to explain on it with -k, or name a pipeline")
        if pipeline and self.options != ConvolveOptions():
            raise UsageError("a pipeline's steps have their own padding, extent, stride and the like: these are for -k")
        if self.at is not None and self.matrix:
            raise UsageError("--at and --matrix exclude each other: choose one")
        if self.against is not None and alone:
            raise UsageError(f"--against compares whole figures, which {alone} does not give")
        if pipeline and alone:
            raise UsageError(f"{alone} explains a kernel: give it with -k")
        if self.at is not None and target is None:
            raise UsageError("--at needs an image to look at: name one")
        if alone and len(kernels) > 1:
            does = "explains one kernel" if self.at is not None else "writes one kernel out"
            raise UsageError(f"{alone} {does}: give -k once, or compose them first with kernels compose")
        if self.constants and not pipeline:
            raise UsageError("--set is for the constants of a pipeline: name one")
        if self.gray and (target is None or pipeline):
            raise UsageError("--gray is for an image: name one")
        if target is not None and not pipeline and self.input_size is not None:
            raise UsageError(f"--input-size and the image {target} both say the size: give one of them")


@dataclass(frozen=True)
class PipelineReport:
    """A pipeline explained, and the one that it is compared with."""

    found: Explanation
    other: Explanation | None = None

    @property
    def warnings(self) -> list[str]:
        """Lines about samples that a step leaves out."""
        if self.other is None:
            return list(self.found.warnings)
        return [f"{each.name}: {warning}" for each in (self.found, self.other) for warning in each.warnings]

    def record(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        return self.found.record() if self.other is None else comparison_record(self.found, self.other)

    def markdown(self, _width: int) -> str:
        """Return everything as Markdown."""
        return markdown(self.found, self.other)


@dataclass(frozen=True)
class KernelReport:
    """One output of a kernel, or its matrix, as text.

    Attributes
    ----------
    heading : str
    lines : callable
        The lines of text for a width in characters.
    data : dict
        The same as data for JSON.
    """

    heading: str
    lines: Callable[[int], Iterator[str]]
    data: dict[str, Any]
    warnings: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        return self.data

    def text(self, width: int) -> str:
        """Return plain text in lines of `width` characters."""
        return "\n".join([self.heading, "", *self.lines(width)]).rstrip() + "\n"

    def markdown(self, width: int) -> str:
        """Return Markdown: a heading and one block of code."""
        return "\n".join([f"# {self.heading}", "", *(f"    {line}".rstrip() for line in self.lines(width))]) + "\n"


def explain_request(request: ExplainRequest, notify: Notify) -> PipelineReport | KernelReport:
    """Explain what is asked.

    Parameters
    ----------
    request : ExplainRequest
    notify : callable
        Called with each note for the user, such as what was left off an image.

    Raises
    ------
    UsageError, KernelError, DocumentError
        If the request, a kernel or a pipeline is not valid.
    ImageError, FilterError
        If the image cannot be read, or a kernel does not fit it.
    """
    request.check()
    against = [request.against] if request.against and not _is_pipeline(request.against) else []
    for spec in dict.fromkeys([*request.kernels, *against]):
        for note in hiding_notes(spec):
            notify(note)
    if request.at is not None:
        return _output_report(request, request.at, notify)
    if request.matrix:
        return _matrix_report(request, notify)
    found = _explanation(request, notify)
    if request.against is None:
        return PipelineReport(found)
    # What is compared is compared on images of the same size.
    if _is_pipeline(request.against):
        other = explain(find_document(request.against), found.input)
    else:
        other = explain(filters_document([request.against], request.options), found.input)
    # Kernels are called by their whole SPECs, and pipelines by their files where both have one name.
    alike = found.name == other.name
    names = request.kernels or [request.target or ""]
    return PipelineReport(_named(found, names, alike), _named(other, [request.against], alike))


def _is_pipeline(text: str) -> bool:
    """Whether a text means a pipeline; a kernel of that name and a file go first."""
    return names_pipeline(text) and (text.lower().endswith(".yaml") or not (is_file(text) or find(text)))


def _named(explanation: Explanation, specs: Sequence[str], alike: bool) -> Explanation:
    return explanation if _is_pipeline(specs[0]) and not alike else replace(explanation, name=" then ".join(specs))


def _explanation(request: ExplainRequest, notify: Notify) -> Explanation:
    """Explain a pipeline, or kernels as one."""
    target, size = request.target, request.input_size
    if target is not None and _is_pipeline(target):
        document = find_document(target, request.constants)
        given, channels = document.input.size, document.input.channels
        if size is None and given is None:
            raise UsageError(f"{target}: does not say how large images are: give --input-size HxWxC, as 224x224x3")
        rows, columns, *rest = size or given or ()
        if not rest and channels is None:
            raise UsageError(f"{target}: does not say how many channels images have: give --input-size HxWxC")
        return explain(document, (rows, columns, rest[0] if rest else channels or 1))
    document = filters_document(request.kernels, request.options)
    if target is not None:
        size = _pixels(target, request.gray, notify).shape
    if size is None:
        raise UsageError("give the size of the images, --input-size HxWxC, or an image")
    image: Shape = (size[0], size[1], size[2] if len(size) == 3 else 1)
    return explain(document, image)


def _output_report(request: ExplainRequest, at: tuple[int, int], notify: Notify) -> KernelReport:
    (spec,), target = request.kernels, request.target or "-"
    kernel = load_kernel(spec)
    outputs = explain_output(_pixels(target, request.gray, notify), kernel, request.options, at)
    data = {"image": target, "kernel": spec, "at": list(at), "padding": request.options.padding}
    return KernelReport(
        f"{kernel.name}, {place_line(outputs[0].parts[0], at)}",
        lambda width: output_lines(outputs, request.options, width),
        data | {"channels": [output.record() for output in outputs]},
    )


def _matrix_report(request: ExplainRequest, notify: Notify) -> KernelReport:
    (spec,), size = request.kernels, request.input_size
    kernel = load_kernel(spec)
    if request.target is not None:
        size = _pixels(request.target, request.gray, notify).shape
    if size is None:
        raise UsageError("give the size of a small image, such as --input-size 4x5")
    found = filter_matrix(kernel, (size[0], size[1]), request.options)
    return KernelReport(
        f"{kernel.name} as a matrix",
        lambda width: matrix_lines(found, width),
        {"kernel": spec, "padding": request.options.padding} | found.record(),
    )


def _pixels(path: str, gray: bool, notify: Notify) -> NDArray[Any]:
    """Read the colours of an image, without opacity."""
    image = decode_image(sys.stdin.buffer.read(), "standard input") if path == "-" else read_image(path)
    for note in image.notes:
        notify(f"{path}: {note}")
    if image.alpha:
        notify(f"{path}: its opacity is left off")
    pixels = image.pixels[..., : image.size[2] - image.alpha]
    return tone.to_gray(pixels) if gray else pixels
