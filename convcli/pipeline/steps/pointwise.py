"""Steps that compute each pixel by itself: activations, softmax, batch normalisation."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators import activations, normalise
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.pipeline.weights.store import BIAS, WEIGHT, Weights

Vector = Annotated[
    Weights, Meta(description="A number for each channel: a list, file.npy, file.npz:name, file.safetensors:name.")
]


class Relu(Step, frozen=True):
    """Replace negative samples by 0, `max(x, 0)`, as torch.nn.ReLU does. Nair and Hinton (2010).

    - relu
    """

    name: ClassVar[str] = "relu"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return activations.relu(inputs[0], threads=threads)


class LeakyRelu(Step, frozen=True, kw_only=True):
    """Multiply negative samples by a small slope, as torch.nn.LeakyReLU does. Maas et al. (2013).

    - leaky_relu
    - leaky_relu: 0.2
    """

    name: ClassVar[str] = "leaky_relu"
    main: ClassVar[str | None] = "slope"

    slope: Annotated[float, Meta(description="What negative samples are multiplied by.")] = 0.01

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return activations.leaky_relu(inputs[0], self.slope, threads=threads)


class Sigmoid(Step, frozen=True):
    """Apply the logistic function 1 / (1 + e^-x), between 0 and 1.

    - sigmoid
    """

    name: ClassVar[str] = "sigmoid"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return activations.sigmoid(inputs[0], threads=threads)


class Tanh(Step, frozen=True):
    """Apply the hyperbolic tangent, between -1 and 1.

    - tanh
    """

    name: ClassVar[str] = "tanh"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return activations.tanh(inputs[0], threads=threads)


class Softmax(Step, frozen=True, kw_only=True):
    """Turn samples into shares that sum to 1, e^x divided by the sum of e^x, as torch.softmax does.

    - softmax
    - softmax: positions
    """

    name: ClassVar[str] = "softmax"
    main: ClassVar[str | None] = "over"

    over: Annotated[
        Literal["channels", "positions"],
        Meta(description="What sums to 1: the channels of each pixel, or all positions of each channel."),
    ] = "channels"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], whole=self.over == "positions")

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return activations.softmax(inputs[0], self.over, threads=threads)


class BatchNorm(Step, frozen=True, kw_only=True):
    """Normalise each channel by a mean and a variance known from training, as torch.nn.BatchNorm2d in eval mode.

        - batch_norm: {mean: [0.5], variance: [0.1], scale: [1], shift: [0]}
        - batch_norm                                     # numbers from the document's weights

    The result is (x - mean) / sqrt(variance + epsilon) * scale + shift. In a document's file of weights the four are
    called `ID.running_mean`, `ID.running_var`, `ID.weight` and `ID.bias`; where weights are random they are 0, 1, 1 and
    0. Ioffe and Szegedy (2015).
    """

    name: ClassVar[str] = "batch_norm"

    implicit_defaults: ClassVar[dict[str, str]] = dict.fromkeys(
        ("mean", "variance", "scale", "shift"), "those of the document's weights; needed where it has none"
    )

    mean: Vector = None
    variance: Vector = None
    scale: Vector = None
    shift: Vector = None
    epsilon: Annotated[float, Meta(ge=0, description="Added to the variance, against division by 0.")] = 1e-5

    def required_weights(self) -> Iterable[tuple[str, Any, str]]:
        return [
            ("mean", self.mean, "running_mean"),
            ("variance", self.variance, "running_var"),
            ("scale", self.scale, WEIGHT),
            ("shift", self.shift, BIAS),
        ]

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        return StepProperties(inputs[0], parameters=2 * channels, macs=height * width * channels, linear=True)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        gain, _ = self._factors(inputs[0][2], context)
        return Bank(gain.reshape(-1, 1, 1, 1), inputs[0][2])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        gain, offset = self._factors(inputs[0][2], context)
        return PreparedStep(lambda maps: normalise.affine(maps, gain, offset, threads=context.threads))

    def _factors(self, channels: int, context: StepContext) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        def numbers(given: Weights, member: str, option: str, fill: float) -> NDArray[Any]:
            return context.weights.get(given, (channels,), context.place, member, option, fill)

        return normalise.norm_factors(
            channels,
            numbers(self.mean, "running_mean", "mean", 0),
            numbers(self.variance, "running_var", "variance", 1),
            numbers(self.scale, WEIGHT, "scale", 1),
            numbers(self.shift, BIAS, "shift", 0),
            self.epsilon,
        )
