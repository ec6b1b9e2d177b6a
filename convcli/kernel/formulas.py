"""The formulas behind the parametric kernels, all of them.

A family states its formula and parameters once, and `FAMILIES` is what files, SPECs, `kernels show` and errors read;
the catalogue's files hold the parameters that a name starts from. A new family is a function with its `@family` in one
of the modules below, and a file in `kernels/`.
"""

# These put their formulas on the list.
import convcli.kernel.derivatives
import convcli.kernel.frequency
import convcli.kernel.gaussians
import convcli.kernel.shapes  # noqa: F401  # one name stands for the four
from convcli.kernel.family import FAMILIES

__all__ = ["FAMILIES"]
