"""Steps that change how many pixels there are, and where a pixel's samples lie."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from convcli.operators import resample, shuffle
from convcli.pipeline.steps.base import Maps, NotNegative, Positive, PositivePair, Step, StepError, pair, size_text
from convcli.pipeline.steps.properties import Facts, Shape


class Upsample(Step, frozen=True, kw_only=True):
    """Enlarge by whole factors, as torch.nn.Upsample does.

        - upsample: 2
        - upsample: {scale: [2, 4], mode: bilinear}

    `nearest` repeats samples, `bilinear` goes between them in straight lines; with `align_corners` the centres of the
    corner pixels stay where they are.
    """

    name: ClassVar[str] = "upsample"
    main: ClassVar[str | None] = "scale"

    scale: PositivePair
    mode: Literal["nearest", "bilinear"] = "nearest"
    align_corners: bool = False

    def __post_init__(self) -> None:
        if self.align_corners and self.mode != "bilinear":
            raise StepError("align_corners: goes with mode bilinear only")

    def output(self, *inputs: Shape) -> Shape:
        rows, columns = pair(self.scale)
        return inputs[0][0] * rows, inputs[0][1] * columns, inputs[0][2]

    def facts(self, *inputs: Shape) -> Facts:
        between = self.mode == "bilinear"
        height, width, channels = self.output(*inputs)
        rows, columns = pair(self.scale)
        return Facts(
            (height, width, channels),
            macs=4 * height * width * channels if between else 0,
            window=(1 + (between and rows > 1), 1 + (between and columns > 1)),
            upsampling=(rows, columns),
            linear=True,
            formula=f"{inputs[0][0]}*{rows} = {height}"
            if (inputs[0][0], rows) == (inputs[0][1], columns)
            else f"rows {inputs[0][0]}*{rows} = {height}; columns {inputs[0][1]}*{columns} = {width}",
        )

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return resample.upsample(inputs[0], pair(self.scale), self.mode, self.align_corners, threads)


class Crop(Step, frozen=True, kw_only=True):
    """Cut a part out: so many rows from row `top` on, and columns from column `left` on.

        - crop: {top: 2, left: 2, height: 28, width: 28}
        - crop:
          from: [enlarged, wanted]       # as large as the second input

    `height` and `width` go to the end unless told, or are those of a second input.
    """

    name: ClassVar[str] = "crop"
    most_inputs: ClassVar[int | None] = 2

    unless_told: ClassVar[dict[str, str]] = {
        "height": "that of the second input; to the end where there is none",
        "width": "that of the second input; to the end where there is none",
    }

    top: NotNegative = 0
    left: NotNegative = 0
    height: Positive | None = None
    width: Positive | None = None

    def output(self, *inputs: Shape) -> Shape:
        height, width = self._size(inputs)
        resample.check_crop(inputs[0], self.top, self.left, height, width)
        return height, width, inputs[0][2]

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(self.output(*inputs), padding=((-self.top, 0), (-self.left, 0)), linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        sizes = tuple((each.shape[0], each.shape[1], each.shape[2]) for each in inputs)
        return resample.crop(inputs[0], self.top, self.left, *self._size(sizes))

    def _size(self, inputs: tuple[Shape, ...]) -> tuple[int, int]:
        if len(inputs) == 2:
            if self.height is not None or self.width is not None:
                raise StepError("height and width are those of the second input: leave them out")
            return inputs[1][0], inputs[1][1]
        height, width, _ = inputs[0]
        return self.height or max(1, height - self.top), self.width or max(1, width - self.left)


class PixelShuffle(Step, frozen=True, kw_only=True):
    """Lay factor x factor channels out as pixels of one, as torch.nn.PixelShuffle. Shi et al. (2016).

    - pixel_shuffle: 2
    """

    name: ClassVar[str] = "pixel_shuffle"
    main: ClassVar[str | None] = "factor"

    factor: Annotated[Positive, Meta(description="How many times as many rows and columns.")]

    def output(self, *inputs: Shape) -> Shape:
        height, width, channels = inputs[0]
        if channels % self.factor**2:
            raise StepError(f"{channels} channels do not split into groups of {self.factor}x{self.factor}")
        return height * self.factor, width * self.factor, channels // self.factor**2

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(self.output(*inputs), upsampling=(self.factor, self.factor), linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return shuffle.pixel_shuffle(inputs[0], self.factor)


class PixelUnshuffle(Step, frozen=True, kw_only=True):
    """Undo pixel_shuffle: factor x factor pixels become as many channels of one, as torch.nn.PixelUnshuffle.

    - pixel_unshuffle: 2
    """

    name: ClassVar[str] = "pixel_unshuffle"
    main: ClassVar[str | None] = "factor"

    factor: Annotated[Positive, Meta(description="How many times fewer rows and columns.")]

    def output(self, *inputs: Shape) -> Shape:
        height, width, channels = inputs[0]
        if height % self.factor or width % self.factor:
            raise StepError(f"{size_text(inputs[0])} does not split into blocks of {self.factor}x{self.factor}")
        return height // self.factor, width // self.factor, channels * self.factor**2

    def facts(self, *inputs: Shape) -> Facts:
        pairs = (self.factor, self.factor)
        return Facts(self.output(*inputs), window=pairs, stride=pairs, linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return shuffle.pixel_unshuffle(inputs[0], self.factor)
