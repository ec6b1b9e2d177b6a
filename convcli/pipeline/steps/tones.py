"""Steps on the value of each sample: limits, thresholds, light."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from convcli.operators import tones
from convcli.pipeline.steps.base import Maps, Prepared, Setting, Step, StepError
from convcli.pipeline.steps.properties import Facts, Shape

# A number in the document's units, or what stands for white in them.
OrWhite = Annotated[
    float | Literal["white"], Meta(description="A number, or white: 1, 255 or 65535 by the document's input range.")
]


def in_units(value: float | str, setting: Setting) -> float:
    """Give the number that a value stands for."""
    return setting.white if isinstance(value, str) else value


class Absolute(Step, frozen=True):
    """Take absolute values.

    - abs
    """

    name: ClassVar[str] = "abs"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return tones.absolute(inputs[0], threads=threads)


class Clip(Step, frozen=True, kw_only=True):
    """Hold samples between two limits; `null` for none.

    - clip                           # from black to white
    - clip: {low: -1, high: 1}
    """

    name: ClassVar[str] = "clip"

    low: OrWhite | None = 0.0
    high: OrWhite | None = "white"

    def __post_init__(self) -> None:
        if isinstance(self.low, float) and isinstance(self.high, float) and self.low > self.high:
            raise StepError(f"low: is {self.low:g}, above high, {self.high:g}")

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        low = None if self.low is None else in_units(self.low, setting)
        high = None if self.high is None else in_units(self.high, setting)
        return Prepared(lambda maps: tones.clip(maps, low, high, threads=setting.threads))


class Threshold(Step, frozen=True, kw_only=True):
    """Compare each sample with `at`, in the document's units.

        - threshold: 100
        - threshold: {at: 5, mode: keep_abs}

    `binary` gives white above it and 0 elsewhere, `below` the opposite; `keep` the sample itself above it and 0
    elsewhere, `keep_abs` the sample where its absolute value is above it, as an unsharp mask with a threshold adds.
    `value` is given in place of white.
    """

    name: ClassVar[str] = "threshold"
    main: ClassVar[str | None] = "at"

    at: float
    mode: Literal["binary", "below", "keep", "keep_abs"] = "binary"
    value: OrWhite = "white"

    def __post_init__(self) -> None:
        if self.value != "white" and self.mode.startswith("keep"):
            raise StepError(f"value: does nothing in mode {self.mode}, which gives the samples themselves")

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        value = np.float32(in_units(self.value, setting))

        def run(maps: Maps) -> Maps:
            compared = tones.threshold(maps, self.at, self.mode, setting.threads)
            if not self.mode.startswith("keep") and value != 1:
                compared *= value
            return compared

        return Prepared(run)


class ToLinear(Step, frozen=True):
    """Undo the sRGB curve (IEC 61966-2-1): from a picture's values to linear light. White stays white.

    - to_linear
    """

    name: ClassVar[str] = "to_linear"

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        return Prepared(lambda maps: tones.to_linear(maps, setting.white, setting.threads))


class ToSrgb(Step, frozen=True):
    """Redo the sRGB curve, the inverse of to_linear.

    - to_srgb
    """

    name: ClassVar[str] = "to_srgb"

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        return Prepared(lambda maps: tones.to_srgb(maps, setting.white, setting.threads))


class Fill(Step, frozen=True, kw_only=True):
    """Put something where samples are NaN: a number, or the samples of a second input.

    - fill: 0
    - fill:
      from: [holed, blurred]
    """

    name: ClassVar[str] = "fill"
    main: ClassVar[str | None] = "value"
    most_inputs: ClassVar[int | None] = 2

    unless_told: ClassVar[dict[str, str]] = {"value": "the second input"}

    value: OrWhite | None = None

    def output(self, *inputs: Shape) -> Shape:
        if (self.value is None) == (len(inputs) == 1):
            raise StepError("takes a value, or a second input, and not both")
        if len(inputs) == 2 and inputs[0] != inputs[1]:
            raise StepError("inputs must be of one size")
        return inputs[0]

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(self.output(*inputs))

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        value = None if self.value is None else np.float32(in_units(self.value, setting))

        def run(maps: Maps, *other: Maps) -> Maps:
            filled: Maps = np.where(np.isnan(maps), other[0] if value is None else value, maps)
            return filled

        return Prepared(run)
