"""An image that is read beyond its edges tile by tile, so that nothing is padded as a whole."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.padding import padding_mode, source_indices


class PaddedSource:
    """An image (height, width, channels) that can be read beyond its edges, tile by tile, as floats.

    `before` and `after` are (rows, columns) of padding; coordinates of `read` count from the padded corner.

    >>> image = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    >>> tile = np.empty((2, 3, 1), np.float32)
    >>> PaddedSource(image, (0, 1), (0, 0), "replicate").read(0, 0, tile)
    >>> tile[..., 0].tolist()
    [[0.0, 0.0, 1.0], [2.0, 2.0, 3.0]]
    """

    def __init__(
        self,
        pixels: NDArray[Any],
        before: tuple[int, int],
        after: tuple[int, int],
        mode: str,
        value: float | tuple[float, ...] = 0.0,
    ) -> None:
        self._pixels = pixels
        self._before = before
        self._value = value if padding_mode(mode).filled else None
        self._rows, self._columns = (
            source_indices(pixels.shape[axis], before[axis], after[axis], mode) for axis in (0, 1)
        )

    def read(self, top: int, left: int, out: NDArray[Any]) -> None:
        """Fill `out` (rows, columns, channels) with the padded image from row `top` and column `left` on."""
        height, width = out.shape[:2]
        if self._value is not None:
            rows = _inside(top - self._before[0], height, self._pixels.shape[0])
            columns = _inside(left - self._before[1], width, self._pixels.shape[1])
            if rows[0] != slice(0, height) or columns[0] != slice(0, width):
                out[...] = self._value
            out[rows[0], columns[0]] = self._pixels[rows[1], columns[1]]
            return
        for to_rows, from_rows in _pieces(self._rows, top, height, self._before[0], self._pixels.shape[0]):
            source = self._pixels[from_rows]
            for to_columns, from_columns in _pieces(self._columns, left, width, self._before[1], self._pixels.shape[1]):
                out[to_rows, to_columns] = source[:, from_columns]


def _inside(start: int, count: int, length: int) -> tuple[slice, slice]:
    """Match the part of `start .. start + count` that lies on the axis with its samples: (where to, where from)."""
    first = min(max(start, 0), length)
    last = max(min(start + count, length), first)
    return slice(first - start, last - start) if last > first else slice(0, 0), slice(first, last)


def _pieces(
    indices: NDArray[np.intp], start: int, count: int, before: int, length: int
) -> list[tuple[slice, slice | NDArray[np.intp]]]:
    """Split a stretch of a padded axis into the part on the image, a slice, and the parts beyond, to be gathered."""
    inner_start = min(max(before, start), start + count)
    inner_stop = max(min(before + length, start + count), inner_start)
    pieces: list[tuple[slice, slice | NDArray[np.intp]]] = []
    for first, last in ((start, inner_start), (inner_stop, start + count)):
        if last > first:
            pieces.append((slice(first - start, last - start), indices[first:last]))
    if inner_stop > inner_start:
        inner = slice(inner_start - before, inner_stop - before)
        pieces.append((slice(inner_start - start, inner_stop - start), inner))
    return pieces
