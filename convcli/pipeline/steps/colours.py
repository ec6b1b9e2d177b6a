"""Steps between colour spaces: CIE L*a*b*, Y'CbCr and HSV."""

from collections.abc import Callable
from typing import ClassVar

from convcli.operators import colours
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext
from convcli.pipeline.steps.properties import Shape, StepProperties


class _Colours(Step, frozen=True):
    """What conversions share: three channels in, three out."""

    conversion: ClassVar[Callable[..., Maps]]

    def properties(self, *inputs: Shape) -> StepProperties:
        if inputs[0][2] != 3:
            raise StepError(f"takes 3 channels, not {inputs[0][2]}")
        return StepProperties(inputs[0], linear="ycbcr" in self.name)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        self.output(*inputs)
        convert = type(self).conversion
        return PreparedStep(lambda maps: convert(maps, context.white, context.threads))


class ToLab(_Colours, frozen=True):
    """Turn sRGB into CIE L*a*b* under D65: lightness from 0 to 100, green to red, blue to yellow.

        - to_lab

    Samples beyond black and white are limited to them first; a colour with a NaN becomes NaN.
    """

    name: ClassVar[str] = "to_lab"
    conversion: ClassVar[Callable[..., Maps]] = colours.to_lab


class FromLab(_Colours, frozen=True):
    """Turn CIE L*a*b* into sRGB: the inverse of to_lab.

        - from_lab

    Colours that sRGB lacks are limited to its range.
    """

    name: ClassVar[str] = "from_lab"
    conversion: ClassVar[Callable[..., Maps]] = colours.from_lab


class ToYcbcr(_Colours, frozen=True):
    """Turn RGB into Y'CbCr as JPEG has it: luma, and two differences around half of white.

        - to_ycbcr

    BT.601 in full range, ITU-T T.871.
    """

    name: ClassVar[str] = "to_ycbcr"
    conversion: ClassVar[Callable[..., Maps]] = colours.to_ycbcr


class FromYcbcr(_Colours, frozen=True):
    """Turn Y'CbCr as JPEG has it into RGB: the inverse of to_ycbcr.

        - from_ycbcr

    BT.601 in full range, ITU-T T.871.
    """

    name: ClassVar[str] = "from_ycbcr"
    conversion: ClassVar[Callable[..., Maps]] = colours.from_ycbcr


class ToHsv(_Colours, frozen=True):
    """Turn RGB into hue, saturation and value.

        - to_hsv

    Hue is in degrees from 0 to 360, saturation from 0 to 1, and value, the largest of the three, as bright as white.
    """

    name: ClassVar[str] = "to_hsv"
    conversion: ClassVar[Callable[..., Maps]] = colours.to_hsv


class FromHsv(_Colours, frozen=True):
    """Turn hue, saturation and value into RGB: the inverse of to_hsv.

        - from_hsv

    A colour with a NaN becomes NaN.
    """

    name: ClassVar[str] = "from_hsv"
    conversion: ClassVar[Callable[..., Maps]] = colours.from_hsv
