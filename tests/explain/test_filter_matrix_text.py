"""The matrix of a filter as text."""

import pytest

from convcli.convolution.options import ConvolveOptions
from convcli.explain.filter_matrix import filter_matrix
from convcli.explain.filter_matrix_text import matrix_lines
from convcli.kernel.spec import load_kernel


@pytest.mark.parametrize(("width", "row"), [(80, "  1 2 . ."), (7, "  ++.."), (4, "are too wide for 4 characters")])
def test_a_matrix_is_written_as_its_width_allows(width, row):
    found = filter_matrix(load_kernel("1 1 2"), (1, 4), ConvolveOptions(padding="constant"))
    assert any(row in line for line in matrix_lines(found, width))


def test_what_the_padding_value_adds_is_written():
    found = filter_matrix(load_kernel("1 2 3"), (1, 3), ConvolveOptions(padding="constant", padding_value=10.0))
    assert "and to each output the padding value adds: 10 0 30" in list(matrix_lines(found, 80))
