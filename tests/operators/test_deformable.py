"""Deformable convolution against loops written from its papers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import close, random

from convcli.errors import FilterError
from convcli.operators.conv import conv
from convcli.operators.deformable import deformable_conv


def between(plane, y, x):
    """Dai 2017, equations 3 and 4: the sum over all q of max(0, 1 - |q_y - y|) max(0, 1 - |q_x - x|) plane(q)."""
    rows = np.maximum(0, 1 - np.abs(np.arange(plane.shape[0]) - y))
    columns = np.maximum(0, 1 - np.abs(np.arange(plane.shape[1]) - x))
    return float(rows @ plane.astype(float) @ columns)


def deformed_by_loops(x, offsets, weights, bias, mask, stride, padding, dilation, groups):
    """Dai 2017, equation 2, and Zhu 2019, equation 1: y(p) = sum_k w_k x(p + p_k + delta p_k) delta m_k."""
    outputs, per_group, rows, columns = weights.shape
    height, width = offsets.shape[:2]
    inputs, taps = x.shape[2], rows * columns
    parts = offsets.shape[2] // (2 * taps)
    out = np.zeros((height, width, outputs))
    for i, j, o in np.ndindex(height, width, outputs):
        out[i, j, o] = bias[o]
        for c, u, v in np.ndindex(per_group, rows, columns):
            channel = o // (outputs // groups) * per_group + c
            number = channel // (inputs // parts) * taps + u * columns + v
            dy, dx = offsets[i, j, 2 * number : 2 * number + 2].astype(float)
            y = i * stride[0] - padding[0] + u * dilation[0] + dy
            x_ = j * stride[1] - padding[1] + v * dilation[1] + dx
            factor = 1.0 if mask is None else float(mask[i, j, number])
            out[i, j, o] += between(x[..., channel], y, x_) * factor * weights[o, c, u, v]
    return out


X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("channels", "groups", "parts", "stride", "padding", "dilation", "kernel"),
    [
        ((3, 4), 1, 1, (1, 1), (1, 1), (1, 1), (3, 3)),
        ((4, 6), 2, 1, (2, 1), (0, 2), (1, 2), (2, 3)),
        ((4, 2), 1, 2, (1, 2), (2, 0), (2, 1), (3, 1)),
        ((6, 6), 3, 2, (1, 1), (0, 0), (1, 1), (1, 2)),
    ],
)
def test_a_deformable_convolution_equals_its_papers(channels, groups, parts, stride, padding, dilation, kernel, masked):
    x = random(7, 8, channels[0])
    weights, bias = random(channels[1], channels[0] // groups, *kernel, seed=1), random(channels[1], seed=2)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    size = conv(x, weights, **options).shape[:2]
    taps = kernel[0] * kernel[1] * parts
    # Some go far beyond the image, and some to whole pixels.
    offsets = np.round(3 * random(*size, 2 * taps, seed=3) * 4) / 4
    mask = np.abs(random(*size, taps, seed=4)) if masked else None
    result = deformable_conv(x, offsets, weights, bias, mask, **options)
    close(result, deformed_by_loops(x, offsets, weights, bias, mask, **options))


def test_without_offsets_a_deformable_convolution_is_a_convolution():
    x, weights = random(60, 70, 8), random(4, 8, 3, 3, seed=1)
    still = np.zeros((60, 70, 18), np.float32)
    close(deformable_conv(x, still, weights, padding=1), conv(x, weights, padding=1))
    half = np.full((60, 70, 9), 0.5, np.float32)
    close(deformable_conv(x, still, weights, mask=half, padding=1), conv(x, weights, padding=1) / 2)


def test_offsets_that_are_no_numbers_read_nothing():
    x, offsets = np.ones((1, 3, 1)), np.zeros((1, 3, 2))
    offsets[0] = [[np.nan, 0], [np.inf, 0], [0, -1e30]]
    assert_array_equal(deformable_conv(x, offsets, np.ones((1, 1, 1, 1)))[..., 0], [[0, 0, 0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: deformable_conv(X, np.zeros((3, 4, 17)), W), FilterError, "an offset field of 3 x 4 x 17 does not go"),
        (lambda: deformable_conv(X, np.zeros((5, 6, 18)), W), FilterError, "expected 3 x 4 x 18"),
        (
            lambda: deformable_conv(X, np.zeros((3, 4, 18)), W, mask=np.ones((3, 4, 8))),
            FilterError,
            "a mask of 3 x 4 x 8 does not go with 3 x 4 outputs and 9 taps",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
