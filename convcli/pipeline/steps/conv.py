"""Convolution by a bank of kernels, as a layer of a network. Sizes, defaults and anchors are PyTorch's."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators.conv import as_bank, plan_conv
from convcli.operators.sizes import AxisSize, conv_padding, conv_size
from convcli.pipeline.steps.base import Maps, NotNegativePair, PreparedStep, StepContext, pair
from convcli.pipeline.steps.conv_layer import ConvLayer
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties, window_properties
from convcli.pipeline.weights.store import written_shape


class Conv(ConvLayer, frozen=True, kw_only=True):
    """Correlate with a bank of kernels, as torch.nn.Conv2d does.

        - conv: {out: 64, kernel: 3, padding: same, weights: {init: he, seed: 0}}
        - conv: {weights: "edges.npy", out: 8, kernel: 5, bias: false}
        - conv: {kernel: 3, padding: 1, groups: channels, weights: "net.safetensors:conv.weight"}     # depthwise
        - conv: {weights: [[[[-1, 0, 1]]]], bias: false, padding: [0, 1]}     # one kernel of one row

    The shape of the weights is (out, inputs / groups, rows, columns). Kernels are not turned (correlation). A 1x1
    kernel makes a pointwise convolution, `groups: channels` a depthwise one; a depthwise one followed by a pointwise
    one is a depthwise separable convolution (Howard et al. 2017).
    """

    name: ClassVar[str] = "conv"

    padding: Annotated[
        NotNegativePair | Literal["same", "valid"],
        Meta(description="Samples added on each side; same: as many as keep the size; valid: none."),
    ] = 0
    padding_mode: Annotated[
        Literal["zeros", "reflect", "replicate", "circular"], Meta(description="What the added samples are.")
    ] = "zeros"

    def weight_shape(self, *inputs: Shape) -> tuple[int, int, int, int]:
        """Return (outputs, inputs / groups, rows, columns). Raises StepError if options and input do not fit."""
        channels = inputs[0][2]
        groups = self.group_count(channels)
        outputs = self.output_channels(channels, 0, 1)
        self.check_outputs(outputs, groups)
        written = written_shape(self.weights, 4)
        self.check_inputs(channels, written[1] * groups if written else channels)
        return outputs, channels // groups, *self.kernel_size()

    def properties(self, *inputs: Shape) -> StepProperties:
        outputs, per_group, height, width = self.weight_shape(*inputs)
        rows, columns = self._axes(inputs[0])
        count = outputs * per_group * height * width
        return window_properties(
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

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        weights = context.weights.get(self.weights, self.weight_shape(*inputs), context.place)
        return as_bank(weights, self.group_count(inputs[0][2]))

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        weights, bias = self.arrays(inputs, context)
        plan = plan_conv(
            inputs[0],
            weights,
            bias,
            padding=self.padding,
            padding_mode=self.padding_mode,
            **self.bank_options(inputs, context),
        )

        def run(maps: Maps) -> Maps:
            response: Maps = plan.run(maps)
            return response

        return PreparedStep(run, plan.backend, plan.reason)

    def _edges(self) -> tuple[Pair, Pair]:
        return conv_padding(self.padding, self.kernel_size(), pair(self.stride), pair(self.dilation))

    def _axes(self, shape: Shape) -> tuple[AxisSize, AxisSize]:
        rows, columns = map(
            conv_size, shape[:2], self.kernel_size(), pair(self.stride), self._edges(), pair(self.dilation)
        )
        return rows, columns
