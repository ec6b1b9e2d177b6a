"""Deformable, partial and gated convolution and attention, against loops written from their papers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from convcli.errors import FilterError, UsageError
from convcli.operators.activations import leaky_relu, relu, sigmoid, softmax, tanh
from convcli.operators.attention import attention, check_attention
from convcli.operators.conv import conv
from convcli.operators.deformable import deformable_conv
from convcli.operators.dense import flatten, linear
from convcli.operators.gated import gated_conv
from convcli.operators.normalise import batch_norm
from convcli.operators.partial import partial_conv, valid_mask
from convcli.operators.resample import crop, upsample
from convcli.operators.shuffle import pixel_shuffle, pixel_unshuffle


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def close(result, expected, tolerance=1e-5):
    assert_allclose(result, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(), 1e-30))


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


def test_a_gated_convolution_multiplies_features_by_gates():
    x, weights, gates, bias = random(9, 8, 3), random(4, 3, 3, 3, seed=1), random(4, 3, 3, 3, seed=2), random(4)
    features = conv(x, weights, bias, padding=1).astype(float)
    opened = 1 / (1 + np.exp(-conv(x, gates, 0.5, padding=1).astype(float)))
    close(gated_conv(x, weights, gates, bias, 0.5, padding=1), features * opened)
    close(
        gated_conv(x, weights, gates, bias, 0.5, padding=1, activation="leaky_relu"),
        np.where(features > 0, features, 0.01 * features) * opened,
    )


def test_attention_is_a_mean_weighted_by_likeness():
    x, (query, key, value) = random(5, 4, 3), (random(n, 3, seed=n) for n in (4, 4, 6))
    query, key, value = random(4, 3, seed=1), random(4, 3, seed=2), random(6, 3, seed=3)
    flat = x.reshape(20, 3).astype(float)
    out = np.zeros((20, 6))
    for head in range(2):
        q, k, v = flat @ query[2 * head :][:2].T, flat @ key[2 * head :][:2].T, flat @ value[3 * head :][:3].T
        for i in range(20):
            likeness = np.exp(k @ q[i] / np.sqrt(2))
            out[i, 3 * head :][:3] = likeness @ v / likeness.sum()
    close(attention(x, query, key, value, heads=2), out.reshape(5, 4, 6))


def test_attention_does_not_overflow_where_scores_are_large():
    x = np.array([[[100.0], [-100.0]]])
    assert_array_equal(attention(x, [[1.0]], [[1.0]], [[1.0]]), x)


def test_attention_over_a_photograph_is_refused_with_an_estimate():
    check_attention(256, 256)
    with pytest.raises(FilterError, match=r"each of 307,200 positions to all: 9.4e\+10 scores, 377 GB as a matrix"):
        attention(np.zeros((480, 640, 1)), [[1.0]], [[1.0]], [[1.0]])


def test_activations_keep_their_limits():
    x = np.array([[[-np.inf, -1000, -1, 0, 1, 1000, np.inf, np.nan]]], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert_array_equal(relu(x)[0, 0], [0, 0, 0, 0, 1, 1000, np.inf, np.nan])
        assert_allclose(sigmoid(x)[0, 0], [0, 0, 0.26894142, 0.5, 0.7310586, 1, 1, np.nan], rtol=1e-6)
        assert_allclose(tanh(x)[0, 0], [-1, -1, -0.7615942, 0, 0.7615942, 1, 1, np.nan], rtol=1e-6)
        assert_allclose(softmax(x[..., 1:6]).sum(), 1, rtol=1e-6)
    assert_allclose(leaky_relu(x, 0.5)[0, 0, 1:6], [-500, -0.5, 0, 1, 1000])


@pytest.mark.parametrize("function", [relu, leaky_relu, sigmoid, tanh, lambda x, out: batch_norm(x, 1, 2, out=out)])
def test_a_result_may_take_its_inputs_place(function):
    x = random(50, 60, 3)
    expected = function(x.copy(), out=np.empty_like(x))
    assert function(x, out=x) is x
    assert_array_equal(x, expected)


def test_softmax_over_positions_sums_to_one_in_each_channel():
    shares = softmax(random(30, 40, 3), over="positions")
    assert_allclose(shares.sum(axis=(0, 1)), 1, rtol=1e-5)


def test_shuffles_undo_each_other_and_flatten_goes_channel_by_channel():
    x = random(6, 9, 4)
    assert_array_equal(pixel_shuffle(pixel_unshuffle(x, 3), 3), x)
    assert_array_equal(flatten(x)[0, 0], np.concatenate([x[..., c].ravel() for c in range(4)]))


def test_a_crop_is_a_copy_of_its_part():
    x = random(6, 9, 2)
    part = crop(x, 1, 2, 3, 4)
    assert_array_equal(part, x[1:4, 2:6])
    assert not np.shares_memory(part, x)


X, W = np.zeros((5, 6, 4)), np.zeros((6, 4, 3, 3))


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
        (lambda: partial_conv(X, np.ones((5, 5, 1)), W), FilterError, "a mask of 5 x 5 x 1 does not go with an image"),
        (lambda: partial_conv(X, np.full((5, 6, 1), 0.5), W), FilterError, "1 where a sample is valid and 0 where not"),
        (lambda: gated_conv(X, W, W[:2]), UsageError, "of one shape, not 6 x 4 x 3 x 3 and 2 x 4 x 3 x 3"),
        (lambda: gated_conv(X, W, W, activation="rlu"), UsageError, "unknown activation 'rlu'.*did you mean 'relu'"),
        (lambda: attention(X, W[0, 0], W[0, 0], W[0, 0]), UsageError, "weights of 3 x 3 read 3 channels"),
        (lambda: attention(X, np.ones((2, 4)), np.ones((3, 4)), np.ones((2, 4))), UsageError, "of one shape"),
        (lambda: attention(X, *[np.ones((3, 4))] * 3, heads=2), UsageError, "cannot be split into 2 heads"),
        (lambda: batch_norm(X, 0, -1), UsageError, "a variance plus epsilon must be positive"),
        (lambda: batch_norm(X, [0, 1], 1), UsageError, "mean holds 2 numbers for 4 channels"),
        (lambda: linear(X, np.zeros((2, 5))), UsageError, "weights of 2 x 5 read 5 channels, and the input has 4"),
        (lambda: pixel_shuffle(X, 3), FilterError, "4 channels cannot be laid out as 3 x 3 pixels"),
        (lambda: pixel_unshuffle(X, 2), FilterError, "5 x 6 pixels cannot be split into squares of 2 x 2"),
        (lambda: upsample(X, 0), UsageError, "scale must be a positive number"),
        (lambda: upsample(X, 0.1), FilterError, "leaves nothing of 5 x 6 x 4"),
        (lambda: upsample(X, 2, align_corners=True), UsageError, "align_corners goes with mode bilinear only"),
        (lambda: crop(X, 3, 0, 3, 6), FilterError, "a crop of 3 x 6 from row 3 and column 0 does not lie inside 5 x 6"),
        (lambda: softmax(X, over="rows"), UsageError, "unknown over 'rows'"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bias", [None, True])
def test_linear_is_a_product_for_each_pixel_by_any_number_of_threads(bias):
    random = np.random.default_rng(8)
    x, weights = random.normal(size=(90, 110, 60)), random.normal(size=(70, 60))  # several strips
    added = random.normal(size=70) if bias else None
    expected = np.einsum("yxc,oc->yxo", x, weights) + (0 if added is None else added)
    one = linear(x, weights, added, threads=1)
    assert_allclose(one, expected, atol=1e-5 * np.abs(expected).max())
    assert_array_equal(linear(x, weights, added, threads=3), one)
