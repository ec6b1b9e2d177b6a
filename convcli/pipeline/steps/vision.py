"""Steps of classical vision: edges made thin, whole, or found where a second derivative changes its sign; patterns."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

import msgspec
import numpy as np
from msgspec import Meta

from convcli.operators import edges, matching, tones
from convcli.pipeline.steps.base import Maps, Prepared, Setting, Step, StepError, size_text
from convcli.pipeline.steps.files import beside, maps_of, picture
from convcli.pipeline.steps.properties import Facts, Shape
from convcli.pipeline.steps.tones import OrWhite, in_units

_AROUND = ((1, 1), (1, 1))


class NonMaximumSuppression(Step, frozen=True):
    """Keep a gradient's magnitude where it is largest across the edge, and 0 elsewhere: lines one pixel wide.

        - non_maximum_suppression:
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


class MatchTemplate(Step, frozen=True, kw_only=True):
    """Find a pattern by normalised cross-correlation: from -1 to 1, and 1 where the pattern itself begins.

        - match_template: eye.png
        - match_template:
          from: [input, part]

    The pattern is an image beside the document, or a second input; brightness and contrast do not count. Where the
    input has one channel, a coloured file is made gray. The result has one channel and a place for each position of the
    pattern inside the image, as OpenCV's TM_CCOEFF_NORMED.
    """

    name: ClassVar[str] = "match_template"
    main: ClassVar[str | None] = "pattern"
    most_inputs: ClassVar[int | None] = 2

    unless_told: ClassVar[dict[str, str]] = {"pattern": "the second input"}

    pattern: Annotated[str | None, Meta(description="An image beside the document.")] = None

    def located(self, folder: Path) -> Self:
        return self if self.pattern is None else msgspec.structs.replace(self, pattern=beside(folder, self.pattern))

    def check_files(self) -> None:
        if self.pattern is not None:
            picture(self.pattern)

    def output(self, *inputs: Shape) -> Shape:
        pattern = self._pattern_size(*inputs)
        matching.check_pattern(pattern, inputs[0])
        return inputs[0][0] - pattern[0] + 1, inputs[0][1] - pattern[1] + 1, 1

    def facts(self, *inputs: Shape) -> Facts:
        output, pattern = self.output(*inputs), self._pattern_size(*inputs)
        macs = output[0] * output[1] * pattern[0] * pattern[1] * pattern[2]
        return Facts(output, macs=macs, window=pattern[:2], whole=self.pattern is None)

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        self.output(*inputs)
        own = None if self.pattern is None else self._drawn(inputs[0][2])

        def run(maps: Maps, *given: Maps) -> Maps:
            pattern = given[0] if own is None else own
            return matching.match_template(maps, pattern, setting.backend, setting.threads)

        return Prepared(run)

    def _pattern_size(self, *inputs: Shape) -> Shape:
        if (self.pattern is None) == (len(inputs) == 1):
            raise StepError("takes a pattern: the name of an image, or a second input, and not both")
        if self.pattern is None:
            return inputs[1]
        height, width, channels = self._drawn(inputs[0][2]).shape
        return height, width, channels

    def _drawn(self, channels: int) -> Maps:
        """The pattern in the file, gray where the input is; its scale does not count."""
        image = picture(self.pattern or "")
        colours = maps_of(image, 1.0)[..., : image.pixels.shape[2] - image.alpha]
        return tones.gray(colours) if channels == 1 and colours.shape[2] == 3 else colours
