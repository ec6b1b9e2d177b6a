"""Convolution by a bank: the definition, on every backend, at every edge."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from operator_cases import close, random

from convcli.benchmark.memory import peak_extra_bytes
from convcli.convolution.bank import Bank
from convcli.convolution.convolve import correlate_bank
from convcli.errors import FilterError, UsageError
from convcli.operators.conv import conv, plan_conv
from convcli.operators.pooling import max_pool
from convcli.operators.transposed import transposed_conv

BACKENDS = ("direct", "im2col", "kn2row", "fft", "opencv")


MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def by_loops(x, weights, bias=0.0, stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1, mode="zeros"):
    """The definition, in float64."""
    padded = np.pad(x.astype(float), (*padding, (0, 0)), mode=MODES[mode])
    outputs, per_group, rows, columns = weights.shape
    height, width = (
        (n - d * (k - 1) - 1) // s + 1
        for n, d, k, s in zip(padded.shape[:2], dilation, (rows, columns), stride, strict=True)
    )
    out = np.zeros((height, width, outputs)) + bias
    for o in range(outputs):
        first = o // (outputs // groups) * per_group
        for i, u, v in np.ndindex(per_group, rows, columns):
            top, left = u * dilation[0], v * dilation[1]
            under = padded[top :: stride[0], left :: stride[1], first + i][:height, :width]
            out[..., o] += under * weights[o, i, u, v]
    return out


def ready_to_convolve(arrays, arguments):
    """One run of `function`, in a process that measures its memory."""
    function = {"conv": conv, "transposed_conv": transposed_conv}[arguments.pop("function")]
    function(arrays["x"][:40, :40], arrays["weights"], 1.0, **arguments)
    return lambda: function(arrays["x"], arrays["weights"], 1.0, **arguments)


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


@pytest.mark.parametrize("backend", [*BACKENDS, "auto"])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("mode", MODES)
def test_every_backend_convolves_as_defined(backend, groups, mode):
    x, weights, bias = random(13, 11, 4), random(8, 4 // groups, 3, 2, seed=1), random(8, seed=2)
    options = {"stride": (2, 1), "dilation": (1, 2), "groups": groups}
    result = conv(x, weights, bias, padding=(2, 1), padding_mode=mode, backend=backend, **options)
    close(result, by_loops(x, weights, bias, padding=((2, 2), (1, 1)), mode=mode, **options))


def test_winograd_convolves_3x3_and_refuses_what_it_cannot_do():
    x, weights = random(13, 11, 4), random(8, 4, 3, 3, seed=1)
    close(conv(x, weights, padding=1, backend="winograd"), by_loops(x, weights, padding=((1, 1), (1, 1))))
    with pytest.raises(UsageError, match="winograd computes at stride 1 only"):
        conv(x, weights, stride=2, backend="winograd")


def test_a_plan_lays_its_weights_out_once(monkeypatch):
    from convcli.convolution.backends.kn2row import BACKEND

    prepared, prepare = [], type(BACKEND).prepare
    monkeypatch.setattr(
        type(BACKEND), "prepare", lambda self, work, tile: prepared.append(work) or prepare(self, work, tile)
    )
    weights = random(8, 20, 3, 3)
    plan = plan_conv((14, 15, 20), weights, backend="kn2row")
    for seed in range(3):
        x = random(14, 15, 20, seed=seed)
        close(plan.run(x), by_loops(x, weights))
    assert len(prepared) == 1


@pytest.mark.parametrize(
    ("function", "weights", "options", "output"),
    [
        ("conv", (64, 3, 3, 3), {"padding": "same"}, 500 * 600 * 64),
        ("conv", (64, 3, 3, 3), {"padding": "same", "backend": "kn2row"}, 500 * 600 * 64),
        ("transposed_conv", (3, 16, 4, 4), {"stride": 2, "padding": 1}, 1000 * 1200 * 16),
    ],
)
def test_a_bank_takes_little_more_memory_than_its_output(monkeypatch, function, weights, options, output):
    monkeypatch.syspath_prepend(Path(__file__).parent)  # where the child looks for this module
    arrays = {"x": random(500, 600, 3), "weights": random(*weights)}
    extra = peak_extra_bytes(f"{Path(__file__).stem}:ready_to_convolve", arrays, {"function": function, **options})
    assert 0.9 * 4 * output < extra < 1.5 * 4 * output


@pytest.mark.parametrize("backend", ["im2col", "kn2row", "auto"])
def test_many_outputs_over_few_positions_are_computed_in_parts(backend):
    x, weights, bias = random(9, 11, 20), random(300, 20, 3, 3, seed=1), random(300, seed=2)
    result = conv(x, weights, bias, padding=1, backend=backend)
    close(result, by_loops(x, weights, bias, padding=((1, 1), (1, 1))))
    assert_array_equal(conv(x, weights, bias, padding=1, backend=backend, threads=3), result)
    close(conv(x, weights, backend=backend), by_loops(x, weights))


@pytest.mark.parametrize("kernel", [(2, 3), (4, 5), (1, 6)])
@pytest.mark.parametrize("mode", MODES)
def test_same_puts_the_odd_one_of_the_padding_at_the_end(kernel, mode):
    x, weights = random(9, 8, 2), random(3, 2, *kernel, seed=1)
    result = conv(x, weights, padding="same", dilation=(1, 1), padding_mode=mode)
    assert result.shape == (9, 8, 3)
    padding = tuple(((k - 1) // 2, k // 2) for k in kernel)
    close(result, by_loops(x, weights, padding=padding, mode=mode))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_bank_is_padded_on_each_side_as_asked(backend):
    x, weights = random(6, 7, 2), random(3, 2, 3, 3, seed=1)
    edges = ((0, 3), (2, 1))
    result = correlate_bank(x, Bank(weights.astype(float)), pad=edges, backend=backend, bias=np.arange(3.0))
    close(result, by_loops(x, weights, np.arange(3.0), padding=edges))


def test_a_plan_writes_where_it_is_told_to():
    x, weights = random(20, 30, 3), random(5, 3, 3, 3, seed=1)
    plan = plan_conv(x.shape, weights, 1.0)
    whole = np.full((36, 84, 5), 7.0, np.float32)
    given_back = plan.run(x, whole[::2, 1::3])
    assert given_back.base is whole
    assert_array_equal(whole[::2, 1::3], plan.run(x))
    assert (whole[1::2] == 7).all()
    assert (whole[:, ::3] == 7).all()


def test_results_do_not_depend_on_threads():
    x, weights = random(150, 170, 3), random(20, 3, 3, 3, seed=1)
    for function, bank in ((conv, weights), (transposed_conv, weights.transpose(1, 0, 2, 3))):
        assert_array_equal(function(x, bank, stride=2, threads=1), function(x, bank, stride=2, threads=3))
    assert_array_equal(max_pool(x, 3, threads=1), max_pool(x, 3, threads=3))


def test_depthwise_then_pointwise_is_one_convolution():
    x, depth, point = random(10, 12, 4), random(4, 1, 3, 3, seed=1), random(6, 4, 1, 1, seed=2)
    together = np.einsum("oc,cuv->ocuv", point[:, :, 0, 0].astype(float), depth[:, 0].astype(float))
    close(conv(conv(x, depth, groups=4), point), conv(x, together))


def test_one_kernel_on_every_channel_is_a_depthwise_bank():
    x, kernel = random(30, 40, 5), random(3, 5, seed=1)
    bank = np.broadcast_to(kernel, (5, 1, 3, 5))
    close(conv(x, bank, groups=5), by_loops(x, bank, groups=5))


@settings(max_examples=40)
@given(geometries(), st.floats(-3, 3), st.floats(-3, 3))
def test_convolution_is_linear(geometry, a, b):
    size, kernel, inputs, outputs, options, seed = geometry
    shape = (*size, inputs * options["groups"])
    x, y = random(*shape, seed=seed), random(*shape, seed=seed + 1)
    weights = random(outputs * options["groups"], inputs, *kernel, seed=seed + 2)
    whole = conv(np.float32(a) * x + np.float32(b) * y, weights, **options)
    parts = np.float32(a) * conv(x, weights, **options) + np.float32(b) * conv(y, weights, **options)
    assert_allclose(whole, parts, rtol=0, atol=2e-5 * max(np.abs(weights).sum(), 1))


@settings(max_examples=40)
@given(geometries(), st.integers(0, 3), st.integers(0, 3))
def test_a_shifted_image_has_a_shifted_response(geometry, down, right):
    size, kernel, inputs, outputs, options, seed = geometry
    options = {**options, "padding": 0}
    stride, dilation = options["stride"], options["dilation"]
    span = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    large = random(
        *(n + s + 3 * t for n, s, t in zip(size, span, stride, strict=True)), inputs * options["groups"], seed=seed
    )
    weights = random(outputs * options["groups"], inputs, *kernel, seed=seed + 1)
    whole = conv(large, weights, **options)
    shifted = conv(large[down * stride[0] :, right * stride[1] :], weights, **options)
    assert_allclose(shifted, whole[down:, right:], rtol=0, atol=1e-5 * np.abs(whole).max())


@settings(max_examples=40)
@given(st.integers(0, 2**16), *[st.integers(1, 4)] * 4)
def test_two_convolutions_are_one_with_the_convolved_kernel(seed, rows, columns, more_rows, more_columns):
    x = random(16, 15, 1, seed=seed)
    first, second = random(rows, columns, seed=seed + 1), random(more_rows, more_columns, seed=seed + 2)
    # Correlating twice is correlating with the kernels' convolution: the transposed convolution of one with the other.
    both = transposed_conv(first[..., np.newaxis], second[np.newaxis, np.newaxis])[..., 0]
    twice = conv(conv(x, first[np.newaxis, np.newaxis]), second[np.newaxis, np.newaxis])
    once = conv(x, both[np.newaxis, np.newaxis])
    assert_allclose(twice, once, rtol=0, atol=1e-5 * np.abs(first).sum() * np.abs(second).sum() * np.abs(x).max())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv(X, np.zeros((6, 3, 3, 3))), "weights of 6 x 3 x 3 x 3 read 3 channels, and the input has 4"),
        (lambda: conv(X, np.zeros((6, 3, 3))), r"weights have 4 dimensions .* not shape \(6, 3, 3\)"),
        (lambda: conv(X, np.full((6, 4, 3, 3), np.nan)), "weights must be finite"),
        (lambda: conv(X, W, np.zeros(5)), "bias holds 5 numbers for 6 channels"),
        (lambda: conv(X, W, groups=4), "6 output channels cannot be split into 4 groups"),
        (lambda: conv(X, W, stride=0), "stride must be a whole number of at least 1"),
        (lambda: conv(X, W, stride=(1, 2, 3)), "stride must be .* not 1, 2, 3"),
        (lambda: conv(X, W, padding="sane"), "unknown padding 'sane': .* did you mean 'same'"),
        (lambda: conv(X, W, padding="same", stride=2), "padding same goes with stride 1 only, not 2, 2"),
        (lambda: conv(X, W, padding_mode="zero"), "unknown padding_mode 'zero'.*did you mean 'zeros'"),
        (lambda: conv(X, W, padding=-1), "padding must be a whole number of at least 0"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv(X, np.zeros((6, 4, 7, 3))), "a kernel that spans 7 does not fit into 5$"),
        (
            lambda: conv(X, np.zeros((6, 4, 5, 5)), dilation=3, padding=1),
            "spans 13 .* 5 padded by 1 and 1",
        ),
        (lambda: conv(X[0], W), "3 dimensions"),
    ],
)
def test_an_image_that_is_too_small_is_refused_in_one_line(call, message):
    with pytest.raises(FilterError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
