"""The matrix of a filter as text."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from convcli.explain.filter_matrix import FilterMatrix
from convcli.explain.pipeline_text import number_text


def matrix_lines(found: FilterMatrix, width: int) -> Iterator[str]:
    """Yield the lines of a filter's matrix and its transpose, with a dot for every zero.

    Parameters
    ----------
    found : FilterMatrix
    width : int
        Characters of a line. Where the numbers do not fit, `+` and `-` stand for them; where those do not fit either, a
        line says so.
    """
    rows, columns = found.matrix.shape
    (height, across), (down, right) = found.input_size, found.output_size
    stored = int(np.count_nonzero(found.matrix))
    yield (
        f"{rows}x{columns}: {down}x{right} outputs of {height}x{across} samples, both row by row; "
        f"{stored:,} of {rows * columns:,} entries are not zero"
    )
    yield ""
    yield from _entries(found.matrix, width)
    if found.constant.any():
        yield ""
        yield f"and to each output the padding value adds: {' '.join(map(number_text, found.constant))}"
    yield ""
    yield f"its transpose, {columns}x{rows}, which takes each output back to its samples"
    yield ""
    yield from _entries(found.matrix.T, width)


def _entries(matrix: NDArray[np.float64], width: int) -> Iterator[str]:
    cells = [["." if value == 0 else number_text(value) for value in row] for row in matrix]
    longest = max(len(cell) for row in cells for cell in row)
    if (longest + 1) * matrix.shape[1] + 1 <= width:
        yield from ("  " + " ".join(cell.rjust(longest) for cell in row) for row in cells)
    elif matrix.shape[1] + 2 <= width:
        yield from ("  " + "".join("." if v == 0 else "+" if v > 0 else "-" for v in row) for row in matrix)
        yield "  + above zero, - below, . zero"
    else:
        yield f"  {matrix.shape[1]} columns are too wide for {width} characters: --json lists the entries"
