"""What the commands on kernels have in common: bad kernels, and names that hide files."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compose", "gaussian", "sobel"], "sobel: the magnitude of several responses is not one kernel"),
        (["show", "sobelx"], "unknown kernel 'sobelx'; did you mean 'sobel_x'?"),
        (["export", "gaussian:sigma=0"], "gaussian: sigma must be greater than 0, not 0"),
        (["compose"], "missing argument 'SPEC...'"),
        (["lst"], "no such command 'lst'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(kernels, arguments, message):
    status, out, err = kernels(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"convcli: error: {message}")
    assert err.count("\n") == 1


def test_a_hidden_kernel_of_ones_own_is_told_where_the_name_is_used(kernels, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVCLI_KERNELS", str(tmp_path))
    (tmp_path / "box.yaml").write_text("weights: [[1]]\n")
    for arguments in (["show", "box"], ["export", "box:size=5"], ["compose", "box", "sobel_x"]):
        _, _, err = kernels(*arguments)
        note = f"box is the shipped kernel, which hides {tmp_path}/box.yaml: give the path to use that one"
        assert err == f"convcli: note: {note}\n"
