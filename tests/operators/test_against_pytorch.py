"""Steps that PyTorch has too, against its own results, stored by `benchmarks/torch_steps.py --store`."""

import json

import numpy as np
import pytest
from repository import ROOT
from torch_cases import STEPS, ours

FILE = ROOT / "tests" / "data" / "torch_steps.npz"


def stored():
    cases = {}
    with np.load(FILE) as arrays:
        for key in arrays.files:
            step, number, name = key.split("/")
            cases.setdefault((step, int(number)), {})[name] = arrays[key]
    return cases


CASES = stored()


def test_every_step_has_stored_cases():
    assert {step for step, _ in CASES} == set(STEPS)
    assert len(CASES) >= 50


@pytest.mark.parametrize(("step", "number"), CASES, ids=str)
def test_a_step_equals_pytorch(step, number):
    arrays = dict(CASES[step, number])
    options, expected = json.loads(str(arrays.pop("options"))), arrays.pop("expected")
    before = {name: array.copy() for name, array in arrays.items()}
    result = ours(step, arrays, options)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name], err_msg=f"{name} was changed")
