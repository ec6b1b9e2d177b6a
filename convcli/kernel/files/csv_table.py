"""Tables of numbers split by commas, tabs or semicolons, as spreadsheets write them."""

from convcli.kernel.files.matrix_file import MatrixFile, is_flat, single
from convcli.kernel.files.table import read as read_table
from convcli.kernel.files.table import table_text
from convcli.kernel.model import AnyKernel


def read(data: bytes, where: str) -> MatrixFile:
    """Read a table. Raises KernelError, naming the row."""
    return read_table(data, where)


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return rows of numbers, and no comment but the size of a row that could be taken for a square.

    >>> from convcli.kernel.model import Kernel
    >>> write(Kernel("corner", [[-1, 0], [0.25, 7]]))
    b'-1,0\n0.25,7\n'
    """
    kernel = single(kernel, "csv")
    lines = table_text(kernel, origin, ",", aligned=False).decode().splitlines(keepends=True)
    first = lines[:1] if is_flat(*kernel.size) else []
    return "".join([*first, *(line for line in lines if not line.startswith("#"))]).encode()
