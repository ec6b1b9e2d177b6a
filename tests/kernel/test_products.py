"""Large kernels kept as products of columns and rows: the same figures, turns and weights as their array."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from convcli import convolve, load_kernel
from convcli.errors import KernelError
from convcli.kernel.model import Kernel
from convcli.kernel.products import Products

LARGE = [
    "gaussian:sigma=20",
    "gaussian:sigma=18,order_x=1,order_y=2",
    "gaussian:sigma_x=30,sigma_y=15",
    "gaussian:sigma=18,normalize=abssum",
    "gaussian:sigma=25,rotate=90",
    "log:sigma=20",
    "mexican_hat:sigma=17,dc=raw",
    "dog:sigma=15",
    "unsharp:sigma=20",
    "lanczos:cutoff=0.01",
    "kaiser:cutoff=0.02",
    "box:size=512x513",
]
large = pytest.mark.parametrize("spec", LARGE)


def written_out(kernel):
    return Kernel("written", kernel.weights, anchor=kernel.anchor)


@large
def test_figures_are_those_of_the_weights(spec):
    kernel = load_kernel(spec)
    assert isinstance(kernel.stored, Products)
    assert kernel.size == kernel.weights.shape
    weights = kernel.weights
    expected = weights.sum(), np.abs(weights).sum(), weights.min()
    assert_allclose(kernel.figures, expected, rtol=1e-12, atol=1e-13 * expected[1])


@pytest.mark.parametrize("quarters", range(-1, 5))
def test_a_turn_is_that_of_the_array(quarters):
    products = Products(((np.array([1.0, 2.0, 5.0]), np.array([3.0, -1.0])), (np.ones(3), np.array([0.5, 4.0]))))
    assert_array_equal(products.turned(quarters).array(), np.rot90(products.array(), quarters))


def test_a_middle_and_a_sample_are_parts_of_the_array():
    products = load_kernel("log:sigma=20").products
    weights = products.array()
    assert weights.shape == (161, 161)
    assert_array_equal(products.middle(5), weights[78:83, 78:83])
    assert_array_equal(products.sampled(17), weights[::10, ::10])


OPTIONS = [
    {},
    {"padding": "wrap"},
    {"padding": "constant", "padding_value": (1.0, 2.0, 30.0)},
    {"extent": "full", "padding": "constant", "padding_value": 7.0},
    {"flip": True, "anchor": (3, 5)},
    {"stride": (2, 3), "dilation": (2, 1)},
]


@large
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_response_is_that_of_the_array(spec, options):
    image = np.random.default_rng(0).uniform(0, 255, (50, 60, 3))
    kernel = load_kernel(spec)
    bound = 1e-13 * kernel.figures[1] * 255
    found, expected = (convolve(image, each, **options) for each in (kernel, written_out(kernel)))
    assert_allclose(found, expected, rtol=0, atol=bound)
    single = convolve(image.astype(np.float32), kernel, **options)
    assert_allclose(single, expected, rtol=0, atol=2e-6 * kernel.figures[1] * 255)


def test_bytes_are_rounded_once_at_the_end():
    image = np.random.default_rng(0).integers(0, 256, (50, 60), np.uint8)
    for spec in ("gaussian:sigma=20", "unsharp:sigma=20"):
        exact = convolve(image, load_kernel(spec), precision="double")
        found = convolve(image, load_kernel(spec), out_dtype=np.uint8)
        assert_allclose(found, np.clip(np.rint(exact), 0, 255), atol=1)
        assert np.abs(found - np.clip(exact, 0, 255)).max() <= 0.5 + 1e-3


@large
def test_what_is_not_finite_reaches_where_it_does_by_the_array(spec):
    image = np.random.default_rng(0).uniform(0, 255, (50, 400))
    image[10, 12], image[40, 300], image[45, 303] = np.nan, np.inf, -np.inf
    kernel = load_kernel(spec)
    found, expected = convolve(image, kernel), convolve(image, written_out(kernel))
    assert_array_equal(np.isnan(found), np.isnan(expected))
    assert_array_equal(np.isposinf(found), np.isposinf(expected))


def test_a_gaussian_of_sigma_1000_blurs_and_is_never_written_out():
    kernel = load_kernel("gaussian:sigma=1000")
    assert kernel.size == (8001, 8001)
    rows, columns = np.mgrid[0:60, 0:80].astype(float)
    found = convolve(3 * rows + columns, kernel)
    column = np.exp(-((np.arange(-4000, 4001) / 1000) ** 2) / 2)
    column /= column.sum()

    def blurred(line):
        return [column @ np.pad(line, 4000, mode="reflect")[at : at + 8001] for at in range(len(line))]

    down, across = np.array(blurred(3 * np.arange(60.0))), np.array(blurred(np.arange(80.0)))
    assert_allclose(found, down[:, np.newaxis] + across, rtol=1e-12)
    with pytest.raises(KernelError, match=r"^gaussian: makes a kernel of 8001x8001: at most 16777216 weights"):
        kernel.weights  # noqa: B018 (the property is what raises)


def test_what_is_as_large_is_still_refused_where_no_columns_and_rows_make_it():
    with pytest.raises(KernelError, match="at most 16777216 weights are allowed"):
        load_kernel("gaussian:sigma=1000,theta=30,sigma_x=500")
