"""The matrix that a filter of a small image multiplies by.

A filter is a matrix: with the samples of an image written one below the other, row by row, each output is the product
of a row of weights with them, and padding only decides to which column a weight outside the image is added. The
transpose takes each output back to the samples that it was computed from: it is the transposed convolution, and carries
gradients back through a layer.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, UsageError
from convcli.explain.kernel_placement import Reals, kernel_placements, padding_values
from convcli.kernel.model import AnyKernel, CompositeKernel

# Entries of a matrix with its zeros: 8 MB.
_MOST_ENTRIES = 1 << 20


@dataclass(frozen=True, eq=False)
class FilterMatrix:
    """A filter of one channel as a matrix: `result = matrix @ image + constant`, both images row by row.

    Attributes
    ----------
    input_size, output_size : tuple of (int, int)
        Rows and columns of the image and of the result.
    matrix : float64 array (outputs, samples)
    constant : float64 array (outputs,)
        What the padding value adds to each output.
    """

    input_size: tuple[int, int]
    output_size: tuple[int, int]
    matrix: Reals
    constant: Reals

    def entries(self) -> list[list[float]]:
        """Return [row, column, value] of all entries other than zero."""
        return [[int(row), int(column), float(self.matrix[row, column])] for row, column in np.argwhere(self.matrix)]

    def record(self) -> dict[str, Any]:
        """Return the matrix and its transpose as data for JSON."""
        rows, columns = self.matrix.shape
        entries = self.entries()
        return {
            "input": list(self.input_size),
            "output": list(self.output_size),
            "matrix": {"size": [rows, columns], "entries": entries},
            "transpose": {"size": [columns, rows], "entries": sorted([x, y, value] for y, x, value in entries)},
            "constant": self.constant.tolist(),
        }


def filter_matrix(kernel: AnyKernel, size: tuple[int, int], options: ConvolveOptions) -> FilterMatrix:
    """Compute the matrix of a filter on one channel.

    Parameters
    ----------
    kernel : Kernel or CompositeKernel
    size : tuple of (int, int)
        Rows and columns of the image.
    options : ConvolveOptions

    Returns
    -------
    FilterMatrix

    Raises
    ------
    UsageError
        For a kernel such as `sobel`, whose magnitude is not linear; for one padding value for each of several channels.
    FilterError
        If the matrix would be too large, or a `valid` kernel does not fit.

    Examples
    --------
    >>> from convcli.kernel.spec import load_kernel
    >>> filter_matrix(load_kernel("1 2 3"), (1, 4), ConvolveOptions(padding="constant")).matrix.astype(int)
    array([[2, 3, 0, 0],
           [1, 2, 3, 0],
           [0, 1, 2, 3],
           [0, 0, 1, 2]])
    """
    if isinstance(kernel, CompositeKernel) and kernel.combine != "sum":
        raise UsageError(f"{kernel.name}: the {kernel.combine} of several responses is not linear: it has no matrix")
    value = padding_values(options, 1)[0]
    placements = kernel_placements(kernel, size, options)
    outputs = placements[0].output_size
    entries = math.prod(outputs) * math.prod(size)
    if entries > _MOST_ENTRIES:
        raise FilterError(
            f"the matrix of {outputs[0]}x{outputs[1]} outputs of {size[0]}x{size[1]} samples has {entries:,} entries, "
            f"and at most {_MOST_ENTRIES:,} are written out: take a smaller image, such as --input-size 8x8"
        )
    matrix, constant = np.zeros((*outputs, *size)), np.zeros(outputs)
    for placement in placements:
        for y in range(outputs[0]):
            for x in range(outputs[1]):
                rows, columns = placement.sources(0, y), placement.sources(1, x)
                for (u, v), weight in np.ndenumerate(placement.weights):
                    # With most padding modes several weights can be added to one sample.
                    if min(rows[u], columns[v]) >= 0:
                        matrix[y, x, rows[u], columns[v]] += weight
                    elif weight != 0:
                        constant[y, x] += weight * value
    return FilterMatrix(size, outputs, matrix.reshape(-1, math.prod(size)), constant.ravel())
