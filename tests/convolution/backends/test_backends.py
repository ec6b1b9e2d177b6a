"""The contract of the backends: banks of kernels, groups, strides and dilation, against loops over scipy."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import bound, random_image
from scipy.signal import correlate

from convcli.convolution.backends.base import CorrelationWork, get_backend
from convcli.convolution.bank import Bank
from convcli.convolution.convolve import correlate_bank
from convcli.errors import FilterError

BACKENDS = ("direct", "im2col", "kn2row", "fft", "opencv")


def loop_over_planes(image, weights, groups, pad, stride, dilation, value=0.0):
    """torch.nn.functional.conv2d, written out: one scipy correlation for each output and input channel."""
    outputs, per_group, height, width = weights.shape
    spread = np.zeros((outputs, per_group, dilation[0] * (height - 1) + 1, dilation[1] * (width - 1) + 1))
    spread[:, :, :: dilation[0], :: dilation[1]] = weights
    edges = ((pad[0], pad[0]), (pad[1], pad[1]), (0, 0))
    padded = np.pad(image.astype(np.float64), edges, constant_values=value)
    planes = []
    for output in range(outputs):
        group = output // (outputs // groups)
        planes.append(
            sum(
                correlate(padded[..., group * per_group + i], spread[output, i], mode="valid", method="direct")
                for i in range(per_group)
            )
        )
    return np.stack(planes, axis=-1)[:: stride[0], :: stride[1]]


def assert_is_the_loop(image, weights, groups, *, backend, pad=(0, 0), stride=(1, 1), dilation=(1, 1), value=0.0):
    """Compare a backend with the loop, within the bound of docs/numerics.md."""
    options = {"pad": pad, "stride": stride, "dilation": dilation}
    result = correlate_bank(image, Bank(weights, groups), backend=backend, padding_value=value, **options)
    expected = loop_over_planes(image, weights, groups, **options, value=value)
    largest = max(float(np.abs(image.astype(np.float64)).max()), value)
    scale = np.abs(weights).sum(axis=(1, 2, 3)).max()
    assert result.shape == expected.shape
    np.testing.assert_allclose(
        result, expected, rtol=0, atol=bound(scale, largest, image.dtype == np.float64), err_msg=backend
    )


@settings(max_examples=120)
@given(
    backend=st.sampled_from(BACKENDS),
    groups=st.integers(1, 3),
    inputs=st.sampled_from([1, 2, 3, 17]),
    outputs=st.sampled_from([1, 2, 3, 18]),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    pad=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    value=st.sampled_from([0.0, 3.5]),
    seed=st.integers(0, 99),
)
def test_banks_with_groups_equal_a_loop_over_their_planes(
    backend, groups, inputs, outputs, size, pad, stride, dilation, dtype, value, seed
):
    image = random_image((17, 19, groups * inputs), dtype, seed)
    weights = np.random.default_rng(seed).standard_normal((groups * outputs, inputs, *size))
    weights[:, :, 0, 0] = 0
    assert_is_the_loop(image, weights, groups, backend=backend, pad=pad, stride=stride, dilation=dilation, value=value)


@settings(max_examples=40)
@given(
    size=st.tuples(st.integers(3, 40), st.integers(3, 40)),
    groups=st.integers(1, 3),
    inputs=st.sampled_from([1, 2, 4, 17, 50]),
    outputs=st.sampled_from([1, 3, 20]),
    pad=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_banks_of_3x3_equal_a_loop_over_their_planes_by_winograd_too(size, groups, inputs, outputs, pad, dtype, seed):
    image = random_image((*size, groups * inputs), dtype, seed)
    weights = np.random.default_rng(seed).standard_normal((groups * outputs, inputs, 3, 3))
    assert_is_the_loop(image, weights, groups, backend="winograd", pad=pad)


LARGE_BANKS = {
    "wide": ((20, 64, 3, 3), 1, (36, 150), {}),
    "many inputs": ((5, 200, 3, 3), 1, (40, 41), {}),
    "many outputs": ((130, 3, 3, 3), 1, (60, 61), {}),
    "a first layer": ((16, 3, 7, 7), 1, (90, 100), {"stride": (2, 2), "pad": (3, 3)}),
    "1x1": ((24, 40, 1, 1), 1, (50, 60), {}),
    "1x1 of one input": ((5, 1, 1, 1), 1, (50, 60), {}),
    "depthwise": ((6, 1, 5, 5), 6, (120, 200), {"pad": (2, 2)}),
    "four groups": ((32, 16, 3, 3), 4, (40, 90), {"pad": (1, 1)}),
    "dilated": ((20, 20, 3, 3), 1, (60, 40), {"dilation": (3, 2)}),
    "long rows": ((2, 18, 1, 40), 1, (20, 300), {"stride": (1, 3)}),
    "nothing but zeros": ((3, 3, 3, 3), 1, (10, 10), {}),
}


@pytest.mark.parametrize("name", LARGE_BANKS)
@pytest.mark.parametrize("backend", [*BACKENDS, "winograd"])
def test_banks_of_many_tiles_and_channels_equal_a_loop_over_their_planes(backend, name):
    shape, groups, size, options = LARGE_BANKS[name]
    if backend == "winograd" and (shape[2:] != (3, 3) or {"stride", "dilation"} & set(options)):
        shape, options = (*shape[:2], 3, 3), {}
    weights = np.random.default_rng(3).standard_normal(shape) * (name != "nothing but zeros")
    image = random_image((*size, shape[1] * groups), np.float32)
    assert_is_the_loop(image, weights, groups, backend=backend, **options)


@pytest.mark.parametrize("backend", [*BACKENDS, "winograd"])
def test_a_bank_leaves_no_channel_but_its_own_spoilt_by_nan(backend):
    image = random_image((12, 12, 2), np.float32)
    image[6, 6, 1] = np.nan
    weights = np.zeros((2, 2, 3, 3))
    weights[0, 0], weights[1, 1, 1, 1] = 1.0, 2.0
    result = correlate_bank(image, Bank(weights), backend=backend, pad=(1, 1))
    assert np.isfinite(result[..., 0]).all()
    np.testing.assert_array_equal(np.argwhere(np.isnan(result[..., 1])), [[6, 6]])


@pytest.mark.parametrize("backend", [*BACKENDS, "winograd"])
def test_a_depthwise_bank_is_the_same_with_and_without_its_fast_path(backend):
    image = random_image((40, 50, 3), np.float32)
    size = (3, 3) if backend == "winograd" else (5, 7)
    fast = Bank.depthwise(np.random.default_rng(1).standard_normal(size), 3)
    slow = Bank(fast.weights.copy(), groups=3)
    results = [correlate_bank(image, bank, backend=backend) for bank in (fast, slow)]
    allowed = 2e-6 * np.abs(fast.shared).sum() * 100
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=allowed)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (40, 2), (1, 500), (300, 300)], ids=str)
@pytest.mark.parametrize("output", [(1, 1), (5, 3000), (4000, 7), (3000, 5000)], ids=str)
def test_tiles_have_room_for_an_output_whatever_the_sizes(backend, kernel, output):
    work = CorrelationWork(Bank.depthwise(np.ones(kernel), 3), np.dtype(np.float32), output)
    height, width = get_backend(backend).tile_size(work)
    assert height >= 1
    assert width >= 1


def test_an_image_of_the_wrong_number_of_channels_is_refused():
    with pytest.raises(FilterError, match="this bank reads 2 channels"):
        correlate_bank(np.zeros((4, 4, 3)), Bank(np.ones((1, 2, 3, 3))))


@pytest.mark.parametrize(
    ("weights", "groups", "message"),
    [(np.ones((2, 2, 3)), 1, "a bank is"), (np.ones((3, 1, 2, 2)), 2, "3 output channels cannot be split into 2")],
)
def test_banks_of_the_wrong_shape_are_refused(weights, groups, message):
    with pytest.raises(ValueError, match=message):
        Bank(weights, groups)


@pytest.mark.parametrize(
    ("backend", "absent"),
    [
        ("direct", ("pyfftw", "cv2", "threadpoolctl", "torch")),
        ("im2col", ("pyfftw", "cv2", "torch")),
        ("kn2row", ("pyfftw", "cv2", "torch")),
        ("winograd", ("pyfftw", "cv2", "torch")),
        ("fft", ("cv2", "threadpoolctl", "torch")),
        ("opencv", ("pyfftw", "threadpoolctl", "torch")),
    ],
)
def test_only_the_chosen_backends_libraries_are_imported(backend, absent):
    side = 3 if backend == "winograd" else 15
    program = (
        "import sys, numpy as np; from convcli import convolve;"
        f"convolve(np.zeros((30, 30), np.float32), np.random.rand({side}, {side}), backend={backend!r});"
        f"print([name for name in {absent!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
