"""The matrix of a filter, against the filter."""

import numpy as np
import pytest
from explain_cases import KERNELS, OPTIONS
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.convolution.convolve import convolve
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, UsageError
from convcli.explain.filter_matrix import filter_matrix
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel


@given(kernel=st.sampled_from(["3x4", "1x1", "anchored"]), **OPTIONS)
@settings(max_examples=60)
def test_the_matrix_does_what_the_filter_does(kernel, mode, extent, flip, stride, dilation):
    image = np.random.default_rng(6).uniform(-1, 1, (6, 7))
    value = -3.0 if mode == "constant" else 0.0
    options = ConvolveOptions(mode, value, extent=extent, flip=flip, stride=stride, dilation=dilation)
    words = {"padding": mode, "padding_value": value, "extent": extent, "flip": flip}
    result = convolve(image, KERNELS[kernel], **words, stride=stride, dilation=dilation)
    found = filter_matrix(KERNELS[kernel], (6, 7), options)
    assert found.output_size == result.shape
    np.testing.assert_allclose(found.matrix @ image.ravel() + found.constant, result.ravel(), atol=1e-12)
    rebuilt = np.zeros_like(found.matrix)
    for row, column, entry in found.entries():
        rebuilt[row, column] = entry
    np.testing.assert_array_equal(rebuilt, found.matrix)


def test_the_transpose_of_a_matrix_is_the_transposed_convolution():
    weights = np.arange(1.0, 7).reshape(2, 3)
    options = ConvolveOptions("constant", extent="valid", stride=(2, 2))
    matrix = filter_matrix(Kernel("k", weights), (6, 9), options).matrix
    given_back = np.random.default_rng(7).standard_normal((3, 4))
    spread = np.zeros((6, 9))
    for y, x in np.ndindex(3, 4):
        spread[2 * y : 2 * y + 2, 2 * x : 2 * x + 3] += given_back[y, x] * weights
    np.testing.assert_allclose((matrix.T @ given_back.ravel()).reshape(6, 9), spread, atol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "size", "error", "message"),
    [
        ("sobel", (4, 4), UsageError, "sobel: the magnitude of several responses is not linear"),
        ("box", (100, 100), FilterError, "has 100,000,000 entries, and at most 1,048,576"),
    ],
)
def test_matrices_that_are_none_are_refused(kernel, size, error, message):
    with pytest.raises(error, match=message):
        filter_matrix(load_kernel(kernel), size, ConvolveOptions())
