"""Kernels as sums of products, column x row: rank, the two passes of a separable kernel, the passes of low rank."""

from functools import lru_cache

import numpy as np

from convcli.kernel.weights import Weights

# sum |w - column x row| <= SEPARABLE_ERROR * sum |w|: far inside both bounds of single (2e-6) and double (1e-13)
# arithmetic, and above what rounding does to the product of two sampled curves (about 1e-15).
SEPARABLE_ERROR = 1e-14


def separate(weights: Weights) -> tuple[Weights, Weights] | None:
    """Return the column and the row whose product a kernel of rank 1 is.

    They are the column and the row through the weight of largest absolute value: up to rounding those of a singular
    value decomposition, at the cost of one look at each weight, and whole numbers where possible.

    Parameters
    ----------
    weights : array (rows, columns)
        The kernel.

    Returns
    -------
    (column, row) of float64, or None
        `np.outer(column, row)` differs from `weights` by at most 1e-14 * sum|w| in the sum of absolute differences, so
        that two passes differ from one by at most 1e-14 * sum|w| * M on samples up to M. None where the rank is not 1.

    Examples
    --------
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


Passes = tuple[tuple[Weights, Weights], ...]

# The sum of the products' absolute weights is at most this many times the kernel's: what cancels between passes costs
# accuracy. Gabor, DoG, LoG and unsharp kernels reach 1.3.
_CANCELLATION = 2.0
# A box of fewer weights is as quick any other way.
_FEWEST_OF_BOX = 6
# A singular value decomposition of more takes longer than it saves.
_LARGEST_SIDE = 128


def low_rank(weights: Weights, most: int) -> Passes | None:
    """Return a kernel as the sum of few products column x row, by singular value decomposition.

    Isotropic Gabor kernels, DoG, LoG and unsharp masks are sums of two.

    Parameters
    ----------
    weights : array (rows, columns)
        The kernel.
    most : int
        The most products.

    Returns
    -------
    tuple of (column, row), or None
        Their sum is within the error of `separate`. None where it takes more, where the products cancel so much that
        accuracy would be lost, and for kernels of more than 128 rows or columns that are not of rank 1.

    Examples
    --------
    >>> plus = np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    >>> [len(low_rank(plus, 2)), low_rank(plus, 1)]
    [2, None]
    """
    weights = np.ascontiguousarray(weights, np.float64)
    return _low_rank(weights.tobytes(), weights.shape[1], most)


@lru_cache(maxsize=8)  # asked for the same kernel by whoever chooses a backend, and by the backend
def _low_rank(data: bytes, width: int, most: int) -> Passes | None:
    weights = np.frombuffer(data).reshape(-1, width)
    pair = separate(weights)
    if pair is not None:
        return (pair,)
    if most < 2 or max(weights.shape) > _LARGEST_SIDE or not weights.any():
        return None
    columns, values, rows = np.linalg.svd(weights)
    total = float(np.abs(weights).sum())
    rest, spread, passes = weights.copy(), 0.0, []
    for column, value, row in zip(columns.T[:most], values, rows, strict=False):
        pair = _even_or_odd(column * value), _even_or_odd(row)
        passes.append(pair)
        rest -= np.outer(*pair)
        spread += float(np.abs(pair[0]).sum() * np.abs(pair[1]).sum())
        if np.abs(rest).sum() <= SEPARABLE_ERROR * total:
            return tuple(passes) if spread <= _CANCELLATION * total else None
    return None


def _even_or_odd(factor: Weights) -> Weights:
    """Make a factor exactly symmetric or antisymmetric where it is but for rounding: such take half the work."""
    turned = factor[::-1]
    for sign in (1.0, -1.0):
        # As near as the decomposition comes where singular values lie close; what is changed counts as its error.
        if np.abs(factor - sign * turned).max() <= 1e-12 * np.abs(factor).max():
            return (factor + sign * turned) / 2
    return factor


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


def is_box(weights: Weights) -> bool:
    """Whether all weights are one number, and more than a few, so that running sums give the response.

    >>> is_box(np.full((5, 5), 0.04)), is_box(np.ones((1, 2)))
    (True, False)
    """
    weights = np.asarray(weights)
    return weights.size >= _FEWEST_OF_BOX and weights.flat[0] != 0 and bool((weights == weights.flat[0]).all())
