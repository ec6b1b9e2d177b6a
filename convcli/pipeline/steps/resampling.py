"""Steps that change the number of pixels: enlarging, cropping, padding, and exchanging channels for pixels."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from convcli.operators import resample, shuffle
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import (
    Maps,
    NotNegative,
    NotNegativePair,
    Positive,
    PositivePair,
    PreparedStep,
    Step,
    StepContext,
    pair,
    size_text,
)
from convcli.pipeline.steps.filters import Padding
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties
from convcli.pipeline.steps.tones import OrWhite, in_units


class Upsample(Step, frozen=True, kw_only=True):
    """Enlarge by whole factors, as torch.nn.Upsample does.

    - upsample: 2
    - upsample: {scale: [2, 4], mode: bilinear}
    """

    name: ClassVar[str] = "upsample"
    main: ClassVar[str | None] = "scale"

    scale: Annotated[PositivePair, Meta(description="How many times as many rows and columns.")]
    mode: Annotated[
        Literal["nearest", "bilinear"], Meta(description="nearest: repeat samples; bilinear: interpolate linearly.")
    ] = "nearest"
    align_corners: Annotated[
        bool, Meta(description="With bilinear: keep the centres of the corner pixels where they are.")
    ] = False

    def __post_init__(self) -> None:
        if self.align_corners and self.mode != "bilinear":
            raise StepError("align_corners: goes with mode bilinear only")

    def properties(self, *inputs: Shape) -> StepProperties:
        between = self.mode == "bilinear"
        rows, columns = pair(self.scale)
        height, width, channels = inputs[0][0] * rows, inputs[0][1] * columns, inputs[0][2]
        return StepProperties(
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


class Resize(Step, frozen=True, kw_only=True):
    """Scale to another size, as cv2.resize does.

        - resize: [240, 320]             # rows, columns
        - resize: {scale: 0.5}
        - resize: {scale: 2.5, mode: lanczos}
        - resize:
          from: [small, input]           # as large as the second input

    Beyond the edges the outermost sample is repeated. To reduce without aliasing take area, which is linear where the
    picture grows; the other modes do not smooth first.
    """

    name: ClassVar[str] = "resize"
    main: ClassVar[str | None] = "size"
    most_inputs: ClassVar[int | None] = 2

    implicit_defaults: ClassVar[dict[str, str]] = {
        "size": "that of the second input, or by scale",
        "scale": "by size",
    }

    size: Annotated[PositivePair | None, Meta(description="Rows and columns of the result.")] = None
    scale: Annotated[float | None, Meta(description="How many times as many rows and columns, rounded.")] = None
    mode: Annotated[
        Literal["area", "nearest", "linear", "cubic", "lanczos"],
        Meta(description="area: the mean of what a pixel covers; else interpolate between 1, 2, 4 or 8 samples."),
    ] = "area"

    def __post_init__(self) -> None:
        if self.scale is not None and not 0 < self.scale <= 1 << 20:
            raise StepError(f"scale: must be a positive number, not {self.scale:g}")

    def properties(self, *inputs: Shape) -> StepProperties:
        size = self._size(inputs)
        axes = [self._axis(given, wanted) for given, wanted in zip(inputs[0][:2], size, strict=True)]
        output = (*size, inputs[0][2])
        samples = {"linear": 4, "cubic": 16, "lanczos": 64}.get(self.mode, 0)
        macs = samples * output[0] * output[1] * output[2]
        common: dict[str, Any] = {
            "macs": macs,
            "linear": True,
            "formula": f"{size_text(inputs[0][:2])} to {size_text(size)}",
        }
        if None in axes:
            return StepProperties(output, whole=True, **common)
        (rows, columns) = (axis for axis in axes if axis is not None)
        return StepProperties(
            output,
            window=(rows[0], columns[0]),
            stride=(rows[1], columns[1]),
            padding=((rows[2], rows[2]), (columns[2], columns[2])),
            upsampling=(rows[3], columns[3]),
            **common,
        )

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        sizes = tuple((each.shape[0], each.shape[1], each.shape[2]) for each in inputs)
        return resample.resize(inputs[0], *self._size(sizes), self.mode, threads)

    def _size(self, inputs: tuple[Shape, ...]) -> Pair:
        if (self.size is not None) + (self.scale is not None) + (len(inputs) == 2) != 1:
            raise StepError("takes a size, a scale, or a second input, from: [small, large], and one of them only")
        if self.size is not None:
            return pair(self.size)
        if self.scale is None:
            return inputs[1][:2]
        return max(1, round(inputs[0][0] * self.scale)), max(1, round(inputs[0][1] * self.scale))

    def _axis(self, given: int, wanted: int) -> tuple[int, int, int, int] | None:
        """Return window, stride, padding and upsampling along an axis that a whole factor scales; None for others."""
        mode = "linear" if self.mode == "area" and wanted > given else self.mode
        taps = resample.RESIZING[mode][1]
        if wanted > given and wanted % given == 0 and mode in ("nearest", "linear"):
            return taps, 1, 0, wanted // given
        if given % wanted:
            return None
        factor = given // wanted
        if mode == "area" or factor == 1:
            return factor, factor, 0, 1
        if factor % 2 or mode == "nearest":
            return 1, factor, -(factor // 2), 1
        return taps, factor, taps // 2 - factor // 2, 1


class Crop(Step, frozen=True, kw_only=True):
    """Cut out a part: `height` rows from row `top` on, and `width` columns from column `left` on.

    - crop: {top: 2, left: 2, height: 28, width: 28}
    - crop:
      from: [enlarged, wanted]       # as large as the second input
    """

    name: ClassVar[str] = "crop"
    most_inputs: ClassVar[int | None] = 2

    implicit_defaults: ClassVar[dict[str, str]] = {
        "height": "that of the second input; to the end where there is none",
        "width": "that of the second input; to the end where there is none",
    }

    top: NotNegative = 0
    left: NotNegative = 0
    height: Positive | None = None
    width: Positive | None = None

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width = self._size(inputs)
        resample.check_crop(inputs[0], self.top, self.left, height, width)
        return StepProperties((height, width, inputs[0][2]), padding=((-self.top, 0), (-self.left, 0)), linear=True)

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


class Pad(Step, frozen=True, kw_only=True):
    """Add samples around the picture.

    - pad: 2                         # on every side
    - pad: {by: [0, 4], mode: constant, value: white}
    - pad: {top: 1, left: 3, mode: wrap}
    """

    name: ClassVar[str] = "pad"
    main: ClassVar[str | None] = "by"

    implicit_defaults: ClassVar[dict[str, str]] = dict.fromkeys(("top", "bottom", "left", "right"), "that of `by`")

    by: Annotated[NotNegativePair, Meta(description="Rows added above and below, columns to the left and right.")] = 0
    top: NotNegative | None = None
    bottom: NotNegative | None = None
    left: NotNegative | None = None
    right: NotNegative | None = None
    mode: Annotated[Padding, Meta(description="What the added samples are.")] = "reflect101"
    value: OrWhite = 0.0

    def properties(self, *inputs: Shape) -> StepProperties:
        rows, columns = self._amounts()
        height, width, channels = inputs[0]
        output = (height + sum(rows), width + sum(columns), channels)
        formula = f"rows {height} + {sum(rows)} = {output[0]}; columns {width} + {sum(columns)} = {output[1]}"
        return StepProperties(output, padding=(rows, columns), linear=True, formula=formula)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        rows, columns = self._amounts()
        value = in_units(self.value, context)
        return PreparedStep(lambda maps: resample.pad(maps, rows, columns, self.mode, value, context.threads))

    def _amounts(self) -> tuple[Pair, Pair]:
        rows, columns = pair(self.by)
        top, bottom, left, right = (
            amount if given is None else given
            for given, amount in ((self.top, rows), (self.bottom, rows), (self.left, columns), (self.right, columns))
        )
        return (top, bottom), (left, right)


class PixelShuffle(Step, frozen=True, kw_only=True):
    """Turn factor x factor channels into as many pixels, as torch.nn.PixelShuffle does. Shi et al. (2016).

    - pixel_shuffle: 2
    """

    name: ClassVar[str] = "pixel_shuffle"
    main: ClassVar[str | None] = "factor"

    factor: Annotated[Positive, Meta(description="How many times as many rows and columns.")]

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        factor = self.factor
        if channels % factor**2:
            raise StepError(f"{channels} channels do not split into groups of {factor}x{factor}")
        output = (height * factor, width * factor, channels // factor**2)
        return StepProperties(output, upsampling=(factor, factor), linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return shuffle.pixel_shuffle(inputs[0], self.factor)


class PixelUnshuffle(Step, frozen=True, kw_only=True):
    """Turn factor x factor pixels into as many channels, as torch.nn.PixelUnshuffle: the inverse of pixel_shuffle.

    - pixel_unshuffle: 2
    """

    name: ClassVar[str] = "pixel_unshuffle"
    main: ClassVar[str | None] = "factor"

    factor: Annotated[Positive, Meta(description="What the number of rows and of columns is divided by.")]

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        factor = self.factor
        if height % factor or width % factor:
            raise StepError(f"{size_text(inputs[0])} does not split into blocks of {factor}x{factor}")
        output = (height // factor, width // factor, channels * factor**2)
        return StepProperties(output, window=(factor, factor), stride=(factor, factor), linear=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return shuffle.pixel_unshuffle(inputs[0], self.factor)
