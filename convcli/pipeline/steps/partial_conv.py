"""Partial convolution, and the mask that says what it may read."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators.partial import partial_conv
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext, size_text
from convcli.pipeline.steps.conv import Conv
from convcli.pipeline.steps.files import beside, picture
from convcli.pipeline.steps.properties import Shape, StepProperties


class PartialConv(Conv, frozen=True, kw_only=True):
    """Convolve known samples only: `W (x * m) * sum(1) / sum(m) + bias`, where m is 1 for a known sample, else 0.

        - partial_conv: {kernel: 3, padding: 1, groups: channels, bias: false, weights: "blur.npy"}
        - partial_conv: {out: 16, kernel: 3, padding: 1}
          from: [input, alpha]

    The other options are those of `conv`. Samples that are NaN are unknown, as are those where a second input is 0
    (with `alpha`: transparent ones) and those of the padding. Where the window holds no known sample the result is NaN,
    so that the next partial_conv can tell; `holes: zero` makes it 0. Liu et al., Image inpainting for irregular holes
    using partial convolutions (2018).

    `normalize: weights` divides by the weights that lie on known samples instead of counting those: positive and
    negative ones each for themselves, so that a flat picture stays flat and its derivative 0. A second input is then
    the certainty of each sample, from 0 to 1. Knutsson and Westin, Normalized and differential convolution (1993).
    """

    name: ClassVar[str] = "partial_conv"
    most_inputs: ClassVar[int | None] = 2

    padding_mode: Annotated[Literal["zeros"], Meta(description="The added samples are unknown.")] = "zeros"
    holes: Annotated[
        Literal["nan", "zero"], Meta(description="What the result is where the window holds no known sample.")
    ] = "nan"
    normalize: Annotated[
        Literal["samples", "weights"],
        Meta(description="What the sum is divided by: the share of samples, or of weights, that are known."),
    ] = "samples"

    def properties(self, *inputs: Shape) -> StepProperties:
        if len(inputs) == 2:
            _check_mask(inputs[1], inputs[0])
        known = super().properties(*inputs)
        # The mask is filtered as the image is, once for the weights of either sign.
        return replace(known, linear=False, macs=known.macs * (4 if self.normalize == "weights" else 1))

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        return None

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        weights, bias = self.arrays(inputs, context)
        options = self.bank_options(inputs, context)

        def run(maps: Maps, *given: Maps) -> Maps:
            known = (~np.isnan(maps)).astype(np.float32)
            if given and self.normalize == "weights":
                known *= np.nan_to_num(given[0]).clip(0, 1)
            elif given:
                known *= given[0] != 0
            response, mask = partial_conv(
                maps, known, weights, bias, padding=self.padding, normalize=self.normalize, **options
            )
            if self.holes == "nan":
                np.copyto(response, np.nan, where=mask == 0)
            return response

        return PreparedStep(run)


class Mask(Step, frozen=True, kw_only=True):
    """Make samples NaN where a second input is 0; partial_conv then takes them as unknown.

    - mask:
      from: [input, alpha]
    - mask: scratches.png            # black, or transparent, where nothing is known
    """

    name: ClassVar[str] = "mask"
    main: ClassVar[str | None] = "file"
    most_inputs: ClassVar[int | None] = 2

    implicit_defaults: ClassVar[dict[str, str]] = {"file": "the second input"}

    file: Annotated[
        str | None, Meta(description="An image beside the document, black or transparent where nothing is known.")
    ] = None

    def relative_to(self, folder: Path) -> Self:
        return self if self.file is None else msgspec.structs.replace(self, file=beside(folder, self.file))

    def check_files(self) -> None:
        if self.file is not None:
            picture(self.file)

    def properties(self, *inputs: Shape) -> StepProperties:
        if (self.file is None) == (len(inputs) == 1):
            raise StepError("takes a second input, from: [input, alpha], or a file, and not both")
        if self.file is not None:
            height, width, channels = self._drawn().shape
            _check_mask((height, width, channels), inputs[0], self.file)
        else:
            _check_mask(inputs[1], inputs[0])
        return StepProperties(inputs[0])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        own = None if self.file is None else self._drawn()

        def run(maps: Maps, *given: Maps) -> Maps:
            masked: Maps = np.where((given[0] if own is None else own) == 0, np.float32(np.nan), maps)
            return masked

        return PreparedStep(run)

    def _drawn(self) -> NDArray[Any]:
        """Return the mask in the file, of one channel: its alpha where it has any, else its brightest colour."""
        image = picture(self.file or "")
        drawn: NDArray[Any] = image.pixels[..., -1:] if image.alpha else image.pixels.max(axis=2, keepdims=True)
        return drawn


def _check_mask(mask: Shape, image: Shape, name: str = "mask") -> None:
    if mask[:2] != image[:2] or mask[2] not in (1, image[2]):
        raise StepError(f"{name}: is of {size_text(mask)}, and must go with an input of {size_text(image)}")
