"""Runs of linear steps as one kernel, against running them."""

import numpy as np
import pytest
from explain_cases import conv, explained, run_document
from scipy import signal

from convcli.convolution.options import ConvolveOptions
from convcli.explain.pipeline import explain, filters_document
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.loading import parse_document


def weights_of(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).round(3).tolist()


CHAINS = {
    "two": [
        {"conv": {"weights": weights_of(2, 1, 3, 3), "bias": False}},
        {"conv": {"weights": weights_of(3, 2, 3, 2)}},
    ],
    "stride and dilation": [
        {"conv": {"weights": weights_of(2, 1, 3, 4), "stride": [2, 3], "padding": 1, "bias": False}},
        {"conv": {"weights": weights_of(2, 1, 2, 3), "groups": 2, "dilation": 2, "bias": False}},
        {"average_pool": 2},
    ],
    "filters": [{"filter": "gaussian:sigma=0.8"}, {"filter": {"kernel": "1 2 4", "flip": True, "stride": 2}}],
    "normalised": [
        {"conv": {"weights": weights_of(2, 1, 3, 3), "bias": False}},
        {"batch_norm": {"mean": [0, 0], "variance": [1, 4], "scale": [2, 3], "shift": [0, 0]}},
    ],
    "added": [
        {"conv": {"weights": weights_of(1, 1, 3, 3), "padding": 1, "bias": False}, "name": "a"},
        {"filter": {"kernel": "1 2 3 4 5", "padding": "zeros"}, "from": "input", "name": "b"},
        {"add": [1, -2], "from": ["a", "b"]},
    ],
    "skipped": [
        {"filter": {"kernel": "sobel_x", "padding": "zeros"}, "name": "edges"},
        {"add": {}, "from": ["edges", "input"]},
    ],
    "side by side": [
        {"filter": {"kernel": "sobel_x", "padding": "zeros"}, "name": "x"},
        {"filter": {"kernel": "1; 2; 3", "padding": "zeros"}, "from": "input", "name": "y"},
        {"concat": {}, "from": ["x", "y"]},
    ],
}


@pytest.mark.parametrize("name", CHAINS)
def test_linear_steps_are_the_one_kernel_that_they_are_said_to_be(name):
    import json

    document = parse_document(json.dumps({"steps": CHAINS[name]}))
    size = (60, 66, 1)
    found = explain(document, size).steps[-1].equivalent
    pixels = np.random.default_rng(1).uniform(-1, 1, size).astype(np.float32)
    result = run_document(document, pixels)[document.nodes[-1].id]
    assert found.weights.shape[2:] == found.size
    inside = 0
    for place in np.ndindex(*result.shape[:2]):
        top, left = (found.first[axis] + place[axis] * found.stride[axis] for axis in (0, 1))
        bottom, right = top + found.size[0], left + found.size[1]
        # Near an edge every step pads anew: only windows well within are the same.
        if top < 7 or left < 7 or bottom > size[0] - 7 or right > size[1] - 7:
            continue
        window = pixels[top:bottom, left:right, 0]
        np.testing.assert_allclose(result[place], (found.weights[:, 0] * window).sum(axis=(1, 2)), atol=1e-5)
        inside += 1
    assert inside > 5


def test_what_is_not_linear_ends_a_run():
    steps = [conv(2, 3), conv(2, 3), "relu", conv(1, 3), "global_average_pool"]
    found = explained(steps, (20, 20, 1), weights={"init": "he", "seed": 0})
    assert [run.steps for run in found.runs] == [("conv_1", "conv_2")]
    assert found.steps[3].equivalent is None


def test_the_kernel_of_a_chain_of_filters_is_their_composition():
    document = filters_document(["gaussian:sigma=1", "sobel_x"], ConvolveOptions())
    (run,) = explain(document, (40, 40, 3)).runs
    one, other = (load_kernel(spec).weights for spec in ("gaussian:sigma=1", "sobel_x"))
    np.testing.assert_allclose(run.shared, signal.convolve(one, other), atol=1e-12)
    assert run.first == (-5, -5)


def test_weights_that_are_missing_leave_the_rest_of_the_arithmetic():
    (run,) = explained([conv(2, 3), conv(2, 3)], (20, 20, 1)).runs
    assert (run.size, run.weights) == ((5, 5), None)
