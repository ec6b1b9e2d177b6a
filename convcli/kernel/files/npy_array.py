"""Kernels as NumPy saves them: 2-D arrays of numbers, never of objects."""

import io
import warnings
from tokenize import TokenError

import numpy as np
from numpy.lib import format as npy

from convcli.errors import KernelError
from convcli.kernel.files.matrix_file import MatrixFile, single
from convcli.kernel.model import AnyKernel
from convcli.kernel.weights import MAX_WEIGHTS

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read(data: bytes, where: str) -> MatrixFile:
    """Read an array. Raises KernelError."""
    file = io.BytesIO(data)
    try:
        with warnings.catch_warnings(action="ignore"):  # on headers by Python 2, which are as good
            shape, in_columns, dtype = _HEADERS[npy.read_magic(file)](file)
    except (
        ValueError,
        KeyError,
        SyntaxError,
        TokenError,
    ) as error:  # a header that is not closed is either of the last
        raise KernelError("is no .npy file that can be read", where=where, advice="write it by numpy.save") from error
    if len(shape) != 2 or min(shape) < 1:
        what = f"must hold a 2-D array (rows, columns), not one of shape {shape}"
        raise KernelError(what, where=where, advice="give it two dimensions by .reshape()")
    if dtype.kind not in "biuf":
        raise KernelError(f"must hold real numbers, not {dtype}", where=where)
    if shape[0] * shape[1] > MAX_WEIGHTS:
        raise KernelError(f"has more than {MAX_WEIGHTS} weights", where=where)
    if len(data) - file.tell() < shape[0] * shape[1] * dtype.itemsize:
        raise KernelError("ends before its last weight", where=where, advice="get the file again")
    count = shape[0] * shape[1]
    array = np.frombuffer(data, dtype, count, file.tell()).reshape(shape, order="F" if in_columns else "C")
    return MatrixFile(np.ascontiguousarray(array, np.float64))


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    """Return the bytes of an array of float64."""
    file = io.BytesIO()
    np.save(file, single(kernel, "npy").weights)
    return file.getvalue()
