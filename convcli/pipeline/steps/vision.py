"""Steps of classical vision: thin edges, edges that hang together, edges of second derivatives."""

from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from convcli.operators import edges
from convcli.pipeline.facts import Facts, Shape
from convcli.pipeline.step import Maps, Prepared, Setting, Step, StepError, size_text
from convcli.pipeline.steps.tones import OrWhite, in_units

_AROUND = ((1, 1), (1, 1))


class NonMaximumSuppression(Step, frozen=True):
    """Keep a gradient's magnitude where it is largest across the edge, and 0 elsewhere: lines one pixel wide.

        - non_maximum_suppression
          from: [magnitude, across, down]

    The rules are those of cv2.Canny, tie for tie. Canny (1986).
    """

    name: ClassVar[str] = "non_maximum_suppression"
    least_inputs: ClassVar[int] = 3
    most_inputs: ClassVar[int | None] = 3

    def output(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) > 1:
            raise StepError(f"inputs must be of one size, not {', '.join(map(size_text, inputs))}")
        return inputs[0]

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(self.output(*inputs), window=(3, 3), padding=_AROUND)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return edges.non_maximum_suppression(inputs[0], inputs[1], inputs[2], threads)


class Hysteresis(Step, frozen=True, kw_only=True):
    """Keep what is above `low` and, through its eight neighbours, hangs together with something above `high`.

        - hysteresis: {low: 50, high: 100}

    Both are in the document's units. Gives `value` where kept, 0 elsewhere.
    """

    name: ClassVar[str] = "hysteresis"

    low: float
    high: float
    value: OrWhite = "white"

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise StepError(f"low: is {self.low:g}, above high, {self.high:g}")

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(inputs[0], whole=True)

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        value = np.float32(in_units(self.value, setting))
        return Prepared(lambda maps: edges.hysteresis(maps, self.low, self.high) * value)


class ZeroCrossings(Step, frozen=True, kw_only=True):
    """Mark where the sign changes by more than `least`, as second derivatives do at edges. Marr and Hildreth (1980).

    - filter: log:sigma=2
    - zero_crossings: 4
    """

    name: ClassVar[str] = "zero_crossings"
    main: ClassVar[str | None] = "least"

    least: Annotated[float, Meta(ge=0)] = 0.0
    value: OrWhite = "white"

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(inputs[0], window=(3, 3), padding=_AROUND)

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        value = np.float32(in_units(self.value, setting))
        return Prepared(lambda maps: edges.zero_crossings(maps, self.least, setting.threads) * value)
