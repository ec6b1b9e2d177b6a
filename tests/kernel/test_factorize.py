"""Rank, separation and low rank of kernels."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convcli.kernel.factorize import is_box, low_rank, rank, separate
from convcli.kernel.spec import load_kernel

whole_numbers = st.integers(-9, 9).map(float)
sides = st.integers(1, 6)
RANK_ONE = [
    "gaussian",
    "gaussian:sigma=20",
    "box:size=4x7",
    "binomial:size=9",
    "sobel_x",
    "scharr_y",
    "gabor",
    "1",
    "1 2",
]
RANK_ONE += [
    "gabor:theta=90,gamma=0.5",
    "morlet:psi=20",
    "motion",
    "gaussian:size=3x301,sigma=40",
    "log:size=1x9,dc=raw",
]


@pytest.mark.parametrize("spec", RANK_ONE)
def test_a_separable_kernel_is_the_product_of_its_column_and_row(spec):
    weights = load_kernel(spec).weights
    column, row = separate(weights)
    assert (column.shape, row.shape) == ((weights.shape[0],), (weights.shape[1],))
    error = np.abs(np.outer(column, row) - weights).sum()
    assert error <= 1e-14 * np.abs(weights).sum()
    assert rank(weights) == 1


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("dog", 2),
        ("log", 2),
        ("log:dc=raw", 2),
        ("gabor:theta=30", 2),
        ("morlet:theta=30", 3),
        ("laplacian", 2),
        ("unsharp", 2),
        ("disk", 3),
        ("emboss", 3),
        ("1 0; 0 1", 2),
    ],
)
def test_other_kernels_have_their_rank_by_singular_values(spec, expected):
    weights = load_kernel(spec).weights
    assert separate(weights) is None
    assert rank(weights) == expected == np.linalg.matrix_rank(weights)


@pytest.mark.parametrize(
    ("spec", "column", "row"),
    [
        ("sobel_x", [1, 2, 1], [-1, 0, 1]),
        ("sobel_y", [-1, 0, 1], [1, 2, 1]),
        ("scharr_x", [3, 10, 3], [-1, 0, 1]),
        ("prewitt_y", [-1, 0, 1], [1, 1, 1]),
    ],
)
def test_whole_numbers_separate_into_whole_numbers(spec, column, row):
    found = separate(load_kernel(spec).weights)
    np.testing.assert_array_equal(found[0], column)
    np.testing.assert_array_equal(found[1], row)


@given(arrays(float, sides, elements=whole_numbers), arrays(float, sides, elements=whole_numbers))
def test_every_product_of_a_column_and_a_row_separates(column, row):
    weights = np.outer(column, row)
    found = separate(weights)
    if not weights.any():
        assert found is None
        assert rank(weights) == 0
    else:
        np.testing.assert_allclose(np.outer(*found), weights, atol=1e-14 * np.abs(weights).sum(), rtol=0)


@given(arrays(float, st.tuples(sides, sides), elements=whole_numbers))
def test_separate_agrees_with_the_singular_values_on_any_kernel(weights):
    assert (separate(weights) is not None) == (np.linalg.matrix_rank(weights) == 1)
    assert rank(weights) == np.linalg.matrix_rank(weights)


def test_a_kernel_a_little_off_rank_one_does_not_separate():
    weights = load_kernel("gaussian").weights.copy()
    weights[0, 0] += 1e-12
    assert separate(weights) is None


@pytest.mark.parametrize(
    ("spec", "products"),
    [
        ("gaussian:sigma=3", 1),
        ("dog:sigma=3", 2),
        ("log:sigma=3", 2),
        ("gabor:theta=30", 2),
        ("unsharp:sigma=3", 2),
        ("morlet:theta=30", 3),
        ("disk:radius=5", 4),
    ],
)
def test_a_kernel_of_low_rank_is_the_sum_of_few_products(spec, products):
    weights = load_kernel(spec).weights
    passes = low_rank(weights, most=6)
    assert passes is not None
    assert len(passes) == products
    total = sum(np.outer(column, row) for column, row in passes)
    assert np.abs(total - weights).sum() <= 2e-14 * np.abs(weights).sum()
    assert low_rank(weights, most=products - 1) is None or products == 1


@pytest.mark.parametrize("spec", ["gabor:theta=30", "gabor:theta=30,psi=40", "log:sigma=3", "unsharp:sigma=2"])
def test_the_products_of_symmetric_kernels_have_exactly_even_or_odd_factors(spec):
    for factor in itertools.chain(*low_rank(load_kernel(spec).weights, most=4)):
        even, odd = (np.array_equal(factor, sign * factor[::-1]) for sign in (1, -1))
        assert even or odd or "psi" in spec


def test_products_that_would_cancel_are_not_used():
    # A long oblique line is a sum of products that cancel nearly everywhere.
    assert low_rank(load_kernel("motion:length=21,angle=30").weights, most=20) is None


@given(arrays(np.float64, st.tuples(sides, sides), elements=whole_numbers), st.integers(1, 6))
def test_products_sum_to_any_kernel_that_they_are_found_for(weights, most):
    passes = low_rank(weights, most)
    if passes is None:
        return
    assert len(passes) <= most
    total = sum(np.outer(column, row) for column, row in passes)
    np.testing.assert_allclose(total, weights, rtol=0, atol=2e-14 * max(np.abs(weights).sum(), 1))


def test_a_box_is_one_number_many_times():
    assert is_box(load_kernel("box:size=5").weights)
    assert not is_box(load_kernel("binomial:size=5").weights)
    assert not is_box(np.zeros((5, 5)))
    assert not is_box(np.ones((1, 5)))  # too few to gain by running sums
