"""Every form of every backend gives the same; the planner takes the cheapest, by the kernel and the options alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import DTYPES, bound, random_image, random_kernel, reference

from convcli import convolve, load_kernel
from convcli.convolution.backends.base import get_backend, refusal
from convcli.convolution.backends.opencv import pads_alike
from convcli.convolution.backends.registry import automatic_backends, backend_names
from convcli.convolution.bank import Bank
from convcli.convolution.options import BACKENDS, ConvolveOptions
from convcli.convolution.plan import plan_bank, plan_convolution
from convcli.convolution.planning.cost_model import (
    COEFFICIENTS,
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    summarize,
)
from convcli.convolution.planning.planner import choose
from convcli.convolution.planning.tuning import fit
from convcli.errors import UsageError
from convcli.image.tone import Finish
from convcli.kernel.model import Kernel

Y, X = np.mgrid[-3.0:4.0, -2.0:3.0]
BELL = np.exp(-(Y**2) / 5 - X**2 / 3)
WEIGHTS = {
    "gaussian": BELL,
    "two products": BELL * (1 - X**2 - Y**2),
    "antisymmetric": BELL * X,
    "neither": np.outer([1.0, 2.0, 5.0, 1.0], [3.0, -1.0, 2.0]),
    "mean": np.full((5, 7), 1 / 35),
    "box": np.full((4, 6), -0.75),
    "column": np.array([[1.0], [2.0], [1.0], [-3.0]]),
    "row of ones": np.ones((1, 9)),
    "random": random_kernel((6, 5)),
    "3x3": random_kernel((3, 3)),
    "with holes": np.array([[1.0, 0, 0, 0, 0], [0, 0, 2.0, 0, 0], [0, 0, 0, 0, 0.5]]),
}


def all_ways(size, dtype, weights, finish=None, **options):
    """Every plan for this, in every form of every backend that can do it."""
    for backend in automatic_backends():
        try:
            plan = plan_convolution(
                size, dtype, Kernel("k", weights), ConvolveOptions(backend=backend, **options), finish
            )
        except UsageError:
            assert backend == "winograd"
            continue
        for way in plan.costed_forms():
            yield f"{backend} {way.form}", plan.in_form(way.form)


@pytest.mark.parametrize("depth", DTYPES)
@pytest.mark.parametrize("name", WEIGHTS)
def test_every_form_gives_the_exact_response(name, depth):
    image, weights = random_image((37, 41, 2), DTYPES[depth]), WEIGHTS[name]
    expected, largest = reference(image, weights)
    plans = dict(all_ways(image.shape, image.dtype, weights))
    assert len(plans) >= 5
    for way, plan in plans.items():
        allowed = bound(weights, largest, depth == "f64")
        np.testing.assert_allclose(plan.run(image), expected, rtol=0, atol=allowed, err_msg=way)


@pytest.mark.parametrize("options", [{"stride": (2, 3)}, {"dilation": (3, 2)}, {"stride": (3, 1), "dilation": (1, 2)}])
@pytest.mark.parametrize("name", WEIGHTS)
def test_every_form_strides_and_dilates_alike(name, options):
    image, weights = random_image((33, 46), np.float32)[:, :, np.newaxis], WEIGHTS[name]
    expected, largest = reference(image, weights, padding="wrap", extent="full", **options)
    for way, plan in all_ways(image.shape, image.dtype, weights, padding="wrap", extent="full", **options):
        atol = bound(weights, largest, double=False)
        np.testing.assert_allclose(plan.run(image), expected, rtol=0, atol=atol, err_msg=way)


@pytest.mark.parametrize("padding", ["reflect101", "constant", "replicate"])
@pytest.mark.parametrize("name", ["gaussian", "two products", "mean", "random"])
def test_every_form_rounds_bytes_to_the_nearest(name, padding):
    image, weights = random_image((45, 51, 3), np.uint8), WEIGHTS[name] / np.abs(WEIGHTS[name]).sum()
    expected, _ = reference(image, weights, padding=padding)
    for way, plan in all_ways(image.shape, image.dtype, weights, Finish(np.dtype(np.uint8)), padding=padding):
        error = np.abs(plan.run(image) - expected.clip(0, 255)).max()
        assert error <= 0.5 + bound(weights, 255, double=False), way


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_sample_that_is_no_number_reaches_only_its_windows_in_every_form(name, value):
    image, weights = random_image((64, 70, 1), np.float32), WEIGHTS[name]
    clean, largest = reference(image, weights)
    touched = image.copy()
    touched[31, 20] = value
    hit = (
        reference((np.arange(image.size) == 31 * 70 + 20).reshape(image.shape).astype(np.float64), weights != 0)[0] != 0
    )
    for way, plan in all_ways(image.shape, image.dtype, weights):
        result = plan.run(touched)
        atol = bound(weights, largest, double=False)
        np.testing.assert_allclose(result[~hit], clean[~hit], rtol=0, atol=atol, err_msg=way)
        assert not (np.abs(result[hit]) < 1e20).any(), way


@pytest.mark.parametrize("backend", [*automatic_backends(), "auto"])
@pytest.mark.parametrize("name", ["gaussian", "two products", "mean", "3x3"])
def test_results_do_not_depend_on_the_number_of_threads(name, backend):
    image = random_image((300, 400), np.float32)
    weights = WEIGHTS[name][:3, 1:4] if backend == "winograd" and name != "3x3" else WEIGHTS[name]
    one, many = (convolve(image, weights, backend=backend, threads=n) for n in (1, 5))
    np.testing.assert_array_equal(one, many)


def test_the_choice_goes_by_options_not_by_threads():
    kernel = load_kernel("gabor:size=25")
    for size in ((64, 64, 1), (1024, 1024, 3)):
        plans = [plan_convolution(size, np.float32, kernel, ConvolveOptions(threads=n)) for n in (1, 2, 64)]
        assert len({(plan.backend, plan.form, plan.seconds) for plan in plans}) == 1


@pytest.mark.parametrize(
    ("spec", "size", "backend", "form"),
    [
        ("sobel_x", (2048, 2048, 1), "opencv", "dense"),
        ("gaussian:size=21,sigma=3", (2048, 2048, 1), "opencv", "passes"),
        ("dog:size=15,sigma=2", (2048, 2048, 1), "opencv", "passes"),
        ("box:size=75", (2048, 2048, 1), "opencv", "box"),
        ("gabor:size=61,gamma=0.5,theta=30", (2048, 2048, 1), "fft", "dense"),
    ],
)
def test_what_is_plainly_fastest_is_chosen(spec, size, backend, form):
    plan = plan_convolution(size, np.float32, load_kernel(spec), ConvolveOptions())
    assert (plan.backend, plan.form) == (backend, form)
    assert plan.runner_up is not None
    assert plan.runner_up[0] != backend
    assert 0 < plan.seconds <= plan.runner_up[1]


def test_a_backend_that_is_named_has_no_runner_up():
    plan = plan_convolution((64, 64, 1), np.float32, load_kernel("gaussian"), ConvolveOptions(backend="kn2row"))
    assert (plan.backend, plan.runner_up) == ("kn2row", None)


def test_loading_counts_for_a_process_that_filters_once():
    load = summarize(Bank.depthwise(random_kernel((15, 15)), 1))
    run = CorrelationRequest((128, 128))
    assert (
        choose([load], run, "fft")[0].seconds
        < 0.01
        < choose([load], CorrelationRequest((128, 128), cold=True), "fft")[0].seconds
    )


def test_banks_are_planned_too():
    bank = Bank(np.random.default_rng(0).standard_normal((32, 32, 3, 3)))
    plan = plan_bank((64, 64, 32), np.float32, bank, ConvolveOptions(), (1, 1))
    assert plan.backend in automatic_backends()
    assert plan.reason == "32 channels to 32, 3 x 3 each"
    assert plan.output_size == (64, 64, 32)


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("gaussian:size=5", {}, "3x3 kernels only, and this one is 5x5: choose kn2row, fft or auto"),
        ("sobel_x", {"dilation": (2, 2)}, "knows no dilation, and 2,2 was asked for"),
        ("sobel_x", {"stride": (2, 1)}, "at stride 1 only, and 2,1 was asked for"),
    ],
)
def test_winograd_says_what_it_does_not_compute(spec, options, message):
    with pytest.raises(UsageError, match=message):
        plan_convolution((9, 9, 1), np.float32, load_kernel(spec), ConvolveOptions(backend="winograd", **options))


def test_the_others_refuse_nothing():
    for backend in BACKENDS:
        assert (refusal(backend, (5, 4), (2, 2), (3, 3)) is None) == (backend != "winograd")


@pytest.mark.parametrize(
    ("case", "possible"),
    [
        (("uint8", "uint8", "reflect", True), True),
        (("float32", "float32", "constant", True), True),
        (("float32", "float32", "constant", False), False),
        (("uint8", "uint8", "replicate", False), True),
        (("uint8", "float32", "reflect", True), False),
        (("uint16", "uint16", "reflect", True), False),
        (("uint8", "uint8", "wrap", True), False),
    ],
)
def test_whole_images_go_to_opencv_where_it_means_the_same(case, possible):
    assert pads_alike(*case) is possible


SIZES = st.tuples(st.integers(1, 120), st.integers(1, 120))


@given(
    size=SIZES,
    output=st.tuples(st.integers(1, 20000), st.integers(1, 20000)),
    stride=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    dilation=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    products=st.integers(0, 4),
    channels=st.integers(1, 300),
    shared=st.booleans(),
    itemsize=st.sampled_from([4, 8]),
    finished=st.booleans(),
)
def test_predictions_are_positive_and_know_every_term(
    size, output, stride, dilation, products, channels, shared, itemsize, finished
):
    places = size[0] * size[1]
    load = BankSummary(
        size,
        places,
        size[1],
        places,
        products,
        True,
        products == 1,
        shared,
        False,
        *((1, 1, channels) if shared else (channels, 7, 1)),
    )
    run = CorrelationRequest(output, stride, dilation, itemsize, finished=finished, cold=finished)
    for backend in backend_names():
        for way in get_backend(backend).costed_forms(load, run):
            assert set(way.terms) <= set(COEFFICIENTS)
            assert 0 < way.seconds(COEFFICIENTS, 2) < 1e9
            assert way.tiles >= 1


def test_the_fit_finds_the_coefficients_that_the_times_were_made_of():
    shipped = {"a.sample": 1e-9, "a.call": 1e-5, "b.run": 1.0}
    true = {"a.sample": 3e-9, "a.call": 4e-6}
    generator = np.random.default_rng(0)
    counts = [(10 ** generator.uniform(4, 7), 10 ** generator.uniform(1, 4)) for _ in range(200)]
    samples = [
        (
            CostedForm(ComputingForm("dense"), {"a.sample": n, "a.call": c}, 2),
            (true["a.sample"] * n + true["a.call"] * c) / 2,
        )
        for n, c in counts
    ]
    found = fit(samples, shipped)
    assert found["b.run"] == 1.0
    np.testing.assert_allclose([found[name] for name in true], list(true.values()), rtol=0.01)


def test_the_fit_never_finds_that_something_is_free():
    samples = [(CostedForm(ComputingForm("dense"), {"a.sample": 1e6, "a.call": 1e3}, 1), 1e-3)] * 5
    samples += [(CostedForm(ComputingForm("dense"), {"a.sample": 1e6, "a.call": 1e5}, 1), 0.9e-3)] * 5
    assert min(fit(samples, {"a.sample": 1e-9, "a.call": 1e-6}).values()) > 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("depth", ["f32", "f64"])
def test_a_kernel_of_zeros_is_met_by_no_sample_in_any_form(depth, value):
    image = np.full((9, 8, 2), value, DTYPES[depth])
    for way, plan in all_ways(image.shape, image.dtype, np.zeros((3, 3))):
        assert not plan.run(image).any(), way


@pytest.mark.parametrize("samples", ["one", "all"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_too_small_for_single_precision_is_not_zero_in_any_form(value, samples):
    bell = np.exp(-0.65 * np.arange(-12.0, 13.0) ** 2)
    weights = np.outer(bell, bell)  # down to 1e-81
    image = random_image((40, 41, 1), np.float32)
    image[20, 20] = value
    if samples == "all":
        image[...] = value
    hit = np.ones(image.shape, bool)
    if samples == "one":
        hit[...] = False
        hit[8:33, 8:33] = True
    for way, plan in all_ways(image.shape, image.dtype, weights):
        result = plan.run(image)
        np.testing.assert_array_equal(result[hit], value, err_msg=way)
        assert np.isfinite(result[~hit]).all(), way
