"""What a pipeline sees, keeps and computes, worked out from sizes alone.

Along an axis output i of a step sees the samples from first to last of the image, counted from 0 at its first one and
going beyond its ends where there is padding. For a step that reads `window` samples, `dilation` apart, from
`i stride - before` on,

    first'(i) = first(i stride - before)            last'(i) = last(i stride - before + dilation (window - 1))
    jump'     = jump stride

where jump is how far neighbouring outputs lie apart on the image. The receptive field is last - first + 1, the offset
the middle of the first output's (Dumoulin and Visin 2016; Araujo, Norris and Sim 2019). A step that enlarges divides
the jump; its outputs then see more or less of the image by turns, and the largest counts. Where branches join, the
field reaches over all of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.errors import ConvcliError
from convcli.pipeline.document.graph import needed
from convcli.pipeline.document.loading import Document, Node
from convcli.pipeline.document.model import INPUT, SOURCES
from convcli.pipeline.steps.base import Setting, pair
from convcli.pipeline.steps.convs import TransposedConv
from convcli.pipeline.steps.joins import Add, Concat
from convcli.pipeline.steps.properties import Facts, Pair, Shape

BYTES = 4  # of a float32 sample or weight
# Weights of one step that are looked at, and multiply-adds spent, to write a chain of linear steps as one kernel.
_MOST_WEIGHTS = 1 << 16
_MOST_WORK = 1 << 26
# Outputs that see more or less of the image by turns, which are followed one by one.
_MOST_TURNS = 1024


@dataclass(frozen=True)
class Sight:
    """What outputs see of the image along an axis: output i the samples from `at(i)[0]` to `at(i)[1]`.

    The outputs take turns: `firsts` and `lasts` are those of the first `period`, and each further period sees what lies
    `advance` further. `whole` says that all see all of the image, wherever they lie.
    """

    firsts: tuple[Fraction, ...] = (Fraction(0),)
    lasts: tuple[Fraction, ...] = (Fraction(0),)
    advance: Fraction = Fraction(1)
    whole: bool = False

    @property
    def period(self) -> int:
        return len(self.firsts)

    @property
    def jump(self) -> Fraction:
        """How far neighbouring outputs lie apart on the image, taken over a period."""
        return self.advance / self.period

    @property
    def field(self) -> int:
        """The receptive field: how many samples of the image an output depends on at most, from first to last."""
        width = max(last - first for first, last in zip(self.firsts, self.lasts, strict=True)) + 1
        return -(-width.numerator // width.denominator)

    @property
    def offset(self) -> Fraction:
        """Where the middle of the first output's field lies, as that of all in their even distance has it."""
        middles = sum((self.firsts[i] + self.lasts[i]) / 2 - i * self.jump for i in range(self.period))
        return Fraction(middles) / self.period

    def at(self, output: int) -> tuple[Fraction, Fraction]:
        """The first and last sample that an output sees, also for outputs that would lie before the first one."""
        periods, turn = divmod(output, self.period)
        return self.firsts[turn] + periods * self.advance, self.lasts[turn] + periods * self.advance

    def through(self, reads: "Reads", turns: int = 1, stride: int = 1) -> "Sight":
        """Look through one more step, of which `reads(i)` are the first and last sample that output i reads.

        Every `turns` outputs it reads the same, `stride` samples further.

        >>> seen = Sight().through(lambda i: (2 * i - 3, 2 * i + 3), stride=2)
        >>> seen.field, int(seen.jump), int(seen.offset)
        (7, 2, 0)
        >>> enlarged = Sight().through(lambda i: (i // 2, i // 2), turns=2)
        >>> enlarged.field, enlarged.jump, enlarged.offset
        (1, Fraction(1, 2), Fraction(-1, 4))
        """
        again = self.period // gcd(self.period, stride)
        advance = self.advance * again * stride / self.period
        period = again * turns
        if period > _MOST_TURNS:
            return self._evenly().through(reads, turns, stride) if self.period > 1 else self._about(reads, turns)
        spans = [reads(output) for output in range(period)]
        return Sight(
            tuple(self.at(span[0])[0] for span in spans), tuple(self.at(span[1])[1] for span in spans), advance
        )

    def _evenly(self) -> "Sight":
        """What is seen in one turn, so much of it that it holds for all."""
        firsts = min(first - i * self.jump for i, first in enumerate(self.firsts))
        lasts = max(last - i * self.jump for i, last in enumerate(self.lasts))
        return Sight((firsts,), (lasts,), self.jump)

    def _about(self, reads: "Reads", turns: int) -> "Sight":
        """See through a step of very many turns as through its first output."""
        first, last = reads(0)
        return Sight((self.at(first)[0],), (self.at(last)[1],), self.advance / turns)

    @staticmethod
    def joined(sights: Sequence["Sight"]) -> "Sight":
        """See what any of several inputs of one step sees."""
        jump = min(sight.jump for sight in sights)
        if any(sight.jump != jump for sight in sights):  # one of them is repeated for all places of another
            sights = [replace(sight._evenly(), advance=jump) for sight in sights]
        period = lcm(*(sight.period for sight in sights))
        if period > _MOST_TURNS:
            sights, period = [sight._evenly() for sight in sights], 1
        return Sight(
            tuple(min(sight.at(i)[0] for sight in sights) for i in range(period)),
            tuple(max(sight.at(i)[1] for sight in sights) for i in range(period)),
            jump * period,
            any(sight.whole for sight in sights),
        )


