"""Kernels as arrays in C, to be compiled into a program."""

import re

from convcli.kernel.files.matrix_file import number_rows, single
from convcli.kernel.model import AnyKernel, Kernel


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return the definition of an array of double.

    >>> print(write(Kernel("step", [[-1, 0.5]])).decode(), end="")
    /* step; the weight over the output pixel is [0][1] */
    static const double step_kernel[1][2] = {
        {-1, 0.5},
    };
    """
    kernel = single(kernel, "c")
    rows = "".join(f"    {{{', '.join(row)}}},\n" for row in number_rows(kernel))
    about = array_comment(kernel, origin).replace("*/", "* /")
    height, width = kernel.size
    return f"/* {about} */\nstatic const double {array_name(kernel)}[{height}][{width}] = {{\n{rows}}};\n".encode()


def array_name(kernel: Kernel) -> str:
    """Return the name of a kernel as one in C and Python, of ASCII letters, digits and `_`."""
    return re.sub(r"[^0-9A-Za-z_]", "_", kernel.name) + "_kernel"


def array_comment(kernel: Kernel, origin: str) -> str:
    """Return one line on a kernel: its name, where it comes from, and its anchor."""
    source = f", from {' '.join(origin.split())}" if origin else ""
    return f"{kernel.name}{source}; the weight over the output pixel is [{kernel.origin[0]}][{kernel.origin[1]}]"
