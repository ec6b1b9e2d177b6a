"""Every shipped kernel file is sound, and every name says what the documentation says."""

import os
import re

import numpy as np
import pytest

from convcli.kernel.catalogue import catalogue_folder, catalogue_names, find, hidden_by_catalogue, hiding_notes
from convcli.kernel.model import CompositeKernel, Kernel
from convcli.kernel.spec import load_kernel
from convcli.system.yaml_text import read_yaml

FILES = sorted(catalogue_folder().iterdir())
SUM_ONE = {
    "gaussian", "box", "disk", "motion", "binomial", "sharpen", "unsharp", "emboss", "identity",
    "ring", "line", "savgol", "lanczos", "kaiser", "butterworth",
}  # fmt: skip
SUM_ZERO = {"dog", "log", "mexican_hat", "morlet", "laplacian", "laplacian_8", "kirsch_x"} | {
    "steerable_1",
    "checker",
    "gabor_odd",
    "log_gabor",
}
OTHER_SUMS = {"gabor", "steerable_2"}
DERIVATIVES = {f"{name}_{axis}" for name in ("sobel", "prewitt", "scharr", "roberts", "farid") for axis in "xy"}
COMPOSITES = {"sobel", "prewitt", "scharr", "roberts", "farid", "kirsch", "robinson", "gabor_energy"}


def test_the_catalogue_holds_exactly_the_documented_names():
    assert set(catalogue_names()) == SUM_ONE | SUM_ZERO | DERIVATIVES | COMPOSITES | OTHER_SUMS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_documented_and_named_as_its_kernel(path):
    data = read_yaml(path)
    assert path.suffix == ".yaml"
    assert data["name"] == path.stem
    assert data["summary"].endswith(".")
    assert data["reference"]
    # The list shows the first sentence; 43 characters are what 80 columns leave it.
    assert len(data["summary"].split(". ")[0]) <= 43


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_loads_to_finite_read_only_weights_of_the_declared_sum(path):
    kernel = load_kernel(path.stem)
    assert (kernel.name in COMPOSITES) == isinstance(kernel, CompositeKernel)
    parts = kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)
    for part in parts:
        assert part.weights.dtype == np.float64
        assert part.weights.ndim == 2
        assert part.weights.size > 0
        assert np.isfinite(part.weights).all()
        assert not part.weights.flags.writeable
        expected = 1.0 if kernel.name in SUM_ONE else None if kernel.name in OTHER_SUMS else 0.0
        if expected is not None:
            np.testing.assert_allclose(part.weights.sum(), expected, atol=1e-12 * np.abs(part.weights).sum())


@pytest.mark.parametrize("name", sorted(DERIVATIVES | {"kirsch_x"}))
def test_a_derivative_is_positive_where_brightness_rises_to_the_right_or_downward(name):
    weights = load_kernel(name).weights
    y, x = np.indices(weights.shape, dtype=float)
    rise = (weights * (x if name.endswith("x") else y)).sum()
    expected = {"sobel": 8, "prewitt": 6, "scharr": 32, "roberts": 1, "kirsch": 24, "farid": 0.9918}
    assert rise == pytest.approx(expected[name.rpartition("_")[0]], abs=1e-4)


@pytest.mark.parametrize("name", ["sobel", "prewitt", "scharr", "roberts", "farid"])
def test_a_magnitude_combines_its_two_derivatives(name):
    kernel = load_kernel(name)
    assert kernel.combine == "magnitude"
    for part, axis in zip(kernel.kernels, "xy", strict=True):
        np.testing.assert_array_equal(part.weights, load_kernel(f"{name}_{axis}").weights)


def test_kirsch_is_the_maximum_over_the_eight_published_masks():
    kernel = load_kernel("kirsch")
    assert kernel.combine == "max"
    ring = [5, 5, 5, -3, -3, -3, -3, -3]
    places = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    masks = set()
    for turn in range(8):
        mask = np.zeros((3, 3))
        for index, place in enumerate(places):
            mask[place] = ring[(index + turn) % 8]
        masks.add(mask.tobytes())
    assert {part.weights.tobytes() for part in kernel.kernels} == masks
    # East, north-east, north: counter-clockwise as displayed.
    np.testing.assert_array_equal(kernel.kernels[0].weights[:, 2], [5, 5, 5])
    np.testing.assert_array_equal(kernel.kernels[1].weights, [[-3, 5, 5], [-3, 0, 5], [-3, -3, -3]])
    np.testing.assert_array_equal(kernel.kernels[2].weights[0], [5, 5, 5])


