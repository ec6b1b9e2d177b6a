"""Weights for the eye."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_cases import any_weights

from convcli.kernel.preview import diverging_colours, is_dark, marks, scaled_for_picture, weight_table
from convcli.kernel.spec import load_kernel


def test_a_large_kernel_shows_its_middle():
    shown = weight_table(load_kernel("gaussian:sigma=5").weights, width=78)
    assert (len(shown.rows), len(shown.rows[0])) == (9, 7)
    assert (shown.top, shown.left) == (16, 17)
    assert {len(cell) for row in shown.rows for cell in row} == {len(shown.rows[0][0])}
    assert float(shown.rows[4][3]) == pytest.approx(load_kernel("gaussian:sigma=5").weights.max(), abs=1e-4)


@given(any_weights, st.integers(1, 120))
@example(np.array([[0.0, 0.0], [-1e5, -3.7e-245]]), 22)
def test_any_kernel_lines_up_within_the_width(weights, width):
    shown = weight_table(weights, width)
    lengths = {len(cell) for row in shown.rows for cell in row}
    assert len(lengths) == 1
    assert len(shown.rows[0]) == 1 or len(shown.rows[0]) * (lengths.pop() + 2) <= width


def test_a_picture_keeps_thin_lines_when_it_shrinks():
    weights = np.zeros((101, 101))
    weights[50] = -1.0
    small = scaled_for_picture(weights, target=1, most=20)
    assert small.shape == (17, 17)
    assert (small.min(axis=0) == -1.0).all()
    assert marks(np.zeros((1, 2))) == ["...."]
    np.testing.assert_array_equal(diverging_colours(np.zeros((1, 1))), [[[247, 247, 247]]])


def test_text_is_white_on_dark_colours_alone():
    dark, light = diverging_colours(np.array([[-1.0, 0.0]]))[0]
    assert is_dark(dark)
    assert not is_dark(light)
