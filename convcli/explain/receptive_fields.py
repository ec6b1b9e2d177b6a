"""Receptive fields: which samples of the image the outputs of each step depend on, from sizes alone.

Along an axis, output i of a step depends on the image's samples first(i) to last(i), counted from 0 and going beyond
the ends where there is padding. For a step that reads `window` samples, `dilation` apart, from `i stride - before` on,

    first'(i) = first(i stride - before)            last'(i) = last(i stride - before + dilation (window - 1))
    jump'     = jump stride

where jump is the distance between neighbouring outputs on the image. The receptive field is last - first + 1, and the
offset is the middle of the first output's field (Dumoulin and Visin 2016; Araujo, Norris and Sim 2019). A step that
enlarges divides the jump; its outputs then take turns in the width of their fields, and the largest counts. Where
branches join, the field spans all of theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, lcm

from convcli.pipeline.document.model import SOURCES, Document, Node
from convcli.pipeline.steps.base import pair
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.pipeline.steps.transposed_conv import TransposedConv

# Outputs that take turns in what they read are followed one by one up to this number of turns.
_MOST_TURNS = 1024

# For an output, the first and the last input sample that it reads.
Reads = Callable[[int], tuple[int, int]]


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive fields of a step's outputs along one axis of the image.

    Attributes
    ----------
    firsts, lasts : tuple of Fraction
        The first and last sample that each of the first outputs depends on. The fields repeat after so many outputs, a
        period.
    advance : Fraction
        How many samples further the fields of the next period lie.
    whole : bool
        Whether all outputs depend on the whole image.
    """

    firsts: tuple[Fraction, ...] = (Fraction(0),)
    lasts: tuple[Fraction, ...] = (Fraction(0),)
    advance: Fraction = Fraction(1)
    whole: bool = False

    @property
    def period(self) -> int:
        """Number of outputs after which the fields repeat."""
        return len(self.firsts)

    @property
    def jump(self) -> Fraction:
        """Distance between neighbouring outputs on the image, averaged over a period."""
        return self.advance / self.period

    @property
    def field(self) -> int:
        """The largest number of samples, from first to last, that one output depends on."""
        width = max(last - first for first, last in zip(self.firsts, self.lasts, strict=True)) + 1
        return -(-width.numerator // width.denominator)

    @property
    def offset(self) -> Fraction:
        """Middle of the first output's field, averaged over a period."""
        middles = sum((self.firsts[i] + self.lasts[i]) / 2 - i * self.jump for i in range(self.period))
        return Fraction(middles) / self.period

    def at(self, output: int) -> tuple[Fraction, Fraction]:
        """Return the first and last sample that an output depends on; `output` may be negative."""
        periods, turn = divmod(output, self.period)
        return self.firsts[turn] + periods * self.advance, self.lasts[turn] + periods * self.advance

    def after_step(self, reads: Reads, turns: int = 1, stride: int = 1) -> "ReceptiveField":
        """Return the fields after one more step.

        Parameters
        ----------
        reads : callable
            For an output of the step, the first and last sample of its input that it reads.
        turns, stride : int
            `turns` outputs further, a step reads the same, `stride` samples further.

        Examples
        --------
        >>> seen = ReceptiveField().after_step(lambda i: (2 * i - 3, 2 * i + 3), stride=2)
        >>> seen.field, int(seen.jump), int(seen.offset)
        (7, 2, 0)
        >>> enlarged = ReceptiveField().after_step(lambda i: (i // 2, i // 2), turns=2)
        >>> enlarged.field, enlarged.jump, enlarged.offset
        (1, Fraction(1, 2), Fraction(-1, 4))
        """
        again = self.period // gcd(self.period, stride)
        advance = self.advance * again * stride / self.period
        period = again * turns
        if period > _MOST_TURNS:
            return self._evenly().after_step(reads, turns, stride) if self.period > 1 else self._about(reads, turns)
        spans = [reads(output) for output in range(period)]
        return ReceptiveField(
            tuple(self.at(span[0])[0] for span in spans), tuple(self.at(span[1])[1] for span in spans), advance
        )

    def _evenly(self) -> "ReceptiveField":
        """Return fields of period 1 that hold those of every turn."""
        firsts = min(first - i * self.jump for i, first in enumerate(self.firsts))
        lasts = max(last - i * self.jump for i, last in enumerate(self.lasts))
        return ReceptiveField((firsts,), (lasts,), self.jump)

    def _about(self, reads: Reads, turns: int) -> "ReceptiveField":
        """Return the fields after a step of very many turns, as if all outputs read what the first one reads."""
        first, last = reads(0)
        return ReceptiveField((self.at(first)[0],), (self.at(last)[1],), self.advance / turns)

    @staticmethod
    def spanning(fields: Sequence["ReceptiveField"]) -> "ReceptiveField":
        """Return the fields of a step with several inputs: each spans those of all inputs."""
        jump = min(field.jump for field in fields)
        if any(field.jump != jump for field in fields):  # one of them is repeated for all places of another
            fields = [replace(field._evenly(), advance=jump) for field in fields]
        period = lcm(*(field.period for field in fields))
        if period > _MOST_TURNS:
            fields, period = [field._evenly() for field in fields], 1
        return ReceptiveField(
            tuple(min(field.at(i)[0] for field in fields) for i in range(period)),
            tuple(max(field.at(i)[1] for field in fields) for i in range(period)),
            jump * period,
            any(field.whole for field in fields),
        )


def receptive_fields(
    document: Document, properties: Mapping[str, StepProperties], image: Shape
) -> dict[str, tuple[ReceptiveField, ReceptiveField]]:
    """Return the receptive fields of each node's outputs on the image, by id.

    Parameters
    ----------
    document : Document
    properties : mapping of str to StepProperties
        Those of every node.
    image : tuple of (int, int, int)
        Size of the image.

    Returns
    -------
    dict of str to (ReceptiveField, ReceptiveField)
        Along rows and along columns.
    """
    seen = dict.fromkeys(SOURCES, (ReceptiveField(), ReceptiveField()))
    for node in document.nodes:
        seen[node.id] = _fields(node, properties[node.id], [seen[source] for source in node.sources], image)
    return seen


def _fields(
    node: Node, properties: StepProperties, inputs: Sequence[tuple[ReceptiveField, ReceptiveField]], image: Shape
) -> tuple[ReceptiveField, ReceptiveField]:
    if not inputs:  # the content of a file, which does not depend on the image
        return ReceptiveField(), ReceptiveField()
    axes = []
    for axis in (0, 1):
        field = ReceptiveField.spanning([each[axis] for each in inputs])
        if properties.whole or field.whole:
            # Where one output is left, there is no neighbour at any distance: the jump is the image's length.
            jump = field.jump if properties.output[axis] > 1 else Fraction(image[axis])
            axes.append(ReceptiveField((Fraction(0),), (Fraction(image[axis] - 1),), jump, whole=True))
            continue
        turns = properties.upsampling[axis]
        axes.append(field.after_step(_reads(node, properties, axis), turns, properties.stride[axis]))
    return axes[0], axes[1]


def _reads(node: Node, properties: StepProperties, axis: int) -> Reads:
    """Return which samples of its input each output of a step reads along an axis."""
    window, stride, factor = properties.window[axis], properties.stride[axis], properties.upsampling[axis]
    if isinstance(node.step, TransposedConv):
        return _transposed_reads(node.step, axis)
    if factor > 1:
        # Interpolation reads the two samples on either side of the output's middle.
        return lambda output: (
            (output // factor, output // factor)
            if window == 1
            else ((2 * output + 1 - factor) // (2 * factor), -((factor - 1 - 2 * output) // (2 * factor)))
        )
    before, reach = properties.padding[axis][0], properties.dilation[axis] * (window - 1)
    return lambda output: (output * stride - before, output * stride - before + reach)


def _transposed_reads(step: TransposedConv, axis: int) -> Reads:
    """Return what a transposed convolution reads: sample j adds to outputs j stride - padding + tap dilation."""
    stride, padding, dilation = (pair(value)[axis] for value in (step.stride, step.padding, step.dilation))
    taps = step.kernel_size()[axis]

    def reads(output: int) -> tuple[int, int]:
        found = [place // stride for t in range(taps) if (place := output + padding - t * dilation) % stride == 0]
        # Where strides are wider than the kernel, some outputs read nothing and are the bias alone.
        nothing = (output + padding) // stride
        return min(found, default=nothing), max(found, default=nothing)

    return reads