Reads = Callable[[int], tuple[int, int]]


def sights(document: Document, facts: Mapping[str, Facts], image: Shape) -> dict[str, tuple[Sight, Sight]]:
    """Work out what the outputs of each node see of the image, in rows and in columns."""
    seen = dict.fromkeys(SOURCES, (Sight(), Sight()))
    for node in document.nodes:
        seen[node.id] = _sight(node, facts[node.id], [seen[source] for source in node.sources], image)
    return seen


def _sight(node: Node, facts: Facts, inputs: Sequence[tuple[Sight, Sight]], image: Shape) -> tuple[Sight, Sight]:
    if not inputs:  # a file's content, which sees nothing of the image
        return Sight(), Sight()
    axes = []
    for axis in (0, 1):
        sight = Sight.joined([each[axis] for each in inputs])
        if facts.whole or sight.whole:
            # One output is left, or each sees everything: there is no next one to lie anywhere.
            jump = sight.jump if facts.output[axis] > 1 else Fraction(image[axis])
            axes.append(Sight((Fraction(0),), (Fraction(image[axis] - 1),), jump, whole=True))
            continue
        turns = facts.upsampling[axis]
        axes.append(sight.through(_reads(node, facts, axis), turns, facts.stride[axis]))
    return axes[0], axes[1]


