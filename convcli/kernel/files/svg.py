"""SVG's feConvolveMatrix, with the meaning that SVG gives it.

The filter turns the matrix by 180 degrees and divides by `divisor`, or by the sum of the numbers where that is not
zero; `targetX` and `targetY` are the column and row over the output pixel, counted in the turned matrix. `order` is
columns, then rows. (Filter Effects Module, section feConvolveMatrix.)
"""

import re

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.files.matrix_file import MatrixFile, text_of
from convcli.kernel.weights import MAX_WEIGHTS, parse_number

_ELEMENT = re.compile(r"<(?:\w+:)?feConvolveMatrix\b[^>]*", re.IGNORECASE)
_SPLIT = re.compile(r"[\s,]+")


def read(data: bytes, where: str) -> MatrixFile:
    """Read the one feConvolveMatrix of a file, or its attributes alone. Raises KernelError."""
    text = text_of(data, where)
    elements = _ELEMENT.findall(text) or [text]
    if len(elements) > 1:
        what = f"holds {len(elements)} feConvolveMatrix elements"
        raise KernelError(what, where=where, advice="leave one of them in it")
    return from_attributes(elements[0], where)


def from_attributes(text: str, where: str) -> MatrixFile:
    """Read `order` and `kernelMatrix`, and what else is there of the attributes.

    >>> from_attributes('order="3 1" kernelMatrix="1 0 -1" targetX="2"', "edge")
    MatrixFile(weights=array([[-1.,  0.,  1.]]), anchor=(0, 2), normalize='none', notes=())
    """
    matrix = _numbers(text, "kernelMatrix", where)
    if not matrix:
        raise KernelError("holds no feConvolveMatrix with a kernelMatrix", where=where)
    order = _numbers(text, "order", where) or [3.0]
    if len(order) > 2 or any(side != int(side) or side < 1 for side in order):
        raise KernelError("must be columns and rows, such as 3 or 5 3", where=f"{where}: order")
    width, height = int(order[0]), int(order[-1])
    if len(matrix) != width * height or len(matrix) > MAX_WEIGHTS:
        what = f"order {width} {height} takes {width * height} numbers, not {len(matrix)}"
        raise KernelError(what, where=f"{where}: kernelMatrix")
    if any(_numbers(text, "bias", where)):
        raise KernelError(
            "is added to the response, which no kernel can do", where=f"{where}: bias", advice="use --bias"
        )
    divisor = _numbers(text, "divisor", where)[:1] or [0.0]
    total = divisor[0] or sum(matrix) or 1.0
    target_x = _numbers(text, "targetX", where)[:1] or [width // 2]
    target_y = _numbers(text, "targetY", where)[:1] or [height // 2]
    anchor = int(target_y[0]), int(target_x[0])
    if not (0 <= anchor[0] < height and 0 <= anchor[1] < width):
        raise KernelError(f"{anchor[1]}, {anchor[0]} lies outside the matrix", where=f"{where}: targetX, targetY")
    weights = np.array(matrix).reshape(height, width)[::-1, ::-1] / total
    return MatrixFile(weights, None if anchor == (height // 2, width // 2) else anchor)


def _numbers(text: str, attribute: str, where: str) -> list[float]:
    """Return the numbers of an attribute; an empty list where it is not there."""
    found = re.search(rf"(?<![\w-]){attribute}\s*=\s*[\"']([^\"']*)[\"']", text)
    if found is None:
        return []
    try:
        return [parse_number(cell) for cell in _SPLIT.split(found[1].strip()) if cell]
    except ValueError as error:
        raise KernelError(str(error), where=f"{where}: {attribute}") from error
