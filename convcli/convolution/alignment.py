"""How a kernel is laid on an image: its size there, its anchor, and the weights of its parts brought to both."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel

if TYPE_CHECKING:
    pass


def laid_size(kernel: AnyKernel, options: ConvolveOptions) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return rows and columns of a kernel as it is laid on the image, and its anchor: what `aligned_weights` has."""
    components = kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)
    laid = [(component.size, _laid_anchor(component, options)) for component in components]
    top, left = (max(anchor[axis] for _, anchor in laid) for axis in (0, 1))
    bottom, right = (max(size[axis] - anchor[axis] for size, anchor in laid) for axis in (0, 1))
    return (top + bottom, left + right), (top, left)


def _laid_anchor(kernel: Kernel, options: ConvolveOptions) -> tuple[int, int]:
    height, width = kernel.size
    anchor = options.anchor or kernel.origin
    if not (0 <= anchor[0] < height and 0 <= anchor[1] < width):
        raise UsageError(
            f"anchor {anchor[0]},{anchor[1]} lies outside kernel {kernel.name!r} of {height}x{width}: "
            f"rows count from 0 to {height - 1}, columns from 0 to {width - 1}"
        )
    return (height - 1 - anchor[0], width - 1 - anchor[1]) if options.flip else anchor


def aligned_weights(kernel: AnyKernel, options: ConvolveOptions) -> tuple[list[NDArray[np.float64]], tuple[int, int]]:
    """Turn kernels as written into weights as laid on the image, all of one size with one anchor.

    Those of a composite that differ in size are surrounded with zeros, so that their anchors meet.
    """
    size, (top, left) = laid_size(kernel, options)
    aligned = []
    for component in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
        anchor = _laid_anchor(component, options)
        weights = component.weights[::-1, ::-1] if options.flip else component.weights
        whole = np.zeros(size)
        y, x = top - anchor[0], left - anchor[1]
        whole[y : y + weights.shape[0], x : x + weights.shape[1]] = weights
        aligned.append(whole)
    return aligned, (top, left)
