"""Transposed convolution: the transpose of a convolution as a linear map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from operator_cases import close, random

from convcli.errors import FilterError, UsageError
from convcli.operators.conv import conv
from convcli.operators.transposed import transposed_conv

BACKENDS = ("direct", "im2col", "kn2row", "fft", "opencv")


@st.composite
def geometries(draw):
    """Sizes, options and a seed of a convolution that has outputs, and whose stride comes out even or not."""
    number = st.integers
    kernel, stride, dilation = ((draw(number(1, 4)), draw(number(1, 4))) for _ in range(3))
    padding = draw(number(0, 3)), draw(number(0, 3))
    size = tuple(
        draw(number(max(1, d * (k - 1) + 1 - 2 * p), 16)) for d, k, p in zip(dilation, kernel, padding, strict=True)
    )
    groups, inputs, outputs = draw(number(1, 3)), draw(number(1, 3)), draw(number(1, 3))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return size, kernel, inputs, outputs, options, draw(number(0, 2**16))


X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


@settings(max_examples=80)
@given(geometries())
def test_convolution_and_its_transpose_are_adjoint(geometry):
    size, kernel, inputs, outputs, options, seed = geometry
    x = random(*size, inputs * options["groups"], seed=seed)
    weights = random(outputs * options["groups"], inputs, *kernel, seed=seed + 1)
    forward = conv(x, weights, **options)
    y = random(*forward.shape, seed=seed + 2)
    more = tuple(
        (n + 2 * p - d * (k - 1) - 1) % s
        for n, p, d, k, s in zip(size, options["padding"], options["dilation"], kernel, options["stride"], strict=True)
    )
    # The samples that a stride leaves out are what output padding brings back.
    if any(m >= max(s, d) for m, s, d in zip(more, options["stride"], options["dilation"], strict=True)):
        raise AssertionError("a remainder is smaller than its stride")
    back = transposed_conv(y, weights, output_padding=more, **options)
    assert back.shape == x.shape
    left, right = np.vdot(forward.astype(float), y), np.vdot(x.astype(float), back)
    scale = float(np.abs(forward * y).sum()) + float(np.abs(x * back).sum()) + 1e-30
    assert abs(left - right) <= 1e-5 * scale


@pytest.mark.parametrize("backend", [*BACKENDS, "auto"])
def test_every_backend_transposes(backend):
    x, weights, bias = random(5, 6, 4), random(4, 3, 4, 3, seed=1), random(6, seed=2)
    options = {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "dilation": (1, 2)}
    result = transposed_conv(x, weights, bias, groups=2, backend=backend, **options)
    rows, columns = (5 - 1) * 2 + 4 + 1, (6 - 1) * 3 + 2 * 2 + 1 + 2
    whole = np.zeros((rows, columns, 6))
    for i, j, u, v, c, o in np.ndindex(5, 6, 4, 3, 4, 3):
        whole[i * 2 + u, j * 3 + v * 2, c // 2 * 3 + o] += float(x[i, j, c]) * weights[c, o, u, v]
    close(result, whole[1:-1] + bias)


def test_a_transposed_convolution_may_have_outputs_that_nothing_reaches():
    x, weights = np.ones((2, 2, 1)), np.ones((1, 1, 1, 1))
    expected = np.full((4, 4), 5.0)
    expected[::3, ::3] += 1
    assert_array_equal(transposed_conv(x, weights, 5.0, stride=3)[..., 0], expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: transposed_conv(X, W), "weights of 6 x 4 x 3 x 3 read 6 channels, and the input has 4"),
        (lambda: transposed_conv(X, np.zeros((4, 2, 3, 3)), groups=3), "4 input channels cannot be split into 3"),
        (lambda: transposed_conv(X, np.zeros((4, 2, 3, 3)), output_padding=1), "output_padding must be smaller"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: transposed_conv(np.zeros((1, 1, 4)), np.zeros((4, 2, 3, 3)), padding=2), "leaves nothing"),
    ],
)
def test_an_image_that_is_too_small_is_refused_in_one_line(call, message):
    with pytest.raises(FilterError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
