"""Deformable convolution."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.operators.deformable import deformable_conv, offset_parts
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, NotNegativePair, PreparedStep, StepContext, pair, size_text
from convcli.pipeline.steps.conv import Conv
from convcli.pipeline.steps.properties import Shape, StepProperties

_FILE = "file.npy, file.npz:name or file.safetensors:name"


class DeformableConv(Conv, frozen=True, kw_only=True):
    """Correlate, each kernel element reading the sample that an offset of its own leads to. Dai et al. (2017).

        - conv: {out: 18, kernel: 3, padding: 1}
          name: offsets
        - deformable_conv: {out: 16, kernel: 3, padding: 1, weights: {init: he, seed: 0}}
          from: [input, offsets]
        - deformable_conv: {out: 16, kernel: 3, padding: 1, offsets: "moved.npy"}

    Offsets are a second input, or a file, with the rows and columns of the result. Their channels are, for each of n
    equal parts of the input channels, the offset in rows and the offset in columns of element (0, 0), of element (0, 1)
    and so on. A third input, or the file `mask`, holds a factor for each element (Zhu et al. 2019). Samples between
    pixels are interpolated bilinearly; those outside the image are 0.
    """

    name: ClassVar[str] = "deformable_conv"
    most_inputs: ClassVar[int | None] = 3

    padding: Annotated[NotNegativePair, Meta(description="Samples added on each side.")] = 0
    padding_mode: Annotated[Literal["zeros"], Meta(description="The added samples are 0.")] = "zeros"
    implicit_defaults: ClassVar[dict[str, str]] = Conv.implicit_defaults | {
        "offsets": "the second input",
        "mask": "the third input where there is one; else every factor is 1",
    }

    offsets: Annotated[str | None, Meta(description=f"{_FILE}: (rows, columns, 2 n elements), in pixels.")] = None
    mask: Annotated[str | None, Meta(description=f"{_FILE}: (rows, columns, n elements).")] = None

    def properties(self, *inputs: Shape) -> StepProperties:
        conv = super().properties(*inputs)
        if (self.offsets is None) == (len(inputs) == 1):
            raise StepError("needs its offsets once: as a second input, from: [input, offsets], or as a file, offsets")
        if self.mask is not None and len(inputs) == 3:
            raise StepError("mask: is given as a third input too: drop one of them")
        if len(inputs) > 1:
            self._check_offsets(inputs[1], conv.output, inputs[0][2])
        if len(inputs) > 2:
            self._check_factors(inputs[2], inputs[1])
        return replace(conv, linear=False)

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        return None

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        weights, bias = self.arrays(inputs, context)
        own_offsets = own_mask = None
        if self.offsets is not None:
            own_offsets = _field(self.offsets, "offsets", context)
            self._check_offsets(_shape_of(own_offsets), self.output(*inputs), inputs[0][2])
        if self.mask is not None:
            own_mask = _field(self.mask, "mask", context)
            self._check_factors(_shape_of(own_mask), inputs[1] if own_offsets is None else _shape_of(own_offsets))

        def run(maps: Maps, *given: Maps) -> Maps:
            return deformable_conv(
                maps,
                given[0] if own_offsets is None else own_offsets,
                weights,
                bias,
                given[1] if len(given) > 1 else own_mask,
                stride=pair(self.stride),
                padding=pair(self.padding),
                dilation=pair(self.dilation),
                groups=self.group_count(inputs[0][2]),
                threads=context.threads,
            )

        return PreparedStep(run)

    def _check_offsets(self, shape: Shape, output: Shape, channels: int) -> None:
        offset_parts(shape, output[:2], self.kernel_size(), channels)

    def _check_factors(self, mask: Shape, offsets: Shape) -> None:
        wanted = (*offsets[:2], offsets[2] // 2)
        if mask != wanted:
            raise StepError(f"mask: is of {size_text(mask)}, and goes with these offsets at {size_text(wanted)}")


def _field(reference: str, option: str, context: StepContext) -> NDArray[np.float32]:
    """Return an array of three dimensions from a file."""
    field = context.weights.field(reference, option)
    if field.ndim != 3:
        raise StepError(f"{option}: {reference} has {field.ndim} dimensions, and must have (rows, columns, n)")
    return field


def _shape_of(maps: NDArray[Any]) -> Shape:
    return maps.shape[0], maps.shape[1], maps.shape[2]
