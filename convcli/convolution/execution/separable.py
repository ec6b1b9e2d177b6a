"""A kernel that is a sum of products column x row, run as one-dimensional kernels by a backend that knows of none.

Each column's response is the tile of its row: kh + kw weights a product in place of kh kw.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Backend, BufferedCorrelator, CorrelationWork, Correlator
from convcli.convolution.bank import Bank


def prepare_separated(backend: Backend, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
    """Have `backend` prepare the columns and rows of `work.passes`; for each thread, what runs them one by one."""
    assert work.passes is not None
    makers = []
    for column, row in work.passes:
        upright, level = _one_dimensional(work, column, row)
        between = tile[0], (tile[1] - 1) * work.stride[1] + work.span[1]
        makers.append((backend.prepare(upright, between), backend.prepare(level, tile)))
    return lambda: _ColumnsThenRows(work, [(column(), row()) for column, row in makers])


def _one_dimensional(
    work: CorrelationWork, column: NDArray[np.float64], row: NDArray[np.float64]
) -> tuple[CorrelationWork, CorrelationWork]:
    """Split the work of a product: first down, then across. Only tiles without NaN and the like get that far."""
    (down, across), (below, beside), channels = work.stride, work.dilation, work.bank.inputs
    plain = replace(work, passes=None, box=False, finite=True)
    between = work.output[0], (work.output[1] - 1) * across + work.span[1]
    upright = Bank.depthwise(column[:, np.newaxis], channels)
    level = Bank.depthwise(row[np.newaxis], channels)
    return (
        replace(plain, bank=upright, output=between, stride=(down, 1), dilation=(below, 1)),
        replace(plain, bank=level, stride=(1, across), dilation=(1, beside)),
    )


class _ColumnsThenRows(BufferedCorrelator):
    """One thread's one-dimensional correlators."""

    def __init__(self, work: CorrelationWork, products: Sequence[tuple[Correlator, Correlator]]) -> None:
        super().__init__(work)
        self._products = products

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Return the first column's buffer: no copy where there is one product."""
        self.input = self._products[0][0].tile(height, width)
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        if self.has_unsafe_samples():
            return None
        for column, _ in self._products[1:]:
            np.copyto(column.tile(*self.input.shape[:2]), self.input)
        total: NDArray[Any] | None = None
        for column, row in self._products:
            upright = column.correlate()
            assert upright is not None  # of a tile that is safe
            np.copyto(row.tile(*upright.shape[:2]), upright)
            response = row.correlate()
            assert response is not None
            total = response if total is None else np.add(total, response, out=total)
        return total
