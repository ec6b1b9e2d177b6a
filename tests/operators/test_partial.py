"""Partial convolution against loops written from its paper."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import close, random

from convcli.errors import FilterError, UsageError
from convcli.operators.conv import conv
from convcli.operators.partial import partial_conv, valid_mask


def partial_by_loops(x, mask, weights, bias, stride, padding, dilation, groups):
    """Liu 2018, equations 1 and 2: W^T (X * M) sum(1) / sum(M) + b where sum(M) > 0, else 0; and m' = sum(M) > 0."""
    known = np.broadcast_to(mask, x.shape).astype(float)
    around = ((padding[0],) * 2, (padding[1],) * 2, (0, 0))
    samples = np.pad(np.where(known > 0, x, 0).astype(float), around)
    known = np.pad(known, around)
    outputs, per_group, rows, columns = weights.shape
    height, width = conv(x, weights, stride=stride, padding=padding, dilation=dilation, groups=groups).shape[:2]
    out, valid = np.zeros((height, width, outputs)), np.zeros((height, width, outputs))
    for i, j, o in np.ndindex(height, width, outputs):
        first = o // (outputs // groups) * per_group
        window = (
            slice(i * stride[0], i * stride[0] + dilation[0] * (rows - 1) + 1, dilation[0]),
            slice(j * stride[1], j * stride[1] + dilation[1] * (columns - 1) + 1, dilation[1]),
            slice(first, first + per_group),
        )
        count = known[window].sum()
        if count > 0:
            product = (samples[window].transpose(2, 0, 1) * weights[o]).sum()
            out[i, j, o] = product * per_group * rows * columns / count + bias[o]
            valid[i, j, o] = 1
    return out, valid


