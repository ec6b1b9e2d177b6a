"""The habits of the repository: pinned versions that fit the bounds, and one set of checks in every place."""

import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OLDEST = ROOT / "tools" / "oldest_versions.py"


def requirements(*extras):
    lines = [*PROJECT["dependencies"], *(line for name in extras for line in PROJECT["optional-dependencies"][name])]
    return [Requirement(line) for line in lines]


def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_constraints_are_names_and_versions_alone():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+|#[^/]*", line)] == []


def test_every_dependency_of_tests_and_checks_is_pinned_within_its_bounds():
    pinned = {canonicalize_name(name): version for name, version in pins().items()}
    for requirement in requirements("test", "lint"):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, str(requirement)


def oldest(*extras):
    command = [sys.executable, str(OLDEST), *extras]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_the_oldest_versions_are_the_lower_bounds():
    found = dict(line.split("==") for line in oldest("test"))
    assert set(found) == {requirement.name for requirement in requirements("test")}
    for requirement in requirements("test"):
        (bound,) = [each.version for each in requirement.specifier if each.operator == ">="]
        assert found[requirement.name] == bound


def test_a_dependency_without_a_lower_bound_is_refused(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(OLDEST.parent)
    import oldest_versions

    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\ndependencies = ["numpy>=2.0", "rich<15"]\n')
    with pytest.raises(ValueError, match=r"'rich<15' states no lower bound; write it as name>=version"):
        list(oldest_versions.oldest((), project))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lists_every_word_it_knows():
    words = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert words == set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    shown = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in shown.splitlines() if line.startswith("  ")} == words


def test_hooks_and_make_run_the_checks_that_ci_runs():
    checks = {
        name.removeprefix(".venv/bin/") for name in re.findall(r"'(\.venv/bin/(?:ruff|mypy|codespell)[^']*)'", CI)
    }
    assert checks == {"ruff check .", "ruff format --check .", "mypy", "codespell"}
    assert "'.venv/bin/python tools/prose.py'" in CI
    tools = {"ruff check", "ruff format", "mypy", "codespell", "python tools/prose.py"}
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (local,) = config["repos"]
    assert local["repo"] == "local"  # nothing is fetched from elsewhere
    entries = [hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude") for hook in local["hooks"]]
    assert set(entries) == tools
    assert all(f"$(BIN)/{tool}" in MAKEFILE for tool in tools)


def test_ci_covers_what_the_test_command_leaves_out():
    assert ".venv/bin/python -m pytest -n 2 -m slow" in CI
    assert ".venv/bin/coverage report" in CI
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert settings["coverage"]["report"]["fail_under"] == 95
    core = re.search(r"^core=\(([^)]*)\)", CI, re.MULTILINE)[1].split()
    assert [name for name in core if not (ROOT / name).exists()] == []
    assert CI.count("${core[*]}") == 2


def test_no_host_is_named_where_packages_are_installed():
    for name in (".ci/run", "Makefile", "constraints.txt", "pyproject.toml", ".pre-commit-config.yaml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://|index-url|find-links", text), name
