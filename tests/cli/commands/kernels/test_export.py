"""`convcli kernels export`, through the whole command line."""

import re

import cv2
import numpy as np
import pytest

from convcli.kernel.spec import load_kernel, load_kernel_file


def test_export_writes_a_file_that_loads_to_the_same_bits(kernels, tmp_path):
    assert kernels("export", "gaussian:sigma=1.5", "-o", "soft.yaml") == (0, "", "wrote soft.yaml\n")
    kernel = load_kernel_file(tmp_path / "soft.yaml")
    assert kernel.name == "soft"
    assert kernel.weights.tobytes() == load_kernel("gaussian:sigma=1.5").weights.tobytes()
    status, out, err = kernels("export", "gaussian:sigma=1.5")
    assert (status, err) == (0, "")
    assert out.splitlines()[:2] == ["# From: gaussian:sigma=1.5", "name: gaussian"]


def test_export_replaces_a_file_only_when_told(kernels, tmp_path):
    (tmp_path / "k.yaml").write_text("mine\n")
    status, out, err = kernels("export", "box", "-o", "k.yaml")
    assert (status, out) == (2, "")
    assert re.fullmatch(r"convcli: error: k\.yaml: exists already: .*\n", err)
    assert (tmp_path / "k.yaml").read_text() == "mine\n"
    assert kernels("export", "box", "-f", "-o", "k.yaml")[0] == 0
    assert load_kernel_file(tmp_path / "k.yaml").size == (3, 3)
    assert kernels("export", "box", "-o", "none/k.yaml")[0] == 2


@pytest.mark.parametrize("suffix", ["txt", "csv", "json", "npy", "im", "mat"])
def test_the_name_of_the_output_decides_the_notation(suffix, kernels, tmp_path):
    assert kernels("export", "gabor:theta=30", "-o", f"k.{suffix}") == (0, "", f"wrote k.{suffix}\n")
    assert (
        load_kernel_file(tmp_path / f"k.{suffix}").weights.tobytes() == load_kernel("gabor:theta=30").weights.tobytes()
    )


def test_a_kernel_becomes_a_picture(kernels, tmp_path):
    status, out, err = kernels("export", "gabor", "-o", "gabor.png")
    assert (status, out) == (0, "")
    assert err.splitlines() == [
        "wrote gabor.png",
        "convcli: note: mid-grey is zero: the picture shows the kernel, and does not read back as it",
    ]
    samples, weights = cv2.imread(str(tmp_path / "gabor.png"), cv2.IMREAD_UNCHANGED), load_kernel("gabor").weights
    assert samples.dtype == np.uint16
    np.testing.assert_allclose((samples - 32768.0) / 32767 * np.abs(weights).max(), weights, rtol=0, atol=2e-5)


def test_a_notation_may_be_asked_for(kernels):
    assert kernels("export", "1 2; 3 4", "--to", "csv") == (0, "1,2\n3,4\n", "")
    status, out, err = kernels("export", "3x1+2+0: 1,2,3", "--to", "json")
    assert (status, out) == (0, "[\n  [1, 2, 3]\n]\n")
    assert err.splitlines()[-1] == "convcli: note: json does not hold the anchor, row 0, column 2"
    assert kernels("export", "box", "--to", "xml")[2].startswith(
        "convcli: error: unknown notation 'xml': expected yaml, text, csv, json, npy, imagemagick, libvips, c, "
    )
    assert kernels("export", "box", "-o", "k.foo")[:2] == (2, "")
