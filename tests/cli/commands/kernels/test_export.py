"""`convcli kernels export`, through the whole command line."""

import re

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
