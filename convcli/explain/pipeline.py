"""A pipeline explained: sizes, costs and receptive fields of each step, as data for tables, JSON and Markdown."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal, cast

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.explain.equivalent_kernels import EquivalentKernel, equivalent_kernels
from convcli.explain.receptive_fields import ReceptiveField, receptive_fields
from convcli.explain.sample_counts import BYTES, all_sizes, peak_samples, samples, unread_samples
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.model import INPUT, SOURCES, Document, InputSpec, Node, OutputSpec
from convcli.pipeline.steps.base import size_text
from convcli.pipeline.steps.filters import Filter
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties
from convcli.pipeline.weights.store import WeightStore

# Numbers of a bank that are written into JSON.
_MOST_WRITTEN = 4096
Number = int | float


@dataclass(frozen=True, eq=False)
class StepRecord:
    """Sizes, costs and receptive field of one step. Pairs are (rows, columns).

    Attributes
    ----------
    name, step : str
        Id in the document, and name of the step.
    inputs : tuple of str
        Ids of what it reads.
    output, formula, window, stride, dilation, padding, upsampling, parameters, macs, linear
        As in `StepProperties`.
    activation_bytes : int
        Size of the result in float32.
    receptive_field : tuple of (int, int)
        Number of the image's samples that one output depends on.
    jump, offset : tuple of (Fraction, Fraction)
        Distance between neighbouring outputs on the image, and the middle of the first output's field, in samples.
    whole : bool
        Whether each output depends on the whole image.
    reads_all : bool
        Whether that is because of this step.
    dense_parameters : int
        Number of weights of a dense layer from each sample to each output in its place; 0 for steps without weights.
    equivalent : EquivalentKernel or None
        The one kernel that this and the linear steps before it equal.
    """

    name: str
    step: str
    inputs: tuple[str, ...]
    output: Shape
    formula: str
    window: Pair
    stride: Pair
    dilation: Pair
    padding: tuple[Pair, Pair]
    upsampling: Pair
    parameters: int
    macs: int
    activation_bytes: int
    receptive_field: Pair
    jump: tuple[Fraction, Fraction]
    offset: tuple[Fraction, Fraction]
    whole: bool
    reads_all: bool
    linear: bool
    dense_parameters: int
    equivalent: EquivalentKernel | None

    def record(self) -> dict[str, Any]:
        """Return the step as data for JSON."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True)
