"""A second image file as a source of a pipeline."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta

from convcli.image.model import Image
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, Positive, PositivePair, PreparedStep, Step, StepContext, pair, size_text
from convcli.pipeline.steps.files import beside, maps_of, picture
from convcli.pipeline.steps.properties import Shape, StepProperties


class ImageFile(Step, frozen=True, kw_only=True):
    """Read a second image, whatever the first: white is as in the document's input range.

        - image: sky.png
          name: sky
        - image: {file: mask.png, part: alpha}
        - image: {file: sky.png, channels: 3}
          from: input                    # must be as large as the input

    It reads no input, and joins others by its name; with `from` it must have the height and width of that input.
    """

    name: ClassVar[str] = "image"
    main: ClassVar[str | None] = "file"
    least_inputs: ClassVar[int] = 0

    implicit_defaults: ClassVar[dict[str, str]] = {
        "size": "that of the input where `from` names one; else any",
        "channels": "any number",
    }

    file: Annotated[str, Meta(description="The image, looked for beside the document.")]
    part: Annotated[
        Literal["colours", "alpha"],
        Meta(description="colours: without opacity; alpha: opacity alone, 1 everywhere where the file has none."),
    ] = "colours"
    size: Annotated[PositivePair | None, Meta(description="Rows and columns that it must have.")] = None
    channels: Annotated[Positive | None, Meta(description="Number of channels that it must have.")] = None

    def relative_to(self, folder: Path) -> Self:
        return msgspec.structs.replace(self, file=beside(folder, self.file))

    def check_files(self) -> None:
        picture(self.file)

    def properties(self, *inputs: Shape) -> StepProperties:
        image = picture(self.file)
        height, width = image.pixels.shape[:2]
        channels = 1 if self.part == "alpha" else image.pixels.shape[2] - image.alpha
        wanted = inputs[0][:2] if inputs else None if self.size is None else pair(self.size)
        if inputs and self.size is not None:
            raise StepError("size: is that of the input that from names: leave one of them out")
        if wanted is not None and wanted != (height, width):
            raise StepError(f"{self.file}: is of {height}x{width}, and must be of {size_text(wanted)} (rows x columns)")
        if self.channels is not None and self.channels != channels:
            raise StepError(f"{self.file}: has {channels} channels, and must have {self.channels}")
        return StepProperties((height, width, channels), whole=True)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        maps = self._maps(picture(self.file), context.white)
        return PreparedStep(lambda *_: maps)

    def _maps(self, image: Image, white: float) -> Maps:
        if self.part == "colours":
            return maps_of(image, white)[..., : image.pixels.shape[2] - image.alpha]
        return maps_of(image, 1.0)[..., -1:] if image.alpha else np.ones((*image.pixels.shape[:2], 1), np.float32)
