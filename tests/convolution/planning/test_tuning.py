"""The fit of coefficients to measured times."""

import numpy as np

from convcli.convolution.planning.cost_model import (
    ComputingForm,
    CostedForm,
)
from convcli.convolution.planning.tuning import fit


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
