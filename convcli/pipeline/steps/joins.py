"""Steps that combine several inputs, or the channels of one."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators import joining
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, Positive, Step, StepContext, size_text
from convcli.pipeline.steps.properties import Shape, StepProperties


class _Join(Step, frozen=True, kw_only=True):
    """What joins share: two inputs or more, or one and a number where the step takes one."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = None


class Concat(_Join, frozen=True):
    """Concatenate the channels of all inputs, in the order given.

    - concat:
      from: [narrow, wide]
    """

    name: ClassVar[str] = "concat"

    def properties(self, *inputs: Shape) -> StepProperties:
        if len({shape[:2] for shape in inputs}) > 1:
            raise StepError(f"inputs must be of one height and width, not {' and '.join(map(size_text, inputs))}")
        return StepProperties((*inputs[0][:2], sum(shape[2] for shape in inputs)), linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.concat(inputs)


class Add(_Join, frozen=True, kw_only=True):
    """Add the inputs, each multiplied by its factor where factors are given, and a number.

        - add:
          from: [shortcut, residual]
        - add: [1, -1]                   # a difference
          from: [narrow, wide]
        - add: 0.5                       # to every sample
        - add: {factors: [2], value: -1}

    An input of one channel is added to every channel of the others, an input of one pixel to every pixel.
    """

    name: ClassVar[str] = "add"
    main: ClassVar[str | None] = "value"
    main_list: ClassVar[str | None] = "factors"
    least_inputs: ClassVar[int] = 1

    implicit_defaults: ClassVar[dict[str, str]] = {"factors": "1 for each input", "value": "0"}

    factors: Annotated[list[float] | None, Meta(description="What each input is multiplied by.")] = None
    value: Annotated[float | None, Meta(description="Added to every sample, in the document's units.")] = None

    def fewest_inputs(self) -> int:
        return 2 if self.value is None and self.factors is None else 1

    def properties(self, *inputs: Shape) -> StepProperties:
        if self.factors is not None and len(self.factors) != len(inputs):
            raise StepError(f"factors: are {len(self.factors)} for {len(inputs)} inputs: give one each")
        height, width, channels = joining.joined_shape("add", *inputs)
        scaled = len(inputs) if self.factors is not None else 0
        return StepProperties((height, width, channels), macs=scaled * height * width * channels, linear=True)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        return _scaling(self.factors[0] if self.factors else 1.0, inputs[0][2]) if len(inputs) == 1 else None

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.add(inputs, self.factors, self.value or 0.0, threads)


class Multiply(_Join, frozen=True, kw_only=True):
    """Multiply the inputs sample by sample, and by a number.

        - multiply:
          from: [maps, gate]
        - multiply: 2

    An input of one channel multiplies every channel of the others, an input of one pixel every pixel.
    """

    name: ClassVar[str] = "multiply"
    main: ClassVar[str | None] = "value"
    least_inputs: ClassVar[int] = 1

    implicit_defaults: ClassVar[dict[str, str]] = {"value": "1"}

    value: Annotated[float | None, Meta(description="Multiplies every sample.")] = None

    def fewest_inputs(self) -> int:
        return 2 if self.value is None else 1

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = joining.joined_shape("multiply", *inputs)
        products = len(inputs) - (self.value is None)
        return StepProperties(
            (height, width, channels), macs=products * height * width * channels, linear=len(inputs) == 1
        )

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        return None if self.value is None or len(inputs) > 1 else _scaling(self.value, inputs[0][2])

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.multiply(inputs, 1.0 if self.value is None else self.value, threads)


def _scaling(factor: float, channels: int) -> Bank:
    return Bank.depthwise(np.full((1, 1), factor), channels)


class Select(Step, frozen=True, kw_only=True):
    """Keep some channels, in the order given; they are counted from 1.

    - select: 1
    - select: [3, 2, 1]              # blue, green, red
    - select: [1, 1, 1]              # three times the first
    """

    name: ClassVar[str] = "select"
    main: ClassVar[str | None] = "channels"

    channels: Annotated[
        Positive | Annotated[list[Positive], Meta(min_length=1)],
        Meta(description="One channel, or a list; one may be named several times."),
    ]

    def properties(self, *inputs: Shape) -> StepProperties:
        joining.check_selection(self._chosen(), inputs[0][2])
        return StepProperties((*inputs[0][:2], len(self._chosen())), linear=True)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        chosen = [channel - 1 for channel in self._chosen()]
        return Bank(np.eye(inputs[0][2])[chosen][:, :, np.newaxis, np.newaxis])

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.select(inputs[0], self._chosen())

    def _chosen(self) -> list[int]:
        return [self.channels] if isinstance(self.channels, int) else self.channels


class MaxOverChannels(Step, frozen=True):
    """Keep the largest sample of each pixel, as the compass operators do with their eight directions.

    - max_over_channels
    """

    name: ClassVar[str] = "max_over_channels"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties((*inputs[0][:2], 1))

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.max_over_channels(inputs[0], threads)


class _Gradient(Step, frozen=True, kw_only=True):
    """What is computed from two derivatives, to the right and downward."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2

    def properties(self, *inputs: Shape) -> StepProperties:
        if inputs[0] != inputs[1]:
            raise StepError(f"inputs must be of one size, not {size_text(inputs[0])} and {size_text(inputs[1])}")
        return StepProperties(inputs[0])


class Magnitude(_Gradient, frozen=True, kw_only=True):
    """Compute the magnitude of the gradient from its two components, x to the right and y downward.

    - magnitude:
      from: [across, down]
    """

    name: ClassVar[str] = "magnitude"
    main: ClassVar[str | None] = "norm"

    norm: Annotated[Literal["l2", "l1"], Meta(description="l2: sqrt(x^2 + y^2); l1: |x| + |y|.")] = "l2"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.magnitude(inputs[0], inputs[1], self.norm, threads)


class Direction(_Gradient, frozen=True):
    """Compute the direction of the gradient in degrees from -180 to 180: 0 to the right, 90 downward.

    - direction:
      from: [across, down]
    """

    name: ClassVar[str] = "direction"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.direction(inputs[0], inputs[1], threads)
