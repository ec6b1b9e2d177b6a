"""What there is to say about a kernel, as plain data: for tables, for JSON."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.kernel.factorize import rank, separate
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel


@dataclass(frozen=True)
class Figures:
    """The figures of one kernel: its size, sum, sum of absolute values, rank, and whether two passes do it."""

    size: tuple[int, int]
    sum: float
    abs_sum: float
    rank: int
    separable: bool

    @classmethod
    def of(cls, kernel: Kernel) -> "Figures":
        """Work out the figures of `kernel`; a sum within rounding of a round number is given as that number.

        >>> from convcli.kernel.spec import load_kernel
        >>> Figures.of(load_kernel("sobel_x"))
        Figures(size=(3, 3), sum=0.0, abs_sum=8.0, rank=1, separable=True)
        """
        weights = kernel.weights
        abs_sum = float(np.abs(weights).sum())
        total = float(weights.sum())
        nearest = float(f"{total:.12g}") if abs(total) > 1e-13 * abs_sum else 0.0
        if abs(total - nearest) <= 1e-13 * abs_sum:
            total = nearest
        return cls(kernel.size, total, abs_sum, rank(weights), separate(weights) is not None)


def describe(kernel: AnyKernel) -> dict[str, Any]:
    """Describe a kernel as JSON-ready data; composites hold their parts under `kernels`.

    >>> from convcli.kernel.spec import load_kernel
    >>> describe(load_kernel("box:size=1x2"))["weights"]
    [[0.5, 0.5]]
    """
    about: dict[str, Any] = {"name": kernel.name, "summary": kernel.summary, "reference": kernel.reference}
    if isinstance(kernel, CompositeKernel):
        about |= {"combine": kernel.combine, "mapping": kernel.mapping}
        return about | {"kernels": [describe(part) for part in kernel.kernels]}
    figures = Figures.of(kernel)
    anchor = kernel.anchor or (kernel.size[0] // 2, kernel.size[1] // 2)
    return about | {
        "size": list(figures.size),
        "sum": figures.sum,
        "abs_sum": figures.abs_sum,
        "rank": figures.rank,
        "separable": figures.separable,
        "anchor": list(anchor),
        "mapping": kernel.mapping,
        "family": kernel.family,
        "formula": FAMILIES[kernel.family].formula if kernel.family else None,
        "parameters": dict(kernel.parameters),
        "weights": kernel.weights.tolist(),
    }


def common_denominator(weights: NDArray[np.float64]) -> int | None:
    """Return the d up to 4096 for which `weights * d` are whole numbers of at most four digits, else None.

    1 where they are whole already; 16 for the 3x3 binomial.

    >>> common_denominator(np.full((3, 3), 1 / 9))
    9
    """
    sizes = np.abs(weights[weights != 0.0])
    if sizes.size == 0:
        return 1
    smallest, largest = float(sizes.min()), float(sizes.max())
    candidates = [1, *(round(k / smallest) for k in range(1, 9) if smallest * 4096 >= k)]
    for denominator in candidates:
        if not 1 <= denominator <= 4096 or largest * denominator > 9999.5:
            continue
        scaled = weights * denominator
        if np.abs(scaled - np.rint(scaled)).max() <= 1e-9 * min(1.0, smallest * denominator):
            return denominator
    return None


def summarize(kernel: AnyKernel) -> str:
    """Say in one line what a kernel is.

    >>> from convcli.kernel.spec import load_kernel
    >>> summarize(load_kernel("sobel")), summarize(load_kernel("box"))
    ('sobel, magnitude of 2 kernels', 'box, 3x3, sum 1, rank 1')
    """
    if isinstance(kernel, CompositeKernel):
        return f"{kernel.name}, {kernel.combine} of {len(kernel.kernels)} kernels"
    figures = Figures.of(kernel)
    return f"{kernel.name}, {figures.size[0]}x{figures.size[1]}, sum {figures.sum:.6g}, rank {figures.rank}"
