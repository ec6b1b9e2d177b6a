"""Steps that combine several inputs, or the channels of one."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from convcli.operators import joining
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, Step, size_text
from convcli.pipeline.steps.properties import Shape, StepProperties


class _Join(Step, frozen=True, kw_only=True):
    """What joins share: two inputs or more."""

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
    """Add the inputs, each multiplied by its factor where factors are given.

        - add:
          from: [shortcut, residual]
        - add: [1, -1]                   # a difference
          from: [narrow, wide]

    An input of one channel is added to every channel of the others, an input of one pixel to every pixel.
    """

    name: ClassVar[str] = "add"
    main: ClassVar[str | None] = "factors"

    implicit_defaults: ClassVar[dict[str, str]] = {"factors": "1 for each input"}

    factors: Annotated[list[float] | None, Meta(description="What each input is multiplied by.")] = None

    def properties(self, *inputs: Shape) -> StepProperties:
        if self.factors is not None and len(self.factors) != len(inputs):
            raise StepError(f"factors: are {len(self.factors)} for {len(inputs)} inputs: give one each")
        height, width, channels = joining.joined_shape("add", *inputs)
        scaled = len(inputs) if self.factors is not None else 0
        return StepProperties((height, width, channels), macs=scaled * height * width * channels, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.add(inputs, self.factors, threads)


class Multiply(_Join, frozen=True):
    """Multiply the inputs sample by sample.

        - multiply:
          from: [maps, gate]

    An input of one channel multiplies every channel of the others, an input of one pixel every pixel.
    """

    name: ClassVar[str] = "multiply"

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = joining.joined_shape("multiply", *inputs)
        return StepProperties((height, width, channels), macs=(len(inputs) - 1) * height * width * channels)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.multiply(inputs, threads)


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
