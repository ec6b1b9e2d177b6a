"""Steps in the frequency domain."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel
from convcli.operators import fourier
from convcli.pipeline.steps.base import Maps, Prepared, Setting, Step, StepError
from convcli.pipeline.steps.files import kernel_beside
from convcli.pipeline.steps.properties import Facts, Shape


class Deconvolve(Step, frozen=True, kw_only=True):
    """Undo a blur whose kernel is known, by Wiener's filter: the spectrum times conj(K) / (|K|^2 + noise).

        - deconvolve: {kernel: "motion:length=15", noise: 0.001}

    `kernel` is written as for `filter`, `noise` the power of the noise over that of the image: more is smoother, less
    sharper. `padding` is that which the blur was made with. Wiener (1949).
    """

    name: ClassVar[str] = "deconvolve"

    kernel: Annotated[str, Meta(description="A catalogue name, NAME:param=value, a .yaml file, or weights as text.")]
    noise: Annotated[float, Meta(ge=0)] = 0.01
    padding: Literal["reflect101", "reflect", "wrap"] = "reflect101"

    def located(self, folder: Path) -> Self:
        step = msgspec.structs.replace(self, kernel=kernel_beside(folder, self.kernel))
        step.loaded()
        return step

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(inputs[0], whole=True, linear=True)

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        kernel = self.loaded()
        return Prepared(
            lambda maps: fourier.wiener(
                maps, kernel.weights, self.noise, self.padding, kernel.anchor, threads=setting.threads
            )
        )

    def loaded(self) -> Kernel:
        """Give the kernel. Raises KernelError, and StepError for one that no spectrum undoes."""
        kernel = load_kernel(self.kernel)
        if not isinstance(kernel, Kernel):
            raise StepError(f"kernel: {self.kernel} is several kernels in one, which no spectrum undoes")
        return kernel


class Spectrum(Step, frozen=True):
    """Show each channel's spectrum: log(1 + |F|), with frequency zero in the middle.

        - spectrum
        output: {mapping: stretch}

    A convolution multiplies spectra: their logarithms add up.
    """

    name: ClassVar[str] = "spectrum"

    def facts(self, *inputs: Shape) -> Facts:
        return Facts(inputs[0], whole=True)

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return fourier.spectrum(inputs[0], threads)