X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [((1, 1), (1, 1), (1, 1), 1), ((2, 1), (2, 0), (1, 2), 1), ((1, 2), (0, 1), (2, 1), 2)],
)
def test_a_partial_convolution_equals_its_paper(shared, stride, padding, dilation, groups):
    x, weights, bias = random(9, 10, 4), random(6, 4 // groups, 3, 3, seed=1), random(6, seed=2)
    channels, share = (1, 0.15) if shared else (4, 0.05)
    mask = (np.random.default_rng(3).random((9, 10, channels)) < share).astype(np.float32)
    x[np.broadcast_to(mask, x.shape) == 0] = np.nan
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    response, valid = partial_conv(x, mask, weights, bias, **options)
    expected, expected_valid = partial_by_loops(x, mask, weights, bias, **options)
    close(response, expected)
    assert_array_equal(np.broadcast_to(valid, expected.shape), expected_valid)
    assert {0.0, 1.0} == set(np.unique(valid))


def normalised_by_loops(x, certainty, weights, bias, stride, padding, dilation, groups):
    """S+ W+ (x c) / W+ c - S- W- (x c) / W- c + b, and NaN where weights of a sign lie on no certainty."""
    known = np.broadcast_to(certainty, x.shape).astype(float)
    around = ((padding[0],) * 2, (padding[1],) * 2, (0, 0))
    samples = np.pad(np.where(known > 0, x * known, 0).astype(float), around)
    known = np.pad(known, around)
    outputs, per_group, rows, columns = weights.shape
    height, width = conv(x, weights, stride=stride, padding=padding, dilation=dilation, groups=groups).shape[:2]
    out = np.zeros((height, width, outputs))
    for i, j, o in np.ndindex(height, width, outputs):
        first = o // (outputs // groups) * per_group
        window = (
            slice(i * stride[0], i * stride[0] + dilation[0] * (rows - 1) + 1, dilation[0]),
            slice(j * stride[1], j * stride[1] + dilation[1] * (columns - 1) + 1, dilation[1]),
            slice(first, first + per_group),
        )
        out[i, j, o] = bias[o]
        for part, sign in ((weights[o].clip(min=0), 1), (-weights[o].clip(max=0), -1)):
            met = (known[window].transpose(2, 0, 1) * part).sum()
            if part.any():
                total = (samples[window].transpose(2, 0, 1) * part).sum()
                out[i, j, o] += sign * part.sum() * total / met if met > 0 else np.nan
    return out


@pytest.mark.parametrize("signs", [1, -1, 0])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [((1, 1), (1, 1), (1, 1), 1), ((2, 1), (2, 0), (1, 2), 1), ((1, 2), (0, 1), (2, 1), 2)],
)
def test_normalising_by_weights_equals_its_definition(signs, shared, stride, padding, dilation, groups):
    x, weights, bias = random(9, 10, 4), random(6, 4 // groups, 3, 3, seed=1), random(6, seed=2)
    weights = signs * np.abs(weights) if signs else weights
    generator = np.random.default_rng(3)
    shape = (9, 10, 1 if shared else 4)
    certainty = np.where(generator.random(shape) < 0.3, generator.uniform(0.2, 1, shape), 0)
    x[np.broadcast_to(certainty, x.shape) == 0] = np.nan
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    response, valid = partial_conv(x, certainty, weights, bias, normalize="weights", **options)
    expected = normalised_by_loops(x, certainty, weights, bias, **options)
    known = np.isfinite(expected)
    assert_array_equal(valid, known)
    assert_array_equal(response[~known], 0)
    close(response[known], expected[known])


def test_a_flat_image_with_holes_stays_flat_and_its_derivative_zero():
    x = np.full((30, 40, 3), 7.0)
    x[np.random.default_rng(5).random((30, 40)) < 0.4] = np.nan
    gaussian = np.outer(*[np.exp(-(np.linspace(-2, 2, 7) ** 2))] * 2)[np.newaxis, np.newaxis].repeat(3, axis=0)
    flat, valid = partial_conv(x, valid_mask(x), gaussian / gaussian[0].sum(), groups=3, padding=3, normalize="weights")
    assert valid.all()
    assert_allclose(flat, 7, rtol=1e-6)
    slope, valid = partial_conv(x, valid_mask(x), [[[[1, 2, 1], [0, 0, 0], [-1, -2, -1]]]] * 3, groups=3,
                                normalize="weights")  # fmt: skip
    assert 0.5 < valid.mean() < 1
    assert_allclose(slope, 0, atol=1e-5)


def test_weights_of_zero_find_nothing_missing():
    response, valid = partial_conv(X, np.zeros((5, 6, 1)), 0 * W, 2.0, normalize="weights")
    assert (response == 2).all()
    assert valid.all()


def test_where_all_is_valid_a_partial_convolution_is_one():
    x, weights = random(20, 30, 3), random(5, 3, 3, 3, seed=1)
    response, mask = partial_conv(x, np.ones((20, 30, 1)), weights, 2.0)
    close(response, conv(x, weights, 2.0))
    assert mask.shape == (18, 28, 1)
    assert mask.all()


def test_repeated_partial_convolutions_close_every_hole():
    x = np.full((40, 40, 3), 7.0)
    x[10:30, 12:28] = np.nan
    mask, blur = valid_mask(x), np.full((3, 1, 3, 3), 1 / 9)
    rounds = 0
    while not mask.all():
        x, mask = partial_conv(x, mask, blur, groups=3, padding=1)
        rounds += 1
    assert rounds == 8
    assert_allclose(x, 7, rtol=1e-6)


def test_transparent_pixels_are_not_valid():
    x = np.ones((1, 3, 2))
    x[0, 1, 1] = 0
    x[0, 2, 0] = np.nan
    assert valid_mask(x)[0, :, 0].tolist() == [1, 1, 0]
    assert valid_mask(x, alpha=True)[0, :, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: partial_conv(X, np.ones((5, 5, 1)), W), FilterError, "a mask of 5 x 5 x 1 does not go with an image"),
        (lambda: partial_conv(X, np.full((5, 6, 1), 2), W, normalize="weights"), FilterError, "to 1, and no other"),
        (lambda: partial_conv(X, np.ones((5, 6, 1)), W, normalize="sum"), UsageError, "unknown normalize 'sum'"),
        (lambda: partial_conv(X, np.full((5, 6, 1), 0.5), W), FilterError, "1 where a sample is valid and 0 where not"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
