"""Dense layers and attention: steps whose outputs depend on all channels, or on all positions."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators import attention, dense
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, Positive, PreparedStep, Step, StepContext
from convcli.pipeline.steps.conv_layer import Bias
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.pipeline.weights.store import WEIGHT, WeightInit, Weights, written_shape

Matrix = Annotated[
    Weights,
    Meta(description="Two nested lists (outputs, inputs), a file as for conv, or random: {init: xavier, seed: 0}."),
]


class Flatten(Step, frozen=True):
    """Turn all samples into the channels of one pixel, channel after channel, as torch.flatten does for (C, H, W).

    - flatten
    """

    name: ClassVar[str] = "flatten"

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        return StepProperties((1, 1, height * width * channels), whole=True, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return dense.flatten(inputs[0])


class Linear(Step, frozen=True, kw_only=True):
    """Multiply the channels of each pixel by a matrix and add a bias, as torch.nn.Linear does.

        - flatten
        - linear: {out: 10, weights: {init: xavier, seed: 0}}

    The shape of the weights is (out, inputs).
    """

    name: ClassVar[str] = "linear"
    replaces_dense: ClassVar[bool] = True
    main: ClassVar[str | None] = "out"

    implicit_defaults: ClassVar[dict[str, str]] = {
        "out": "that of the weights where they are written out; else needed",
        "weights": "the document's own, weights: beside its steps; needed where it has none",
    }

    out: Annotated[
        Positive | None, Meta(description="Number of outputs; not needed where weights are written out.")
    ] = None
    bias: Bias = True
    weights: Matrix = None

    def __post_init__(self) -> None:
        if isinstance(self.weights, list):
            written_shape(self.weights, 2)
        elif self.out is None:
            raise StepError("needs out, the number of outputs")

    def required_weights(self) -> Iterable[tuple[str, Any, str]]:
        return [("weights", self.weights, WEIGHT)]

    def required_biases(self) -> Iterable[tuple[Any, Any, str]]:
        return [(self.bias, self.weights, "")]

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, _ = inputs[0]
        outputs, channels = self._shape(inputs[0])
        return StepProperties(
            (height, width, outputs),
            parameters=outputs * channels + outputs * (self.bias is not False),
            macs=outputs * channels * height * width,
            linear=True,
        )

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        weights = context.weights.get(self.weights, self._shape(inputs[0]), context.place)
        return Bank(weights.astype(np.float64)[:, :, np.newaxis, np.newaxis])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        shape = self._shape(inputs[0])
        weights = context.weights.get(self.weights, shape, context.place)
        bias = context.weights.biases(self.bias, self.weights, shape[0], context.place)
        return PreparedStep(lambda maps: dense.apply_linear(maps, weights, bias, context.threads))

    def _shape(self, shape: Shape) -> tuple[int, int]:
        written = written_shape(self.weights, 2)
        if written is not None and written[1] != shape[2]:
            raise StepError(f"weights read {written[1]} channels, and the input has {shape[2]}")
        if self.out is not None and written is not None and written[0] != self.out:
            raise StepError(f"out: is {self.out}, and weights are written out for {written[0]}")
        return (self.out or (written[0] if written else 0)), shape[2]


class Attention(Step, frozen=True, kw_only=True):
    """Self-attention of all positions: softmax(Q K^T scale) V, with Q, K and V from 1x1 convolutions.

        - attention: {channels: 32, out: 64, weights: {init: xavier, seed: 0}}

    In a document's file of weights the matrices are called `ID.query.weight`, `ID.key.weight` and `ID.value.weight`.
    Images of more than 65,536 positions are refused, with an estimate. Vaswani et al. (2017); Wang et al., Non-local
    neural networks (2018).
    """

    name: ClassVar[str] = "attention"

    implicit_defaults: ClassVar[dict[str, str]] = {
        "channels": "as many as the input has",
        "out": "as many as the input has",
        "scale": "1 / sqrt(channels / heads)",
        "query": "as weights says",
        "key": "as weights says",
        "value": "as weights says",
        "weights": "the document's own, weights: beside its steps; needed where that and a matrix are missing",
    }

    channels: Annotated[Positive | None, Meta(description="Number of channels of query and key.")] = None
    out: Annotated[Positive | None, Meta(description="Number of channels of value, and so of the result.")] = None
    heads: Annotated[Positive, Meta(description="Number of equal parts of the channels that attend by themselves.")] = 1
    scale: Annotated[float | None, Meta(description="What the scores are multiplied by.")] = None
    query: Matrix = None
    key: Matrix = None
    value: Matrix = None
    weights: Annotated[WeightInit | None, Meta(description="Random numbers for the matrices that are not given.")] = (
        None
    )

    def required_weights(self) -> Iterable[tuple[str, Any, str]]:
        for what, given in (("query", self.query), ("key", self.key), ("value", self.value)):
            yield what, self.weights if given is None else given, f"{what}.{WEIGHT}"

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        inner, outputs = self._widths(channels)
        if inner % self.heads or outputs % self.heads:
            raise StepError(f"heads: {inner} query and {outputs} value channels do not split into {self.heads} heads")
        attention.check_attention(height, width)
        positions = height * width
        matrices = channels * (2 * inner + outputs)
        return StepProperties(
            (height, width, outputs),
            parameters=matrices,
            macs=positions * matrices + positions * positions * (inner + outputs),
            whole=True,
        )

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        channels = inputs[0][2]
        inner, outputs = self._widths(channels)
        given = (("query", self.query, inner), ("key", self.key, inner), ("value", self.value, outputs))
        query, key, value = (self._matrix(what, own, (count, channels), context) for what, own, count in given)
        return PreparedStep(
            lambda maps: attention.attention(
                maps, query, key, value, scale=self.scale, heads=self.heads, threads=context.threads
            )
        )

    def _matrix(self, what: str, given: Weights, shape: tuple[int, int], context: StepContext) -> NDArray[np.float32]:
        own = self.weights if given is None else given
        return context.weights.get(own, shape, f"{context.place}.{what}", option=what)

    def _widths(self, channels: int) -> tuple[int, int]:
        return self.channels or channels, self.out or channels
