"""What convolution layers share: options of the bank, its size, its weights and biases."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, TypedDict

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Positive, PositivePair, Step, StepContext, pair, size_text
from convcli.pipeline.steps.properties import Pair, Shape
from convcli.pipeline.weights.store import WEIGHT, Weights, written_shape

Bias = Annotated[
    bool | str | list[Any],
    Meta(
        description="One number for each output channel: true (read with the weights, else 0), false (none), a list, "
        "or a file."
    ),
]
BankWeights = Annotated[
    Weights,
    Meta(
        description="Lists nested four deep, file.npy, file.npz:name, file.safetensors:name, or random numbers: "
        "{init: he, seed: 0}."
    ),
]


class BankOptions(TypedDict):
    """Options of a layer that all operators with a bank of kernels take alike."""

    stride: Pair
    dilation: Pair
    groups: int
    backend: str
    threads: int | None
    device: str


class ConvLayer(Step, frozen=True, kw_only=True):
    """The base of convolution layers: how many outputs, how large a kernel, and where the weights come from."""

    implicit_defaults: ClassVar[dict[str, str]] = {
        "out": "that of the weights where they are written out; that of the input with groups: channels; else needed",
        "kernel": "that of the weights where they are written out; else needed",
        "weights": "the document's own, weights: beside its steps; needed where it has none",
    }
    replaces_dense: ClassVar[bool] = True

    out: Annotated[
        Positive | None, Meta(description="Number of output channels; not needed where weights are written out.")
    ] = None
    kernel: Annotated[
        PositivePair | None,
        Meta(description="Rows and columns of the kernel; not needed where weights are written out."),
    ] = None
    stride: Annotated[PositivePair, Meta(description="Distance between neighbouring outputs, in input samples.")] = 1
    dilation: Annotated[PositivePair, Meta(description="Distance between the kernel's elements, in samples.")] = 1
    groups: Annotated[
        Positive | Literal["channels"],
        Meta(description="Number of groups that channels are split into; channels: one each, a depthwise convolution."),
    ] = 1
    bias: Bias = True
    weights: BankWeights = None

    def __post_init__(self) -> None:
        if isinstance(self.weights, list):
            written_shape(self.weights, 4)
            return
        self.kernel_size()  # raises here what no input could change
        if self.groups != "channels":
            self.output_channels(1, 0, 1)  # only with groups: channels do they follow from the input

    def required_weights(self) -> Iterable[tuple[str, Any, str]]:
        return [("weights", self.weights, WEIGHT)]

    def required_biases(self) -> Iterable[tuple[Any, Any, str]]:
        return [(self.bias, self.weights, "")]

    def weight_shape(self, *inputs: Shape) -> tuple[int, int, int, int]:
        """Return the shape of the weights. Raises StepError if options and input do not go together."""
        raise NotImplementedError(f"{self.name} defines the shape of its weights")

    def arrays(
        self, inputs: tuple[Shape, ...], context: StepContext
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return weights and biases, the latter None for a step without. Raises StepError as `prepare` does."""
        outputs = self.output(*inputs)[2]
        weights = context.weights.get(self.weights, self.weight_shape(*inputs), context.place)
        return weights, context.weights.biases(self.bias, self.weights, outputs, context.place)

    def bank_options(self, inputs: tuple[Shape, ...], context: StepContext) -> BankOptions:
        """Return the options that the operators take alike."""
        return BankOptions(
            stride=pair(self.stride),
            dilation=pair(self.dilation),
            groups=self.group_count(inputs[0][2]),
            backend=context.backend,
            threads=context.threads,
            device=context.device,
        )

    def group_count(self, channels: int) -> int:
        """Return the number of groups for so many input channels. Raises StepError if they do not split evenly."""
        groups = channels if self.groups == "channels" else int(self.groups)
        if channels % groups:
            raise StepError(f"groups: {channels} input channels do not split into {groups} groups")
        return groups

    def kernel_size(self) -> Pair:
        """Return rows and columns of the kernels. Raises StepError if nothing gives them, or two options differ."""
        written = written_shape(self.weights, 4)
        if self.kernel is None:
            if written is None:
                raise StepError("needs kernel, its size")
            return written[2], written[3]
        if written is not None and written[2:] != pair(self.kernel):
            raise StepError(
                f"kernel: is {size_text(pair(self.kernel))}, and weights are written out for {size_text(written[2:])}"
            )
        return pair(self.kernel)

    def output_channels(self, channels: int, axis: int, times: int) -> int:
        """Return the number of output channels: `out`, or `times` the length of written weights along `axis`.

        Raises
        ------
        StepError
            If nothing gives it, or `out` and the weights differ.
        """
        written = written_shape(self.weights, 4)
        if self.out is None:
            if written is not None:
                return written[axis] * times
            if self.groups == "channels":
                return channels
            raise StepError("needs out, the number of output channels")
        if written is not None and written[axis] * times != self.out:
            raise StepError(f"out: is {self.out}, and weights are written out for {written[axis] * times}")
        return self.out

    def check_outputs(self, outputs: int, groups: int) -> None:
        """Raise StepError if the outputs do not split evenly into the groups."""
        if outputs % groups:
            if outputs == 1:
                hint = "write out a kernel for each, or lay one on all by the step filter"
                raise StepError(f"groups: 1 output channel does not split into {groups} groups: {hint}")
            raise StepError(f"groups: {outputs} output channels do not split into {groups} groups")

    def check_inputs(self, channels: int, read: int) -> None:
        """Raise StepError if written weights are for another number of input channels."""
        written = written_shape(self.weights, 4)
        if written is not None and read != channels:
            raise StepError(f"weights of {size_text(written)} read {read} channels, and the input has {channels}")
