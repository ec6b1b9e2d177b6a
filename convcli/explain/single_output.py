"""One output of a filter worked out by hand: the samples under the kernel, the weights, the products, their sum."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError
from convcli.explain.kernel_placement import KernelPlacement, Reals, kernel_placements, padding_values
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel


@dataclass(frozen=True, eq=False)
class KernelProducts:
    """The products that make up one output of one kernel in one channel.

    Attributes
    ----------
    kernel : str
        Name of the kernel.
    channel : int
    rows, columns : tuple of int
        Where each row and column of the kernel lies on the image; beyond its ends where there is padding.
    source_rows, source_columns : tuple of int
        The rows and columns that are read there; -1 for the padding value.
    patch, weights : float64 arrays (kernel rows, kernel columns)
        The samples under the kernel, and the kernel as it is applied (turned, with `flip`).
    """

    kernel: str
    channel: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    source_rows: tuple[int, ...]
    source_columns: tuple[int, ...]
    patch: Reals
    weights: Reals

    @property
    def products(self) -> Reals:
        """Samples times weights."""
        return self.patch * self.weights

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Which elements of the kernel lie outside the image."""
        above, aside = (
            np.array([place != source or place < 0 for place, source in zip(places, sources, strict=True)])
            for places, sources in ((self.rows, self.source_rows), (self.columns, self.source_columns))
        )
        return np.asarray(above[:, np.newaxis] | aside, bool)

    @property
    def total(self) -> float:
        """The sum of the products, rounded once. As in every backend, NaN under a weight of zero does not count."""
        return math.fsum(float(product) for product in self.products[self.weights != 0])

    def record(self) -> dict[str, Any]:
        """Return the products as data for JSON, NaN as None."""
        return {
            "kernel": self.kernel,
            "rows": list(self.rows),
            "columns": list(self.columns),
            "source_rows": [None if row < 0 else row for row in self.source_rows],
            "source_columns": [None if column < 0 else column for column in self.source_columns],
            "patch": _numbers(self.patch),
            "weights": _numbers(self.weights),
            "products": _numbers(self.products),
            "outside": self.outside.tolist(),
            "sum": _finite(self.total),
        }


@dataclass(frozen=True, eq=False)
class SingleOutput:
    """One output of a filter in one channel.

    Attributes
    ----------
    channel : int
    parts : tuple of KernelProducts
        One for each kernel of a composite.
    combine : str or None
        How the parts of a composite are combined.
    value : float
        The output.
    """

    channel: int
    parts: tuple[KernelProducts, ...]
    combine: str | None
    value: float

    def record(self) -> dict[str, Any]:
        """Return the output as data for JSON."""
        return {
            "channel": self.channel,
            "parts": [part.record() for part in self.parts],
            "combine": self.combine,
            "value": _finite(self.value),
        }


def explain_output(
    pixels: NDArray[Any], kernel: AnyKernel, options: ConvolveOptions, at: tuple[int, int]
) -> tuple[SingleOutput, ...]:
    """Work out one output of a filter by hand, in each channel.

    Parameters
    ----------
    pixels : array (rows, columns, channels)
    kernel : Kernel or CompositeKernel
    options : ConvolveOptions
    at : tuple of (int, int)
        Row and column in the result, which `extent` and `stride` may make smaller than the image.

    Returns
    -------
    tuple of SingleOutput
        One for each channel.

    Raises
    ------
    FilterError
        If the result has no such row or column, or a `valid` kernel does not fit.
    UsageError
        If the anchor lies outside the kernel, or there are not as many padding values as channels.

    Examples
    --------
    >>> from convcli.kernel.spec import load_kernel
    >>> ramp = np.arange(12.0).reshape(3, 4, 1)
    >>> (output,) = explain_output(ramp, load_kernel("1 2 3"), ConvolveOptions(padding="replicate"), (0, 0))
    >>> output.parts[0].patch, output.parts[0].outside, output.value
    (array([[0., 0., 1.]]), array([[ True, False, False]]), 3.0)
    """
    placements = kernel_placements(kernel, pixels.shape[:2], options)
    height, width = placements[0].output_size
    if not (0 <= at[0] < height and 0 <= at[1] < width):
        raise FilterError(f"--at {at[0]},{at[1]}: the result has rows 0 to {height - 1}, columns 0 to {width - 1}")
    values = padding_values(options, pixels.shape[2])
    names = [part.name for part in kernel.kernels] if isinstance(kernel, CompositeKernel) else [kernel.name]
    combine = kernel.combine if isinstance(kernel, CompositeKernel) else None
    outputs = []
    for channel in range(pixels.shape[2]):
        parts = tuple(
            _products(pixels[..., channel], name, placement, at, channel, values[channel])
            for name, placement in zip(names, placements, strict=True)
        )
        outputs.append(SingleOutput(channel, parts, combine, _combined([part.total for part in parts], kernel)))
    return tuple(outputs)


def _products(
    plane: NDArray[Any], name: str, placement: KernelPlacement, at: tuple[int, int], channel: int, value: float
) -> KernelProducts:
    rows, columns = placement.sources(0, at[0]), placement.sources(1, at[1])
    patch = plane[np.ix_(rows, columns)].astype(np.float64)
    patch[[row < 0 for row in rows], :] = value
    patch[:, [column < 0 for column in columns]] = value
    return KernelProducts(
        kernel=name,
        channel=channel,
        rows=tuple(placement.positions(0, at[0])),
        columns=tuple(placement.positions(1, at[1])),
        source_rows=tuple(rows),
        source_columns=tuple(columns),
        patch=patch,
        weights=placement.weights,
    )


def _combined(totals: list[float], kernel: AnyKernel) -> float:
    if isinstance(kernel, Kernel):
        return math.fsum(totals)
    first, *others = totals
    match kernel.combine:
        case "hard_threshold":
            return math.fsum([first, *(other for other in others if abs(other) >= kernel.threshold)])
        case "soft_threshold":
            beyond = [math.copysign(max(0.0, abs(other) - kernel.threshold), other) for other in others]
            return math.fsum([first, *beyond])
        case "magnitude":
            return math.hypot(*totals)
        case "max":
            return max(totals)
        case "maxabs":
            return max(abs(total) for total in totals)
        case _:
            return math.fsum(totals)


def _numbers(values: Reals) -> list[list[float | None]]:
    return [[_finite(float(value)) for value in row] for row in values]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