def _reads(node: Node, facts: Facts, axis: int) -> Reads:
    """Which samples of its input each output of a step reads along an axis."""
    window, stride, factor = facts.window[axis], facts.stride[axis], facts.upsampling[axis]
    if isinstance(node.step, TransposedConv):
        return _transposed_reads(node.step, axis)
    if factor > 1:
        # Between two samples, where there are two, those on either side of the output's middle are read.
        return lambda output: (
            (output // factor, output // factor)
            if window == 1
            else ((2 * output + 1 - factor) // (2 * factor), -((factor - 1 - 2 * output) // (2 * factor)))
        )
    before, reach = facts.padding[axis][0], facts.dilation[axis] * (window - 1)
    return lambda output: (output * stride - before, output * stride - before + reach)


def _transposed_reads(step: TransposedConv, axis: int) -> Reads:
    """Sample j is laid on the outputs j stride - padding + t dilation, t counting the kernel's elements."""
    stride, padding, dilation = (pair(value)[axis] for value in (step.stride, step.padding, step.dilation))
    taps = step.kernel_size()[axis]

    def reads(output: int) -> tuple[int, int]:
        found = [place // stride for t in range(taps) if (place := output + padding - t * dilation) % stride == 0]
        # Where strides are wider than the kernel, some outputs are but the bias.
        nothing = (output + padding) // stride
        return min(found, default=nothing), max(found, default=nothing)

    return reads


@dataclass(frozen=True)
class Unread:
    """Samples along an axis of a step's input that none of its windows reads: beyond the last one, and between them."""

    after: int = 0
    between: int = 0


def unread(length: int, output: int, window: int, stride: int, dilation: int, before: int) -> Unread:
    """Count the samples of an axis that no window reads.

    >>> unread(10, 3, window=3, stride=3, dilation=1, before=0)
    Unread(after=1, between=0)
    >>> unread(8, 4, window=1, stride=2, dilation=1, before=0)
    Unread(after=0, between=4)
    """
    read = np.zeros(length, bool)
    starts = np.arange(output) * stride - before
    for tap in range(window):
        places = starts + tap * dilation
        read[places[(places >= 0) & (places < length)]] = True
    end = int(np.flatnonzero(read)[-1]) + 1 if read.any() else 0
    # What lies between windows lies behind the last one too.
    skipped = max(0, stride - dilation * (window - 1) - 1)
    after = length - end if length - end > skipped else 0
    return Unread(after, int(np.count_nonzero(~read)) - after)


def unread_samples(facts: Facts, given: Shape) -> tuple[Unread, Unread]:
    """Count the samples of a step's input that none of its windows reads, in rows and in columns."""
    if facts.whole or facts.upsampling != (1, 1):
        return Unread(), Unread()
    rows, columns = (
        unread(
            given[axis],
            facts.output[axis],
            facts.window[axis],
            facts.stride[axis],
            facts.dilation[axis],
            facts.padding[axis][0],
        )
        for axis in (0, 1)
    )
    return rows, columns


def samples(shape: Shape) -> int:
    """Count the samples of an image or a step's result.

    >>> samples((224, 224, 64))
    3211264
    """
    return shape[0] * shape[1] * shape[2]


def peak_samples(document: Document, sizes: Mapping[str, Shape]) -> int:
    """Count the samples that are held at once at most, each result being let go after the last step that reads it.

    `sizes` are those of the sources and of every node.
    """
    wanted = needed(document.nodes, document.output.source)
    nodes = [node for node in document.nodes if node.id in wanted]
    last_reader = {source: index for index, node in enumerate(nodes) for source in node.sources}
    last_reader[document.output.source] = len(nodes)
    held = {source for source in SOURCES if source in last_reader}
    peak = sum(samples(sizes[source]) for source in held)
    for index, node in enumerate(nodes):
        held.add(node.id)
        peak = max(peak, sum(samples(sizes[each]) for each in held))
        held = {each for each in held if last_reader.get(each, -1) > index}
    return peak


@dataclass(frozen=True, eq=False)
class Equivalent:
    """The one kernel, or bank of them, that several linear steps in a row equal, away from the edges and up to biases.

    `steps` are their ids, in order, and `root` that of what the first of them reads. `size` is the kernel's, `stride`
    how far its outputs lie apart, `first` the place of its upper left element for the first output. `weights`,
    (outputs, inputs, rows, columns), is None where they are not known or too many; `shared` is the one 2-D kernel where
    every channel has the same and no other.
    """

    root: str
    steps: tuple[str, ...]
    size: Pair
    stride: Pair
    first: Pair
    weights: NDArray[np.float64] | None = None

    @property
    def shared(self) -> NDArray[np.float64] | None:
        if self.weights is None or self.weights.shape[0] != self.weights.shape[1]:
            return None
        diagonal: NDArray[np.float64] = self.weights[0, 0]
        channels = len(self.weights)
        alone = np.eye(channels)[:, :, np.newaxis, np.newaxis] * diagonal
        return diagonal if np.array_equal(self.weights, alone) else None


def equivalents(document: Document, facts: Mapping[str, Facts], sizes: Mapping[str, Shape]) -> dict[str, Equivalent]:
    """Write every run of linear steps as one kernel, by the id of the last step of each part of a run.

    A step alone is there as well. Steps that are linear but no kernel, such as a flattening, end a run.
    """
    known: dict[str, Equivalent] = {}
    for node in document.nodes:
        about = facts[node.id]
        if not about.linear or about.whole or about.upsampling != (1, 1):
            continue
        if len(node.sources) == 1:
            alone = _alone(document, node, about, sizes[node.sources[0]])
            if alone is None:
                continue
            before = known.get(node.sources[0])
            known[node.id] = alone if before is None else _chained(before, alone)
        else:
            joined = _joined(node, known, sizes)
            if joined is not None:
                known[node.id] = joined
    return known


def _alone(document: Document, node: Node, facts: Facts, given: Shape) -> Equivalent | None:
    """A step as a kernel on its own input; None where it is linear, but no kernel."""
    span = _span(facts)
    found = Equivalent(node.sources[0], (node.id,), span, facts.stride, (-facts.padding[0][0], -facts.padding[1][0]))
    if facts.parameters > _MOST_WEIGHTS:
        return found
    try:
        bank = node.step.bank(given, setting=Setting(document.store, node.id))
    except ConvcliError:  # weights that are missing say nothing against the rest of the arithmetic
        return found
    if bank is None:
        return None
    return replace(found, weights=_dense(bank.dilated(facts.dilation)))


def _span(facts: Facts) -> Pair:
    (rows, columns), (down, across) = facts.window, facts.dilation
    return down * (rows - 1) + 1, across * (columns - 1) + 1


def _dense(bank: Bank) -> NDArray[np.float64] | None:
    """All kernels of a bank, those between channels that do not meet being zero."""
    if bank.outputs * bank.inputs * bank.size[0] * bank.size[1] > _MOST_WORK:
        return None
    dense = np.zeros((bank.outputs, bank.inputs, *bank.size))
    for output, channel, plane in bank.planes():
        dense[output, channel] = plane
    return dense


def _chained(one: Equivalent, two: Equivalent) -> Equivalent:
    """One kernel after the other: the second's elements lie as far apart on the image as the first's outputs do."""
    rows, columns = (one.size[axis] + one.stride[axis] * (two.size[axis] - 1) for axis in (0, 1))
    down, across = (one.first[axis] + one.stride[axis] * two.first[axis] for axis in (0, 1))
    stride = one.stride[0] * two.stride[0], one.stride[1] * two.stride[1]
    chained = Equivalent(one.root, (*one.steps, *two.steps), (rows, columns), stride, (down, across))
    if one.weights is None or two.weights is None:
        return chained
    first, second = one.weights, two.weights
    taps = second.shape[2] * second.shape[3]
    if (
        first.size * second.shape[0] * taps > _MOST_WORK
        or first.shape[1] * second.shape[0] * rows * columns > _MOST_WORK
    ):
        return chained
    weights = np.zeros((second.shape[0], first.shape[1], rows, columns))
    height, width = one.size
    for v in range(second.shape[2]):
        for u in range(second.shape[3]):
            top, left = v * one.stride[0], u * one.stride[1]
            weights[:, :, top : top + height, left : left + width] += np.einsum(
                "om,miyx->oiyx", second[:, :, v, u], first
            )
    return replace(chained, weights=weights)


def _joined(node: Node, known: Mapping[str, Equivalent], sizes: Mapping[str, Shape]) -> Equivalent | None:
    """Branches that are added or concatenated, where all of them are kernels on one and the same input."""
    if not isinstance(node.step, Add | Concat):
        return None
    places = {sizes[source] if isinstance(node.step, Add) else sizes[source][:2] for source in node.sources}
    if len(places) > 1:  # one is repeated for all channels or pixels of another
        return None
    factors = (isinstance(node.step, Add) and node.step.factors) or [1.0] * len(node.sources)
    roots = [known[source].root if source in known else source for source in node.sources]
    root = next((root for root in roots if root in node.sources), roots[0])
    branches = list(_branches(node, known, sizes, root))
    if len(branches) < len(node.sources) or len({branch.stride for branch in branches}) > 1:
        return None
    top, left = (min(branch.first[axis] for branch in branches) for axis in (0, 1))
    rows, columns = (
        max(branch.first[axis] + branch.size[axis] for branch in branches) - least
        for axis, least in enumerate((top, left))
    )
    steps = tuple(dict.fromkeys(step for branch in branches for step in branch.steps))
    joined = Equivalent(root, (*steps, node.id), (rows, columns), branches[0].stride, (top, left))
    laid = []
    for branch, factor in zip(branches, factors, strict=True):
        if branch.weights is None:
            return joined
        whole = np.zeros((*branch.weights.shape[:2], rows, columns))
        y, x = branch.first[0] - top, branch.first[1] - left
        whole[:, :, y : y + branch.size[0], x : x + branch.size[1]] = factor * branch.weights
        laid.append(whole)
    weights = np.concatenate(laid) if isinstance(node.step, Concat) else sum(laid[1:], start=laid[0])
    return replace(joined, weights=weights)


def _branches(
    node: Node, known: Mapping[str, Equivalent], sizes: Mapping[str, Shape], root: str
) -> Iterator[Equivalent]:
    for source in node.sources:
        if source == root:  # the input itself, kept beside what is made of it
            channels = sizes[source][2]
            identity = np.eye(channels)[:, :, np.newaxis, np.newaxis] if channels <= 1024 else None
            yield Equivalent(root, (), (1, 1), (1, 1), (0, 0), identity)
        elif source in known and known[source].root == root:
            yield known[source]


def all_sizes(document: Document, facts: Mapping[str, Facts], image: Shape) -> dict[str, Shape]:
    """List the sizes of the sources and of every node's result."""
    sizes: dict[str, Shape] = dict.fromkeys(SOURCES, (image[0], image[1], 1)) | {INPUT: image}
    return sizes | {node.id: facts[node.id].output for node in document.nodes}