def test_robinson_is_the_maximum_over_eight_turned_sobel_masks():
    kernel = load_kernel("robinson")
    assert (kernel.combine, len(kernel.kernels)) == ("max", 8)
    np.testing.assert_array_equal(kernel.kernels[1].weights, [[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])
    np.testing.assert_array_equal(kernel.kernels[2].weights, [[1, 2, 1], [0, 0, 0], [-1, -2, -1]])
    for part, opposite in zip(kernel.kernels[:4], kernel.kernels[4:], strict=True):
        np.testing.assert_array_equal(part.weights, -opposite.weights)


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    first, second, configured = tmp_path / "first", tmp_path / "second", tmp_path / "config" / "convcli" / "kernels"
    for number, folder in enumerate((first, second, configured), start=1):
        folder.mkdir(parents=True)
        (folder / "mine.yaml").write_text(f"name: mine\nweights: [[{number}]]\n")
        (folder / "sobel_x.yaml").write_text("name: sobel_x\nweights: [[1]]\n")
    monkeypatch.setenv("CONVCLI_KERNELS", os.pathsep.join([str(first), str(second)]))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return first, second, configured


def test_a_users_kernel_is_found_in_the_first_folder_that_has_it(own_folders):
    for number, folder in enumerate(own_folders, start=1):
        kernel = load_kernel("mine")
        assert isinstance(kernel, Kernel)
        assert kernel.weights.tolist() == [[number]]
        (folder / "mine.yaml").unlink()
    assert find("mine") is None


def test_the_shipped_kernel_wins_and_the_hidden_files_are_told(own_folders):
    assert load_kernel("sobel_x").size == (3, 3)
    expected = [folder / "sobel_x.yaml" for folder in own_folders]
    assert hidden_by_catalogue("sobel_x") == expected
    assert hidden_by_catalogue("sobel_x:rotate=90") == expected
    assert hidden_by_catalogue("mine") == hidden_by_catalogue("1 2; 3 4") == hidden_by_catalogue("../sobel_x") == []
    assert re.fullmatch(
        r"sobel_x is the shipped kernel, which hides .*first/sobel_x.yaml: give the path to use that one",
        hiding_notes("sobel_x")[0],
    )


def test_a_users_composite_finds_the_kernels_beside_it(tmp_path):
    (tmp_path / "part.yaml").write_text("weights: [[1, 1]]\n")
    (tmp_path / "whole.yaml").write_text(
        "kernels: [part, ./part.yaml, 'part:rotate=90', '1 2; 3 4', 'gaussian:sigma=2', {family: box}]\ncombine: sum\n"
    )
    kernel = load_kernel(str(tmp_path / "whole.yaml"))
    assert [part.size for part in kernel.kernels] == [(1, 2), (1, 2), (2, 1), (2, 2), (17, 17), (3, 3)]
    assert kernel.name == "whole"
    assert kernel.kernels[-1].name == "whole_6"


def test_loading_weights_given_as_text_reads_no_yaml_library(run_python):
    code = (
        "import sys; from convcli.kernel.spec import load_kernel; load_kernel('1 2 1:rotate=90');"
        "print([m for m in ('yaml', 'msgspec', 'rich', 'typer', 'cv2') if m in sys.modules])"
    )
    assert run_python(code) == "[]"


def test_a_kernel_of_weights_beside_a_formula_loads_no_formula(run_python):
    run_python(
        "import sys; from convcli.kernel.spec import load_kernel; load_kernel('sobel_x'); "
        "assert 'convcli.kernel.formulas' not in sys.modules and 'convcli.kernel.family' not in sys.modules"
    )


@pytest.fixture
def run_python():
    import subprocess
    import sys

    def run(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    return run
