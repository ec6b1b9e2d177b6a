"""Which backend `auto` takes: for now a rule of three lines.

- opencv, for kernels of at most _OPENCV_SPAN taps and for separable ones, which it runs as two one-dimensional passes;
- direct, where a stride drops three outputs of four or more, since it alone computes none of them;
- fft, for all other kernels, unless there is too little to compute for its transforms to be worth planning.
"""

from typing import Any

import numpy as np

from convcli.convolution.bank import Bank
from convcli.kernel.factorize import separate

_OPENCV_TAPS = 12 * 12
_OPENCV_SEPARABLE_LENGTH = 63
_FFT_LEAST_MACS = 20e6


def choose_backend(
    banks: tuple[Bank, ...],
    output: tuple[int, int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    dtype: np.dtype[Any],
) -> tuple[str, str]:
    """Choose by the work alone: (backend, one phrase that says why).

    >>> choose_backend((Bank.depthwise(np.ones((3, 3)), 1),), (512, 512, 1), (1, 1), (1, 1), np.dtype(np.float32))
    ('opencv', 'separable')
    """
    taps = max(sum(int(np.count_nonzero(kernel)) for _, _, kernel in bank.planes()) // bank.outputs for bank in banks)
    macs = taps * output[0] * output[1] * output[2]
    if stride[0] * stride[1] >= 4:
        return "direct", "computes only what the stride keeps"
    shared = [bank.shared for bank in banks if bank.shared is not None]
    if max(banks[0].size) <= _OPENCV_SEPARABLE_LENGTH and all(separate(kernel) is not None for kernel in shared):
        return "opencv", "separable"
    if taps <= _OPENCV_TAPS:
        return "opencv", f"small kernel ({taps} weights)"
    if macs <= _FFT_LEAST_MACS:
        return "opencv", "little to compute"
    return "fft", f"large kernel ({taps} weights)"
