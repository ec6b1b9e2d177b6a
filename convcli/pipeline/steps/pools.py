"""Pools: one number for each window of each channel. Sizes, defaults and edges are PyTorch's."""

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators import pooling
from convcli.operators.sizes import AxisSize, pool_size
from convcli.pipeline.steps.base import Maps, NotNegativePair, PositivePair, Setting, Step, pair
from convcli.pipeline.steps.properties import Facts, Pair, Shape
from convcli.pipeline.steps.windows import window_facts

Ceil = Annotated[bool, Meta(description="Round the output size up: the last window may reach beyond the end.")]


class _Pool(Step, frozen=True, kw_only=True):
    """What pools have in common: a window of `size`, every `stride` samples (its own size unless told)."""

    main: ClassVar[str | None] = "size"
    unless_told: ClassVar[dict[str, str]] = {"stride": "the size of the window"}

    size: PositivePair
    stride: PositivePair | None = None
    padding: NotNegativePair = 0
    ceil: Ceil = False

    def output(self, *inputs: Shape) -> Shape:
        rows, columns = self.axes(inputs[0])
        return rows.output, columns.output, inputs[0][2]

    def strides(self) -> Pair:
        """How far windows lie apart."""
        return pair(self.size if self.stride is None else self.stride)

    def dilations(self) -> Pair:
        """How far the samples of a window lie apart."""
        return 1, 1

    def axes(self, shape: Shape) -> tuple[AxisSize, AxisSize]:
        """Work out rows and columns of the output."""
        rows, columns = (
            pool_size(*numbers, ceil=self.ceil)
            for numbers in zip(
                shape[:2], pair(self.size), self.strides(), pair(self.padding), self.dilations(), strict=True
            )
        )
        return rows, columns

    def edges(self) -> tuple[Pair, Pair]:
        """The padding at (top, bottom), (left, right)."""
        rows, columns = pair(self.padding)
        return (rows, rows), (columns, columns)


class MaxPool(_Pool, frozen=True, kw_only=True):
    """Keep the largest sample of each window, as torch.nn.MaxPool2d does.

        - max_pool: 2
        - max_pool: {size: 3, stride: 2, padding: 1}

    What lies outside the image is never the largest. NaN is.
    """

    name: ClassVar[str] = "max_pool"

    dilation: PositivePair = 1

    def dilations(self) -> Pair:
        return pair(self.dilation)

    def facts(self, *inputs: Shape) -> Facts:
        rows, columns = self.axes(inputs[0])
        return window_facts(
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

    `count_padding` counts the zeros around the image in the mean. `divisor` is divided by instead of the number of
    samples.
    """

    name: ClassVar[str] = "average_pool"

    unless_told: ClassVar[dict[str, str]] = _Pool.unless_told | {"divisor": "the number of samples"}

    count_padding: bool = True
    divisor: Annotated[int, Meta(ge=1)] | None = None

    def facts(self, *inputs: Shape) -> Facts:
        rows, columns = self.axes(inputs[0])
        height, width = pair(self.size)
        return window_facts(
            rows,
            columns,
            inputs[0][2],
            (height, width),
            self.edges(),
            macs=height * width * rows.output * columns.output * inputs[0][2],
            stride=self.strides(),
            linear=True,
        )

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
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


class _GlobalPool(Step, frozen=True):
    """What pools over the whole image have in common."""

    def output(self, *inputs: Shape) -> Shape:
        return 1, 1, inputs[0][2]


class GlobalAveragePool(_GlobalPool, frozen=True):
    """Take the mean of each channel: (1, 1, channels). Lin et al., Network in network (2013).

    - global_average_pool
    """

    name: ClassVar[str] = "global_average_pool"

    def facts(self, *inputs: Shape) -> Facts:
        height, width, channels = inputs[0]
        return Facts((1, 1, channels), macs=height * width * channels, whole=True, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return pooling.global_average_pool(inputs[0])


class GlobalMaxPool(_GlobalPool, frozen=True):
    """Keep the largest sample of each channel: (1, 1, channels).

    - global_max_pool
    """

    name: ClassVar[str] = "global_max_pool"

    def facts(self, *inputs: Shape) -> Facts:
        return Facts((1, 1, inputs[0][2]), whole=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return pooling.global_max_pool(inputs[0])
