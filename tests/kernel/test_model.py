"""What a kernel is, and the same kernel normalised, turned and renamed."""

import numpy as np
import pytest

from convcli.errors import KernelError
from convcli.kernel.model import Kernel, named_after, shaped, with_changes
from convcli.kernel.spec import load_kernel


def test_a_kernel_is_called_as_the_file_it_goes_to_where_that_makes_a_name():
    kernel = load_kernel("gaussian")
    assert named_after(kernel, "folder/soft.yaml").name == "soft"
    assert named_after(kernel, "folder/2 soft.yaml").name == "gaussian"


def test_nobody_can_change_the_weights_of_a_kernel():
    given = np.ones((1, 3))
    kernel = Kernel("ones", given)
    given[0, 0] = 5.0
    assert kernel.weights.tolist() == [[1.0, 1.0, 1.0]]
    assert not kernel.weights.flags.writeable


def test_the_origin_is_the_anchor_or_the_middle():
    assert Kernel("k", np.ones((4, 5))).origin == (2, 2)
    assert Kernel("k", np.ones((4, 5)), anchor=(0, 4)).origin == (0, 4)


def test_the_anchor_turns_with_its_kernel():
    kernel = Kernel("k", np.array([[1.0, 2.0, 3.0]]), anchor=(0, 2))
    turned = shaped(kernel, "k", "none", 90)
    assert turned.weights[turned.anchor] == kernel.weights[0, 2]
    assert shaped(kernel, "k") is kernel


def test_what_a_spec_changes_is_kept_among_the_parameters():
    kernel = Kernel("k", np.array([[1.0, 3.0]]), parameters={"sigma": 2.0})
    found = with_changes(kernel, "k", {"rotate": "180", "normalize": "sum", "sigma": "3"})
    assert found.parameters == {"sigma": 2.0, "rotate": 180, "normalize": "sum"}
    assert found.weights.tolist() == [[0.75, 0.25]]


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"rotate": "30"}, "k: rotate", "must be a multiple of 90 (of 45 for 3x3), not 30"),
        ({"rotate": "4.5"}, "k: rotate", "must be a multiple of 90 (of 45 for 3x3), not 4.5"),
        ({"rotate": "left"}, "k: rotate", "must be a number or a fraction like 1/16, not 'left'"),
        ({"normalize": "sum"}, "k: normalize", "sum divides by the weights' sum, which is zero"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_parts(changes, where, what):
    with pytest.raises(KernelError) as caught:
        with_changes(Kernel("k", np.array([[-1.0, 1.0]])), "k", changes)
    assert (caught.value.where, caught.value.what) == (where, what)


def test_a_sum_beyond_floats_is_refused():
    with pytest.raises(KernelError, match="k: the weights are so large that their sum is infinite"):
        shaped(Kernel("k", np.full((1, 2), 1e308)), "k")


def test_a_kernel_is_read_from_a_file(tmp_path):
    (tmp_path / "own.yaml").write_text("name: own\nweights: [[1, 2, 1]]\nnormalize: sum\n")
    assert Kernel.from_file(tmp_path / "own.yaml").weights.tolist() == [[0.25, 0.5, 0.25]]
    (tmp_path / "both.yaml").write_text("name: both\nkernels: [sobel_x, sobel_y]\ncombine: magnitude\n")
    with pytest.raises(KernelError, match=r"both.yaml: combines several kernels: read it with load_kernel"):
        Kernel.from_file(tmp_path / "both.yaml")
