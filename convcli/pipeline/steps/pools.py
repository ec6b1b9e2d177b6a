"""Pools: one number for each window of each channel. Sizes, defaults and edges are PyTorch's."""

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators import pooling
from convcli.operators.sizes import AxisSize, pool_size
from convcli.pipeline.steps.base import Maps, NotNegativePair, PositivePair, Step, StepContext, pair
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties, window_properties


class _Pool(Step, frozen=True, kw_only=True):
    """What pools share: a window of `size`, every `stride` samples."""

    main: ClassVar[str | None] = "size"
    implicit_defaults: ClassVar[dict[str, str]] = {"stride": "the size of the window"}

    size: Annotated[PositivePair, Meta(description="Rows and columns of the window.")]
    stride: Annotated[PositivePair | None, Meta(description="Distance between neighbouring windows, in samples.")] = (
        None
    )
    padding: Annotated[NotNegativePair, Meta(description="Samples added on each side: at most half of the window.")] = 0
    ceil: Annotated[bool, Meta(description="Round the output size up: the last window may reach beyond the end.")] = (
        False
    )

    def strides(self) -> Pair:
        """Return the distance between windows, in rows and columns."""
        return pair(self.size if self.stride is None else self.stride)

    def dilations(self) -> Pair:
        """Return the distance between the samples of a window, in rows and columns."""
        return 1, 1

    def axes(self, shape: Shape) -> tuple[AxisSize, AxisSize]:
        """Return the rows and columns of the output."""
        rows, columns = (
            pool_size(*numbers, ceil=self.ceil)
            for numbers in zip(
                shape[:2], pair(self.size), self.strides(), pair(self.padding), self.dilations(), strict=True
            )
        )
        return rows, columns

    def edges(self) -> tuple[Pair, Pair]:
        """Return the padding at (top, bottom) and (left, right)."""
        rows, columns = pair(self.padding)
        return (rows, rows), (columns, columns)


class MaxPool(_Pool, frozen=True, kw_only=True):
    """Keep the largest sample of each window, as torch.nn.MaxPool2d does.

        - max_pool: 2
        - max_pool: {size: 3, stride: 2, padding: 1}

    Samples of the padding are never the largest. NaN is larger than every number.
    """

    name: ClassVar[str] = "max_pool"

    dilation: Annotated[PositivePair, Meta(description="Distance between the samples of a window.")] = 1

    def dilations(self) -> Pair:
        return pair(self.dilation)

    def properties(self, *inputs: Shape) -> StepProperties:
        rows, columns = self.axes(inputs[0])
        return window_properties(
            rows,
            columns,
            inputs[0][2],
            pair(self.size),
            self.edges(),
            stride=self.strides(),
            dilation=self.dilations(),
        )

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return pooling.max_pool(
            inputs[0],
            pair(self.size),
            stride=self.strides(),
            padding=pair(self.padding),
            dilation=self.dilations(),
            ceil=self.ceil,
            threads=threads,
        )


class AveragePool(_Pool, frozen=True, kw_only=True):
    """Take the mean of each window, as torch.nn.AvgPool2d does.

    - average_pool: 2
    - average_pool: {size: 3, stride: 1, padding: 1, count_padding: false}
    """

    name: ClassVar[str] = "average_pool"

    implicit_defaults: ClassVar[dict[str, str]] = _Pool.implicit_defaults | {"divisor": "the number of samples"}

    count_padding: Annotated[
        bool, Meta(description="Whether the zeros of the padding count as samples of the window.")
    ] = True
    divisor: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="What the sum of a window is divided by."),
    ] = None

    def properties(self, *inputs: Shape) -> StepProperties:
        rows, columns = self.axes(inputs[0])
        height, width = pair(self.size)
        return window_properties(
            rows,
            columns,
            inputs[0][2],
            (height, width),
            self.edges(),
            macs=height * width * rows.output * columns.output * inputs[0][2],
            stride=self.strides(),
            linear=True,
        )

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        height, width = pair(self.size)
        return Bank.depthwise(np.full((height, width), 1 / (self.divisor or height * width)), inputs[0][2])

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return pooling.average_pool(
            inputs[0],
            pair(self.size),
            stride=self.strides(),
            padding=pair(self.padding),
            ceil=self.ceil,
            count_padding=self.count_padding,
            divisor=self.divisor,
            threads=threads,
        )


class GlobalAveragePool(Step, frozen=True):
    """Take the mean of each channel; the result has one pixel. Lin et al., Network in network (2013).

    - global_average_pool
    """

    name: ClassVar[str] = "global_average_pool"

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        return StepProperties((1, 1, channels), macs=height * width * channels, whole=True, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return pooling.global_average_pool(inputs[0])


class GlobalMaxPool(Step, frozen=True):
    """Keep the largest sample of each channel; the result has one pixel.

    - global_max_pool
    """

    name: ClassVar[str] = "global_max_pool"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties((1, 1, inputs[0][2]), whole=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return pooling.global_max_pool(inputs[0])
