"""The catalogue's kernels as a step."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.convolution.geometry import AxisGeometry, axis_geometry, size_formula
from convcli.convolution.options import PADDING_ALIASES, PADDING_MODES, ConvolveOptions
from convcli.convolution.plan import aligned_weights, plan_convolution
from convcli.errors import ConvcliError
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.kernel.spec import load_kernel
from convcli.operators.sizes import AxisSize
from convcli.pipeline.steps.base import Maps, PositivePair, Prepared, Setting, Step, StepError, pair
from convcli.pipeline.steps.files import kernel_beside
from convcli.pipeline.steps.properties import Facts, Pair, Shape
from convcli.pipeline.steps.windows import formula_of

# The modes, and what else they are called: read from their table, which a static type cannot be.
if TYPE_CHECKING:
    Padding = str
else:
    Padding = Literal[(*PADDING_MODES, *PADDING_ALIASES)]
_FLOAT = np.dtype(np.float32)


class Filter(Step, frozen=True, kw_only=True):
    """Lay one kernel of the catalogue, of a file or written out, on each channel, as `convcli filter` does.

        - filter: gaussian:sigma=2
        - filter: {kernel: 0 -1 0; -1 5 -1; 0 -1 0, padding: replicate, extent: valid}

    The result is the response itself, in the input's units. A kernel file is looked for beside the document.
    """

    name: ClassVar[str] = "filter"
    main: ClassVar[str | None] = "kernel"
    unless_told: ClassVar[dict[str, str]] = {"anchor": "the kernel's own, else its middle"}

    kernel: Annotated[str, Meta(description="A catalogue name, NAME:param=value, a .yaml file, or weights as text.")]
    padding: Padding = "reflect101"
    padding_value: float = 0.0
    extent: Literal["same", "valid", "full"] = "same"
    flip: bool = False
    anchor: tuple[int, int] | None = None
    stride: PositivePair = 1
    dilation: PositivePair = 1

    def __post_init__(self) -> None:
        self._options()

    def located(self, folder: Path) -> Self:
        step = msgspec.structs.replace(self, kernel=kernel_beside(folder, self.kernel))
        step.loaded()
        return step

    def loaded(self) -> AnyKernel:
        """Give the kernel."""
        return _load(self.kernel)

    def output(self, *inputs: Shape) -> Shape:
        rows, columns = self._axes(inputs[0])
        return rows.output, columns.output, inputs[0][2]

    def facts(self, *inputs: Shape) -> Facts:
        channels = inputs[0][2]
        axes = self._axes(inputs[0])
        output = (axes[0].output, axes[1].output, channels)
        kernel = _load(self.kernel)
        window = self._laid()[0][0].shape
        parts = kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)
        weights = sum(part.weights.size for part in parts)
        return Facts(
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

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        kernel = _load(self.kernel)
        if isinstance(kernel, CompositeKernel) and kernel.combine != "sum":
            return None
        return Bank.depthwise(np.sum(self._laid()[0], axis=0), inputs[0][2])

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        options = self._options(backend=setting.backend, threads=setting.threads, device=setting.device)
        try:
            plan = plan_convolution(inputs[0], _FLOAT, _load(self.kernel), options)
        except ConvcliError as error:
            raise StepError(str(error)) from error

        def run(maps: Maps) -> Maps:
            response: Maps = plan.run(maps)
            return response

        return Prepared(run, plan.backend, plan.reason)

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

    def _laid(self) -> tuple[list[NDArray[np.float64]], Pair]:
        """The weights as they are laid on the image, of one size, and their anchor."""
        try:
            return aligned_weights(_load(self.kernel), self._options())
        except ConvcliError as error:
            raise StepError(str(error)) from error

    def _axes(self, shape: Shape) -> tuple[AxisGeometry, AxisGeometry]:
        laid, anchor = self._laid()
        rows, columns = (self._axis(axis, shape[axis], laid[0].shape[axis], anchor[axis]) for axis in (0, 1))
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


@cache
def _load(spec: str) -> AnyKernel:
    return load_kernel(spec)
