"""What the README shows is run, so that it goes on being true."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from repository import ROOT

from convcli.kernel.spec import load_kernel

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


INSTALLING = [block for block in blocks("sh") if "venv" in block]
SHOWING = [block for block in blocks("sh") if "venv" not in block]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the example pictures, and a `convcli` on the path, as after an installation."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    program = folder / "bin" / "convcli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcli "$@"\n')
    program.chmod(0o755)
    return folder


def run(script, place):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(
        command, cwd=place, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{script}\n{result.stderr}"
    return result


@pytest.mark.parametrize("block", SHOWING, ids=lambda block: block.splitlines()[-1][:60])
def test_every_command_of_the_readme_works(block, place):
    # Each may be run again, and beside the others: what is there already is replaced.
    again = r"^(.*\bconvcli (?:filter|run|batch|kernels fit|kernels export) (?!.*--existing).*?)( [<>].*)?$"
    filtering = re.sub(again, r"\1 -f\2", block, flags=re.MULTILINE)
    outcome = run(filtering, place)
    notes = [line for line in outcome.stderr.splitlines() if "note:" in line]
    # As edges of photographs are, and as was asked for.
    expected = ("of the output's samples are saturated", "left out by --include")
    assert all(any(words in note for words in expected) for note in notes), notes
    for output in re.findall(r"-o (\S+\.\w+)", block):
        assert (place / output).stat().st_size > 0


def test_the_first_command_installs_and_finds_edges(place):
    first, _ = INSTALLING
    making, installing, filtering = first.strip().split(" && ")
    assert making == "python3 -m venv .venv"
    assert installing == ".venv/bin/pip install -q -c constraints.txt ."
    outcome = run(filtering.replace(".venv/bin/", "") + " -f", place)
    shown = re.search(r"^    (wrote edges\.png: .*), [\d.]+ ms$", README, re.MULTILINE)
    assert shown is not None
    assert outcome.stderr.startswith(shown[1])


def test_ci_runs_the_test_command_of_the_readme():
    _, testing = INSTALLING
    script = (ROOT / ".ci" / "run").read_text()
    (pattern,) = re.findall(r"grep -E '(.*)' README\.md", script)
    assert [line for line in README.splitlines() if re.search(pattern, line)] == [testing.strip()]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_python_of_the_readme_works(place):
    for code in blocks("python"):
        run(f"'{sys.executable}' - <<'END'\n{code}END", place)
    assert (place / "response.npy").stat().st_size > 0


def test_the_kernel_file_of_the_readme_is_one(tmp_path):
    _, text = blocks("yaml")
    path = tmp_path / "rise.yaml"
    path.write_text(text)
    assert load_kernel(str(path)).weights.tolist() == [[-1, 1]]


def test_the_pipeline_of_the_readme_runs(place):
    text, _ = blocks("yaml")
    (place / "edges.yaml").write_text(text)
    run("convcli run edges.yaml examples/images/photo.png -o magnitude.png -f", place)
    assert (place / "magnitude.png").stat().st_size > 0
