"""Steps on the value of each sample: gray, limits, thresholds, linear light."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from convcli.convolution.bank import Bank
from convcli.operators import tones
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext
from convcli.pipeline.steps.properties import Shape, StepProperties

# A number in the document's units, or what stands for white in them.
OrWhite = Annotated[
    float | Literal["white"], Meta(description="A number, or white: 1, 255 or 65535 by the document's input range.")
]


def in_units(value: float | str, context: StepContext) -> float:
    """Return the number that an option of type `OrWhite` stands for."""
    return context.white if isinstance(value, str) else value


class Gray(Step, frozen=True, kw_only=True):
    """Turn red, green and blue into luma, 0.299 R + 0.587 G + 0.114 B (BT.601). One channel stays as it is.

    - gray
    - gray: {rounded: true}
    """

    name: ClassVar[str] = "gray"

    rounded: Annotated[
        bool,
        Meta(
            description="Round to whole numbers as cv2.cvtColor does for 8-bit samples, or for 16-bit ones where white "
            "is 65535."
        ),
    ] = False

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        if channels not in (1, 3):
            raise StepError(f"takes 1 or 3 channels, not {channels}")
        macs = height * width * 3 if channels == 3 else 0
        return StepProperties((height, width, 1), macs=macs, linear=not self.rounded)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        if self.rounded:
            return None
        weights = (0.299, 0.587, 0.114) if inputs[0][2] == 3 else (1.0,)
        return Bank(np.array(weights).reshape(1, -1, 1, 1))

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        if not self.rounded:
            return PreparedStep(lambda maps: tones.gray(maps, context.threads))
        if context.white == 1:
            raise StepError("rounded: there are no whole numbers between black and white, 1: use input: {range: byte}")
        return PreparedStep(lambda maps: tones.rounded_gray(maps, context.white, context.threads))


class Absolute(Step, frozen=True):
    """Take absolute values.

    - abs
    """

    name: ClassVar[str] = "abs"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return tones.absolute(inputs[0], threads=threads)


class Clip(Step, frozen=True, kw_only=True):
    """Limit samples to a range; `null` for no limit.

    - clip                           # from black to white
    - clip: {low: -1, high: 1}
    """

    name: ClassVar[str] = "clip"

    low: OrWhite | None = 0.0
    high: OrWhite | None = "white"

    def __post_init__(self) -> None:
        if isinstance(self.low, float) and isinstance(self.high, float) and self.low > self.high:
            raise StepError(f"low: is {self.low:g}, above high, {self.high:g}")

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        low = None if self.low is None else in_units(self.low, context)
        high = None if self.high is None else in_units(self.high, context)
        return PreparedStep(lambda maps: tones.clip(maps, low, high, threads=context.threads))


class Equalize(Step, frozen=True):
    """Spread the values of each channel so that all are about as frequent: histogram equalisation.

        - equalize

    As cv2.equalizeHist does, in 65,536 steps from black to white. NaN is not counted, and stays. For a coloured picture
    equalise its lightness: the first channel of to_lab.
    """

    name: ClassVar[str] = "equalize"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], whole=True)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        return PreparedStep(lambda maps: tones.equalize(maps, context.white))


class Threshold(Step, frozen=True, kw_only=True):
    """Compare each sample with a threshold.

        - threshold: 100
        - threshold: {at: 5, mode: keep_abs}

    The modes: `binary` gives `value` above the threshold and 0 elsewhere, `below` the opposite; `keep` gives the sample
    itself above it and 0 elsewhere; `keep_abs` the same by the sample's absolute value, as an unsharp mask with a
    threshold needs it. NaN is not above any threshold.
    """

    name: ClassVar[str] = "threshold"
    main: ClassVar[str | None] = "at"

    at: Annotated[float, Meta(description="The threshold, in the document's units.")]
    mode: Annotated[
        Literal["binary", "below", "keep", "keep_abs"], Meta(description="What is given where; see above.")
    ] = "binary"
    value: OrWhite = "white"

    def __post_init__(self) -> None:
        if self.value != "white" and self.mode.startswith("keep"):
            raise StepError(f"value: does nothing in mode {self.mode}, which gives the samples themselves")

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        value = np.float32(in_units(self.value, context))

        def run(maps: Maps) -> Maps:
            compared = tones.threshold(maps, self.at, self.mode, context.threads)
            if not self.mode.startswith("keep") and value != 1:
                compared *= value
            return compared

        return PreparedStep(run)


class ToLinear(Step, frozen=True):
    """Undo the sRGB curve (IEC 61966-2-1): from the values of a picture to linear light. White stays white.

    - to_linear
    """

    name: ClassVar[str] = "to_linear"

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        return PreparedStep(lambda maps: tones.to_linear(maps, context.white, context.threads))


class ToSrgb(Step, frozen=True):
    """Apply the sRGB curve: the inverse of to_linear.

    - to_srgb
    """

    name: ClassVar[str] = "to_srgb"

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        return PreparedStep(lambda maps: tones.to_srgb(maps, context.white, context.threads))


class Fill(Step, frozen=True, kw_only=True):
    """Replace NaN by a number, or by the samples of a second input.

    - fill: 0
    - fill:
      from: [holed, blurred]
    """

    name: ClassVar[str] = "fill"
    main: ClassVar[str | None] = "value"
    most_inputs: ClassVar[int | None] = 2

    implicit_defaults: ClassVar[dict[str, str]] = {"value": "the second input"}

    value: OrWhite | None = None

    def properties(self, *inputs: Shape) -> StepProperties:
        if (self.value is None) == (len(inputs) == 1):
            raise StepError("takes a value, or a second input, and not both")
        if len(inputs) == 2 and inputs[0] != inputs[1]:
            raise StepError("inputs must be of one size")
        return StepProperties(inputs[0])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        value = None if self.value is None else np.float32(in_units(self.value, context))

        def run(maps: Maps, *other: Maps) -> Maps:
            filled: Maps = np.where(np.isnan(maps), other[0] if value is None else value, maps)
            return filled

        return PreparedStep(run)
