"""`convcli kernels show`, through the whole command line."""

import json
import re
import subprocess
import sys

import pytest
from commandline import in_terminal


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
        "size     3x3\n"
        "sum      0, of absolute values 8\n"
        "rank     1, separable: column [1 2 1] times row [-1 0 1]\n"
        "formula  a difference and rows of Pascal's triangle, as cv2.getDerivKernels multiplies them\n"
        "\n"
        "Parameters\n"
        "  axis   x    of the derivative: x or y\n"
        "  size   3x3  rows and columns, a square: N or HxW, odd\n"
        "  scale  raw  as usual (raw), or so that the response is the derivative itself (unit): raw or unit\n"
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


def test_show_survives_a_terminal_without_unicode(tmp_path):
    environment = {"PYTHONIOENCODING": "ascii", "HOME": str(tmp_path)}
    out = subprocess.run(
        [sys.executable, "-m", "convcli", "kernels", "show", "gabor"], env=environment, check=True, capture_output=True
    ).stdout
    assert b"formula" in out