class PipelineTotals:
    """Sums over the steps of a pipeline, and the receptive field of its result.

    `peak_activation_bytes` is the largest size of the results held at once; the other names are those of `StepRecord`.
    """

    output: Shape
    parameters: int
    parameter_bytes: int
    macs: int
    activation_bytes: int
    peak_activation_bytes: int
    receptive_field: Pair
    jump: tuple[Fraction, Fraction]
    offset: tuple[Fraction, Fraction]
    whole: bool
    dense_parameters: int

    def record(self) -> dict[str, Any]:
        """Return the totals as data for JSON."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, eq=False)
class Explanation:
    """A pipeline explained for images of one size; `warnings` name the steps that leave out samples."""

    name: str
    summary: str
    input: Shape
    steps: tuple[StepRecord, ...]
    totals: PipelineTotals
    warnings: tuple[str, ...]

    @property
    def runs(self) -> tuple[EquivalentKernel, ...]:
        """The longest runs of linear steps, as the kernels that they equal."""
        found = [step.equivalent for step in self.steps if step.equivalent is not None]
        return tuple(one for one in found if not any(set(one.steps) < set(other.steps) for other in found))

    def record(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        return {
            "name": self.name,
            "summary": self.summary,
            "input": list(self.input),
            "steps": [step.record() for step in self.steps],
            "totals": self.totals.record(),
            "warnings": list(self.warnings),
        }


def explain(document: Document, image: Shape) -> Explanation:
    """Work out sizes, costs and receptive fields of each step of a pipeline.

    Parameters
    ----------
    document : Document
    image : tuple of (int, int, int)
        Rows, columns and channels of the images.

    Returns
    -------
    Explanation

    Raises
    ------
    DocumentError
        If sizes do not go together, naming the step.

    Examples
    --------
    >>> from convcli.pipeline.document.loading import parse_document
    >>> conv = "conv: {out: 1, kernel: 3, bias: false}"
    >>> twice = explain(parse_document(f"steps: [{{{conv}}}, {{{conv}}}]"), (32, 32, 1))
    >>> twice.totals.parameters, twice.totals.receptive_field, twice.steps[1].formula
    (18, (5, 5), '30 - 3 + 1 = 28')
    """
    properties = document_properties(document, image)
    sizes = all_sizes(document, properties, image)
    seen = receptive_fields(document, properties, image)
    kernels = equivalent_kernels(document, properties, sizes)
    steps = tuple(_step(node, properties[node.id], sizes, seen, kernels.get(node.id)) for node in document.written)
    output = document.output.source
    rows, columns = seen[output]
    totals = PipelineTotals(
        output=sizes[output],
        parameters=sum(step.parameters for step in steps),
        parameter_bytes=BYTES * sum(step.parameters for step in steps),
        macs=sum(step.macs for step in steps),
        activation_bytes=sum(step.activation_bytes for step in steps),
        peak_activation_bytes=BYTES * peak_samples(document, sizes),
        receptive_field=(rows.field, columns.field),
        jump=(rows.jump, columns.jump),
        offset=(rows.offset, columns.offset),
        whole=rows.whole,
        dense_parameters=sum(step.dense_parameters for step in steps),
    )
    warnings = tuple(
        warning for node in document.written for warning in _warnings(node, properties[node.id], sizes[_first(node)])
    )
    return Explanation(document.name, document.summary, image, steps, totals, warnings)


def filters_document(specs: Sequence[str], options: ConvolveOptions) -> Document:
    """Return the pipeline that `convcli filter` runs for kernels applied one after the other.

    Parameters
    ----------
    specs : sequence of str
        The kernels, as SPECs.
    options : ConvolveOptions
        Options of all of them.

    Raises
    ------
    KernelError, UsageError
        If a SPEC is not valid, or there are several padding values.
    """
    if isinstance(options.padding_value, tuple):
        raise UsageError("--padding-value takes one number here")
    counts: Counter[str] = Counter()
    nodes = []
    before = INPUT
    for spec in specs:
        name = load_kernel(spec).name
        counts[name] += 1
        step = Filter(
            kernel=spec,
            padding=options.padding,
            padding_value=options.padding_value,
            extent=cast(Literal["same", "valid", "full"], options.extent),
            flip=options.flip,
            anchor=options.anchor,
            stride=options.stride,
            dilation=options.dilation,
        )
        node = Node(name if counts[name] == 1 else f"{name}_{counts[name]}", step, (before,), f"-k {spec}")
        nodes.append(node)
        before = node.id
    chain = tuple(nodes)
    name = "_".join(node.id for node in chain)
    return Document("-k", name, "", InputSpec(), chain, chain, OutputSpec(before), WeightStore())


def _step(
    node: Node,
    properties: StepProperties,
    sizes: Mapping[str, Shape],
    seen: Mapping[str, tuple[ReceptiveField, ReceptiveField]],
    equivalent: EquivalentKernel | None,
) -> StepRecord:
    rows, columns = seen[node.id]
    weighted = node.step.replaces_dense and properties.linear
    return StepRecord(
        name=node.id,
        step=node.step.name,
        inputs=node.sources,
        output=properties.output,
        formula=properties.formula,
        window=properties.window,
        stride=properties.stride,
        dilation=properties.dilation,
        padding=properties.padding,
        upsampling=properties.upsampling,
        parameters=properties.parameters,
        macs=properties.macs,
        activation_bytes=BYTES * samples(properties.output),
        receptive_field=(rows.field, columns.field),
        jump=(rows.jump, columns.jump),
        offset=(rows.offset, columns.offset),
        whole=rows.whole,
        reads_all=properties.whole,
        linear=properties.linear,
        dense_parameters=samples(sizes[node.sources[0]]) * samples(properties.output) if weighted else 0,
        equivalent=equivalent if equivalent is not None and len(equivalent.steps) > 1 else None,
    )


def _first(node: Node) -> str:
    return node.sources[0] if node.sources else SOURCES[0]


def _warnings(node: Node, properties: StepProperties, given: Shape) -> Iterator[str]:
    """Yield a warning for samples of its input that a step leaves out."""
    unread = unread_samples(properties, given)
    if not node.sources or node.step.name == "crop":
        return
    stride = pair_text(properties.stride)
    lost = [
        f"the last {each.after} {axis if each.after == 1 else axis + 's'} of {given[index]}"
        for index, (axis, each) in enumerate(zip(("row", "column"), unread, strict=True))
        if each.after
    ]
    if lost:
        yield (
            f"{node.id}: no window reads {' and '.join(lost)}: a stride of {stride} does not come out even at "
            f"{size_text(given)}; pad by more, or take an image of another size"
        )
    if any(each.between for each in unread):
        share = 1.0
        for index, each in enumerate(unread):
            share *= 1 - each.between / (given[index] - each.after)
        yield (
            f"{node.id}: windows of {size_text(properties.window)} at stride {stride} skip samples between them: "
            f"{share:.0%} of the input is read"
        )


def pair_text(value: Pair) -> str:
    """Return a pair as one number where both are equal, else as on the command line.

    >>> pair_text((2, 2)), pair_text((2, 1))
    ('2', '2,1')
    """
    return str(value[0]) if value[0] == value[1] else f"{value[0]},{value[1]}"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: tuples as lists, fractions as numbers."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return _equivalent_record(value) if isinstance(value, EquivalentKernel) else value


def _equivalent_record(found: EquivalentKernel) -> dict[str, Any]:
    shared, weights = found.shared, found.weights
    written = shared is None and weights is not None and weights.size <= _MOST_WRITTEN
    return {
        "of": list(found.steps),
        "input": found.root,
        "size": list(found.size),
        "stride": list(found.stride),
        "first": list(found.first),
        "weights": None if shared is None else shared.tolist(),
        "bank": weights.tolist() if written and weights is not None else None,
    }
