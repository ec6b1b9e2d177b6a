"""The work that a comparison times: an image, a kernel, options, and the sample type of the result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import ConvolutionPlan, plan_convolution
from convcli.image.model import depth_name
from convcli.image.tone import Finish
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel

Arrays = Mapping[str, NDArray[Any]]

_SMALL = 64  # rows and columns of the picture that a process warms up on


@dataclass(frozen=True, eq=False)
class Workload:
    """The work that all candidates of a comparison do.

    Parameters
    ----------
    pixels : ndarray
        The image, (height, width, channels).
    kernel : Kernel or CompositeKernel
        What is laid on it.
    options : ConvolveOptions
        Padding, extent, stride and the rest.
    rounded : bool
        Whether an integer image becomes a result of its own type, rounded and saturated, and not the float response.
    """

    pixels: NDArray[Any]
    kernel: AnyKernel
    options: ConvolveOptions
    rounded: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """The sample type of the result."""
        source = self.pixels.dtype
        if self.rounded and source.kind != "f":
            return source
        return np.dtype(np.float64 if self.options.precision == "double" or source == np.float64 else np.float32)

    @property
    def depth(self) -> str:
        """The sample type of the result, as the command line names it."""
        return depth_name(self.dtype)

    @property
    def parts(self) -> tuple[Kernel, ...]:
        """The kernels that are laid on the image: one, or those of a composite."""
        return self.kernel.kernels if isinstance(self.kernel, CompositeKernel) else (self.kernel,)

    @property
    def kernel_size(self) -> tuple[int, int]:
        """Height and width, of a composite those that hold every part."""
        height, width = (max(part.size[axis] for part in self.parts) for axis in (0, 1))
        return height, width

    def plan(self, backend: str) -> ConvolutionPlan:
        """Plan this work for a backend. Raises UsageError or FilterError where that cannot do it."""
        height, width, channels = self.pixels.shape
        finish = None if self.dtype.kind == "f" else Finish(self.dtype)
        options = replace(self.options, backend=backend)
        return plan_convolution((height, width, channels), self.pixels.dtype, self.kernel, options, finish)

    def multiply_adds(self, output: tuple[int, int, int]) -> int:
        """Return the multiply-adds of the dense definition for an output (height, width, channels)."""
        height, width, channels = output
        return height * width * channels * sum(part.size[0] * part.size[1] for part in self.parts)

    def small(self) -> "Workload":
        """Return the same work on a corner of the image that is just large enough."""
        height, width = (
            max(_SMALL, 2 * dilation * size)
            for dilation, size in zip(self.options.dilation, self.kernel_size, strict=True)
        )
        return replace(self, pixels=np.ascontiguousarray(self.pixels[:height, :width]))

    def to_data(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Return this as arrays and as what JSON can hold, for another process."""
        arrays = {"pixels": self.pixels} | {f"weights{n}": part.weights for n, part in enumerate(self.parts)}
        combine = self.kernel.combine if isinstance(self.kernel, CompositeKernel) else None
        anchors = [part.anchor for part in self.parts]
        return arrays, {
            "options": asdict(self.options),
            "rounded": self.rounded,
            "anchors": anchors,
            "combine": combine,
        }

    @classmethod
    def from_data(cls, arrays: Arrays, data: Mapping[str, Any]) -> "Workload":
        """Return the workload that `to_data` described.

        >>> import json
        >>> case = Workload(np.zeros((2, 3, 1)), Kernel("box", np.ones((1, 2)), (0, 1)), ConvolveOptions(stride=(2, 1)))
        >>> arrays, data = case.to_data()
        >>> again = Workload.from_data(arrays, json.loads(json.dumps(data)))
        >>> again.options == case.options, again.kernel.anchor
        (True, (0, 1))
        """
        parts = tuple(
            Kernel("custom", arrays[f"weights{n}"], None if anchor is None else (anchor[0], anchor[1]))
            for n, anchor in enumerate(data["anchors"])
        )
        combine = data["combine"]
        kernel = parts[0] if combine is None else CompositeKernel("custom", parts, combine)
        options: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data["options"].items()
        }
        return cls(arrays["pixels"], kernel, ConvolveOptions(**options), data["rounded"])
