"""A pipeline explained: its arithmetic step by step, as data for tables, JSON and Markdown."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, cast

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.explain import arithmetic
from convcli.explain.arithmetic import BYTES, Equivalent, Sight, samples
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.graph import facts_of
from convcli.pipeline.document.loading import Document, InputSpec, Node, OutputSpec
from convcli.pipeline.document.model import INPUT, SOURCES
from convcli.pipeline.steps.base import size_text
from convcli.pipeline.steps.filters import Filter
from convcli.pipeline.steps.properties import Facts, Pair, Shape
from convcli.pipeline.weights.store import WeightStore

# Steps whose weights a matrix from every sample to every output would hold instead.
_WEIGHTED = ("conv", "filter", "linear", "transposed_conv")
# Numbers of a bank that are written into JSON.
_MOST_WRITTEN = 4096
Number = int | float


@dataclass(frozen=True, eq=False)
class StepRecord:
    """The arithmetic of one step. Pairs are rows, columns; what is counted in samples of the image may be a fraction.

    `receptive_field` is how many samples of the image one output depends on, `jump` how far apart on it neighbouring
    outputs lie, `offset` where the middle of the first one's field lies; `whole` says that each sees the whole image,
    and `reads_all` that this step is the reason.
    `dense_parameters` is how many weights a dense layer from each sample to each output would have in its place, 0 for
    steps without weights.
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
    equivalent: Equivalent | None

    def record(self) -> dict[str, Any]:
        """Give the step as JSON-ready data."""
        return {
            "name": self.name,
            "step": self.step,
            "inputs": list(self.inputs),
            "output": list(self.output),
            "formula": self.formula,
            "window": list(self.window),
            "stride": list(self.stride),
            "dilation": list(self.dilation),
            "padding": [list(ends) for ends in self.padding],
            "upsampling": list(self.upsampling),
            "parameters": self.parameters,
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
            "receptive_field": list(self.receptive_field),
            "jump": [_number(each) for each in self.jump],
            "offset": [_number(each) for each in self.offset],
            "whole": self.whole,
            "reads_all": self.reads_all,
            "linear": self.linear,
            "dense_parameters": self.dense_parameters,
            "equivalent": None if self.equivalent is None else _equivalent_record(self.equivalent),
        }


@dataclass(frozen=True)
class Totals:
    """The sums over a pipeline, and what its result sees. `peak_activation_bytes` are held at once at most."""

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
        """Give the totals as JSON-ready data."""
        return {
            "output": list(self.output),
            "parameters": self.parameters,
            "parameter_bytes": self.parameter_bytes,
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
            "peak_activation_bytes": self.peak_activation_bytes,
            "receptive_field": list(self.receptive_field),
            "jump": [_number(each) for each in self.jump],
            "offset": [_number(each) for each in self.offset],
            "whole": self.whole,
            "dense_parameters": self.dense_parameters,
        }


@dataclass(frozen=True, eq=False)
class Explanation:
    """A pipeline explained for images of one size. `warnings` name the steps that leave samples out."""

    name: str
    summary: str
    input: Shape
    steps: tuple[StepRecord, ...]
    totals: Totals
    warnings: tuple[str, ...]

    @property
    def runs(self) -> tuple[Equivalent, ...]:
        """The longest runs of linear steps, each with the kernel that it equals."""
        found = [step.equivalent for step in self.steps if step.equivalent is not None]
        return tuple(one for one in found if not any(set(one.steps) < set(other.steps) for other in found))

    def record(self) -> dict[str, Any]:
        """Give everything as JSON-ready data."""
        return {
            "name": self.name,
            "summary": self.summary,
            "input": list(self.input),
            "steps": [step.record() for step in self.steps],
            "totals": self.totals.record(),
            "warnings": list(self.warnings),
        }


def explain(document: Document, image: Shape) -> Explanation:
    """Work out what each step of a pipeline makes, sees and costs for images of a size (rows, columns, channels).

    >>> from convcli.pipeline.document.loading import parse_document
    >>> conv = "conv: {out: 1, kernel: 3, bias: false}"
    >>> twice = explain(parse_document(f"steps: [{{{conv}}}, {{{conv}}}]"), (32, 32, 1))
    >>> twice.totals.parameters, twice.totals.receptive_field, twice.steps[1].formula
    (18, (5, 5), '30 - 3 + 1 = 28')

    Raises
    ------
    DocumentError
        where sizes do not go together, naming the step.
    """
    facts = facts_of(document, image)
    sizes = arithmetic.all_sizes(document, facts, image)
    seen = arithmetic.sights(document, facts, image)
    kernels = arithmetic.equivalents(document, facts, sizes)
    steps = tuple(_step(node, facts[node.id], sizes, seen, kernels.get(node.id)) for node in document.written)
    output = document.output.source
    rows, columns = seen[output]
    totals = Totals(
        output=sizes[output],
        parameters=sum(step.parameters for step in steps),
        parameter_bytes=BYTES * sum(step.parameters for step in steps),
        macs=sum(step.macs for step in steps),
        activation_bytes=sum(step.activation_bytes for step in steps),
        peak_activation_bytes=BYTES * arithmetic.peak_samples(document, sizes),
        receptive_field=(rows.field, columns.field),
        jump=(rows.jump, columns.jump),
        offset=(rows.offset, columns.offset),
        whole=rows.whole,
        dense_parameters=sum(step.dense_parameters for step in steps),
    )
    warnings = tuple(
        warning for node in document.written for warning in _warnings(node, facts[node.id], sizes[_first(node)])
    )
    return Explanation(document.name, document.summary, image, steps, totals, warnings)


