"""Convolutions by banks of kernels, as layers of networks have them. Sizes, defaults and anchors are PyTorch's."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators import conv as convolution
from convcli.operators import transposed
from convcli.operators.sizes import AxisSize, conv_padding, conv_size, transposed_size
from convcli.pipeline.steps.base import (
    Maps,
    NotNegativePair,
    Positive,
    PositivePair,
    Prepared,
    Setting,
    Step,
    StepError,
    pair,
)
from convcli.pipeline.steps.properties import Facts, Pair, Shape
from convcli.pipeline.steps.windows import formula_of, window_facts
from convcli.pipeline.weights.store import WEIGHT, Weights, inline, inline_shape

Bias = Annotated[
    bool | str | list[Any],
    Meta(description="One number for each output: true (of the weights' file, else 0), false, a list, a file."),
]
Bank4 = Annotated[
    Weights,
    Meta(description="Four nested lists, file.npy, file.npz:name, file.safetensors:name, or {init: he, seed: 0}."),
]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


class _Layer(Step, frozen=True, kw_only=True):
    """What convolutions have in common: how many outputs, how large a kernel, and from where their weights come."""

    unless_told: ClassVar[dict[str, str]] = {
        "out": "that of the weights where they are written out, that of the input with groups: channels; else needed",
        "kernel": "that of the weights where they are written out; else needed",
        "weights": "the document's own, weights: beside its steps; needed where it has none",
    }

    out: Annotated[Positive | None, Meta(description="Output channels; not needed where weights are written out.")] = (
        None
    )
    kernel: Annotated[
        PositivePair | None, Meta(description="Rows and columns; not needed where weights are written out.")
    ] = None
    stride: PositivePair = 1
    dilation: PositivePair = 1
    groups: Annotated[
        Positive | Literal["channels"], Meta(description="How many parts channels split into; channels: depthwise.")
    ] = 1
    bias: Bias = True
    weights: Bank4 = None

    def __post_init__(self) -> None:
        if isinstance(self.weights, list):
            inline_shape(self.weights, 4)
            inline(self.weights, "weights")
            return
        self.kernel_size()  # raises here what no input could change
        if self.groups != "channels":
            self.outputs_of(1, 0, 1)  # only with groups: channels do they follow from the input

    def wanted(self) -> Iterable[tuple[str, Any, str]]:
        return [("weights", self.weights, WEIGHT)]

    def biased(self) -> Iterable[tuple[Any, Any, str]]:
        return [(self.bias, self.weights, "")]

    def groups_of(self, channels: int) -> int:
        """Into how many groups so many input channels are split. Raises StepError where they do not split evenly."""
        groups = channels if self.groups == "channels" else int(self.groups)
        if channels % groups:
            raise StepError(f"groups: {channels} input channels do not split into {groups} groups")
        return groups

    def kernel_size(self) -> Pair:
        """Rows and columns of the kernels. Raises StepError where nothing says them, or two things differently."""
        written = inline_shape(self.weights, 4)
        if self.kernel is None:
            if written is None:
                raise StepError("needs kernel, its size")
            return written[2], written[3]
        if written is not None and written[2:] != pair(self.kernel):
            raise StepError(f"kernel: is {_by(pair(self.kernel))}, and weights are written out for {_by(written[2:])}")
        return pair(self.kernel)

    def outputs_of(self, channels: int, axis: int, times: int) -> int:
        """How many output channels there are: `times` what weights that are written out have along `axis`."""
        written = inline_shape(self.weights, 4)
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
        """Raise StepError unless the outputs split into the groups."""
        if outputs % groups:
            if outputs == 1:
                hint = "write out a kernel for each, or lay one on all by the step filter"
                raise StepError(f"groups: 1 output channel does not split into {groups} groups: {hint}")
            raise StepError(f"groups: {outputs} output channels do not split into {groups} groups")


class Conv(_Layer, frozen=True, kw_only=True):
    """Correlate with a bank of kernels, as torch.nn.Conv2d does.

        - conv: {out: 64, kernel: 3, padding: same, weights: {init: he, seed: 0}}
        - conv: {weights: "edges.npy", out: 8, kernel: 5, bias: false}
        - conv: {kernel: 3, padding: 1, groups: channels, weights: "net.safetensors:conv.weight"}     # depthwise
        - conv: {weights: [[[[-1, 0, 1]]]], bias: false, padding: [0, 1]}     # one kernel of one row

    `weights` are (out, inputs / groups, rows, columns). `padding` is an amount, `same` or `valid`; `padding_mode` what
    is added there. A 1x1 kernel is a pointwise convolution, `groups: channels` a depthwise one, one after the other a
    depthwise separable one (Howard et al. 2017). The sum is laid on the image as the kernel is written (correlation).
    """

    name: ClassVar[str] = "conv"

    padding: NotNegativePair | Literal["same", "valid"] = 0
    padding_mode: PaddingMode = "zeros"

    def weight_shape(self, *inputs: Shape) -> tuple[int, int, int, int]:
        """Outputs, inputs a group, rows and columns of the weights. Raises StepError where options and input clash."""
        channels = inputs[0][2]
        groups = self.groups_of(channels)
        outputs = self.outputs_of(channels, 0, 1)
        self.check_outputs(outputs, groups)
        written = inline_shape(self.weights, 4)
        if written is not None and written[1] * groups != channels:
            raise StepError(
                f"weights of {_by(written)} read {written[1] * groups} channels, and the input has {channels}"
            )
        return outputs, channels // groups, *self.kernel_size()

    def output(self, *inputs: Shape) -> Shape:
        outputs = self.weight_shape(*inputs)[0]
        rows, columns = self._axes(inputs[0])
        return rows.output, columns.output, outputs

    def facts(self, *inputs: Shape) -> Facts:
        outputs, per_group, height, width = self.weight_shape(*inputs)
        rows, columns = self._axes(inputs[0])
        count = outputs * per_group * height * width
        return window_facts(
            rows,
            columns,
            outputs,
            (height, width),
            self._edges(),
            parameters=count + outputs * (self.bias is not False),
            macs=count * rows.output * columns.output,
            stride=pair(self.stride),
            dilation=pair(self.dilation),
            linear=True,
        )

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        return convolution.as_bank(self._weights(inputs, setting), self.groups_of(inputs[0][2]))

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        weights = self._weights(inputs, setting)
        plan = convolution.plan_conv(
            inputs[0],
            weights,
            setting.weights.biases(self.bias, self.weights, len(weights), setting.place),
            stride=pair(self.stride),
            padding=self.padding,
            dilation=pair(self.dilation),
            groups=self.groups_of(inputs[0][2]),
            padding_mode=self.padding_mode,
            backend=setting.backend,
            threads=setting.threads,
            device=setting.device,
        )

        def run(maps: Maps) -> Maps:
            response: Maps = plan.run(maps)
            return response

        return Prepared(run, plan.backend, plan.reason)

    def _weights(self, inputs: tuple[Shape, ...], setting: Setting) -> NDArray[np.float32]:
        return setting.weights.get(self.weights, self.weight_shape(*inputs), setting.place)

    def _edges(self) -> tuple[Pair, Pair]:
        return conv_padding(self.padding, self.kernel_size(), pair(self.stride), pair(self.dilation))

    def _axes(self, shape: Shape) -> tuple[AxisSize, AxisSize]:
        rows, columns = map(
            conv_size, shape[:2], self.kernel_size(), pair(self.stride), self._edges(), pair(self.dilation)
        )
        return rows, columns


class TransposedConv(_Layer, frozen=True, kw_only=True):
    """Lay a kernel down for each sample, times that sample: the transpose of `conv`, as torch.nn.ConvTranspose2d.

        - transposed_conv: {out: 32, kernel: 2, stride: 2, weights: {init: he, seed: 0}}

    `weights` are (inputs, out / groups, rows, columns). `padding` is taken off the result, and `output_padding` added
    at its end. Dumoulin and Visin, A guide to convolution arithmetic (2016).
    """

    name: ClassVar[str] = "transposed_conv"

    padding: NotNegativePair = 0
    output_padding: NotNegativePair = 0

    def weight_shape(self, *inputs: Shape) -> tuple[int, int, int, int]:
        """Inputs, outputs a group, rows and columns of the weights. Raises StepError where options and input clash."""
        channels = inputs[0][2]
        groups = self.groups_of(channels)
        outputs = self.outputs_of(channels, 1, groups)
        self.check_outputs(outputs, groups)
        written = inline_shape(self.weights, 4)
        if written is not None and written[0] != channels:
            raise StepError(f"weights of {_by(written)} read {written[0]} channels, and the input has {channels}")
        return channels, outputs // groups, *self.kernel_size()

    def output(self, *inputs: Shape) -> Shape:
        rows, columns = self._axes(inputs[0])
        return rows.output, columns.output, self.weight_shape(*inputs)[1] * self.groups_of(inputs[0][2])

    def facts(self, *inputs: Shape) -> Facts:
        channels, per_group, height, width = self.weight_shape(*inputs)
        rows, columns = self._axes(inputs[0])
        outputs = per_group * self.groups_of(channels)
        stride, dilation = pair(self.stride), pair(self.dilation)
        # Input sample i is laid on outputs i s - p to i s - p + d (k - 1): an output sees every s-th of those.
        spans = [
            (apart * (taps - 1)) // step + 1
            for taps, step, apart in zip((height, width), stride, dilation, strict=True)
        ]
        return Facts(
            (rows.output, columns.output, outputs),
            parameters=channels * per_group * height * width + outputs * (self.bias is not False),
            macs=channels * per_group * height * width * inputs[0][0] * inputs[0][1],
            window=(spans[0], spans[1]),
            upsampling=stride,
            linear=True,
            formula=formula_of(rows, columns),
        )

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        outputs = self.output(*inputs)[2]
        weights = setting.weights.get(self.weights, self.weight_shape(*inputs), setting.place)
        bias = setting.weights.biases(self.bias, self.weights, outputs, setting.place)

        def run(maps: Maps) -> Maps:
            return transposed.transposed_conv(
                maps,
                weights,
                bias,
                stride=pair(self.stride),
                padding=pair(self.padding),
                output_padding=pair(self.output_padding),
                dilation=pair(self.dilation),
                groups=self.groups_of(inputs[0][2]),
                backend=setting.backend,
                threads=setting.threads,
                device=setting.device,
            )

        return Prepared(run)

    def _axes(self, shape: Shape) -> tuple[AxisSize, AxisSize]:
        rows, columns = map(
            transposed_size,
            shape[:2],
            self.kernel_size(),
            pair(self.stride),
            pair(self.padding),
            pair(self.dilation),
            pair(self.output_padding),
        )
        return rows, columns


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
