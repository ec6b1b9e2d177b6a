"""Which backend `auto` takes: a short rule, by the kernel and the amount of work alone.

- direct, where a stride leaves it little to do, since it alone computes none of the outputs that are dropped, and for
  large kernels of few weights, such as a dilated or a diagonal one;
- opencv, for small kernels, and for separable ones and sums of few separable ones, which it runs as one-dimensional
  passes, as long as these are not too long;
- fft for all other kernels, unless there is so little to compute that transforms are not worth setting up.
"""

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.kernel.factorize import low_rank

# Places of a kernel up to which OpenCV goes from weight to weight; beyond, it multiplies spectra, slower than fft does.
_SMALL = 120
# Weights that cost no more, one by one, than transforms do.
_FEW = 16
# Longest passes, summed over the products: as floats; and of one product from bytes to bytes, in half the time.
_PASSES, _PASSES_OF_BYTES = 48, 101
# Where a kernel is a sum of more products than this, it is not looked into further.
_MOST_PRODUCTS = 4
# Multiply-adds below which filter2D is done before FFTW has planned.
_LITTLE = 20e6


def choose_backend(
    banks: tuple[Bank, ...],
    output: tuple[int, int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    *,
    bytes_only: bool = False,
) -> tuple[str, str]:
    """Choose for banks laid on every channel, with `output` (height, width, channels): (backend, one phrase why).

    `bytes_only` says that samples come as u8 and leave as u8, with nothing done to them in between.

    >>> def choose(kernel, stride=(1, 1), dilation=(1, 1)):
    ...     return choose_backend((Bank.depthwise(kernel, 1),), (2048, 2048, 1), stride, dilation)
    >>> choose(np.ones((9, 9)))
    ('opencv', 'separable, 9 + 9 weights')
    >>> choose(np.tri(5))
    ('opencv', 'small kernel, 15 weights')
    >>> choose(np.tri(5), dilation=(4, 4))
    ('direct', 'few weights, 15 over 17 x 17')
    >>> choose(np.add.outer(np.arange(15.0), np.arange(15.0)))
    ('opencv', '2 separable kernels, 15 + 15 weights each')
    >>> choose(np.tri(25))
    ('fft', 'large kernel, 325 weights')
    >>> choose(np.tri(25), stride=(2, 2))
    ('fft', 'large kernel, 325 weights')
    >>> choose(np.tri(25), stride=(8, 8))
    ('direct', 'computes only what the stride keeps')
    """
    kernels = [bank.weights[0, 0] for bank in banks]
    weights = max(int(np.count_nonzero(kernel)) for kernel in kernels)
    height, width = (d * (k - 1) + 1 for d, k in zip(dilation, kernels[0].shape, strict=True))
    thinning = stride[0] * stride[1]
    few = f"few weights, {weights} over {height} x {width}" if thinning == 1 else "computes only what the stride keeps"
    if thinning > 1 and weights <= thinning:
        return "direct", few
    longest = _PASSES_OF_BYTES if bytes_only and len(kernels) == 1 else _PASSES
    if max(height, width) <= longest and all(low_rank(kernel, 1) is not None for kernel in kernels):
        return "opencv", f"separable, {height} + {width} weights"
    if height * width <= _SMALL:
        return "opencv", f"small kernel, {weights} weights"
    products = _products(kernels, min(_PASSES // max(height, width), _MOST_PRODUCTS))
    if products is not None:
        return "opencv", f"{products} separable kernels, {height} + {width} weights each"
    if weights <= _FEW * thinning:
        return "direct", few
    if weights * output[0] * output[1] * output[2] <= _LITTLE:
        return "opencv", "little to compute"
    return "fft", f"large kernel, {weights} weights"


def _products(kernels: list[NDArray[np.float64]], most: int) -> int | None:
    """How many separable kernels the least separable of these is a sum of, None for more than `most`."""
    if most < 2:
        return None
    passes = [low_rank(kernel, most) for kernel in kernels]
    return None if any(each is None for each in passes) else max(len(each) for each in passes if each is not None)
