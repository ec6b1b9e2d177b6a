"""Steps of classical vision: thin edges, linked edges, zero crossings, template matching."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

import msgspec
import numpy as np
from msgspec import Meta

from convcli.operators import edges, matching, tones
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext, size_text
from convcli.pipeline.steps.files import beside, maps_of, picture
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.pipeline.steps.tones import OrWhite, in_units

_AROUND = ((1, 1), (1, 1))


class NonMaximumSuppression(Step, frozen=True):
    """Keep the magnitude of a gradient where it is largest across the edge, else 0: lines one pixel wide. Canny (1986).

        - non_maximum_suppression:
          from: [magnitude, across, down]

    The rules are those of cv2.Canny, ties included.
    """

    name: ClassVar[str] = "non_maximum_suppression"
    least_inputs: ClassVar[int] = 3
    most_inputs: ClassVar[int | None] = 3

    def properties(self, *inputs: Shape) -> StepProperties:
        if len(set(inputs)) > 1:
            raise StepError(f"inputs must be of one size, not {', '.join(map(size_text, inputs))}")
        return StepProperties(inputs[0], window=(3, 3), padding=_AROUND)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return edges.non_maximum_suppression(inputs[0], inputs[1], inputs[2], threads)


class Hysteresis(Step, frozen=True, kw_only=True):
    """Keep samples above `low` that are connected, through eight neighbours, with a sample above `high`.

    - hysteresis: {low: 50, high: 100}
    """

    name: ClassVar[str] = "hysteresis"

    low: Annotated[float, Meta(description="The lower threshold, in the document's units.")]
    high: Annotated[float, Meta(description="The upper threshold, in the document's units.")]
    value: OrWhite = "white"

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise StepError(f"low: is {self.low:g}, above high, {self.high:g}")

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], whole=True)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        value = np.float32(in_units(self.value, context))
        return PreparedStep(lambda maps: edges.hysteresis(maps, self.low, self.high) * value)


class ZeroCrossings(Step, frozen=True, kw_only=True):
    """Mark where the sign changes, as a second derivative does at edges. Marr and Hildreth (1980).

    - filter: log:sigma=2
    - zero_crossings: 4
    """

    name: ClassVar[str] = "zero_crossings"
    main: ClassVar[str | None] = "least"

    least: Annotated[
        float, Meta(ge=0, description="The two samples must differ by more than this, in the document's units.")
    ] = 0.0
    value: OrWhite = "white"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], window=(3, 3), padding=_AROUND)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        value = np.float32(in_units(self.value, context))
        return PreparedStep(lambda maps: edges.zero_crossings(maps, self.least, context.threads) * value)


class MatchTemplate(Step, frozen=True, kw_only=True):
    """Find a pattern by normalised cross-correlation: from -1 to 1, which stands where the pattern begins.

        - match_template: eye.png
        - match_template:
          from: [input, part]

    Brightness and contrast do not count. Where the input has one channel, a coloured pattern is turned gray. The result
    has one channel, and a sample for each position of the pattern inside the image, as OpenCV's TM_CCOEFF_NORMED.
    """

    name: ClassVar[str] = "match_template"
    main: ClassVar[str | None] = "pattern"
    most_inputs: ClassVar[int | None] = 2

    implicit_defaults: ClassVar[dict[str, str]] = {"pattern": "the second input"}

    pattern: Annotated[str | None, Meta(description="An image beside the document.")] = None

    def relative_to(self, folder: Path) -> Self:
        return self if self.pattern is None else msgspec.structs.replace(self, pattern=beside(folder, self.pattern))

    def check_files(self) -> None:
        if self.pattern is not None:
            picture(self.pattern)

    def properties(self, *inputs: Shape) -> StepProperties:
        pattern = self._pattern_size(*inputs)
        matching.check_pattern(pattern, inputs[0])
        output = (inputs[0][0] - pattern[0] + 1, inputs[0][1] - pattern[1] + 1, 1)
        macs = output[0] * output[1] * pattern[0] * pattern[1] * pattern[2]
        return StepProperties(output, macs=macs, window=pattern[:2], whole=self.pattern is None)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        own = None if self.pattern is None else self._drawn(inputs[0][2])

        def run(maps: Maps, *given: Maps) -> Maps:
            pattern = given[0] if own is None else own
            return matching.match_template(maps, pattern, context.backend, context.threads)

        return PreparedStep(run)

    def _pattern_size(self, *inputs: Shape) -> Shape:
        if (self.pattern is None) == (len(inputs) == 1):
            raise StepError("takes a pattern: the name of an image, or a second input, and not both")
        if self.pattern is None:
            return inputs[1]
        height, width, channels = self._drawn(inputs[0][2]).shape
        return height, width, channels

    def _drawn(self, channels: int) -> Maps:
        """Return the pattern in the file, gray where the input is; its scale does not matter."""
        image = picture(self.pattern or "")
        colours = maps_of(image, 1.0)[..., : image.pixels.shape[2] - image.alpha]
        return tones.gray(colours) if channels == 1 and colours.shape[2] == 3 else colours
