"""The winograd backend: 3 x 3 kernels with fewer multiplications, F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3).

Winograd, "Arithmetic complexity of computations" (1980); for banks, Lavin and Gray, "Fast algorithms for convolutional
neural networks" (2016). A block of m x m outputs reads (m + 2) x (m + 2) samples. Both these and the kernel are
transformed, by polynomials evaluated at m + 2 points along each axis, which takes additions and multiplications by
small numbers; then each output channel is a sum over input channels of products point by point, (m + 2)^2 of them for
m^2 outputs instead of 9 m^2; and the sums are transformed back.

For a bank the transforms are shared by all channels, and what counts are the products, which are one matrix product a
point: m = 4, 2.25 multiplications an output and pair of channels. For one kernel the transforms are all there is, and
those of m = 2 are the cheaper: they only add.

The points of m = 2 are 0, 1, -1 and infinity, and its error stays below 0.15 of the error bound of docs/numerics.md.
Those of m = 4 as usually given, 0, 1, -1, 2, -2 and infinity, would exceed the bound in float32: 4 times with one input
channel, 1.8 with three, 0.9 with 16, on random images. The points 0, 2/3, -2/3, 3/2, -3/2 and infinity, whose powers
are more alike in size, take a few more multiplications by constants and reach 0.8 with one input, 0.65 with two, 0.4
with four and 0.3 with eight; banks of fewer than four inputs are left to m = 2, for the little that their products
cost. In float64, where the bound lies further from the rounding, both stay below 0.05.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import Backend, CorrelationWork, Correlator
from convcli.convolution.backends.blas import LONGEST_SUM, blas_threads
from convcli.convolution.backends.weighted_sums import WeightedSumCorrelator
from convcli.convolution.planning.cost_model import (
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    usual_tiles,
)

# The points of m = 4, beside 0 and infinity: these and their negatives. Their product is 1.
_NEAR, _FAR = 2 / 3, 3 / 2
_SPREAD = _NEAR**2 + _FAR**2
# From this many inputs on, m = 4 keeps well within the bound, and pays.
_ENOUGH_INPUTS = 4
# Terms of a sum before sums are added in pairs; points see larger numbers than images hold.
_LONGEST_SUM = LONGEST_SUM // 2
# Samples of all points of a tile, all channels together: of a bank, and of one kernel, whose passes would else be so
# short that threads wait for each other at the interpreter's lock.
_SAMPLES_OF_BANK, _SAMPLES_OF_ONE = 1 << 18, 1 << 19
# Banks of fewer inputs and outputs than this go plane by plane.
_FEW_CHANNELS = 16


class _Winograd(Backend):
    """See the module."""

    name = "winograd"

    def refusal(self, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> str | None:
        """Refuse all but undilated 3x3 kernels at stride 1."""
        choose = "choose kn2row, fft or auto"
        if size != (3, 3):
            return f"winograd computes 3x3 kernels only, and this one is {size[0]}x{size[1]}: {choose}"
        if dilation != (1, 1):
            return f"winograd knows no dilation, and {dilation[0]},{dilation[1]} was asked for: {choose}"
        if stride != (1, 1):
            return f"winograd computes at stride 1 only, and {stride[0]},{stride[1]} was asked for: {choose}"
        return None

    def forms(self, summary: BankSummary, request: CorrelationRequest) -> Iterator[CostedForm]:
        """List the one form."""
        tiles, outputs = usual_tiles(summary, request), summary.outputs * summary.groups
        terms = {
            "winograd.input": request.units * summary.channels,
            "winograd.output": request.units * outputs,
            "winograd.product": request.units * summary.channels * summary.outputs,
            "winograd.call": float(tiles),
            "winograd.weight": float(summary.inputs * outputs),
        }
        yield CostedForm(ComputingForm("dense"), terms, tiles)

    def tile_size(self, work: CorrelationWork) -> tuple[int, int]:
        """Whole blocks, as many as keep the transformed tile in the cache."""
        m, channels = _block(work), max(work.bank.inputs, work.bank.outputs)
        samples = _SAMPLES_OF_BANK if work.bank.shared is None else _SAMPLES_OF_ONE
        blocks = max(samples // ((m + 2) ** 2 * channels), 16)
        high = max(4, 2 ** (int(math.log2(blocks)) // 2))
        return m * high, m * max(blocks // high, 4)

    def prepare(self, work: CorrelationWork, tile: tuple[int, int]) -> Callable[[], Correlator]:
        """Transform the kernels, in float64 and once for all threads."""
        m = _block(work)
        matrix, weights = _kernel_transform(m), work.bank.weights
        if work.bank.shared is not None:
            weights = work.bank.shared[np.newaxis, np.newaxis]
        points = np.einsum("ku,oiuv,lv->klio", matrix, weights, matrix)
        transformed = np.ascontiguousarray(points.reshape(-1, *points.shape[2:]), work.dtype)
        return lambda: Blocks(work, m, transformed)

    def single_threaded(self) -> AbstractContextManager[object]:
        """Hold BLAS to one thread."""
        return blas_threads(1)


def _block(work: CorrelationWork) -> int:
    return 2 if work.bank.shared is not None or work.bank.weights.shape[1] < _ENOUGH_INPUTS else 4


def _kernel_transform(m: int) -> NDArray[np.float64]:
    """Evaluate a kernel's polynomial at the points; its shares there that the transforms of samples leave out.

    >>> _kernel_transform(2).tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]]
    """
    if m == 2:
        return np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
    # Lagrange: each point's product of its distances to the other points.
    points = np.array([0, _NEAR, -_NEAR, _FAR, -_FAR])
    distances = points[:, np.newaxis] - points + np.eye(5)
    evaluated = points[:, np.newaxis] ** np.arange(3) / distances.prod(axis=1)[:, np.newaxis]
    return np.vstack([evaluated, [0, 0, 1]])


class Blocks(WeightedSumCorrelator):
    """Transforms a tile's blocks, multiplies point by point, and transforms back.

    Arrays end in (rows of blocks, columns of blocks, channels); if `planar`, each channel lies by itself all the same.
    """

    def __init__(self, work: CorrelationWork, m: int, transformed: NDArray[Any]) -> None:
        super().__init__(work)
        assert work.bank.size == (3, 3)
        assert work.stride == work.dilation == (1, 1)
        bank = work.bank
        self._m, self._weights = m, transformed
        self.planar = max(bank.weights.shape[1], bank.outputs // bank.groups) < _FEW_CHANNELS
        self._input, self._output = {2: (_input_2, _output_2), 4: (_input_4, _output_4)}[m]

    def tile(self, height: int, width: int) -> NDArray[Any]:
        """Return a buffer that goes on, with zeros, to whole blocks."""
        self._high, self._wide = (math.ceil((n - 2) / self._m) for n in (height, width))
        self._whole = super().tile((self._high + 1) * self._m, (self._wide + 1) * self._m)
        self._whole[height:] = 0
        self._whole[:, width:] = 0
        self.input = self._whole[:height, :width]
        return self.input

    def correlate(self) -> NDArray[Any] | None:
        """Transform, multiply, transform back."""
        if self.has_unsafe_samples():
            return None
        bank, m, high, wide = self.work.bank, self._m, self._high, self._wide
        products = self._multiply(self._transform())
        outputs = bank.outputs
        across = self._array("across", (m + 2, m), (high, wide), outputs)
        self._output(list(products.swapaxes(0, 1)), list(across.swapaxes(0, 1)), self._like)
        down = self._array("down", (m, m), (high, wide), outputs)
        self._output(list(across), list(down), self._like)
        out = self.samples("out", high * m, wide * m, outputs)
        np.copyto(out.reshape(high, m, wide, m, outputs).transpose(1, 3, 0, 2, 4), down)
        height, width = self.output_size()
        return out[:height, :width]

    def _transform(self) -> NDArray[Any]:
        """Evaluate each block at the points: (m + 2, m + 2, blocks, inputs)."""
        m, high, wide, inputs = self._m, self._high, self._wide, self.work.bank.inputs
        # Every m-th row and column side by side, so that all that follows goes over whole rows.
        apart = self._array("apart", (m, m), (high + 1, wide + 1), inputs)
        np.copyto(apart, self._whole.reshape(high + 1, m, wide + 1, m, inputs).transpose(1, 3, 0, 2, 4))
        rows = [apart[u % m, :, u // m : u // m + high] for u in range(m + 2)]
        upright = self._array("upright", (m + 2, m), (high, wide + 1), inputs)
        self._input(rows, list(upright), self._like)
        columns = [upright[:, v % m, :, v // m : v // m + wide] for v in range(m + 2)]
        points = self._array("points", (m + 2, m + 2), (high, wide), inputs)
        self._input(columns, list(points.swapaxes(0, 1)), self._like)
        return points

    def _multiply(self, points: NDArray[Any]) -> NDArray[Any]:
        """Multiply by the transformed kernels and sum over inputs, point by point."""
        bank, weights = self.work.bank, self._weights
        if bank.shared is not None:
            points *= weights.reshape(self._m + 2, self._m + 2, 1, 1, 1)
            return points
        products = self._array("products", points.shape[:2], points.shape[2:4], bank.outputs)
        samples, sums = self._as_matrices(points), self._as_matrices(products)
        inputs, outputs = weights.shape[1], weights.shape[2] // bank.groups
        blocks = np.array_split(np.arange(inputs), math.ceil(inputs / _LONGEST_SUM))
        for group in range(bank.groups):
            to = slice(group * outputs, (group + 1) * outputs)

            def term(index: int, out: NDArray[Any], group: int = group, to: slice = to) -> NDArray[Any]:
                first, last = int(blocks[index][0]), int(blocks[index][-1]) + 1
                own = slice(group * inputs + first, group * inputs + last)
                # With one input there is nothing to sum, and BLAS takes twenty times as long as a multiplication.
                multiply: Callable[..., NDArray[Any]] = np.multiply if last - first == 1 else np.matmul
                if self.planar:
                    return multiply(weights[:, first:last, to].swapaxes(1, 2), samples[:, own], out=out)
                return multiply(samples[..., own], weights[:, first:last, to], out=out)

            self.pairwise(term, 0, len(blocks), sums[:, to] if self.planar else sums[..., to])
        return products

    def _array(self, name: str, lead: tuple[int, int], size: tuple[int, int], channels: int) -> NDArray[Any]:
        """Return the scratch called `name`, (*lead, *size, channels), each channel by itself if `planar`."""
        if self.planar:
            return self.scratch.array(name, (*lead, channels, *size)).transpose(0, 1, 3, 4, 2)
        return self.scratch.array(name, (*lead, *size, channels))

    def _as_matrices(self, points: NDArray[Any]) -> NDArray[Any]:
        """View as (points, blocks, channels), or (points, channels, blocks) if planar."""
        lead, channels = points.shape[0] * points.shape[1], points.shape[4]
        if self.planar:
            return points.transpose(0, 1, 4, 2, 3).reshape(lead, channels, -1)
        return points.reshape(lead, -1, channels)

    def _like(self, name: str, samples: NDArray[Any]) -> NDArray[Any]:
        """Return scratch of the shape and layout of `samples` (count, rows of blocks, columns of blocks, channels)."""
        count, high, wide, channels = samples.shape
        return self._array(name, (count, 1), (high, wide), channels)[:, 0]


_Like = Callable[[str, NDArray[Any]], NDArray[Any]]


def _input_2(x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]], like: _Like) -> None:
    """Evaluate four samples at four points: x0 - x2, x1 + x2, x2 - x1, x1 - x3."""
    np.subtract(x[0], x[2], out=y[0])
    np.add(x[1], x[2], out=y[1])
    np.subtract(x[2], x[1], out=y[2])
    np.subtract(x[1], x[3], out=y[3])


def _output_2(x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]], like: _Like) -> None:
    """Make two outputs of four points: x0 + x1 + x2, x1 - x2 - x3."""
    np.add(x[0], x[1], out=y[0])
    np.add(y[0], x[2], out=y[0])
    np.subtract(x[1], x[2], out=y[1])
    np.subtract(y[1], x[3], out=y[1])


def _input_4(x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]], like: _Like) -> None:
    """Evaluate six samples at six points, with n = 2/3, f = 3/2, s = n^2 + f^2.

    x0 - s x2 + x4; (x4 - f^2 x2) + and - n (x3 - f^2 x1); (x4 - n^2 x2) + and - f (x3 - n^2 x1); x1 - s x3 + x5.
    """
    even, odd = like("even", x[0]), like("odd", x[0])
    for point, other, plus, minus in ((_NEAR, _FAR, y[1], y[2]), (_FAR, _NEAR, y[3], y[4])):
        np.multiply(x[2], other**2, out=even)
        np.subtract(x[4], even, out=even)
        np.multiply(x[1], other**2, out=odd)
        np.subtract(x[3], odd, out=odd)
        np.multiply(odd, point, out=odd)
        np.add(even, odd, out=plus)
        np.subtract(even, odd, out=minus)
    for first, end in ((0, y[0]), (1, y[5])):
        np.multiply(x[first + 2], _SPREAD, out=even)
        np.subtract(x[first], even, out=end)
        np.add(end, x[first + 4], out=end)


def _output_4(x: Sequence[NDArray[Any]], y: Sequence[NDArray[Any]], like: _Like) -> None:
    """Make four outputs of six points, with n = 2/3 and f = 3/2.

    x0 + s + t, n d + f e, n^2 s + f^2 t, n^3 d + f^3 e + x5, where s, d = x1 + and - x2 and t, e = x3 + and - x4.
    """
    near, far = like("even", x[0]), like("odd", x[0])
    np.add(x[1], x[2], out=near)
    np.add(x[3], x[4], out=far)
    np.add(near, far, out=y[0])
    np.add(y[0], x[0], out=y[0])
    near *= _NEAR**2
    far *= _FAR**2
    np.add(near, far, out=y[2])
    np.subtract(x[1], x[2], out=near)
    np.subtract(x[3], x[4], out=far)
    near *= _NEAR
    far *= _FAR
    np.add(near, far, out=y[1])
    near *= _NEAR**2
    far *= _FAR**2
    np.add(near, far, out=y[3])
    np.add(y[3], x[5], out=y[3])


BACKEND = _Winograd()
