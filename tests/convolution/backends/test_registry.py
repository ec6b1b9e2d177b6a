"""The registry: every backend has a module that keeps to it, and says what it refuses."""

import numpy as np
import pytest
from oracle import random_kernel

from convcli import load_kernel
from convcli.convolution.backends.base import get_backend, refusal
from convcli.convolution.backends.registry import REGISTRY
from convcli.convolution.bank import Bank
from convcli.convolution.options import BACKENDS, ConvolveOptions
from convcli.convolution.plan import plan_convolution
from convcli.convolution.planning.cost_model import (
    CorrelationRequest,
    WholeImageRequest,
    summarize,
)
from convcli.errors import UsageError


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_an_entry_names_the_backend_of_its_module(entry):
    assert get_backend(entry.name).name == entry.name


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_the_terms_of_an_entry_are_those_that_the_backend_counts(entry):
    small = summarize(Bank.depthwise(random_kernel((3, 3)), 1))
    square = [summarize(Bank.depthwise(weights, 3)) for weights in (np.ones((3, 3)), np.full((5, 5), 1 / 25))]
    large = [summarize(Bank.depthwise(random_kernel(size), 1)) for size in ((31, 31), (1, 31))]
    banks = [summarize(Bank(np.ones((outputs, inputs, 3, 3)))) for inputs, outputs in ((1, 1), (20, 30))]
    requests = [CorrelationRequest((100, 90), itemsize=itemsize, cold=True) for itemsize in (4, 8)]
    requests += [
        CorrelationRequest((100, 90), whole=WholeImageRequest(kind, kind, "reflect"), finished=kind == "uint8")
        for kind in ("uint8", "float32")
    ]
    counted = {
        term
        for summary in (small, *square, *large, *banks)
        for request in requests
        for costed in get_backend(entry.name).costed_forms(summary, request)
        for term in costed.terms
        if not term.startswith("tile.")
    }
    assert counted == {f"{entry.name}.{term}" for term in entry.seconds}
    assert set(entry.each_sample) <= set(entry.seconds)


@pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.name)
def test_an_entry_has_a_line_for_people_and_times_that_something_takes(entry):
    assert entry.summary
    assert "\n" not in entry.summary
    assert {"run", "call"} <= set(entry.seconds)
    assert min(entry.seconds.values()) > 0


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
