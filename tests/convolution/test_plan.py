"""Every form of every backend gives the same response."""

import numpy as np
import pytest
from oracle import DTYPES, bound, random_image, random_kernel, reference

from convcli import convolve
from convcli.convolution.backends.base import refusal
from convcli.convolution.backends.registry import automatic_backends
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import plan_convolution
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


def options_of_refusal(options):
    return {name: options[name] for name in ("stride", "dilation") if name in options}


def all_forms(size, dtype, weights, finish=None, **options):
    """Every plan for this, in every form of every backend that can do it."""
    for backend in automatic_backends():
        try:
            plan = plan_convolution(
                size, dtype, Kernel("k", weights), ConvolveOptions(backend=backend, **options), finish
            )
        except UsageError:
            assert refusal(backend, weights.shape, **options_of_refusal(options)) is not None
            continue
        for each in plan.costed_forms():
            yield f"{backend} {each.form}", plan.in_form(each.form)


@pytest.mark.parametrize("depth", DTYPES)
@pytest.mark.parametrize("name", WEIGHTS)
def test_every_form_gives_the_exact_response(name, depth):
    image, weights = random_image((37, 41, 2), DTYPES[depth]), WEIGHTS[name]
    expected, largest = reference(image, weights)
    plans = dict(all_forms(image.shape, image.dtype, weights))
    assert len(plans) >= 5
    for form, plan in plans.items():
        allowed = bound(weights, largest, depth == "f64")
        np.testing.assert_allclose(plan.run(image), expected, rtol=0, atol=allowed, err_msg=form)


@pytest.mark.parametrize("options", [{"stride": (2, 3)}, {"dilation": (3, 2)}, {"stride": (3, 1), "dilation": (1, 2)}])
@pytest.mark.parametrize("name", WEIGHTS)
def test_every_form_strides_and_dilates_alike(name, options):
    image, weights = random_image((33, 46), np.float32)[:, :, np.newaxis], WEIGHTS[name]
    expected, largest = reference(image, weights, padding="wrap", extent="full", **options)
    for form, plan in all_forms(image.shape, image.dtype, weights, padding="wrap", extent="full", **options):
        atol = bound(weights, largest, double=False)
        np.testing.assert_allclose(plan.run(image), expected, rtol=0, atol=atol, err_msg=form)


@pytest.mark.parametrize("padding", ["reflect101", "constant", "replicate"])
@pytest.mark.parametrize("name", ["gaussian", "two products", "mean", "random"])
def test_every_form_rounds_bytes_to_the_nearest(name, padding):
    image, weights = random_image((45, 51, 3), np.uint8), WEIGHTS[name] / np.abs(WEIGHTS[name]).sum()
    expected, _ = reference(image, weights, padding=padding)
    for form, plan in all_forms(image.shape, image.dtype, weights, Finish(np.dtype(np.uint8)), padding=padding):
        error = np.abs(plan.run(image) - expected.clip(0, 255)).max()
        assert error <= 0.5 + bound(weights, 255, double=False), form


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
    for form, plan in all_forms(image.shape, image.dtype, weights):
        result = plan.run(touched)
        atol = bound(weights, largest, double=False)
        np.testing.assert_allclose(result[~hit], clean[~hit], rtol=0, atol=atol, err_msg=form)
        assert not (np.abs(result[hit]) < 1e20).any(), form


@pytest.mark.parametrize("backend", [*automatic_backends(), "auto"])
@pytest.mark.parametrize("name", ["gaussian", "two products", "mean", "3x3"])
def test_results_do_not_depend_on_the_number_of_threads(name, backend):
    image = random_image((300, 400), np.float32)
    weights = WEIGHTS[name][:3, 1:4] if backend == "winograd" and name != "3x3" else WEIGHTS[name]
    one, many = (convolve(image, weights, backend=backend, threads=n) for n in (1, 5))
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("depth", ["f32", "f64"])
def test_a_kernel_of_zeros_is_met_by_no_sample_in_any_form(depth, value):
    image = np.full((9, 8, 2), value, DTYPES[depth])
    for form, plan in all_forms(image.shape, image.dtype, np.zeros((3, 3))):
        assert not plan.run(image).any(), form


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
    for form, plan in all_forms(image.shape, image.dtype, weights):
        result = plan.run(image)
        np.testing.assert_array_equal(result[hit], value, err_msg=form)
        assert np.isfinite(result[~hit]).all(), form
