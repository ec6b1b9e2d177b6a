"""Tables of numbers, as editors, spreadsheets, ImageJ and GIMP hold kernels, and as weights are typed.

A line is a row; a single line may hold several, split by `;`. Numbers are split by blanks, tabs or commas, in files of
several lines by `;` as well; fractions such as 1/16 are numbers. What stands behind a `#` is a comment. `3x3:` before
the numbers gives rows and columns, so that they may stand in one line; ImageMagick's strings begin likewise.
"""

import re

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.files.matrix_file import MatrixFile, check_not_flat, is_flat, number_rows, single, text_of
from convcli.kernel.model import AnyKernel
from convcli.kernel.weights import MAX_WEIGHTS, Weights, parse_number

_COMMENT = re.compile(r"#.*")
# A comment that a flat row is written behind, so that other programs read the file, too.
_SIZE_COMMENT = re.compile(r"\s*#\s*(\d+x\d+:)\s*")


def parse_rows(text: str, where: str = "weights", *, file: bool = False) -> Weights:
    r"""Read rows of numbers.

    Parameters
    ----------
    text : str
        Rows split by line ends or `;`, numbers by blanks or commas.
    where : str
        What stands before messages.
    file : bool
        Whether the text is a file, in which comments and empty lines are left out and `;` may split numbers.

    Returns
    -------
    array (rows, columns) of float64
        The numbers, all finite.

    Raises
    ------
    KernelError
        Naming the row: for an empty row, rows of unequal length, and what is not a finite number.

    Examples
    --------
    >>> parse_rows("1/16 2/16 1/16; 0 1e-3 -1").tolist()
    [[0.0625, 0.125, 0.0625], [0.0, 0.001, -1.0]]
    >>> parse_rows("1, 2\n3, 4").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    if file:
        lines = [line for line in (_COMMENT.sub("", line).strip() for line in lines) if line]
    pieces = [line.removesuffix(";").split(";") for line in lines]
    several = len(lines) > 1 and any(len(each) > 1 for each in pieces)
    if file and several and "," in "".join(lines):
        what = "has commas and semicolons, which of them is it that splits numbers"
        raise KernelError(f"{what}?", where=where, advice="write numbers with a point, and split them by commas")
    if file and several and all(len(each.split()) == 1 for line in pieces for each in line):
        rows = pieces
    else:
        rows = [_cells(piece) for line in pieces for piece in line]
    if not rows:
        raise KernelError("is empty", where=where, advice="a kernel has at least one weight")
    if len(rows) * len(rows[0]) > MAX_WEIGHTS:
        raise KernelError(f"has more than {MAX_WEIGHTS} weights", where=where)
    values: list[list[float]] = []
    for number, row in enumerate(rows, start=1):
        place = f"{where}: row {number}" if file else f"{where}, row {number}"
        if not row:
            raise KernelError("is empty", where=place, advice="a row has at least one number")
        if len(row) != len(rows[0]):
            raise KernelError(f"is of length {len(row)} where the first is of {len(rows[0])}", where=place)
        try:
            values.append([parse_number(cell) for cell in row])
        except ValueError as error:
            raise KernelError(str(error), where=place) from error
    return np.array(values)


def _cells(row: str) -> list[str]:
    """Return the numbers of a row as text; an empty one between commas stays, to be refused."""
    if "," not in row:
        return row.split()
    return [cell for part in row.strip().removesuffix(",").split(",") for cell in part.split() or [""]]


def read(data: bytes, where: str) -> MatrixFile:
    """Read a table. Raises KernelError, naming the row."""
    text = text_of(data, where)
    sized = _SIZE_COMMENT.match(text)
    if sized:
        from convcli.kernel.files import imagemagick

        return imagemagick.parse(sized[1] + " ".join(_COMMENT.sub("", text).replace(",", " ").split()), where)
    weights = parse_rows(text, where, file=True)
    check_not_flat(weights.shape[0], weights.shape[1], where)
    return MatrixFile(weights)


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return a table in which columns are aligned.

    >>> from convcli.kernel.model import Kernel
    >>> write(Kernel("corner", np.array([[-1, 0], [0.25, 7]])))
    b'# corner\n  -1    0\n0.25    7\n'
    """
    return table_text(single(kernel, "text"), origin, " ", aligned=True)


def table_text(kernel: AnyKernel, origin: str, separator: str, *, aligned: bool) -> bytes:
    """Return a table whose numbers are split by `separator`, below comments."""
    kernel = single(kernel, "a table")
    rows = number_rows(kernel)
    lines = ["# {}x{}:".format(*kernel.size)] if is_flat(*kernel.size) else []
    lines.append(f"# {kernel.name}" + (f", from {' '.join(origin.split())}" if origin else ""))
    width = max(len(cell) for row in rows for cell in row) if aligned else 0
    lines += (separator.join(cell.rjust(width) for cell in row) for row in rows)
    return ("\n".join(lines) + "\n").encode()
