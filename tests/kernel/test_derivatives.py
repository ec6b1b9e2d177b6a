"""The derivatives on small squares agree with OpenCV, SciPy and scikit-image in double precision."""

import math
from fractions import Fraction

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import skimage.filters
from numpy.testing import assert_allclose

from convcli.kernel.catalogue import catalogue_folder
from convcli.kernel.files.yaml_notation import read
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.spec import load_kernel

# Of whole numbers of up to 12 digits, and of their products with fractions: float64's rounding, and no more.
EXACT = 1e-12


def noise() -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 255, (40, 43))


def laid(spec: str, image: np.ndarray) -> np.ndarray:
    return scipy.ndimage.correlate(image, load_kernel(spec).weights, mode="mirror")


def close(found: np.ndarray, expected: np.ndarray) -> None:
    assert_allclose(found, expected, rtol=0, atol=EXACT * np.abs(expected).max())


@pytest.mark.parametrize("size", [3, 5, 7, 9, 15, 31])
@pytest.mark.parametrize(("axis", "orders"), [("x", (1, 0)), ("y", (0, 1))])
def test_sobel_of_a_size_is_the_product_of_opencvs_rows(size, axis, orders):
    row, column = cv2.getDerivKernels(*orders, size, ktype=cv2.CV_64F)
    close(load_kernel(f"sobel_{axis}:size={size}").weights, column @ row.T)


@pytest.mark.parametrize("size", [5, 7, 9, 31])
def test_laplacian_of_a_size_is_opencvs_negated(size):
    row, smooth = cv2.getDerivKernels(2, 0, size, ktype=cv2.CV_64F)
    close(load_kernel(f"laplacian:size={size}").weights, -(smooth @ row.T + row @ smooth.T))
    if size < 31:
        close(laid(f"laplacian:size={size}", noise()), -cv2.Laplacian(noise(), cv2.CV_64F, ksize=size))


@pytest.mark.parametrize("size", [3, 5, 7])
def test_prewitt_of_a_size_counts_pixels_from_the_middle(size):
    expected = np.tile(np.arange(size) - size // 2, (size, 1))
    assert load_kernel(f"prewitt_x:size={size}").weights.tolist() == expected.tolist()
    assert load_kernel(f"prewitt_y:size={size}").weights.tolist() == expected.T.tolist()


@pytest.mark.parametrize("kernel", ["sobel", "prewitt", "scharr", "farid"])
@pytest.mark.parametrize("size", [3, 5, 9])
def test_a_derivative_of_unit_scale_is_1_on_a_ramp_of_slope_1(kernel, size):
    rows, columns = np.mgrid[0:20, 0:20].astype(float)
    sized = "" if kernel in ("scharr", "farid") else f",size={size}"
    for axis, ramp, flat in (("x", columns, rows), ("y", rows, columns)):
        middle = slice(5, 15)
        close(laid(f"{kernel}_{axis}:scale=unit{sized}", ramp)[middle, middle], np.ones((10, 10)))
        assert_allclose(laid(f"{kernel}_{axis}:scale=unit{sized}", flat)[middle, middle], 0, atol=1e-11)


@pytest.mark.parametrize("size", [3, 5, 9])
def test_laplacian_of_unit_scale_is_minus_2_on_half_the_square_of_the_distance(size):
    rows, columns = np.mgrid[0:20, 0:20].astype(float)
    close(laid(f"laplacian:scale=unit,size={size}", (rows**2 + columns**2) / 2)[5:15, 5:15], np.full((10, 10), -2.0))


def test_farid_is_skimages():
    image = noise()
    inside = (slice(4, -4), slice(4, -4))
    for axis, expected in (("x", skimage.filters.farid_v(image)), ("y", skimage.filters.farid_h(image))):
        close(laid(f"farid_{axis}", image)[inside], expected[inside])


def fitted(size: int, degree: int, order: int) -> np.ndarray:
    """The weights of a derivative of the polynomial of best fit, by normal equations over fractions."""
    places = range(-(size // 2), size // 2 + 1)
    rows = [[Fraction(sum(x ** (i + j) for x in places)) for j in range(degree + 1)] for i in range(degree + 1)]
    wanted = [Fraction(math.factorial(order) if i == order else 0) for i in range(degree + 1)]
    for i in range(degree + 1):  # elimination; the matrix is positive definite
        for k in range(i + 1, degree + 1):
            share = rows[k][i] / rows[i][i]
            rows[k] = [a - share * b for a, b in zip(rows[k], rows[i], strict=True)]
            wanted[k] -= share * wanted[i]
    found = [Fraction(0)] * (degree + 1)
    for i in reversed(range(degree + 1)):
        rest = sum(rows[i][j] * found[j] for j in range(i + 1, degree + 1))
        found[i] = (wanted[i] - rest) / rows[i][i]
    return np.array([float(sum(c * x**i for i, c in enumerate(found))) for x in places])


@pytest.mark.parametrize(("size", "degree"), [(3, 2), (5, 2), (7, 3), (11, 4), (21, 8), (31, 10)])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_savgol_is_the_polynomial_of_best_fit_in_exact_arithmetic(size, degree, order):
    along, across = fitted(size, degree, order), fitted(size, degree, 0)
    for axis, expected in (("x", np.outer(across, along)), ("y", np.outer(along, across))):
        close(load_kernel(f"savgol:axis={axis},size={size},degree={degree},order={order}").weights, expected)


@pytest.mark.parametrize(("size", "degree"), [(5, 2), (7, 3), (11, 4)])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_savgol_is_scipys(size, degree, order):
    expected = scipy.signal.savgol_coeffs(size, degree, deriv=order, use="dot")
    weights = load_kernel(f"savgol:size={size},degree={degree},order={order}").weights
    close(weights.sum(axis=0), expected)


def test_weights_beside_a_formula_in_the_catalogue_are_those_that_it_gives():
    held = 0
    for path in catalogue_folder().glob("*.yaml"):
        described = read(path.read_bytes(), str(path))
        if described.weights is None or described.family is None:
            continue
        family = FAMILIES[described.family]
        values = {name: family.read(name, value) for name, value in described.parameters.items()}
        assert family.build(values).tolist() == described.weights
        assert set(described.parameters) == {parameter.name for parameter in family.parameters}
        held += 1
    assert held == 7
