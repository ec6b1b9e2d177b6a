"""`convcli kernels list`, through the whole command line."""

import json
import re
import sys

from commandline import in_terminal

from convcli.kernel.catalogue import catalogue_names


def test_list_shows_every_kernel_on_one_line_of_at_most_80_columns(kernels):
    status, out, err = kernels("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == catalogue_names()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Name", "Size", "Sum", "Rank", "Summary"]
    row = next(line for line in lines if line.startswith("sobel_x "))
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


def test_list_in_a_terminal_of_80_columns_shows_every_summary_whole(tmp_path):
    environment = {"COLUMNS": "80", "TERM": "xterm-256color", "PYTHONUTF8": "1", "HOME": str(tmp_path)}
    out = in_terminal([sys.executable, "-m", "convcli", "kernels", "list"], environment)
    assert "…" not in out
    assert len(out.splitlines()) == len(catalogue_names()) + 2
