"""Kernels as an operation: what is checked of them before any image is known, and what they say of one."""

import pickle

import numpy as np
import pytest

from convcli.convolution.backends.registry import automatic_backends
from convcli.convolution.options import ConvolveOptions
from convcli.errors import KernelError, UsageError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image
from convcli.process.kernel_operation import FilterOptions, load_kernels
from convcli.process.output_files import OutputOptions
from convcli.process.tone_options import ToneOptions

PIXELS = np.random.default_rng(5).integers(0, 256, (21, 23, 3), dtype=np.uint8)


def test_a_run_needs_a_kernel():
    with pytest.raises(UsageError, match="no kernel was given"):
        FilterOptions(())


def test_an_unknown_kernel_is_found_before_any_image():
    with pytest.raises(KernelError, match="did you mean 'sobel_x'"):
        load_kernels(FilterOptions(("sobelx",)))


def test_what_a_backend_cannot_do_is_found_before_any_image_and_names_the_kernel():
    with pytest.raises(UsageError) as caught:
        load_kernels(FilterOptions(("box:size=5",), ConvolveOptions(backend="winograd")))
    assert caught.value.where == "box:size=5"


def test_outputs_are_named_after_all_kernels():
    assert load_kernels(FilterOptions(("gaussian:sigma=2", "0 1 0"))).name == "gaussian_custom"


def test_kernels_go_to_other_processes_and_may_replace_what_is_there(tmp_path):
    operation = load_kernels(FilterOptions(("sobel", "gaussian:sigma=2"))).in_worker(3)
    again = pickle.loads(pickle.dumps(operation))
    assert again.cache_key() == operation.cache_key()
    assert (again.threads, again.output.existing, again.cold) == (3, "overwrite", False)


@pytest.mark.parametrize(
    "options",
    [
        {"kernels": ("sobel_y",)},
        {"convolve": ConvolveOptions(stride=(2, 2))},
        {"tone": ToneOptions(bias=1.0)},
        {"output": OutputOptions(depth="u16")},
        {"output": OutputOptions(quality=5)},
        {"output": OutputOptions(compression="small")},
        {"output": OutputOptions(format="png")},
    ],
)
def test_the_cache_key_tells_options_apart_that_change_outputs(options):
    plain = load_kernels(FilterOptions(("sobel_x",)))
    assert load_kernels(FilterOptions(**{"kernels": ("sobel_x",), **options})).cache_key() != plain.cache_key()


@pytest.mark.parametrize(
    "options",
    [
        {"convolve": ConvolveOptions(threads=7)},
        {"output": OutputOptions(existing="skip")},
        {"output": OutputOptions(dry_run=True)},
    ],
)
def test_the_cache_key_is_the_same_for_options_that_change_no_output(options):
    plain = load_kernels(FilterOptions(("sobel_x",)))
    assert load_kernels(FilterOptions(("sobel_x",), **options)).cache_key() == plain.cache_key()


def test_float_images_on_the_way_take_more_memory():
    plain = load_kernels(FilterOptions(("sobel_x",)))
    float_ = load_kernels(FilterOptions(("sobel_x",), output=OutputOptions(depth="f32")))
    assert plain.memory(10**8) < float_.memory(10**8)


def test_the_plan_is_known_before_anything_is_computed():
    options = FilterOptions(
        ("sobel_x",), ConvolveOptions(stride=(2, 3)), ToneOptions(linear=True), OutputOptions(depth="f32")
    )
    laid = load_kernels(options).on_image(Image(PIXELS), "a.png", "b.npy", written_formats()["npy"])
    assert laid.plan.size == (11, 8, 3)
    assert (laid.plan.depth, laid.plan.mapping, laid.plan.alpha, laid.plan.opacity) == ("f32", None, False, None)
    assert laid.plan.notes == ("f32 holds the response in linear light: the sRGB curve is not put back",)


def test_a_bias_under_stretch_is_said_to_do_nothing():
    options = FilterOptions(("sobel_x",), tone=ToneOptions(signed="stretch", bias=3.0))
    laid = load_kernels(options).on_image(Image(PIXELS), "a.png", "b.png", written_formats()["png"])
    assert laid.plan.notes == ("--bias does nothing under --signed stretch",)


def test_each_step_names_the_backend_chosen_and_the_runner_up_with_what_they_were_predicted_to_take():
    """Where there is no choice, there is no runner-up."""
    specs = ("sobel_x", "disk:radius=9")
    format_ = written_formats()["png"]
    steps = load_kernels(FilterOptions(specs)).on_image(Image(PIXELS), "a.png", "b.png", format_).steps()
    assert tuple(step.kernel for step in steps) == specs
    by_hand = {}
    for name in automatic_backends():
        try:
            alone = FilterOptions(specs, ConvolveOptions(backend=name))
            plans = load_kernels(alone).on_image(Image(PIXELS), "a.png", "b.png", format_).steps()
        except UsageError:  # winograd takes no disk
            continue
        assert all(step.runner_up is None for step in plans)
        by_hand[name] = [step.predicted_seconds for step in plans]
    best, second = sorted(by_hand, key=lambda name: by_hand[name][1])[:2]
    assert (steps[1].backend, steps[1].predicted_seconds) == (best, by_hand[best][1])
    assert tuple(steps[1].runner_up) == (second, by_hand[second][1])
