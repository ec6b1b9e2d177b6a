"""What a kernel is: weights with a name, an anchor and the meaning of their response."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

NAME = re.compile(r"[^\W\d_][\w-]{0,63}")  # of a kernel; it becomes part of the names of output files
Combine = Literal["magnitude", "max", "maxabs", "sum"]
SignedMapping = Literal["clip", "abs", "offset", "stretch"]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A 2-D kernel, laid on the image as it is written (correlation).

    `weights` is a read-only float64 array (height, width). `anchor` is the (row, column) over the output pixel, or None
    for `(height // 2, width // 2)`. `mapping` says how its response becomes a picture, where the kernel file says so.
    """

    name: str
    weights: NDArray[np.float64]
    anchor: tuple[int, int] | None = None
    mapping: SignedMapping | None = None
    summary: str = ""
    reference: str = ""
    family: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Plans are kept for a kernel: nobody else may hold the weights and change them.
        weights = np.array(self.weights, np.float64)
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.weights.shape[0], self.weights.shape[1]


@dataclass(frozen=True, eq=False)
class CompositeKernel:
    """Several kernels whose responses are combined sample by sample, as `sobel` combines `sobel_x` and `sobel_y`."""

    name: str
    kernels: tuple[Kernel, ...]
    combine: Combine
    mapping: SignedMapping | None = None
    summary: str = ""
    reference: str = ""


AnyKernel = Kernel | CompositeKernel
