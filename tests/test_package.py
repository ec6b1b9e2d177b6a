"""The package as others get it: a wheel installed elsewhere, a checkout, an editable install."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from repository import ROOT

import convcli

CATALOGUE = sorted(path.stem for path in (ROOT / "kernels").glob("*.yaml"))


def python(*arguments, path, folder):
    """Run Python elsewhere than in the checkout, with one more folder to import from."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["PYTHONPATH"] = str(path)
    command = [sys.executable, "-P", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, capture_output=True, text=True, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-index", "--no-cache-dir", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(wheel)]
    subprocess.run(command, capture_output=True, text=True, check=True)
    return folder


def names_found(path, folder):
    code = "import convcli.kernel.catalogue as c; print(c.__file__); print(*c.catalogue_names())"
    where, names = python("-c", code, path=path, folder=folder).splitlines()
    assert Path(where).is_relative_to(path)
    return sorted(names.split())


def test_an_installed_wheel_finds_the_catalogue_from_elsewhere(installed, tmp_path):
    assert names_found(installed, tmp_path) == CATALOGUE


def test_a_checkout_finds_the_catalogue_from_elsewhere(tmp_path):
    assert names_found(ROOT, tmp_path) == CATALOGUE


def test_an_installed_wheel_filters_an_image(installed, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    python("-m", "convcli", "filter", "a.png", "-k", "sobel_x", path=installed, folder=tmp_path)
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float64)
    expected = np.clip(np.abs(cv2.filter2D(pixels.astype(np.float64), -1, kernel)), 0, 255)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a_sobel_x.png"), cv2.IMREAD_UNCHANGED), expected)


def test_an_installed_wheel_runs_pipelines_by_name(installed, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    for name in ("canny", "frangi"):
        python("-m", "convcli", "run", name, "a.png", path=installed, folder=tmp_path)
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / "a_canny.png"), cv2.IMREAD_UNCHANGED), cv2.Canny(pixels, 100, 200)
    )


def test_the_wheel_holds_the_package_the_catalogue_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    (folder,) = {name.partition("/")[0] for name in names if ".dist-info" in name}
    assert {name.partition("/")[0] for name in names} == {"convcli", folder}
    assert {"convcli/py.typed", "convcli/visual/slider.html", "convcli/visual/explore/page.html"} <= set(names)
    assert sorted(Path(n).stem for n in names if n.startswith("convcli/_catalogue/")) == CATALOGUE
    pipelines = {str(path.relative_to(ROOT)) for path in (ROOT / "pipelines").rglob("*.*")}
    assert {name.removeprefix("convcli/_") for name in names if name.startswith("convcli/_pipelines/")} == pipelines
    assert f"{folder}/licenses/LICENSE" in names
    assert "convcli = convcli.__main__:main" in zipfile.ZipFile(wheel).read(f"{folder}/entry_points.txt").decode()
    assert f"Version: {convcli.__version__}\n" in zipfile.ZipFile(wheel).read(f"{folder}/METADATA").decode()


def test_every_library_that_is_imported_is_a_dependency():
    import ast

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    stated = {line.partition(">")[0].lower() for line in project["dependencies"]}
    extras = project["optional-dependencies"]
    stated |= {line.partition(">")[0] for extra in ("torch", "baseline", "heif") for line in extras[extra]}
    distributions = {"cv2": "opencv-python-headless", "yaml": "pyyaml", "PIL": "pillow", "pillow_heif": "pillow-heif"}
    for path in (ROOT / "convcli").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            for module in {name.partition(".")[0] for name in modules} - {"convcli"} - sys.stdlib_module_names:
                assert distributions.get(module, module) in stated, f"{path} imports {module}"


def test_the_public_names_are_there():
    for name in convcli.__all__:
        assert getattr(convcli, name) is not None
    assert set(convcli.__all__) <= set(dir(convcli))
    with pytest.raises(AttributeError, match="no attribute 'sobel'"):
        _ = convcli.sobel
