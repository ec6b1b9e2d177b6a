"""What a file says that holds one matrix of weights and little else."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.model import CHANGES, AnyKernel, Kernel, shaped, with_changes
from convcli.kernel.weights import Normalize, Weights
from convcli.system.small_file import SmallFileError, decode_text

# Rows of so many numbers may be squares written out flat, so that nothing says which of the two was meant.
_FLAT_SQUARES = {9: 3, 25: 5, 49: 7}


class MatrixFile(NamedTuple):
    """Weights as a file holds them, with what its notation says of them.

    Parameters
    ----------
    weights : array (rows, columns) of float64
        The weights, as they are laid on the image.
    anchor : (int, int), optional
        The weight over the output pixel; the middle, (rows // 2, columns // 2), unless stated.
    normalize : {'none', 'sum', 'abssum', 'posneg'}
        What the weights are scaled by unless a SPEC says otherwise.
    notes : tuple of str
        Lines that a user should see, each reading on from the name of the file.
    """

    weights: Weights
    anchor: tuple[int, int] | None = None
    normalize: Normalize = "none"
    notes: tuple[str, ...] = ()


def of_matrix(found: MatrixFile, where: str, name: str, changes: Mapping[str, str]) -> Kernel:
    """Make the kernel called `name` of one matrix of weights, with the changes of a SPEC. Raises KernelError."""
    check_changes(changes, where)
    if not np.isfinite(found.weights).all():
        y, x = np.argwhere(~np.isfinite(found.weights))[0]
        raise KernelError(f"must be a finite number, not {found.weights[y, x]}", where=f"{where}: weights[{y}][{x}]")
    normalize = "none" if "normalize" in changes else found.normalize  # the SPEC's takes precedence
    kernel = Kernel(name, found.weights, anchor=found.anchor, notes=found.notes)
    return with_changes(shaped(kernel, where, normalize), where, changes)


def check_changes(changes: Mapping[str, str], name: str) -> None:
    """Raise KernelError for a parameter that fixed weights have not."""
    for key in changes:
        if key not in CHANGES:
            known = " and ".join(CHANGES)
            raise KernelError(f"has fixed weights and no parameter {key!r}: only {known} may be given", where=name)


def text_of(data: bytes, where: str) -> str:
    """Return the text of a kernel file. Raises KernelError."""
    try:
        return decode_text(data, where)
    except SmallFileError as error:
        raise error.as_kind(KernelError) from error


def single(kernel: AnyKernel, notation: str) -> Kernel:
    """Return a kernel that a notation of one matrix can hold. Raises KernelError for a composite."""
    if isinstance(kernel, Kernel):
        return kernel
    parts = ", ".join(dict.fromkeys(part.name for part in kernel.kernels))
    what = f"combines {len(kernel.kernels)} kernels, which {notation} cannot hold"
    raise KernelError(what, where=kernel.name, advice=f"write YAML, or one of its parts ({parts})")


def check_not_flat(rows: int, columns: int, where: str) -> None:
    """Raise KernelError for a single row of so many numbers that a square may have been meant."""
    if rows == 1 and columns in _FLAT_SQUARES:
        side = _FLAT_SQUARES[columns]
        raise KernelError(
            f"is a single row of {columns} numbers",
            where=where,
            advice=f"write {side}x{side}: before it for {side} rows, or 1x{columns}: for one",
        )


def is_flat(rows: int, columns: int) -> bool:
    """Whether a matrix has to be written with its size, since it would be refused as a single row.

    >>> is_flat(1, 9), is_flat(3, 3)
    (True, False)
    """
    return rows == 1 and columns in _FLAT_SQUARES


def number_text(value: float) -> str:
    """Return a weight as text that reads back to the same float: whole numbers without a point.

    >>> number_text(-1.0), number_text(0.1), number_text(-0.0)
    ('-1', '0.1', '-0.0')
    """
    whole = value == int(value) and abs(value) < 2**53 and not (value == 0 and str(value)[0] == "-")
    return str(int(value)) if whole else repr(value)


def number_rows(kernel: Kernel) -> list[list[str]]:
    """Return the weights of a kernel as text."""
    return [[number_text(value) for value in row] for row in kernel.weights.tolist()]
