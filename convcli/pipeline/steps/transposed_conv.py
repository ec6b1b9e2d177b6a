"""Transposed convolution, as a layer of a network. Sizes and defaults are PyTorch's."""

from typing import Annotated, ClassVar

from msgspec import Meta

from convcli.operators.sizes import AxisSize, transposed_size
from convcli.operators.transposed import transposed_conv
from convcli.pipeline.steps.base import Maps, NotNegativePair, PreparedStep, StepContext, pair
from convcli.pipeline.steps.conv_layer import ConvLayer
from convcli.pipeline.steps.properties import Shape, StepProperties, formula_of
from convcli.pipeline.weights.store import written_shape


class TransposedConv(ConvLayer, frozen=True, kw_only=True):
    """Add the kernel, times the sample, to the output for each input sample, as torch.nn.ConvTranspose2d does.

        - transposed_conv: {out: 32, kernel: 2, stride: 2, weights: {init: he, seed: 0}}

    As a linear map it is the transpose of `conv`. The shape of the weights is (inputs, out / groups, rows, columns).
    Dumoulin and Visin, A guide to convolution arithmetic (2016).
    """

    name: ClassVar[str] = "transposed_conv"

    padding: Annotated[NotNegativePair, Meta(description="Samples taken off each side of the result.")] = 0
    output_padding: Annotated[
        NotNegativePair, Meta(description="Rows and columns added at the end; smaller than stride or dilation.")
    ] = 0

    def weight_shape(self, *inputs: Shape) -> tuple[int, int, int, int]:
        """Return (inputs, outputs / groups, rows, columns). Raises StepError if options and input do not fit."""
        channels = inputs[0][2]
        groups = self.group_count(channels)
        outputs = self.output_channels(channels, 1, groups)
        self.check_outputs(outputs, groups)
        written = written_shape(self.weights, 4)
        self.check_inputs(channels, written[0] if written else channels)
        return channels, outputs // groups, *self.kernel_size()

    def properties(self, *inputs: Shape) -> StepProperties:
        channels, per_group, height, width = self.weight_shape(*inputs)
        rows, columns = self._axes(inputs[0])
        outputs = per_group * self.group_count(channels)
        stride, dilation = pair(self.stride), pair(self.dilation)
        # Input sample i adds to the outputs i s - p to i s - p + d (k - 1): an output reads every s-th of those.
        spans = [
            (apart * (taps - 1)) // step + 1
            for taps, step, apart in zip((height, width), stride, dilation, strict=True)
        ]
        return StepProperties(
            (rows.output, columns.output, outputs),
            parameters=channels * per_group * height * width + outputs * (self.bias is not False),
            macs=channels * per_group * height * width * inputs[0][0] * inputs[0][1],
            window=(spans[0], spans[1]),
            upsampling=stride,
            linear=True,
            formula=formula_of(rows, columns),
        )

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        weights, bias = self.arrays(inputs, context)
        options = self.bank_options(inputs, context)

        def run(maps: Maps) -> Maps:
            return transposed_conv(
                maps,
                weights,
                bias,
                padding=pair(self.padding),
                output_padding=pair(self.output_padding),
                **options,
            )

        return PreparedStep(run)

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
