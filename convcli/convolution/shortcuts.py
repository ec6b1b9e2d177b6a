"""Ways past the backends: sums of integers that kernels share, and large Gaussians on a coarse grid.

What computes them is loaded only for kernels that may be computed so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.convolution.planning.cost_model import CorrelationRequest

if TYPE_CHECKING:
    from convcli.convolution.execution.decimated import DecimatedGaussian
    from convcli.convolution.execution.fused import FusedSums
    from convcli.kernel.products import Products

# A Gaussian that is worth a coarse grid has more rows and columns than this; of one with more than the second number
# the weights, written out, would take more memory than the grid saves.
_LARGE_KERNEL, _LARGEST_WRITTEN_OUT = 64, 1024
# A process that filters once is over sooner without loading the shared sums where the rest takes less than this.
_LOADING_SECONDS = 0.003


def fits_coarse_grid(products: Products, options: ConvolveOptions) -> bool:
    """Whether a large kernel, kept as products, may be tried on a coarse grid, which takes its weights written out."""
    sizes = min(products.size) > _LARGE_KERNEL and max(products.size) <= _LARGEST_WRITTEN_OUT
    if not (sizes and len(products.pairs) == 1 and options.dilation == (1, 1)):
        return False
    from convcli.convolution.execution.decimated import decimated_factors

    return decimated_factors(products.pairs[0]) is not None


def choose_shortcut(
    weights: list[NDArray[np.float64]],
    combine: str,
    dtype: np.dtype[Any],
    options: ConvolveOptions,
    request: CorrelationRequest,
    channels: int,
    otherwise: float,
) -> FusedSums | DecimatedGaussian | None:
    """Return a way past the backends that takes less than `otherwise` seconds; few kernels load what tries them.

    Parameters
    ----------
    weights : list of ndarray
        The kernels, as they lie on the image.
    combine : str
        How their responses are joined.
    dtype : dtype
        Of the image's samples.
    options : ConvolveOptions
        How the kernels are laid on the image.
    request : CorrelationRequest
        What is computed.
    channels : int
        Of the image.
    otherwise : float
        What the backends are predicted to take, in seconds.
    """
    value = options.padding_value
    if len(weights) == 1 and min(weights[0].shape) > _LARGE_KERNEL and options.dilation == (1, 1):
        from convcli.convolution.execution.decimated import choose_decimated

        return choose_decimated(weights[0], value, request, channels, otherwise)
    worth_loading = not request.cold or otherwise > _LOADING_SECONDS
    if dtype.kind != "f" and worth_loading and all(float(each.flat[0]).is_integer() for each in weights):
        from convcli.convolution.execution.fused import choose_fused

        return choose_fused(weights, combine, dtype, value, request, channels, otherwise)
    return None