def filters_document(specs: Sequence[str], options: ConvolveOptions) -> Document:
    """Make the pipeline that `convcli filter` runs for these kernels, one after the other, with these options.

    Raises KernelError and UsageError for kernels and options that are none.
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


@dataclass(frozen=True)
class Comparison:
    """One figure of two pipelines: the first is `ratio` times the second; NaN where that has none."""

    figure: str
    one: Number
    other: Number

    @property
    def ratio(self) -> float:
        return self.one / self.other if self.other else float("nan")


def compare(one: Explanation, other: Explanation) -> tuple[Comparison, ...]:
    """Set the figures of two pipelines side by side."""
    pairs: list[tuple[str, Number, Number]] = [
        (figure, getattr(one.totals, figure), getattr(other.totals, figure))
        for figure in ("parameters", "macs", "activation_bytes", "peak_activation_bytes")
    ]
    for axis, name in enumerate(("rows", "columns")):
        pairs.append((f"receptive_field_{name}", one.totals.receptive_field[axis], other.totals.receptive_field[axis]))
    for axis, name in enumerate(("rows", "columns", "channels")):
        pairs.append((f"output_{name}", one.totals.output[axis], other.totals.output[axis]))
    pairs.append(("steps", len(one.steps), len(other.steps)))
    return tuple(Comparison(*each) for each in pairs)


def comparison_record(one: Explanation, other: Explanation) -> dict[str, Any]:
    """Give a comparison as JSON-ready data: the explanation of the first, that of the second, and the ratios."""
    ratios = {each.figure: each.ratio if each.other else None for each in compare(one, other)}
    return one.record() | {"against": other.record(), "ratios": ratios}


def _step(
    node: Node,
    facts: Facts,
    sizes: Mapping[str, Shape],
    seen: Mapping[str, tuple[Sight, Sight]],
    equivalent: Equivalent | None,
) -> StepRecord:
    rows, columns = seen[node.id]
    weighted = node.step.name in _WEIGHTED and facts.linear
    return StepRecord(
        name=node.id,
        step=node.step.name,
        inputs=node.sources,
        output=facts.output,
        formula=facts.formula,
        window=facts.window,
        stride=facts.stride,
        dilation=facts.dilation,
        padding=facts.padding,
        upsampling=facts.upsampling,
        parameters=facts.parameters,
        macs=facts.macs,
        activation_bytes=BYTES * samples(facts.output),
        receptive_field=(rows.field, columns.field),
        jump=(rows.jump, columns.jump),
        offset=(rows.offset, columns.offset),
        whole=rows.whole,
        reads_all=facts.whole,
        linear=facts.linear,
        dense_parameters=samples(sizes[node.sources[0]]) * samples(facts.output) if weighted else 0,
        equivalent=equivalent if equivalent is not None and len(equivalent.steps) > 1 else None,
    )


def _first(node: Node) -> str:
    return node.sources[0] if node.sources else SOURCES[0]


def _warnings(node: Node, facts: Facts, given: Shape) -> Iterator[str]:
    """Say which samples of its input a step leaves out."""
    unread = arithmetic.unread_samples(facts, given)
    if not node.sources or node.step.name == "crop":
        return
    lost = [
        f"the last {each.after} {_plural(axis, each.after)} of {given[index]}"
        for index, (axis, each) in enumerate(zip(("row", "column"), unread, strict=True))
        if each.after
    ]
    if lost:
        yield (
            f"{node.id}: no window reads {' and '.join(lost)}: a stride of {pair_text(facts.stride)} does not come out "
            f"even at {size_text(given)}; pad by more, or take an image of another size"
        )
    if any(each.between for each in unread):
        share = 1.0
        for index, each in enumerate(unread):
            share *= 1 - each.between / (given[index] - each.after)
        yield (
            f"{node.id}: windows of {size_text_of(facts.window)} at stride {pair_text(facts.stride)} skip samples "
            f"between them: {share:.0%} of the input is read"
        )


def pair_text(value: Pair) -> str:
    """Write a pair as one number where both are alike, else as on the command line.

    >>> pair_text((2, 2)), pair_text((2, 1))
    ('2', '2,1')
    """
    return str(value[0]) if value[0] == value[1] else f"{value[0]},{value[1]}"


def size_text_of(value: Pair) -> str:
    """Write rows and columns for people.

    >>> size_text_of((3, 5))
    '3x5'
    """
    return f"{value[0]}x{value[1]}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _number(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else float(value)


def _equivalent_record(found: Equivalent) -> dict[str, Any]:
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
