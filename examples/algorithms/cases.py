"""What the five algorithms are measured on: one kernel on every channel, and banks, strided and not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import ConvolutionPlan, plan_bank

ALGORITHMS = ("direct", "im2col", "kn2row", "winograd", "fft")

# The bound of docs/numerics.md in single precision, relative to the sum of weights times the largest sample.
BOUND = 2e-6


@dataclass(frozen=True)
class Case:
    """A picture (height, width, channels) under a kernel of `kernel` x `kernel` weights, all of them different.

    With `outputs` it is a bank from all channels to so many; without, each channel is filtered by itself.
    """

    size: tuple[int, int, int]
    kernel: int
    outputs: int | None = None
    stride: int = 1

    @property
    def title(self) -> str:
        """What it is called in tables."""
        height, width, channels = self.size
        kind = "one kernel" if self.outputs is None else f"{channels} to {self.outputs}"
        stride = f", stride {self.stride}" if self.stride > 1 else ""
        return f"{kind}, {self.kernel} x {self.kernel}{stride}, on {height} x {width}"

    @property
    def bank(self) -> Bank:
        """Random weights, of rank as full as can be: nothing is there to be taken apart."""
        random = np.random.default_rng(self.kernel)
        if self.outputs is None:
            return Bank.depthwise(random.standard_normal((self.kernel, self.kernel)), self.size[2])
        return Bank(random.standard_normal((self.outputs, self.size[2], self.kernel, self.kernel)))

    @property
    def image(self) -> np.ndarray:
        """Random samples from 0 to 255."""
        return np.random.default_rng(1).uniform(0, 255, self.size).astype(np.float32)

    def plan(self, algorithm: str, dtype: Any = np.float32, bank: Bank | None = None) -> ConvolutionPlan:
        """Plan it with zeros around the picture, so that a result at stride 1 is as large as the picture.

        Raises UsageError where the algorithm cannot do it.
        """
        pad = self.kernel // 2
        options = ConvolveOptions("constant", backend=algorithm, stride=(self.stride, self.stride))
        return plan_bank(self.size, dtype, bank or self.bank, options, (pad, pad))


CASES = {
    "one 3": Case((2048, 2048, 1), 3),
    "one 3 strided": Case((2048, 2048, 1), 3, stride=2),
    "one 7": Case((2048, 2048, 1), 7),
    "one 15": Case((2048, 2048, 1), 15),
    "one 15 strided": Case((2048, 2048, 1), 15, stride=2),
    "one 31": Case((2048, 2048, 1), 31),
    "bank 1": Case((128, 128, 64), 1, outputs=64),
    "bank 3 to 64": Case((256, 256, 3), 3, outputs=64),
    "bank first": Case((224, 224, 3), 7, outputs=64),
    "bank first strided": Case((224, 224, 3), 7, outputs=64, stride=2),
    "bank 3": Case((128, 128, 64), 3, outputs=64),
    "bank 3 strided": Case((128, 128, 64), 3, outputs=64, stride=2),
    "bank 7": Case((128, 128, 64), 7, outputs=64),
    "bank deep": Case((32, 32, 256), 3, outputs=256),
}


def ready(arrays: Mapping[str, np.ndarray], arguments: Mapping[str, Any]) -> Callable[[], object]:
    """Return a function that runs a case by an algorithm once, in a process that has loaded all that it takes.

    Picture and weights come as arrays: making them here would raise the peak above that of the run.
    """
    case, algorithm = CASES[arguments["case"]], arguments["algorithm"]
    little = Case((32, 32, 2), 3, None if case.outputs is None else 2)
    little.plan(algorithm).run(little.image)
    weights = arrays["weights"]
    bank = Bank.depthwise(weights[0, 0], case.size[2]) if case.outputs is None else Bank(weights)
    return partial(case.plan(algorithm, bank=bank).run, arrays["image"])
