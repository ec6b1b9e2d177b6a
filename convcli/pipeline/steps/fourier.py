"""Steps in the frequency domain."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from convcli.kernel.model import Kernel
from convcli.operators import fourier
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PreparedStep, Step, StepContext
from convcli.pipeline.steps.files import kernel_beside, step_kernel
from convcli.pipeline.steps.properties import Shape, StepProperties


class Deconvolve(Step, frozen=True, kw_only=True):
    """Undo a blur of known kernel K by Wiener's filter: the spectrum times conj(K) / (|K|^2 + noise). Wiener (1949).

    - deconvolve: {kernel: "motion:length=15", noise: 0.001}
    """

    name: ClassVar[str] = "deconvolve"

    kernel: Annotated[
        str, Meta(description="The kernel of the blur: a catalogue name, NAME:param=value, a .yaml file, or weights.")
    ]
    noise: Annotated[
        float,
        Meta(ge=0, description="Power of the noise relative to that of the image: more is smoother, less is sharper."),
    ] = 0.01
    padding: Annotated[
        Literal["reflect101", "reflect", "wrap"], Meta(description="The padding that the blur was made with.")
    ] = "reflect101"

    def relative_to(self, folder: Path) -> Self:
        step = msgspec.structs.replace(self, kernel=kernel_beside(folder, self.kernel))
        step.load_kernel()
        return step

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], whole=True, linear=True)

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        kernel = self.load_kernel()
        return PreparedStep(
            lambda maps: fourier.wiener(
                maps, kernel.weights, self.noise, self.padding, kernel.anchor, threads=context.threads
            )
        )

    def load_kernel(self) -> Kernel:
        """Return the kernel. Raises KernelError, and StepError for a composite, whose spectrum is not defined."""
        kernel = step_kernel(self.kernel)
        if not isinstance(kernel, Kernel):
            raise StepError(f"kernel: {self.kernel} is several kernels in one, which no spectrum undoes")
        return kernel


class Spectrum(Step, frozen=True):
    """Compute the logarithmic magnitude spectrum of each channel, log(1 + |F|), with frequency zero in the middle.

        - spectrum
        output: {mapping: stretch}

    A convolution multiplies the spectra of image and kernel: their logarithms add up.
    """

    name: ClassVar[str] = "spectrum"

    def properties(self, *inputs: Shape) -> StepProperties:
        return StepProperties(inputs[0], whole=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return fourier.spectrum(inputs[0], threads)
