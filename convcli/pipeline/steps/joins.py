"""Steps that bring branches together, and channels."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators import joining, tones
from convcli.pipeline.steps.base import Maps, Prepared, Setting, Step, StepError, size_text
from convcli.pipeline.steps.properties import Facts, Shape


class _Join(Step, frozen=True, kw_only=True):
    """What joins have in common: any number of inputs."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = None


class Concat(_Join, frozen=True):
    """Lay the channels of all inputs side by side, in the order given.

    - concat:
      from: [narrow, wide]
    """

    name: ClassVar[str] = "concat"

    def output(self, *inputs: Shape) -> Shape:
        if len({shape[:2] for shape in inputs}) > 1:
            raise StepError(f"inputs must be of one height and width, not {' and '.join(map(size_text, inputs))}")
        return inputs[0][0], inputs[0][1], sum(shape[2] for shape in inputs)

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(self.output(*inputs), linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.concat(inputs)


class Add(_Join, frozen=True, kw_only=True):
    """Sum the inputs, each times its factor where there are any.

        - add:
          from: [shortcut, residual]
        - add: [1, -1]                   # a difference
          from: [narrow, wide]

    An input of one channel, or of one pixel, is added to every channel, or pixel, of the others.
    """

    name: ClassVar[str] = "add"
    main: ClassVar[str | None] = "factors"

    unless_told: ClassVar[dict[str, str]] = {"factors": "1 for each input"}

    factors: Annotated[list[float] | None, Meta(description="What each input is multiplied by; 1 unless told.")] = None

    def output(self, *inputs: Shape) -> Shape:
        if self.factors is not None and len(self.factors) != len(inputs):
            raise StepError(f"factors: are {len(self.factors)} for {len(inputs)} inputs: give one each")
        return joining.joined_shape("add", *inputs)

    def facts(self, *inputs: Shape) -> Facts:
        height, width, channels = self.output(*inputs)
        scaled = len(inputs) if self.factors is not None else 0
        return Facts((height, width, channels), macs=scaled * height * width * channels, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.add(inputs, self.factors, threads)


class Multiply(_Join, frozen=True):
    """Multiply the inputs sample by sample; those of one channel or one pixel go with all of the others.

    - multiply:
      from: [maps, gate]
    """

    name: ClassVar[str] = "multiply"

    def output(self, *inputs: Shape) -> Shape:
        return joining.joined_shape("multiply", *inputs)

    def facts(self, *inputs: Shape) -> Facts:
        height, width, channels = self.output(*inputs)
        return Facts((height, width, channels), macs=(len(inputs) - 1) * height * width * channels)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.multiply(inputs, threads)


class MaxOverChannels(Step, frozen=True):
    """Keep the largest sample of each pixel, as the compass operators do with their eight directions.

    - max_over_channels
    """

    name: ClassVar[str] = "max_over_channels"

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0][0], inputs[0][1], 1

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.max_over_channels(inputs[0], threads)


class _Gradient(Step, frozen=True, kw_only=True):
    """What is made of two responses, to the right and downward."""

    least_inputs: ClassVar[int] = 2
    most_inputs: ClassVar[int | None] = 2

    def output(self, *inputs: Shape) -> Shape:
        if inputs[0] != inputs[1]:
            raise StepError(f"inputs must be of one size, not {size_text(inputs[0])} and {size_text(inputs[1])}")
        return inputs[0]


class Magnitude(_Gradient, frozen=True, kw_only=True):
    """How large the gradient of two responses is: sqrt(x^2 + y^2), or |x| + |y| for norm `l1`.

    - magnitude:
      from: [across, down]
    """

    name: ClassVar[str] = "magnitude"
    main: ClassVar[str | None] = "norm"

    norm: Literal["l2", "l1"] = "l2"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.magnitude(inputs[0], inputs[1], self.norm, threads)


class Direction(_Gradient, frozen=True):
    """Where the gradient of two responses points, in degrees from -180 to 180: 0 to the right, 90 down.

    - direction:
      from: [across, down]
    """

    name: ClassVar[str] = "direction"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return joining.direction(inputs[0], inputs[1], threads)


class Gray(Step, frozen=True, kw_only=True):
    """Turn red, green and blue into brightness: 0.299 R + 0.587 G + 0.114 B (BT.601). One channel stays as it is.

        - gray
        - gray: {rounded: true}

    `rounded` gives the whole numbers that an 8-bit gray picture of the same would hold (16-bit, where white is 65535),
    as cv2.cvtColor rounds them.
    """

    name: ClassVar[str] = "gray"

    rounded: bool = False

    def output(self, *inputs: Shape) -> Shape:
        if inputs[0][2] not in (1, 3):
            raise StepError(f"takes 1 or 3 channels, not {inputs[0][2]}")
        return inputs[0][0], inputs[0][1], 1

    def facts(self, *inputs: Shape) -> Facts:
        height, width, channels = inputs[0]
        macs = height * width * 3 if channels == 3 else 0
        return Facts(self.output(*inputs), macs=macs, linear=not self.rounded)

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        if self.rounded:
            return None
        weights = (0.299, 0.587, 0.114) if inputs[0][2] == 3 else (1.0,)
        return Bank(np.array(weights).reshape(1, -1, 1, 1))

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        if not self.rounded:
            return Prepared(lambda maps: tones.gray(maps, setting.threads))
        if setting.white == 1:
            raise StepError("rounded: there are no whole numbers between black and white, 1: use input: {range: byte}")
        return Prepared(lambda maps: tones.rounded_gray(maps, setting.white, setting.threads))
