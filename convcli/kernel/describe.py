"""Facts about kernels as plain data, for tables and JSON."""

from dataclasses import dataclass
from typing import Any

from convcli.kernel.factorize import rank, separate
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel


@dataclass(frozen=True)
class KernelFigures:
    """The figures of one kernel.

    Attributes
    ----------
    size : (int, int)
        Rows and columns.
    sum, abs_sum : float
        Sum of the weights, and of their absolute values.
    rank : int
        Numerical rank.
    separable : bool
        Whether one pass down the columns and one along the rows give the same response.
    """

    size: tuple[int, int]
    sum: float
    abs_sum: float
    rank: int
    separable: bool

    @classmethod
    def of(cls, kernel: Kernel) -> "KernelFigures":
        """Compute the figures of a kernel; a sum within rounding of a round number becomes that number.

        >>> from convcli.kernel.spec import load_kernel
        >>> KernelFigures.of(load_kernel("sobel_x"))
        KernelFigures(size=(3, 3), sum=0.0, abs_sum=8.0, rank=1, separable=True)
        """
        total, abs_sum, _ = kernel.figures
        nearest = float(f"{total:.12g}") if abs(total) > 1e-13 * abs_sum else 0.0
        if abs(total - nearest) <= 1e-13 * abs_sum:
            total = nearest
        if kernel.products is not None:  # of which columns and rows are as different as their kernels' formulas
            return cls(kernel.size, total, abs_sum, len(kernel.products.pairs), len(kernel.products.pairs) == 1)
        return cls(kernel.size, total, abs_sum, rank(kernel.weights), separate(kernel.weights) is not None)


def describe(kernel: AnyKernel) -> dict[str, Any]:
    """Return a kernel as JSON-ready data; composites hold their parts under `kernels`.

    >>> from convcli.kernel.spec import load_kernel
    >>> describe(load_kernel("box:size=1x2"))["weights"]
    [[0.5, 0.5]]
    """
    about: dict[str, Any] = {"name": kernel.name, "summary": kernel.summary, "reference": kernel.reference}
    if isinstance(kernel, CompositeKernel):
        about |= {"combine": kernel.combine, "mapping": kernel.mapping}
        if kernel.threshold:
            about["threshold"] = kernel.threshold
        return about | {"kernels": [describe(part) for part in kernel.kernels]}
    figures = KernelFigures.of(kernel)
    return about | {
        "size": list(figures.size),
        "sum": figures.sum,
        "abs_sum": figures.abs_sum,
        "rank": figures.rank,
        "separable": figures.separable,
        "anchor": list(kernel.origin),
        "mapping": kernel.mapping,
        "family": kernel.family,
        "formula": FAMILIES[kernel.family].formula if kernel.family else None,
        "parameters": dict(kernel.parameters),
        "weights": kernel.weights.tolist(),
    }


def summarize(kernel: AnyKernel) -> str:
    """Return one line about a kernel: its name, size, sum and rank, or what it combines.

    >>> from convcli.kernel.spec import load_kernel
    >>> summarize(load_kernel("sobel")), summarize(load_kernel("box"))
    ('sobel, magnitude of 2 kernels', 'box, 3x3, sum 1, rank 1')
    """
    if isinstance(kernel, CompositeKernel):
        return f"{kernel.name}, {kernel.combine} of {len(kernel.kernels)} kernels"
    figures = KernelFigures.of(kernel)
    return f"{kernel.name}, {figures.size[0]}x{figures.size[1]}, sum {figures.sum:.6g}, rank {figures.rank}"
