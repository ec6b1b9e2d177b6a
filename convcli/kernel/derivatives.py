"""The formulas of derivatives on small squares of pixels: Sobel, Prewitt, Scharr, Farid, Savitzky-Golay, Laplacian.

x runs right and y down, and a response is positive where brightness rises in the direction of the derivative. With
`scale: unit` the response is that of the derivative itself: 1 on a ramp of slope 1, or on a parabola x²/2.
"""

import math

import numpy as np

from convcli.kernel.family import family
from convcli.kernel.parameters import KernelSize, OneOfWords, Parameter, WholeNumber
from convcli.kernel.products import Products
from convcli.kernel.weights import Weights

_AXIS = Parameter("axis", "of the derivative", OneOfWords(("x", "y")), "x")
_SCALES = OneOfWords(("raw", "unit"))
_SCALE = Parameter("scale", "as usual (raw), or so that the response is the derivative itself (unit)", _SCALES, "raw")
_LARGEST = 31  # beyond it OpenCV has none, and sums of the weights leave float64's whole numbers


def _size(default: int = 3) -> Parameter:
    return Parameter("size", "rows and columns, a square", KernelSize(odd=True), default)


def _side(size: tuple[int, int], most: int = _LARGEST) -> int:
    if size[0] != size[1] or not 3 <= size[0] <= most:
        raise ValueError(f"size must be a square of 3 to {most}, not {size[0]}x{size[1]}")
    return size[0]


def _smooth(length: int) -> Weights:
    """Return a row of Pascal's triangle."""
    row = np.ones(1)
    for _ in range(length - 1):
        row = np.convolve(row, (1.0, 1.0))
    return row


def _difference(length: int, order: int) -> Weights:
    """Return a derivative smoothed as much as so many weights allow, as cv2.getDerivKernels does."""
    row = _smooth(length - order)
    for _ in range(order):
        row = np.convolve(row, (-1.0, 1.0))
    return row


def _gradient(derivative: Weights, smoothing: Weights, axis: str, scale: str) -> Weights:
    """Return a derivative along an axis, smoothed across it, for `unit` divided by its response to a ramp."""
    weights = np.outer(smoothing, derivative)
    if scale == "unit":
        places = np.arange(len(derivative)) - len(derivative) // 2
        weights /= float(derivative @ places) * float(smoothing.sum())
    return weights if axis == "x" else np.ascontiguousarray(weights.T)


@family("a difference and rows of Pascal's triangle, as cv2.getDerivKernels multiplies them", _AXIS, _size(), _SCALE)
def _sobel(axis: str, size: tuple[int, int], scale: str) -> Weights:
    side = _side(size)
    return _gradient(_difference(side, 1), _smooth(side), axis, scale)


@family("the distance from the middle along the axis, alike across it", _AXIS, _size(), _SCALE)
def _prewitt(axis: str, size: tuple[int, int], scale: str) -> Weights:
    side = _side(size)
    return _gradient(np.arange(side, dtype=np.float64) - side // 2, np.ones(side), axis, scale)


@family("-1 0 1 in rows weighted 3, 10, 3", _AXIS, _SCALE)
def _scharr(axis: str, scale: str) -> Weights:
    return _gradient(np.array([-1.0, 0.0, 1.0]), np.array([3.0, 10.0, 3.0]), axis, scale)


# Of 5 taps, found by a search for the directions that come out nearest to right.
_FARID = (0.0376593171958126, 0.249153396177344, 0.426374573253687)
_FARID_DERIVATIVE = (0.109603762960254, 0.276690988455557)


@family(
    "5 taps whose derivative and smoothing fit each other best, so that directions come out right, by Farid "
    "and Simoncelli",
    _AXIS,
    _SCALE,
)
def _farid(axis: str, scale: str) -> Weights:
    outer, inner = _FARID_DERIVATIVE
    smoothing = np.array([*_FARID, *_FARID[1::-1]])
    return _gradient(np.array([-outer, -inner, 0.0, inner, outer]), smoothing, axis, scale)


@family(
    "value, or derivative of an order along the axis, of the polynomial of a degree that fits the weights' pixels best "
    "by least squares; across the axis, the value",
    _AXIS,
    _size(7),
    Parameter("degree", "of the polynomial", WholeNumber(0, 10), 3),
    Parameter("order", "of the derivative along the axis", WholeNumber(0, 4), 0),
)
def _savgol(axis: str, size: tuple[int, int], degree: int, order: int) -> Products:
    side = _side(size)
    if not order <= degree < side:
        raise ValueError(f"degree must be at least order, {order}, and less than size, {side}, not {degree}")
    smoothing, derivative = _fitted(side, degree, 0), _fitted(side, degree, order)
    return Products(((smoothing, derivative) if axis == "x" else (derivative, smoothing),))


def _fitted(side: int, degree: int, order: int) -> Weights:
    """Return the weights that give a derivative, at the middle, of the polynomial that fits best."""
    half = side // 2
    places = np.arange(-half, half + 1) / half  # within -1 and 1, or high powers would swamp low ones
    orthogonal, triangle = np.linalg.qr(np.vander(places, degree + 1, increasing=True))
    # The coefficient of x^order is a row of the inverse of the triangle, times the orthogonal part.
    wanted = np.zeros(degree + 1)
    wanted[order] = math.factorial(order) / float(half) ** order
    return np.asarray(orthogonal @ np.linalg.solve(triangle.T, wanted))


@family(
    "minus the sum of the second differences along x and y; beyond 3, smoothed as cv2.Laplacian does", _size(), _SCALE
)
def _laplacian(size: tuple[int, int], scale: str) -> Weights:
    side = _side(size)
    second, smoothing = _difference(side, 2), _smooth(side)
    if side == 3:  # the stencil of four neighbours
        smoothing = np.array([0.0, 1.0, 0.0])
    weights = np.outer(smoothing, second) + np.outer(second, smoothing)
    if scale == "unit":
        places = np.arange(side) - side // 2
        weights /= float(second @ places**2) / 2.0 * float(smoothing.sum())
    return 0.0 - weights
