"""Steps in which everything meets everything: dense layers and attention."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators import attention, dense
from convcli.pipeline.steps.base import Maps, Positive, Prepared, Setting, Step, StepError
from convcli.pipeline.steps.convs import Bias
from convcli.pipeline.steps.properties import Facts, Shape
from convcli.pipeline.weights.store import WEIGHT, Initial, Weights, inline, inline_shape

Matrix = Annotated[
    Weights, Meta(description="Two nested lists (outputs, inputs), a file as of conv, or {init: xavier, seed: 0}.")
]


class Flatten(Step, frozen=True):
    """Lay all samples out as the channels of one pixel, channel after channel, as torch.flatten of (C, H, W) does.

    - flatten
    """

    name: ClassVar[str] = "flatten"

    def output(self, *inputs: Shape) -> Shape:
        height, width, channels = inputs[0]
        return 1, 1, height * width * channels

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(self.output(*inputs), whole=True, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return dense.flatten(inputs[0])


class Linear(Step, frozen=True, kw_only=True):
    """Multiply the channels of each pixel by a matrix and add a bias, as torch.nn.Linear does.

        - flatten
        - linear: {out: 10, weights: {init: xavier, seed: 0}}

    `weights` are (out, inputs).
    """

    name: ClassVar[str] = "linear"
    main: ClassVar[str | None] = "out"

    unless_told: ClassVar[dict[str, str]] = {
        "out": "that of the weights where they are written out; else needed",
        "weights": "the document's own, weights: beside its steps; needed where it has none",
    }

    out: Annotated[Positive | None, Meta(description="Outputs; not needed where weights are written out.")] = None
    bias: Bias = True
    weights: Matrix = None

    def __post_init__(self) -> None:
        if isinstance(self.weights, list):
            inline_shape(self.weights, 2)
            inline(self.weights, "weights")
        elif self.out is None:
            raise StepError("needs out, the number of outputs")

    def wanted(self) -> Iterable[tuple[str, Any, str]]:
        return [("weights", self.weights, WEIGHT)]

    def biased(self) -> Iterable[tuple[Any, Any, str]]:
        return [(self.bias, self.weights, "")]

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0][0], inputs[0][1], self._shape(inputs[0])[0]

    def facts(self, *inputs: Shape) -> Facts:
        outputs, channels = self._shape(inputs[0])
        output = self.output(*inputs)
        return Facts(
            output,
            parameters=outputs * channels + outputs * (self.bias is not False),
            macs=outputs * channels * output[0] * output[1],
            linear=True,
        )

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        weights = setting.weights.get(self.weights, self._shape(inputs[0]), setting.place)
        return Bank(weights.astype(np.float64)[:, :, np.newaxis, np.newaxis])

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        shape = self._shape(inputs[0])
        weights = setting.weights.get(self.weights, shape, setting.place)
        bias = setting.weights.biases(self.bias, self.weights, shape[0], setting.place)
        return Prepared(lambda maps: dense.apply_linear(maps, weights, bias, setting.threads))

    def _shape(self, shape: Shape) -> tuple[int, int]:
        written = inline_shape(self.weights, 2)
        if written is not None and written[1] != shape[2]:
            raise StepError(f"weights read {written[1]} channels, and the input has {shape[2]}")
        if self.out is not None and written is not None and written[0] != self.out:
            raise StepError(f"out: is {self.out}, and weights are written out for {written[0]}")
        return (self.out or (written[0] if written else 0)), shape[2]


class Attention(Step, frozen=True, kw_only=True):
    """Let every position look at every other: softmax(Q K^T scale) V, with Q, K, V by 1x1 convolutions.

        - attention: {channels: 32, out: 64, weights: {init: xavier, seed: 0}}

    `channels` are those of query and key, `out` those of value (both as many as the input has unless told). `heads`
    splits them. `scale` is 1 / sqrt(channels / heads) unless told. In a document's file of weights the matrices are
    `ID.query.weight`, `ID.key.weight` and `ID.value.weight`. Refused, with an estimate, beyond 65,536 positions.
    Vaswani et al. (2017); Wang et al., Non-local neural networks (2018).
    """

    name: ClassVar[str] = "attention"

    unless_told: ClassVar[dict[str, str]] = {
        "channels": "as many as the input has",
        "out": "as many as the input has",
        "scale": "1 / sqrt(channels / heads)",
        "query": "as weights says",
        "key": "as weights says",
        "value": "as weights says",
        "weights": "the document's own, weights: beside its steps; needed where that and a matrix are missing",
    }

    channels: Positive | None = None
    out: Positive | None = None
    heads: Positive = 1
    scale: float | None = None
    query: Matrix = None
    key: Matrix = None
    value: Matrix = None
    weights: Annotated[Initial | None, Meta(description="How to draw the matrices that are not given.")] = None

    def wanted(self) -> Iterable[tuple[str, Any, str]]:
        for what, given in (("query", self.query), ("key", self.key), ("value", self.value)):
            yield what, self.weights if given is None else given, f"{what}.{WEIGHT}"

    def output(self, *inputs: Shape) -> Shape:
        height, width, _ = inputs[0]
        inner, outputs = self._widths(inputs[0][2])
        if inner % self.heads or outputs % self.heads:
            raise StepError(f"heads: {inner} query and {outputs} value channels do not split into {self.heads} heads")
        attention.check_attention(height, width)
        return height, width, outputs

    def facts(self, *inputs: Shape) -> Facts:
        height, width, channels = inputs[0]
        inner, outputs = self._widths(channels)
        positions = height * width
        matrices = channels * (2 * inner + outputs)
        return Facts(
            self.output(*inputs),
            parameters=matrices,
            macs=positions * matrices + positions * positions * (inner + outputs),
            whole=True,
        )

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        channels = inputs[0][2]
        inner, outputs = self._widths(channels)
        given = (("query", self.query, inner), ("key", self.key, inner), ("value", self.value, outputs))
        query, key, value = (self._matrix(what, own, (count, channels), setting) for what, own, count in given)
        return Prepared(
            lambda maps: attention.attention(
                maps, query, key, value, scale=self.scale, heads=self.heads, threads=setting.threads
            )
        )

    def _matrix(self, what: str, given: Weights, shape: tuple[int, int], setting: Setting) -> NDArray[np.float32]:
        own = self.weights if given is None else given
        return setting.weights.get(own, shape, f"{setting.place}.{what}", option=what)

    def _widths(self, channels: int) -> tuple[int, int]:
        return self.channels or channels, self.out or channels
