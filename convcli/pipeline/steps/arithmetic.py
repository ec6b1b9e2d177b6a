"""Steps of arithmetic on each sample: quotients, roots, exponentials, logarithms, powers, negatives, constants."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators import arithmetic
from convcli.operators.joining import joined_shape
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.pipeline.steps.tones import OrWhite, in_units

_Above0 = Annotated[float, Meta(gt=0)]


class Divide(Step, frozen=True, kw_only=True):
    """Divide the first input by the second, or one input by a number.

        - divide:
          from: [picture, light]
        - divide: {floor: 0.001}
          from: [picture, light]
        - divide: 255

    Where the divisor is 0 the result is NaN, unless `floor` is above 0. An input of one channel goes with every channel
    of the other, an input of one pixel with every pixel.
    """

    name: ClassVar[str] = "divide"
    main: ClassVar[str | None] = "value"
    most_inputs: ClassVar[int | None] = 2

    implicit_defaults: ClassVar[dict[str, str]] = {"value": "the second input"}

    value: OrWhite | None = None
    floor: Annotated[
        float, Meta(ge=0, description="Divisors of a smaller magnitude are replaced by it, with their sign.")
    ] = 0.0

    def __post_init__(self) -> None:
        if self.value == 0:
            raise StepError("value: is 0, which nothing is divided by")

    def fewest_inputs(self) -> int:
        return 2 if self.value is None else 1

    def properties(self, *inputs: Shape) -> StepProperties:
        if self.value is not None and len(inputs) > 1:
            raise StepError("takes a number, divide: 2, or a second input, from: [a, b], and not both")
        height, width, channels = joined_shape("divide", *inputs)
        return StepProperties((height, width, channels), macs=height * width * channels, linear=self.value is not None)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        if self.value is None:
            return None
        return Bank.depthwise(np.full((1, 1), 1 / in_units(self.value, context)), inputs[0][2])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        value = None if self.value is None else in_units(self.value, context)

        def run(maps: Maps, *by: Maps) -> Maps:
            return arithmetic.divide(maps, by[0] if value is None else value, self.floor, context.threads)

        return PreparedStep(run)


class SquareRoot(Step, frozen=True, kw_only=True):
    """Take square roots; NaN where a sample is negative, unless `floor` raises it.

    - sqrt
    - sqrt: {floor: 0}
    """

    name: ClassVar[str] = "sqrt"

    implicit_defaults: ClassVar[dict[str, str]] = {"floor": "none: negative samples become NaN"}

    floor: Annotated[float | None, Meta(description="Smaller samples are raised to it first; 0 or more.")] = None

    def __post_init__(self) -> None:
        if self.floor is not None and not self.floor >= 0:
            raise StepError(f"floor: is {self.floor:g}: a square root wants 0 or more")

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return arithmetic.square_root(inputs[0], self.floor, threads)


class Exponential(Step, frozen=True, kw_only=True):
    """Raise a base, e by default, to the power of each sample.

    - exp
    - exp: 2
    """

    name: ClassVar[str] = "exp"
    main: ClassVar[str | None] = "base"

    implicit_defaults: ClassVar[dict[str, str]] = {"base": "e, 2.71828"}

    base: Annotated[_Above0 | None, Meta(description="What is raised; above 0.")] = None

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return arithmetic.exponential(inputs[0], self.base, threads)


class Logarithm(Step, frozen=True, kw_only=True):
    """Take logarithms, natural ones by default; NaN where a sample is 0 or negative, unless `floor` raises it.

    - log
    - log: 10
    - log: {base: 2, floor: 0.001}
    """

    name: ClassVar[str] = "log"
    main: ClassVar[str | None] = "base"

    implicit_defaults: ClassVar[dict[str, str]] = {
        "base": "e, 2.71828",
        "floor": "none: samples of 0 and below become NaN",
    }

    base: Annotated[_Above0 | None, Meta(description="The base; above 0 and not 1.")] = None
    floor: Annotated[_Above0 | None, Meta(description="Smaller samples are raised to it first; above 0.")] = None

    def __post_init__(self) -> None:
        if self.base == 1:
            raise StepError("base: is 1, which has no logarithms")

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return arithmetic.logarithm(inputs[0], self.base, self.floor, threads)


class Power(Step, frozen=True, kw_only=True):
    """Raise each sample to a power.

        - power: 2
        - power: {exponent: 0.4545, floor: 0}

    The result is NaN where a negative sample has a broken exponent, and where 0 has a negative one.
    """

    name: ClassVar[str] = "power"
    main: ClassVar[str | None] = "exponent"

    implicit_defaults: ClassVar[dict[str, str]] = {"floor": "none"}

    exponent: Annotated[float, Meta(description="The power.")]
    floor: Annotated[float | None, Meta(description="Smaller samples are raised to it first.")] = None

    def __post_init__(self) -> None:
        for option in ("exponent", "floor"):
            if not math.isfinite(getattr(self, option) or 0.0):
                raise StepError(f"{option}: must be a finite number")

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return arithmetic.power(inputs[0], self.exponent, self.floor, threads)


class Invert(Step, frozen=True):
    """Turn a picture into its negative: white less each sample.

    - invert
    """

    name: ClassVar[str] = "invert"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], linear=True)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        return Bank.depthwise(np.full((1, 1), -1.0), inputs[0][2])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        return PreparedStep(lambda maps: arithmetic.invert(maps, context.white, context.threads))


class Constant(Step, frozen=True, kw_only=True):
    """Make an image of one colour, as large as the input.

    - constant: white
    - constant: {value: [255, 0, 0]}
      from: input
    - constant: [0.2, 0.5]           # two channels
    """

    name: ClassVar[str] = "constant"
    main: ClassVar[str | None] = "value"

    value: Annotated[
        float | Literal["white"] | Annotated[list[float], Meta(min_length=1)],
        Meta(description="A number or white, for one channel; or a list with a number for each channel."),
    ]

    def properties(self, *inputs: Shape) -> StepProperties:
        channels = len(self.value) if isinstance(self.value, list) else 1
        return StepProperties((*inputs[0][:2], channels))

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        values = self.value if isinstance(self.value, list) else [in_units(self.value, context)]
        return PreparedStep(lambda maps: arithmetic.constant(maps.shape[0], maps.shape[1], values))
