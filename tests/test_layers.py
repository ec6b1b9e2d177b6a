"""A layer imports only from layers below it, and nothing is loaded that a run does not need."""

import ast
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from floors import FLOORS
from repository import ROOT, bare_environment

PACKAGE = ROOT / "convcli"

# The package itself holds the version and looks the public names up when they are used.
EVERYWHERE = {"convcli"}


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module):
    """The floor of a module, counted from the ground, and its room there."""
    for height, names in enumerate(FLOORS):
        for name in names:
            if module == name or module.startswith(f"{name}."):
                return height, name
    return pytest.fail(f"{module} belongs to no floor")


def imported(path):
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in MODULES)


@pytest.mark.parametrize("module", sorted(set(MODULES) - EVERYWHERE))
def test_a_module_imports_only_from_its_own_room_or_floors_below(module):
    for other in imported(MODULES[module]):
        if other.startswith("convcli.") and other not in EVERYWHERE:
            (height, name), (other_height, other_name) = room(module), room(other)
            assert other_height < height or other_name == name, f"{module} imports {other}"


def test_no_modules_import_each_other_in_a_circle():
    imports = {m: {o for o in imported(p) if o in MODULES and o not in EVERYWHERE} for m, p in MODULES.items()}
    settled = set(EVERYWHERE)
    while ready := {m for m in MODULES if m not in settled and imports[m] - {m} <= settled}:
        settled |= ready
    assert not set(MODULES) - settled


@pytest.mark.parametrize("module", sorted(m for m in MODULES if not m.startswith("convcli.cli")))
def test_only_the_command_line_knows_typer_and_rich(module):
    libraries = {name.partition(".")[0] for name in imported(MODULES[module])}
    assert not libraries & {"typer", "rich", "click"}


def loaded(code, *arguments):
    """The top-level modules, and those of convcli, that are loaded after running some code in a fresh interpreter."""
    program = f"import sys\n{code}\nprint(*sorted(sys.modules), sep='\\n', file=sys.stderr)"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=bare_environment())
    return set(result.stderr.splitlines())


RUN = "from convcli.cli.app import run\nassert run(sys.argv[1:]) == 0"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["filter", "--help"]])
def test_help_and_version_load_neither_numpy_nor_opencv(arguments):
    assert not loaded(RUN, *arguments) & {"numpy", "cv2"}


def test_the_version_loads_no_rich():
    assert "rich" not in loaded(RUN, "--version")


def test_the_command_starts_no_threads_for_matrices(tmp_path):
    """Those of OpenBLAS keep a core busy while numpy loads; the second thread sleeps until a signal comes."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8), np.uint8))
    code = """
import os, sys
end = os._exit
def tell(status):
    print(status, len(os.listdir("/proc/self/task")), "numpy" in sys.modules, "cv2" in sys.modules, flush=True)
    end(0)
os._exit = tell
from convcli.__main__ import main
main()
"""
    command = [sys.executable, "-c", code, "filter", str(tmp_path / "a.png"), "-k", "box", "--threads", "1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS", "OMP_"))}
    result = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**environment, "PYTHONPATH": str(ROOT)}
    )
    assert result.stdout.split() == ["0", "2", "True", "True"]


def test_importing_the_package_loads_nothing_of_it():
    modules = loaded("import convcli; convcli.__version__")
    assert {m for m in modules if m.startswith("convcli")} == {"convcli"}
    assert "numpy" not in modules


def test_nothing_below_the_command_line_loads_typer_or_rich():
    others = [m for m in MODULES if not m.startswith(("convcli.cli", "convcli.__main__"))]
    modules = loaded("\n".join(f"import {m}" for m in others))
    assert not modules & {"typer", "rich", "click"}


@pytest.fixture
def photo(tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    return tmp_path / "a.png"


@pytest.mark.parametrize("backend", ["opencv", "direct", "fft"])
def test_only_the_chosen_backends_libraries_are_loaded(photo, backend):
    modules = loaded(RUN, "filter", photo, "-k", "gaussian", "--backend", backend, "-q")
    assert ("pyfftw" in modules) == (backend == "fft")
    # pyfftw loads scipy by itself where that is installed, as it is for the tests.
    assert backend == "fft" or "scipy" not in modules
    assert not modules & {"rich", "skimage", "tifffile", "PIL", "torch"}
    assert {f"convcli.convolution.backends.{name}" for name in {"opencv", "direct", "fft"} - {backend}}.isdisjoint(
        modules
    )


def test_a_plain_run_loads_only_what_it_needs(photo):
    modules = loaded(RUN, "filter", photo, "-k", "sobel_x", "-q")
    for_others = {"rich", "json", "csv", "pyfftw", "tifffile", "importlib.metadata", "numpy.ma", "multiprocessing"}
    assert not modules & for_others
    assert not {
        m
        for m in modules
        if m.startswith(("convcli.batch", "convcli.cli.commands.batch", "convcli.cli.commands.kernels"))
    }


def test_a_batch_that_nobody_watches_loads_only_what_it_needs(photo):
    modules = loaded(RUN, "batch", photo, "-k", "sobel_x", "-o", photo.parent / "out")
    assert not modules & {
        "rich",
        "csv",
        "pyfftw",
        "tifffile",
        "importlib.metadata",
        "numpy.ma",
        "convcli.cli.commands.filter",
    }
