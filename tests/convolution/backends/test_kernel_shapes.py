"""One kernel on every channel, by the backends that go from weight to weight, against scipy in float64."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import DTYPES, KERNELS, NDIMAGE_PADDING, SHAPES, bound, random_image, random_kernel, reference
from scipy import ndimage

from convcli import convolve
from convcli.convolution.backends.base import CorrelationWork, get_backend
from convcli.convolution.backends.winograd import _kernel_transform
from convcli.convolution.bank import Bank
from convcli.convolution.convolve import correlate_bank

BY_WEIGHTS = ("direct", "im2col", "kn2row")
GEOMETRIES = {
    "plain": {},
    "strided": {"stride": (2, 3)},
    "dilated": {"dilation": (3, 2)},
    "both": {"stride": (3, 2), "dilation": (2, 3)},
    "a stride beyond the kernel": {"stride": (14, 15)},
    "full and flipped": {"extent": "full", "flip": True},
}


def assert_is_scipys(image, weights, backend, **options):
    """Compare one convolution with the reference, within the bound of docs/numerics.md."""
    expected, largest = reference(image, weights, **options)
    result = convolve(image, weights, backend=backend, **options)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=0, atol=bound(weights, largest, image.dtype == np.float64))


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("backend", BY_WEIGHTS)
def test_every_kernel_shape_and_geometry_gives_scipys_response(backend, kernel, geometry):
    weights = random_kernel(KERNELS[kernel])
    for depth in DTYPES:
        for shape in ("gray", "rgb", "tiny", "pixel"):
            assert_is_scipys(random_image(SHAPES[shape], DTYPES[depth]), weights, backend, **GEOMETRIES[geometry])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", DTYPES)
def test_winograd_gives_scipys_response_on_images_of_every_shape(depth, shape):
    for padding in NDIMAGE_PADDING:
        assert_is_scipys(random_image(SHAPES[shape], DTYPES[depth]), random_kernel((3, 3)), "winograd", padding=padding)


@settings(max_examples=100)
@given(
    backend=st.sampled_from(BY_WEIGHTS),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    channels=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 999),
)
def test_any_size_and_geometry_gives_scipys_response(backend, size, channels, kernel, stride, dilation, dtype, seed):
    image = random_image((*size, channels), dtype, seed)
    assert_is_scipys(image, random_kernel(kernel, seed), backend, stride=stride, dilation=dilation)


@settings(max_examples=60)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.integers(1, 3),
    box=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    weight=st.sampled_from([1.0, -0.25, 1 / 7, 0.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_boxes_of_any_size_are_sums_of_runs(size, channels, box, stride, dilation, weight, dtype):
    weights, image = np.full(box, weight), random_image((*size, channels), dtype)
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, box, strict=True)]
    padded = np.pad(image, [(0, span - 1) for span in spans] + [(0, 0)])
    work = CorrelationWork(Bank.depthwise(weights, channels), padded.dtype, size, stride, dilation, box=True)
    correlator = get_backend("direct").prepare(work, size)()
    correlator.tile(*padded.shape[:2])[...] = padded
    options = {"stride": stride, "dilation": dilation, "anchor": (0, 0), "padding": "constant"}
    expected, largest = reference(image, weights, **options)
    response = correlator.correlate()
    np.testing.assert_allclose(response, expected, rtol=0, atol=bound(weights, largest, dtype is np.float64))


@pytest.mark.parametrize("size", [(101, 101), (63, 40), (1, 400), (300, 1), (96, 96)], ids=str)
@pytest.mark.parametrize("white", [255, 65535])
@pytest.mark.parametrize("backend", BY_WEIGHTS)
def test_a_flat_white_image_under_a_large_kernel_stays_within_the_bound(backend, white, size):
    # Nearly a box, but of full rank, so that it runs neither as passes nor as sums of runs.
    weights = np.random.default_rng(0).uniform(0.999, 1.001, size) / np.prod(size)
    image = np.full((120, 130), white, np.float32)
    result = convolve(image, weights, backend=backend, padding="wrap")
    allowed = bound(weights, white, double=False)
    np.testing.assert_allclose(result.astype(np.float64), white * weights.sum(), rtol=0, atol=allowed)
    # As passes and sums of runs, too.
    result = convolve(image, np.full(size, 1 / np.prod(size)), backend=backend, padding="wrap")
    np.testing.assert_allclose(result.astype(np.float64), white, rtol=0, atol=2e-6 * white)


@pytest.mark.parametrize("inputs", [1, 3, 4, 64, 96, 200])
@pytest.mark.parametrize("backend", [*BY_WEIGHTS, "winograd"])
def test_a_flat_image_under_a_bank_of_many_inputs_stays_within_the_bound(backend, inputs):
    size = (3, 3) if backend == "winograd" or inputs > 3 else (15, 14)
    for weight in (0.37, 1 / (inputs * np.prod(size))):
        weights = np.full((3, inputs, *size), weight)
        result = correlate_bank(np.full((30, 33, inputs), 201.3, np.float32), Bank(weights), backend=backend)
        expected, largest = np.float64(np.float32(201.3)) * weights[0].sum(), 201.3
        np.testing.assert_allclose(
            result.astype(np.float64), expected, rtol=0, atol=bound(weights[0], largest, double=False)
        )


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_winograd_stays_within_the_bound_on_large_images_of_few_channels(dtype, inputs):
    generator = np.random.default_rng(inputs)
    image = generator.choice([-255.0, 0.0, 255.0], (300, 310, inputs)).astype(dtype)
    weights = generator.standard_normal((4, inputs, 3, 3))
    result = correlate_bank(image, Bank(weights), backend="winograd")
    for output in range(4):
        planes = (ndimage.correlate(image[..., i].astype(float), weights[output, i]) for i in range(inputs))
        expected = sum(planes)[1:-1, 1:-1]
        allowed = bound(np.abs(weights).sum(axis=(1, 2, 3)).max(), 255.0, dtype is np.float64)
        np.testing.assert_allclose(result[..., output], expected, rtol=0, atol=allowed)


def test_winograds_transforms_take_a_delta_to_a_kernel():
    # The transform of samples is linear, so unit impulses and all products with a kernel's weights tell all.
    for channels in (1, 5):  # m = 2 and m = 4
        for u, v in np.ndindex(3, 3):
            weights = np.zeros((1, channels, 3, 3))
            weights[0, 0, u, v] = 1.0
            image = random_image((11, 14, channels), np.float64)
            result = correlate_bank(image, Bank(weights), backend="winograd")
            np.testing.assert_allclose(result[..., 0], image[u : u + 9, v : v + 12, 0], rtol=0, atol=1e-11)
    assert [_kernel_transform(m).shape for m in (2, 4)] == [(4, 3), (6, 3)]


SPOILT = {"few": 0.0005, "many": 0.2}


@pytest.mark.parametrize("share", SPOILT)
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
@pytest.mark.parametrize(("backend", "size"), [("im2col", (5, 4)), ("kn2row", (4, 9)), ("winograd", (3, 3))])
def test_samples_that_are_not_finite_or_huge_leave_the_others_alone(backend, size, value, share):
    weights, image = random_kernel(size), random_image((90, 110, 2), np.float32)
    spots = np.random.default_rng(5).random(image.shape) < SPOILT[share]
    reached = reference(spots.astype(np.float64), (weights != 0).astype(float))[0] > 0.5
    expected, largest = reference(np.where(spots, 0, image), weights)
    image[spots] = value
    result = convolve(image, weights, backend=backend)
    np.testing.assert_allclose(result[~reached], expected[~reached], rtol=0, atol=bound(weights, largest, double=False))
    if np.isnan(value):
        np.testing.assert_array_equal(np.isnan(result), reached)


@pytest.mark.parametrize("backend", [*BY_WEIGHTS, "winograd"])
def test_results_do_not_depend_on_the_number_of_threads(backend):
    image = random_image((500, 700, 3), np.float32)
    weights = random_kernel((3, 3) if backend == "winograd" else (7, 5))
    results = [convolve(image, weights, backend=backend, threads=n) for n in (1, 2, 5)]
    bank = Bank(np.random.default_rng(0).standard_normal((8, 3, 3, 3)))
    banks = [correlate_bank(image, bank, backend=backend, threads=n) for n in (1, 2, 5)]
    for first, *others in (results, banks):
        for other in others:
            np.testing.assert_array_equal(first, other)


MEMORY = {
    "3x3": (Bank.depthwise(random_kernel((3, 3)), 1), {}),
    "101x101": (Bank.depthwise(random_kernel((101, 101)), 1), {}),
    "101x101 on three channels": (Bank.depthwise(random_kernel((101, 101)), 3), {}),
    "a long row": (Bank.depthwise(random_kernel((1, 500)), 1), {}),
    "a long column": (Bank.depthwise(random_kernel((500, 1)), 1), {}),
    "a large stride": (Bank.depthwise(random_kernel((9, 9)), 1), {"stride": (8, 8)}),
    "a large dilation": (Bank.depthwise(random_kernel((9, 9)), 1), {"dilation": (8, 8)}),
    "64 channels": (Bank(np.ones((64, 64, 3, 3))), {}),
    "16 channels of 31x31": (Bank(np.ones((16, 16, 31, 31))), {}),
}


@pytest.mark.parametrize("case", MEMORY)
@pytest.mark.parametrize("backend", ["im2col", "kn2row"])
def test_a_thread_needs_little_memory_whatever_the_kernel(backend, case):
    bank, geometry = MEMORY[case]
    work = CorrelationWork(bank, np.dtype(np.float32), (4000, 4000), finite=True, **geometry)
    height, width = get_backend(backend).tile_size(work)
    make = get_backend(backend).prepare(work, (height, width))
    tracemalloc.start()
    try:
        correlator = make()
        tile = correlator.tile(*work.reach(height, width))
        tile[...] = 1
        if bank.weights[0].size < 12_000:
            assert correlator.correlate().shape == (height, width, bank.outputs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24e6


def test_im2col_unrolls_no_more_of_a_large_kernel_at_once():
    image = random_image((300, 2200), np.float32)
    tracemalloc.start()
    try:
        convolve(image, random_kernel((31, 31)), backend="im2col", threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Unrolled as a whole it would take 961 times the image.
    assert peak < 24e6 + 3 * image.nbytes


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 2), (1, 3), (1, 24), (3, 1), (5, 3)])
@pytest.mark.parametrize("bank", ["kernel", "bank"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fft_transforms_every_channel_of_the_smallest_images(size, bank, dtype):
    image, weights = random_image((*size, 5), dtype), np.random.default_rng(1).standard_normal((5, 5, 1, 1))
    if bank == "kernel":
        weights[...] = -2.0 * np.eye(5)[:, :, np.newaxis, np.newaxis]
        response = convolve(image, [[-2.0]], backend="fft")
    else:
        response = correlate_bank(image, Bank(weights), backend="fft")
    atol = (1e-13 if dtype == np.float64 else 2e-6) * 100 * np.abs(weights).sum(axis=(1, 2, 3)).max()
    np.testing.assert_allclose(response, image.astype(float) @ weights[:, :, 0, 0].T, rtol=0, atol=atol)


def test_fft_spreads_no_huge_samples_that_cancel_in_the_lowest_frequencies():
    image = np.ones((40, 50), np.float32)
    image[10:12, 10:12] = [[3e38, -3e38], [-3e38, 3e38]]
    response = convolve(image, np.full((9, 9), 1 / 81), backend="fft")
    far = np.ones(image.shape, bool)
    far[6:16, 6:16] = False
    np.testing.assert_allclose(response[far], 1.0, rtol=1e-6)
    assert np.isfinite(response).all()
