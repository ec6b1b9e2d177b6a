"""Kernels of the catalogue as a step."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.alignment import aligned_weights, laid_size
from convcli.convolution.bank import Bank
from convcli.convolution.options import PADDING_ALIASES, PADDING_MODES, ConvolveOptions
from convcli.convolution.padding import AxisGeometry, axis_geometry, size_formula
from convcli.convolution.plan import plan_convolution
from convcli.errors import ConvcliError
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.operators.sizes import AxisSize
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.base import Maps, PositivePair, PreparedStep, Step, StepContext, pair
from convcli.pipeline.steps.files import kernel_beside, step_kernel
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties, formula_of

# The modes, and what else they are called: read from their table, which a static type cannot be.
if TYPE_CHECKING:
    Padding = str
else:
    Padding = Literal[(*PADDING_MODES, *PADDING_ALIASES)]
_FLOAT = np.dtype(np.float32)


class Filter(Step, frozen=True, kw_only=True):
    """Filter each channel by one kernel, as `convcli filter` does.

        - filter: gaussian:sigma=2
        - filter: {kernel: 0 -1 0; -1 5 -1; 0 -1 0, padding: replicate, extent: valid}

    The result is the response, in the input's units. A kernel file is looked for beside the document.
    """

    name: ClassVar[str] = "filter"
    main: ClassVar[str | None] = "kernel"
    implicit_defaults: ClassVar[dict[str, str]] = {"anchor": "the kernel's own, else its middle"}
    replaces_dense: ClassVar[bool] = True

    kernel: Annotated[str, Meta(description="A catalogue name, NAME:param=value, a .yaml file, or weights as text.")]
    padding: Annotated[Padding, Meta(description="What stands for samples outside the image.")] = "reflect101"
    padding_value: Annotated[float, Meta(description="Those samples with padding: constant.")] = 0.0
    extent: Annotated[
        Literal["same", "valid", "full"],
        Meta(description="same: as large as the input; valid: where the kernel fits; full: wherever it reaches."),
    ] = "same"
    flip: Annotated[bool, Meta(description="Turn the kernel by 180 degrees: convolution, not correlation.")] = False
    anchor: Annotated[
        tuple[int, int] | None, Meta(description="Row and column of the kernel element over the output pixel.")
    ] = None
    stride: Annotated[PositivePair, Meta(description="Distance between neighbouring outputs, in input samples.")] = 1
    dilation: Annotated[PositivePair, Meta(description="Distance between the kernel's elements, in samples.")] = 1

    def __post_init__(self) -> None:
        self._options()

    def relative_to(self, folder: Path) -> Self:
        step = msgspec.structs.replace(self, kernel=kernel_beside(folder, self.kernel))
        step.load_kernel()
        return step

    def load_kernel(self) -> AnyKernel:
        """Return the kernel. Raises KernelError if it cannot be read."""
        return step_kernel(self.kernel)

    def properties(self, *inputs: Shape) -> StepProperties:
        channels = inputs[0][2]
        axes = self._axes(inputs[0])
        output = (axes[0].output, axes[1].output, channels)
        kernel = step_kernel(self.kernel)
        window, _ = self._laid_size()
        parts = kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)
        weights = sum(part.size[0] * part.size[1] for part in parts)
        return StepProperties(
            output,
            parameters=weights,
            macs=weights * output[0] * output[1] * channels,
            window=(window[0], window[1]),
            stride=pair(self.stride),
            dilation=pair(self.dilation),
            padding=((axes[0].before, axes[0].after), (axes[1].before, axes[1].after)),
            linear=isinstance(kernel, Kernel) or kernel.combine == "sum",
            formula=self._formula(inputs[0], output, (window[0], window[1])),
        )

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        kernel = step_kernel(self.kernel)
        if isinstance(kernel, CompositeKernel) and kernel.combine != "sum":
            return None
        return Bank.depthwise(np.sum(self._laid()[0], axis=0), inputs[0][2])

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        options = self._options(backend=context.backend, threads=context.threads, device=context.device)
        try:
            plan = plan_convolution(inputs[0], _FLOAT, step_kernel(self.kernel), options)
        except ConvcliError as error:
            raise StepError(str(error)) from error

        def run(maps: Maps) -> Maps:
            response: Maps = plan.run(maps)
            return response

        return PreparedStep(run, plan.backend, plan.reason)

    def _options(self, **more: Any) -> ConvolveOptions:
        return ConvolveOptions(
            padding=self.padding,
            padding_value=self.padding_value,
            extent=self.extent,
            flip=self.flip,
            anchor=self.anchor,
            stride=pair(self.stride),
            dilation=pair(self.dilation),
            **more,
        )

    def _laid_size(self) -> tuple[Pair, Pair]:
        """Return rows and columns of the kernel as it is laid on the image, and the anchor in it."""
        try:
            return laid_size(step_kernel(self.kernel), self._options())
        except ConvcliError as error:
            raise StepError(str(error)) from error

    def _laid(self) -> tuple[list[NDArray[np.float64]], Pair]:
        """Return the weights of all parts as they are applied, of one size, and their anchor."""
        try:
            return aligned_weights(step_kernel(self.kernel), self._options())
        except ConvcliError as error:
            raise StepError(str(error)) from error

    def _axes(self, shape: Shape) -> tuple[AxisGeometry, AxisGeometry]:
        laid, anchor = self._laid_size()
        rows, columns = (self._axis(axis, shape[axis], laid[axis], anchor[axis]) for axis in (0, 1))
        return rows, columns

    def _axis(self, axis: int, length: int, taps: int, anchor: int) -> AxisGeometry:
        stride, dilation = pair(self.stride)[axis], pair(self.dilation)[axis]
        try:
            return axis_geometry(length, taps, anchor=anchor, extent=self.extent, stride=stride, dilation=dilation)
        except ConvcliError as error:
            raise StepError(str(error)) from error

    def _formula(self, given: Shape, output: Shape, window: Pair) -> str:
        if given[:2] == output[:2]:
            return "as large as the input"
        rows, columns = (
            AxisSize(
                output[axis],
                size_formula(
                    given[axis],
                    window[axis],
                    output[axis],
                    extent=self.extent,
                    stride=pair(self.stride)[axis],
                    dilation=pair(self.dilation)[axis],
                ),
            )
            for axis in (0, 1)
        )
        return formula_of(rows, columns)
