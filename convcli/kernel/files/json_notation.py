"""Kernels in JSON: a list of rows, or an object with the keys of a kernel file in YAML."""

import msgspec

from convcli.errors import KernelError
from convcli.kernel.files.description import KernelFile
from convcli.kernel.files.matrix_file import check_not_flat, number_rows, single, text_of
from convcli.kernel.model import AnyKernel
from convcli.system.checked_structs import StructError, read_struct


def read(data: bytes, where: str) -> KernelFile:
    """Read a kernel file. Raises KernelError."""
    try:
        return from_plain(msgspec.json.decode(text_of(data, where)), where)
    except msgspec.DecodeError as error:
        raise KernelError(f"not valid JSON: {error}", where=where) from error


def from_plain(document: object, where: str) -> KernelFile:
    """Return what a document of lists, mappings, numbers and text says of a kernel.

    Raises KernelError, with the path in it.

    >>> from_plain([[1, "1/2"]], "k.json").weights
    [[1, '1/2']]
    """
    if isinstance(document, list) and document:
        if not any(isinstance(row, list) for row in document) and len(document) > 1:
            check_not_flat(1, len(document), where)
            raise KernelError("must be a list of rows, such as [[0, 1], [1, 0]]", where=where)
        if all(isinstance(row, list) for row in document):
            document = {"weights": document}
    try:
        return read_struct(document, KernelFile)
    except StructError as error:
        raise error.at(where).as_kind(KernelError) from error


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return a list of rows.

    >>> from convcli.kernel.model import Kernel
    >>> write(Kernel("corner", [[-1, 0], [0.25, 7]]))
    b'[\n  [-1, 0],\n  [0.25, 7]\n]\n'
    """
    rows = (f"  [{', '.join(row)}]" for row in number_rows(single(kernel, "json")))
    return ("[\n" + ",\n".join(rows) + "\n]\n").encode()
