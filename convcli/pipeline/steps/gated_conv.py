"""Gated convolution."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators.gated import gated_conv
from convcli.pipeline.steps.base import Maps, PreparedStep, StepContext
from convcli.pipeline.steps.conv import Conv
from convcli.pipeline.steps.conv_layer import BankWeights, Bias
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.pipeline.weights.store import WEIGHT, Weights, written_shape


class GatedConv(Conv, frozen=True, kw_only=True):
    """Convolve twice and multiply: `activation(conv(x)) * sigmoid(gate(x))`. Yu et al. (2019).

        - gated_conv: {out: 32, kernel: 3, padding: 1, activation: relu, weights: {init: he, seed: 0}}

    The other options are those of `conv`, and hold for both convolutions. In a document's file of weights the gate's
    are called `ID.gate.weight` and `ID.gate.bias`.
    """

    name: ClassVar[str] = "gated_conv"

    implicit_defaults: ClassVar[dict[str, str]] = Conv.implicit_defaults | {
        "gate_weights": "random where the weights are; else the document's own, weights: beside its steps",
    }

    activation: Annotated[
        Literal["none", "relu", "leaky_relu", "sigmoid", "tanh"],
        Meta(description="What is applied to the first convolution."),
    ] = "none"
    gate_weights: BankWeights = None
    gate_bias: Bias = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.gate_weights, list):
            written_shape(self.gate_weights, 4, "gate_weights")

    def required_weights(self) -> Iterable[tuple[str, Any, str]]:
        yield from super().required_weights()
        yield "gate_weights", self._gate(), f"gate.{WEIGHT}"

    def required_biases(self) -> Iterable[tuple[Any, Any, str]]:
        yield from super().required_biases()
        yield self.gate_bias, self._gate(), ".gate"

    def _gate(self) -> Weights:
        if self.gate_weights is not None or isinstance(self.weights, list | str):
            return self.gate_weights
        return self.weights  # random in the same way, but other numbers: they follow from the place

    def properties(self, *inputs: Shape) -> StepProperties:
        one = super().properties(*inputs)
        outputs = one.output[2]
        gate = one.parameters + outputs * ((self.gate_bias is not False) - (self.bias is not False))
        return replace(one, parameters=one.parameters + gate, macs=2 * one.macs, linear=False)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        return None

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        weights, bias = self.arrays(inputs, context)
        own, place = self._gate(), f"{context.place}.gate"
        gate = context.weights.get(own, weights.shape, place, option="gate_weights")
        gate_bias = context.weights.biases(self.gate_bias, own, len(weights), place)
        options = self.bank_options(inputs, context)

        def run(maps: Maps) -> Maps:
            return gated_conv(
                maps,
                weights,
                gate,
                bias,
                gate_bias,
                activation=self.activation,
                padding=self.padding,
                padding_mode=self.padding_mode,
                **options,
            )

        return PreparedStep(run)
