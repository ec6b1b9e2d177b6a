"""How kernels look in a terminal."""

import numpy as np
import pytest

from convcli.cli.views.kernel_weights import print_weights
from convcli.cli.views.kernels import ListedKernel, print_kernel, print_list
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel


def test_weights_stand_over_their_common_denominator_with_marks_beside(capsys):
    print_weights(Kernel("k", np.array([[0.25, 0.5], [0.0, -0.25]])))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["1/4", "of", "+"] or lines[0].split()[:2] == ["1/4", "of"]
    assert lines[1].split()[:2] == ["1", "2"]


@pytest.mark.parametrize("name", ["sobel_x", "sobel", "gaussian"])
def test_a_kernel_is_shown_with_what_it_is(name, capsys):
    kernel = load_kernel(name)
    print_kernel(kernel)
    text = capsys.readouterr().out
    assert text.startswith(f"{kernel.name}\n{kernel.summary[:20]}")
    assert f"Reference: {kernel.reference[:10]}" in text


def test_ones_own_kernels_are_marked(capsys):
    print_list([ListedKernel("mine", load_kernel("1 2"), True), ListedKernel("box", load_kernel("box"), False)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:5] == ["mine", "*", "1x2", "3", "1"]
    assert lines[3].split()[:4] == ["box", "3x3", "1", "1"]
    assert lines[-1] == "* your own"
