"""Large kernels that are sums of products column x row, kept as these: never as the array, which may fill the memory.

A Gaussian of sigma 1000 has 64 million weights, and 16 thousand in its column and its row.
"""

from collections.abc import Iterator

import numpy as np

from convcli.kernel.factorize import Passes
from convcli.kernel.weights import Weights, check_number_of_weights, check_sides

# Kernels of no more weights are as quick as arrays, and give what they always gave, to the last bit.
FEW_WEIGHTS = 1 << 14
_BLOCK = 1 << 20


class Products:
    """The sum of products column x row.

    Parameters
    ----------
    pairs : tuple of (column, row)
        Arrays of float64, all columns of one length and all rows of one.

    Raises
    ------
    ValueError
        For more than `MAX_SIDE` rows or columns.

    Examples
    --------
    >>> Products(((np.array([1.0, 2.0]), np.array([-1.0, 0.0, 1.0])),)).array()
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.]])
    """

    def __init__(self, pairs: Passes) -> None:
        self.pairs = pairs
        check_sides(*self.size)
        for factor in (factor for pair in self.pairs for factor in pair):
            factor.flags.writeable = False

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        column, row = self.pairs[0]
        return column.size, row.size

    def compact(self) -> "Weights | Products":
        """Return the array where it is small, else these products."""
        return self.array() if self.size[0] * self.size[1] <= FEW_WEIGHTS else self

    def array(self) -> Weights:
        """Return all weights, (rows, columns). Raises ValueError where they are more than a kernel may have."""
        check_number_of_weights(*self.size)
        return self._rows(0, self.size[0])

    def _rows(self, first: int, last: int) -> Weights:
        total = np.outer(self.pairs[0][0][first:last], self.pairs[0][1])
        for column, row in self.pairs[1:]:
            total += np.outer(column[first:last], row)
        return total

    def middle(self, most: int) -> Weights:
        """Return the weights about the centre, at most so many rows and columns."""
        height, width = self.size
        top, left = (max(0, (length - most + 1) // 2) for length in (height, width))
        return Products(
            tuple((c[top : height - top].copy(), r[left : width - left].copy()) for c, r in self.pairs)
        ).array()

    def sampled(self, most: int) -> Weights:
        """Return every so many-th weight, at most so many rows and columns, to be looked at."""
        steps = [-(-length // most) for length in self.size]
        starts = [length // 2 % step for length, step in zip(self.size, steps, strict=True)]
        (down, right), (top, left) = steps, starts
        return Products(tuple((c[top::down].copy(), r[left::right].copy()) for c, r in self.pairs)).array()

    def blocks(self) -> Iterator[Weights]:
        """Return all weights, a few rows at a time."""
        step = max(1, _BLOCK // self.size[1])
        for first in range(0, self.size[0], step):
            yield self._rows(first, first + step)

    def figures(self) -> tuple[float, float, float]:
        """Compute the sum of the weights, that of their absolute values, and the least of them.

        >>> Products(((np.array([1.0, 2.0]), np.array([-1.0, 0.0, 1.5])),)).figures()
        (1.5, 7.5, -2.0)
        """
        total = float(sum(column.sum() * row.sum() for column, row in self.pairs))
        if len(self.pairs) == 1:
            ((column, row),) = self.pairs
            least = min(float(a * b) for a in (column.min(), column.max()) for b in (row.min(), row.max()))
            return total, float(np.abs(column).sum() * np.abs(row).sum()), least
        sums, least = [], np.inf
        for block in self.blocks():
            least = min(least, float(block.min()))
            sums.append(float(np.abs(block, out=block).sum()))
        return total, sum(sums), least

    def divided(self, divisor: float) -> "Products":
        """Return these, each weight divided."""
        return Products(tuple((column / divisor, row) for column, row in self.pairs))

    def turned(self, quarters: int) -> "Products":
        """Return these turned counter-clockwise as displayed, by quarters of a turn.

        >>> Products(((np.array([1.0, 2.0]), np.array([3.0, 5.0])),)).turned(1).array().tolist()
        [[5.0, 10.0], [3.0, 6.0]]
        """
        pairs = self.pairs
        for _ in range(quarters % 4):
            pairs = tuple((row[::-1].copy(), column) for column, row in pairs)
        return Products(pairs)

    def data(self) -> bytes:
        """Return what tells these from others."""
        return b"".join(factor.tobytes() for pair in self.pairs for factor in pair)
