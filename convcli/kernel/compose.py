"""The one kernel that a chain of kernels equals."""

from collections.abc import Sequence

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.kernel.weights import MAX_WEIGHTS, Weights

# Multiply-adds of one product of kernels, at most: some ten seconds.
_MOST_WORK = 1 << 34


def compose(kernels: Sequence[AnyKernel]) -> Kernel:
    """Return the one kernel that equals a chain of kernels, applied one after the other.

    Correlating with w1 and then with w2 is correlating with their full convolution,
    `w[y, x] = sum_uv w1[u, v] w2[y - u, x - v]`, whose anchor is the sum of the two. Near an edge of the image the
    chain differs, since each step pads the response of the one before.

    Parameters
    ----------
    kernels : sequence of Kernel
        The chain, first to last.

    Returns
    -------
    Kernel
        Its weights are computed in float64.

    Raises
    ------
    KernelError
        For no kernel, for a composite such as `sobel`, whose magnitude is not linear, and for too large a result.

    Examples
    --------
    >>> from convcli.kernel.spec import load_kernel
    >>> compose([load_kernel("1 1"), load_kernel("1 1"), load_kernel("1; 2")]).weights
    array([[1., 2., 1.],
           [2., 4., 2.]])
    """
    if not kernels:
        raise KernelError("no kernel to compose", advice="give at least one")
    singles: list[Kernel] = []
    for kernel in kernels:
        if isinstance(kernel, CompositeKernel):
            what = f"the {kernel.combine} of several responses is not one kernel and cannot be composed"
            raise KernelError(what, where=kernel.name)
        singles.append(kernel)
    weights, anchor = singles[0].weights, singles[0].origin
    for kernel in singles[1:]:
        weights = _convolve_full(weights, kernel.weights)
        anchor = (anchor[0] + kernel.origin[0], anchor[1] + kernel.origin[1])
    height, width = weights.shape
    names = "_".join(kernel.name for kernel in singles)
    return Kernel(
        name=names if len(names) <= 64 else f"chain_of_{len(singles)}",
        stored=weights,
        anchor=None if anchor == (height // 2, width // 2) else anchor,
        summary=f"The chain {', '.join(kernel.name for kernel in singles)} as one kernel.",
        reference="Composed by convolution of the kernels' weights.",
    )


def _convolve_full(one: Weights, other: Weights) -> Weights:
    large, small = (one, other) if one.size >= other.size else (other, one)
    height, width = large.shape
    full = height + small.shape[0] - 1, width + small.shape[1] - 1
    if full[0] * full[1] > MAX_WEIGHTS or large.size * np.count_nonzero(small) > _MOST_WORK:
        raise KernelError(f"the chain makes a kernel of {full[0]}x{full[1]}: too large to compose")
    result = np.zeros(full)
    for y, x in np.argwhere(small):
        result[y : y + height, x : x + width] += small[y, x] * large
    return result
