"""libvips' matrix files: width, height, scale and offset in the first line, the rows below.

libvips divides the response by the scale, so the weights here are divided by it. It adds the offset afterwards, which
no kernel can hold.
"""

import re

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.files.matrix_file import MatrixFile, number_text, single, text_of
from convcli.kernel.model import AnyKernel
from convcli.kernel.weights import MAX_WEIGHTS, common_denominator, parse_number

_SPLIT = re.compile(r"[\s,;\"]+")


def read(data: bytes, where: str) -> MatrixFile:
    """Read a matrix file. Raises KernelError."""
    if data.startswith(b"MATLAB"):
        advice = "write the matrix as text: writematrix(k, 'k.csv')"
        raise KernelError("is a file of MATLAB's, not of libvips", where=where, advice=advice)
    lines = [line.strip() for line in text_of(data, where).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    try:
        first = [parse_number(cell) for cell in _SPLIT.split(lines[0].strip('"')) if cell] if lines else []
    except ValueError as error:
        raise KernelError(str(error), where=f"{where}: the first line") from error
    if not 2 <= len(first) <= 4 or any(size != int(size) or size < 1 for size in first[:2]):
        what = "must be width, height, scale and offset, such as 3 3 16 0"
        raise KernelError(what, where=f"{where}: the first line")
    width, height = int(first[0]), int(first[1])
    scale, offset = [*first[2:], *(1.0, 0.0)[len(first) - 2 :]]
    if scale == 0.0:
        raise KernelError("the scale divides by zero", where=where)
    if offset != 0.0:
        what = f"the offset {offset:g} is added to the response, which no kernel can do"
        raise KernelError(what, where=where, advice=f"write 0 in its place, and add --bias {offset:g}")
    cells = [cell for line in lines[1:] for cell in _SPLIT.split(line) if cell]
    if len(cells) != width * height or len(cells) > MAX_WEIGHTS:
        raise KernelError(
            f"{width} columns and {height} rows take {width * height} numbers, not {len(cells)}", where=where
        )
    try:
        values = [parse_number(cell) for cell in cells]
    except ValueError as error:
        raise KernelError(str(error), where=where) from error
    return MatrixFile(np.array(values).reshape(height, width) / scale)


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return a matrix file, with whole numbers and a scale where that is exact.

    >>> from convcli.kernel.model import Kernel
    >>> write(Kernel("mean", [[0.25, 0.75]]))
    b'2 1 4 0\n1 3\n'
    """
    kernel = single(kernel, "libvips' notation")
    scale = common_denominator(kernel.weights) or 1
    weights = np.rint(kernel.weights * scale)
    if not np.array_equal(weights / scale, kernel.weights) or np.signbit(kernel.weights[weights == 0]).any():
        scale, weights = 1, kernel.weights
    rows = (" ".join(map(number_text, row)) for row in weights.tolist())
    return "\n".join([f"{weights.shape[1]} {weights.shape[0]} {scale} 0", *rows, ""]).encode()
