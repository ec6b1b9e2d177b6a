"""The weights that a backend is given: a bank of kernels from input channels to output channels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Bank:
    """Weights (outputs, inputs / groups, height, width) in float64.

    Output channel o of group g sums over the input channels of its group:
    `out[o] = sum_i correlate(in[g * inputs / groups + i], weights[o, i])`, as in torch.nn.functional.conv2d.
    `shared` is the one 2-D kernel where every channel is filtered alike (the depthwise case, and the fast path).
    """

    weights: NDArray[np.float64]
    groups: int = 1
    shared: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        outputs = self.weights.shape[0]
        if self.weights.ndim != 4 or self.weights.size == 0:
            raise ValueError(f"a bank is (outputs, inputs / groups, height, width), not {self.weights.shape}")
        if self.groups < 1 or outputs % self.groups:
            raise ValueError(f"{outputs} output channels cannot be split into {self.groups} groups")

    @classmethod
    def depthwise(cls, kernel: NDArray[np.float64], channels: int) -> "Bank":
        """Make the bank that lays one 2-D kernel on every channel.

        >>> Bank.depthwise(np.ones((3, 5)), 3).weights.shape
        (3, 1, 3, 5)
        """
        kernel = np.ascontiguousarray(kernel, np.float64)
        return cls(np.broadcast_to(kernel, (channels, 1, *kernel.shape)), channels, kernel)

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.weights.shape[1]) * self.groups

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.weights.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of each kernel."""
        return self.weights.shape[2], self.weights.shape[3]

    def planes(self) -> list[tuple[int, int, NDArray[np.float64]]]:
        """List every (output channel, input channel, 2-D kernel) that contributes."""
        per_group = self.outputs // self.groups
        return [
            (output, output // per_group * self.weights.shape[1] + index, self.weights[output, index])
            for output in range(self.outputs)
            for index in range(self.weights.shape[1])
        ]

    def dilated(self, dilation: tuple[int, int]) -> "Bank":
        """Write the holes of a dilation out as zeros, for backends that know of none.

        >>> Bank.depthwise(np.ones((2, 2)), 1).dilated((2, 1)).shared.tolist()
        [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
        """
        if dilation == (1, 1):
            return self
        if self.shared is not None:
            return Bank.depthwise(_with_holes(self.shared, dilation), self.groups)
        return Bank(_with_holes(self.weights, dilation), self.groups)


def _with_holes(weights: NDArray[np.float64], dilation: tuple[int, int]) -> NDArray[np.float64]:
    height, width = weights.shape[-2:]
    spread = np.zeros((*weights.shape[:-2], dilation[0] * (height - 1) + 1, dilation[1] * (width - 1) + 1))
    spread[..., :: dilation[0], :: dilation[1]] = weights
    return spread
