"""`convcli kernels`, through the whole command line."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from commandline import in_terminal

from convcli.cli.app import run
from convcli.kernel.catalogue import catalogue_names
from convcli.kernel.spec import load_kernel, load_kernel_file


@pytest.fixture
def kernels(capsysbinary, monkeypatch, tmp_path):
    """Run `convcli kernels ...` in an empty folder without kernels of one's own: (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CONVCLI_KERNELS", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = run(["kernels", *arguments])
        captured = capsysbinary.readouterr()
        return status, captured.out.decode(), captured.err.decode()

    return call


def test_list_shows_every_kernel_on_one_line_of_at_most_80_columns(kernels):
    status, out, err = kernels("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == catalogue_names()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Name", "Size", "Sum", "Rank", "Summary"]
    row = next(line for line in lines if line.startswith("sobel_x"))
    assert row.split(maxsplit=4) == ["sobel_x", "3x3", "0", "1", "Horizontal derivative, smoothed vertically"]
    assert "…" not in out


def test_list_marks_ones_own_and_tells_of_hidden_and_bad_ones(kernels, tmp_path, monkeypatch):
    monkeypatch.setenv("CONVCLI_KERNELS", str(tmp_path))
    (tmp_path / "mine.yaml").write_text("summary: My own.\nweights: [[1, 2]]\n")
    (tmp_path / "box.yaml").write_text("weights: [[1]]\n")
    (tmp_path / "bad.yml").write_text("weights: [[]]\n")
    status, out, err = kernels("list")
    assert status == 0
    assert re.search(r"^mine \* +1x2 +3 +1 +My own$", out, re.MULTILINE)
    assert out.endswith("* your own\n")
    assert err.splitlines() == [
        f"convcli: note: left out: {tmp_path}/bad.yml: weights: is empty: a kernel has at least one weight",
        f"convcli: note: box is the shipped kernel, which hides {tmp_path}/box.yaml: give the path to use that one",
    ]
    _, out, _ = kernels("list", "--json")
    own = {entry["name"]: entry["own"] for entry in json.loads(out)}
    assert own == dict.fromkeys(catalogue_names(), False) | {"mine": True}


def test_show_prints_weights_figures_and_formula(kernels):
    status, out, err = kernels("show", "sobel_x")
    assert (status, err) == (0, "")
    assert out == (
        "sobel_x\n"
        "Horizontal derivative, smoothed vertically. Positive where brightness rises to the right.\n"
        "\n"
        "   -1   0   1     --..++\n"
        "   -2   0   2     ==..##\n"
        "   -1   0   1     --..++\n"
        "\n"
        "size  3x3\n"
        "sum   0, of absolute values 8\n"
        "rank  1, separable: column [1 2 1] times row [-1 0 1]\n"
        "\n"
        "Reference: Sobel and Feldman (1968), A 3x3 isotropic gradient operator; cv2.Sobel\n"
    )


