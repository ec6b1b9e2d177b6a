"""Output sizes and their formulas."""

import pytest

from convcli.errors import UsageError
from convcli.operators.sizes import conv_padding, conv_size, pair, pool_size, same_padding, transposed_size


@pytest.mark.parametrize(
    ("size", "formula"),
    [
        (conv_size(224, 3, 2, (1, 1)), "floor((224 + 2*1 - 3) / 2) + 1 = 112"),
        (conv_size(224, 4, 1, (1, 2)), "224 + 1 + 2 - 4 + 1 = 224"),
        (conv_size(32, 3, 1, (2, 2), 2), "32 + 2*2 - 2*(3 - 1) - 1 + 1 = 32"),
        (conv_size(7, 7, 4), "floor((7 - 7) / 4) + 1 = 1"),
        (conv_size(9, 3, 1), "9 - 3 + 1 = 7"),
        (conv_size(9, 3, 2), "floor((9 - 3) / 2) + 1 = 4"),
        (conv_size(9, 3, 1, (1, 0)), "9 + 1 + 0 - 3 + 1 = 8"),
        (conv_size(9, 3, 1, (1, 1), 2), "9 + 2*1 - 2*(3 - 1) - 1 + 1 = 7"),
        (pool_size(9, 3, 1), "9 - 3 + 1 = 7"),
        (pool_size(9, 3, 1, ceil=True), "9 - 3 + 1 = 7"),
        (transposed_size(4, 3, 1), "(4 - 1)*1 + 3 = 6"),
        (transposed_size(4, 3, 2, 1, 1, 1), "(4 - 1)*2 - 2*1 + 3 + 1 = 8"),
        (transposed_size(4, 3, 1, 0, 2), "(4 - 1)*1 + 2*(3 - 1) + 1 = 8"),
        (pool_size(112, 3, 2, 1), "floor((112 + 2*1 - 3) / 2) + 1 = 56"),
        (pool_size(6, 3, 2, ceil=True), "ceil((6 - 3) / 2) + 1 = 3"),
    ],
)
def test_a_formula_comes_to_the_size_that_is_given(size, formula):
    from math import ceil, floor

    assert size.formula == formula
    left, right = formula.split(" = ")
    assert eval(left, {"floor": floor, "ceil": ceil}) == int(right) == size.output


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "padding", "lost"),
    [(10, 3, 4, 0, 3), (10, 3, 4, 1, 0), (9, 3, 2, 0, 0), (8, 3, 2, 0, 1)],
)
def test_samples_that_no_window_reaches_are_counted(length, kernel, stride, padding, lost):
    size = conv_size(length, kernel, stride, (padding, padding))
    assert size.lost == lost == max(0, length + padding - ((size.output - 1) * stride + kernel))
    assert pool_size(length, kernel, stride, padding).lost == lost


def test_same_padding_keeps_the_size_for_every_kernel():
    for kernel in range(1, 9):
        for dilation in range(1, 5):
            assert conv_size(40, kernel, 1, same_padding(kernel, dilation), dilation).output == 40


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv_padding(True, (3, 3), (1, 1), (1, 1)), "padding must be a whole number"),
        (lambda: pair("size", [1]), "size must be a whole number"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
