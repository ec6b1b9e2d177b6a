"""The torch backend where PyTorch is not installed; where it is, benchmarks/torch_agreement.py compares results."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from convcli import convolve
from convcli.convolution.backends import torch
from convcli.convolution.backends.base import CorrelationWork, get_backend
from convcli.convolution.bank import Bank
from convcli.convolution.planning.cost_model import CorrelationRequest, summarize
from convcli.errors import FilterError


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(vars(torch.BACKEND), "_torch", raising=False)


@pytest.mark.usefixtures("no_torch")
def test_what_to_install_is_said_in_one_line():
    with pytest.raises(FilterError, match=r"needs PyTorch.*: pip install 'convcli\[torch\]'$") as caught:
        get_backend("torch").load()
    assert "\n" not in str(caught.value)
    with pytest.raises(FilterError, match="needs PyTorch"):
        convolve(np.zeros((5, 5)), np.ones((3, 3)), backend="torch")


@pytest.mark.usefixtures("no_torch")
def test_costs_are_predicted_without_pytorch():
    summary = summarize(Bank.depthwise(np.ones((3, 3)), 1))
    (form,) = get_backend("torch").costed_forms(summary, CorrelationRequest((10, 10)))
    assert form.terms["torch.product"] == 900


def pretended(gpu):
    """PyTorch as far as choosing a device asks of it."""
    backend = torch._Torch()
    vars(backend)["_torch"] = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: gpu))
    return backend


def work(device, shape=(1, 1, 9, 9)):
    return CorrelationWork(Bank(np.ones(shape)), np.dtype(np.float32), (4000, 4000), device=device)


def test_a_gpu_that_is_not_there_is_missed_in_one_line():
    with pytest.raises(FilterError, match=r"finds no GPU here: choose device cpu or auto$"):
        pretended(gpu=False).tile_size(work("cuda"))


def test_a_gpu_has_larger_tiles():
    small = [pretended(gpu).tile_size(work(device)) for gpu, device in ((False, "auto"), (False, "cpu"), (True, "cpu"))]
    large = [pretended(gpu=True).tile_size(work(device)) for device in ("auto", "cuda")]
    assert len(set(small)) == len(set(large)) == 1
    assert large[0][0] * large[0][1] >= 16 * small[0][0] * small[0][1]


@pytest.mark.parametrize(
    "shape", [(1, 1, 3, 3), (1, 1, 31, 31), (2, 1, 101, 101), (4, 200, 3, 3), (2, 64, 5, 7), (1, 97, 1, 1)], ids=str
)
def test_a_kernel_goes_in_parts_that_are_not_too_long_and_make_the_whole(shape):
    weights = np.random.default_rng(0).standard_normal(shape)
    whole = np.zeros(shape)
    for part, share in torch._parts(CorrelationWork(Bank(weights), np.dtype(np.float64), (100, 100))):
        assert share[0].size <= torch._LONGEST_SUM
        rows, columns = share.shape[2:]
        whole[:, part.inputs, part.row : part.row + rows, part.column : part.column + columns] += share
    np.testing.assert_array_equal(whole, weights)
