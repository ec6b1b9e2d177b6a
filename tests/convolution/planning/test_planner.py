"""The planner takes the cheapest, by the kernel and the options alone, and asks no backend in vain."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import random_kernel

from convcli import load_kernel
from convcli.convolution.backends.base import get_backend
from convcli.convolution.backends.registry import REGISTRY, automatic_backends
from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import plan_bank, plan_convolution
from convcli.convolution.planning.cost_model import (
    COEFFICIENTS,
    SHIPPED_CORES,
    BankSummary,
    CorrelationRequest,
    WholeImageRequest,
    summarize,
)
from convcli.convolution.planning.planner import choose, least_seconds
from convcli.convolution.planning.profile import Profile
from convcli.image.tone import Finish


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


def summarize_like(size, weights, products, channels, box):
    """A kernel on every channel with a part of its weights nonzero, as dense a pattern as that allows."""
    places = size[0] * size[1]
    count = places if box or products else round(weights * places)
    rows = min(size[0], count)
    return BankSummary(
        size,
        weights=count,
        rows=rows,
        columns=min(size[1], count),
        distinct=1 if box else count,
        products=1 if box and min(size) > 1 else products * (min(size) > 1),
        mirrored=True,
        box=box,
        shared=True,
        mean=box,
        groups=channels,
    )


SUMMARIES = st.builds(
    summarize_like,
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    weights=st.floats(0, 1),
    products=st.integers(0, 4),
    channels=st.integers(1, 200),
    box=st.booleans(),
)
REQUESTS = st.builds(
    CorrelationRequest,
    output=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    itemsize=st.sampled_from([4, 8]),
    finished=st.booleans(),
    cold=st.booleans(),
)
WHOLE = st.builds(
    lambda output, kind, padding: CorrelationRequest(
        output, whole=WholeImageRequest(kind, kind, padding), finished=kind == "uint8"
    ),
    output=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    kind=st.sampled_from(["uint8", "float32"]),
    padding=st.sampled_from(["reflect101", "wrap"]),
)


@given(summary=SUMMARIES, request_=REQUESTS | WHOLE)
def test_no_form_is_predicted_to_take_less_than_the_least_of_its_backend(summary, request_):
    profile = Profile(COEFFICIENTS)
    for entry in REGISTRY:
        least = least_seconds(entry, summary, request_, profile)
        for costed in get_backend(entry.name).costed_forms(summary, request_):
            assert least <= costed.seconds(COEFFICIENTS, SHIPPED_CORES) * (1 + 1e-12), (entry.name, costed)


@given(
    inputs=st.integers(1, 200),
    outputs=st.integers(1, 200),
    groups=st.integers(1, 3),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    request_=REQUESTS,
)
def test_neither_does_a_bank(inputs, outputs, groups, size, request_):
    places = size[0] * size[1]
    summary = BankSummary(size, places, *size, places, 0, False, False, False, False, inputs, outputs, groups)
    profile = Profile(COEFFICIENTS)
    for entry in REGISTRY:
        least = least_seconds(entry, summary, request_, profile)
        for costed in get_backend(entry.name).costed_forms(summary, request_):
            assert least <= costed.seconds(COEFFICIENTS, SHIPPED_CORES) * (1 + 1e-12), (entry.name, costed)


@given(summary=SUMMARIES, request_=REQUESTS | WHOLE)
def test_the_choice_is_the_cheapest_of_all_and_the_runner_up_the_next(summary, request_):
    seconds = {}
    for name in automatic_backends():
        forms = get_backend(name).costed_forms(summary, request_)
        if forms:
            seconds[name] = min(costed.seconds(COEFFICIENTS, SHIPPED_CORES) for costed in forms)
    best, runner_up = choose([summary], request_)
    first, second, *_ = sorted(seconds.values())
    assert best.seconds == first == seconds[best.backend]
    assert tuple(runner_up) == (runner_up[0], second)
    assert seconds[runner_up[0]] == second
    assert runner_up[0] != best.backend


def test_a_runner_up_travels_between_processes_as_a_pair():
    summary = summarize(Bank.depthwise(random_kernel((5, 5)), 1))
    _, runner_up = choose([summary], CorrelationRequest((300, 200)))
    copy = pickle.loads(pickle.dumps(runner_up))
    assert type(copy) is tuple
    assert copy == tuple(runner_up)


def test_bytes_under_a_small_kernel_ask_no_backend_but_opencv(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "convcli.convolution.planning.planner.get_backend", lambda name: asked.append(name) or get_backend(name)
    )
    finish = Finish(np.dtype(np.uint8))
    plan_convolution((101, 103, 3), np.uint8, load_kernel("sharpen"), ConvolveOptions(), finish, cold=True)
    assert asked == ["opencv"]
