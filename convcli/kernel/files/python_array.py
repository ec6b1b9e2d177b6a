"""Kernels as arrays in Python, to be pasted into a program."""

from convcli.kernel.files.c_array import array_comment, array_name
from convcli.kernel.files.matrix_file import number_rows, single
from convcli.kernel.model import AnyKernel


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return the definition of an array of NumPy.

    >>> from convcli.kernel.model import Kernel
    >>> print(write(Kernel("step", [[-1, 0.5]])).decode(), end="")
    import numpy as np
    <BLANKLINE>
    # step; the weight over the output pixel is [0][1]
    step_kernel = np.array([
        [-1, 0.5],
    ], dtype=np.float64)
    """
    kernel = single(kernel, "python")
    rows = "".join(f"    [{', '.join(row)}],\n" for row in number_rows(kernel))
    about = array_comment(kernel, origin)
    return f"import numpy as np\n\n# {about}\n{array_name(kernel)} = np.array([\n{rows}], dtype=np.float64)\n".encode()
