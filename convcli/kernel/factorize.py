"""Kernels as products: rank, and the column and row that a separable kernel is made of."""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]

# sum |w - column x row| <= SEPARABLE_ERROR * sum |w|: far inside both bounds of single (2e-6) and double (1e-13)
# arithmetic, and above what rounding does to the product of two sampled curves (about 1e-15).
SEPARABLE_ERROR = 1e-14


def separate(weights: Weights) -> tuple[Weights, Weights] | None:
    """Split a kernel of rank 1 into (column, row) with `np.outer(column, row)` equal to `weights`, else return None.

    The sum of the absolute differences is at most 1e-14 of the sum of absolute weights, so that two passes differ from
    one by at most 1e-14 * sum|w| * M on samples up to M. The factors are the column and the row through the largest
    weight: up to rounding those of a singular value decomposition, at the cost of one look at each weight, and whole
    numbers where possible.

    >>> separate(np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]))
    (array([1., 2., 1.]), array([-1.,  0.,  1.]))
    >>> separate(np.array([[0.0, 1.0], [1.0, 0.0]])) is None
    True
    """
    weights = np.asarray(weights, dtype=np.float64)
    sizes = np.abs(weights)
    scale = float(sizes.max())
    if scale == 0.0 or not np.isfinite(scale):
        return None
    # The last of the largest: for the usual derivative kernels it is the positive one, and the column keeps its sign.
    y, x = divmod(sizes.size - 1 - int(np.argmax(sizes.ravel()[::-1])), weights.shape[1])
    with np.errstate(over="ignore", under="ignore"):  # weights may lie anywhere among the finite numbers
        column, row = weights[:, x].copy(), weights[y] / weights[y, x]
        smallest = np.abs(row[row != 0.0]).min()
        if smallest < 1.0 and _all_whole(row / smallest) and _all_whole(column * smallest):
            column, row = column * smallest, row / smallest
        error = np.abs(weights / scale - np.outer(column / scale, row)).sum()
        return (column, row) if error <= SEPARABLE_ERROR * (sizes / scale).sum() else None


def rank(weights: Weights) -> int:
    """Return the numerical rank: how many singular values exceed max(height, width) * 2.2e-16 of the largest.

    >>> rank(np.ones((3, 3))), rank(np.eye(3)), rank(np.zeros((3, 3)))
    (1, 3, 0)
    """
    if separate(weights) is not None:
        return 1
    return int(np.linalg.matrix_rank(weights))


def _all_whole(values: Weights) -> bool:
    return bool(np.all(values == np.rint(values)))