def test_show_prints_fractions_parameters_and_the_middle_of_large_kernels(kernels):
    _, out, _ = kernels("show", "binomial")
    assert "1/16 of" in out
    _, out, _ = kernels("show", "gabor:theta=45")
    assert re.search(r"the middle \d+x\d+ of 25x25", out)
    assert "rank     2, not separable" in out
    assert "cos(2πx'/λ + ψ)" in out
    assert re.search(r"^  theta +45.0 ", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100


def test_show_prints_each_part_of_a_composite(kernels):
    _, out, _ = kernels("show", "kirsch")
    assert out.count("kirsch_x  rotate=") == 7
    assert "max: the largest of the responses of 8 kernels" in out
    assert "kirsch_x  rotate=315" in out


def test_show_as_json_holds_the_weights(kernels):
    _, out, _ = kernels("show", "box:size=1x2", "--json")
    about = json.loads(out)
    assert (about["weights"], about["size"], about["separable"]) == ([[0.5, 0.5]], [1, 2], True)


@pytest.mark.parametrize("columns", [80, 120])
def test_show_in_a_terminal_fits_it_and_draws_half_blocks(columns, tmp_path):
    environment = {"COLUMNS": str(columns), "TERM": "xterm-256color", "COLORTERM": "truecolor", "PATH": "/usr/bin:/bin"}
    environment |= {"PYTHONUTF8": "1", "HOME": str(tmp_path)}
    out = in_terminal([sys.executable, "-m", "convcli", "kernels", "show", "gabor"], environment)
    assert "▀" in out
    assert "\x1b[38;2;178;24;43" in out or "48;2;178;24;43" in out
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert max(map(len, plain.splitlines())) <= columns
    out = in_terminal([sys.executable, "-m", "convcli", "kernels", "show", "gabor"], environment | {"NO_COLOR": "1"})
    assert "▀" not in out
    assert "##" in out
    assert not re.search(r"\x1b\[[0-9;]*[34]8", out)


def test_list_in_a_terminal_of_80_columns_shows_every_summary_whole(tmp_path):
    environment = {"COLUMNS": "80", "TERM": "xterm-256color", "PYTHONUTF8": "1", "HOME": str(tmp_path)}
    out = in_terminal([sys.executable, "-m", "convcli", "kernels", "list"], environment)
    assert "…" not in out
    assert len(out.splitlines()) == len(catalogue_names()) + 2


def test_show_survives_a_terminal_without_unicode(tmp_path):
    environment = {"PYTHONIOENCODING": "ascii", "HOME": str(tmp_path)}
    out = subprocess.run(
        [sys.executable, "-m", "convcli", "kernels", "show", "gabor"], env=environment, check=True, capture_output=True
    ).stdout
    assert b"formula" in out


def test_check_reports_every_file_and_ends_with_2_if_one_is_bad(kernels, tmp_path):
    (tmp_path / "good.yaml").write_text("weights: [[1, 2, 1]]\nnormalize: sum\n")
    (tmp_path / "both.yaml").write_text("kernels: [good, '1 0 -1']\ncombine: max\n")
    (tmp_path / "bad.yaml").write_text("weights: [[1, 2], [3]]\n")
    assert kernels("check", "good.yaml", "both.yaml") == (
        0,
        "ok   good.yaml: good, 1x3, sum 1, rank 1\nok   both.yaml: both, max of 2 kernels\n",
        "",
    )
    status, out, err = kernels("check", "bad.yaml", "good.yaml", "none.yaml")
    assert (status, err) == (2, "")
    assert out == (
        "bad  bad.yaml: weights[1]: is of length 1 where the first row is of 2\n"
        "ok   good.yaml: good, 1x3, sum 1, rank 1\n"
        "bad  none.yaml: no such kernel file\n"
    )


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


def test_compose_prints_the_one_kernel_of_a_chain(kernels, tmp_path):
    status, out, err = kernels("compose", "1 1", "1 1", "1; 1")
    assert (status, err) == (0, "")
    (tmp_path / "chain.yaml").write_text(out)
    kernel = load_kernel_file(tmp_path / "chain.yaml")
    assert kernel.name == "custom_custom_custom"
    np.testing.assert_array_equal(kernel.weights, [[1, 2, 1], [1, 2, 1]])
    assert kernel.anchor == (1, 2)
    assert kernels("compose", "gaussian", "sobel_x", "-o", "smooth.yaml")[0] == 0
    assert load_kernel_file(tmp_path / "smooth.yaml").size == (11, 11)


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


@pytest.mark.parametrize("command", ["list", "show", "check", "export", "compose"])
def test_help_has_a_worked_example(kernels, command):
    status, out, _ = kernels(command, "--help")
    assert status == 0
    assert "Example" in out
    assert f"convcli kernels {command}" in out
    assert command not in {"export", "compose"} or "[default: (standard output)]" in " ".join(out.split())
