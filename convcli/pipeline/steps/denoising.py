"""Steps that smooth and keep edges: bilateral filters and non-local means."""

from typing import Annotated, ClassVar

from msgspec import Meta

from convcli.operators import denoising
from convcli.operators.ranks import odd_pair
from convcli.pipeline.steps.base import Maps, Positive, Step
from convcli.pipeline.steps.properties import Shape, StepProperties


class Bilateral(Step, frozen=True, kw_only=True):
    """Take the mean of the samples around, weighted by how near they are and how alike. Tomasi and Manduchi (1998).

        - bilateral: {sigma_space: 3, sigma_color: 25}

    Reads a disk of the radius 1.5 sigma_space; beyond the edges the picture is mirrored (reflect101). Three channels
    are weighted together, others each by itself. NaN where the disk holds a sample that is not finite. As
    cv2.bilateralFilter does it.
    """

    name: ClassVar[str] = "bilateral"

    sigma_space: Annotated[float, Meta(gt=0, description="How far samples count, in pixels.")]
    sigma_color: Annotated[
        float, Meta(gt=0, description="How much samples may differ and still count, in the document's units.")
    ]

    def properties(self, *inputs: Shape) -> StepProperties:
        reach = denoising.bilateral_reach(self.sigma_space)
        height, width, channels = inputs[0]
        side = 2 * reach + 1
        macs = 2 * height * width * channels * side * side
        return StepProperties(inputs[0], macs=macs, window=(side, side), padding=((reach, reach), (reach, reach)))

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return denoising.bilateral(inputs[0], self.sigma_space, self.sigma_color)


class NonlocalMeans(Step, frozen=True, kw_only=True):
    """Take the mean of the pixels around, weighted by how alike the patches around them are. Buades et al. (2005).

        - nlmeans: 10
        - nlmeans: {strength: 8, patch: 5, search: 13, sigma: 10}

    The weight is exp(-max(d - 2 sigma^2, 0) / strength^2), where d is the mean of the squared differences of two
    patches over all channels. Beyond the edges the picture is mirrored (reflect101). Samples that are not finite are
    left out, and stay. Time grows with search x search.
    """

    name: ClassVar[str] = "nlmeans"
    main: ClassVar[str | None] = "strength"

    strength: Annotated[float, Meta(gt=0, description="About the deviation of the noise, in the document's units.")]
    patch: Annotated[Positive, Meta(description="Rows and columns of a patch; odd.")] = 7
    search: Annotated[Positive, Meta(description="Rows and columns in which patches are compared; odd.")] = 21
    sigma: Annotated[float, Meta(ge=0, description="Deviation of the noise, where it is known.")] = 0.0

    def __post_init__(self) -> None:
        odd_pair((self.patch, self.search))

    def properties(self, *inputs: Shape) -> StepProperties:
        height, width, channels = inputs[0]
        reach = self.patch // 2 + self.search // 2
        macs = 2 * height * width * channels * self.search**2
        side = 2 * reach + 1
        return StepProperties(inputs[0], macs=macs, window=(side, side), padding=((reach, reach), (reach, reach)))

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return denoising.nonlocal_means(inputs[0], self.strength, self.patch, self.search, self.sigma, threads)
