"""The table of notations leads to modules that read and write them."""

from importlib import import_module

import numpy as np
import pytest

from convcli.kernel.catalogue import catalogue_folder, user_files
from convcli.kernel.files.description import KernelFile
from convcli.kernel.files.notations import DEFAULT, NOTATIONS, SUFFIXES
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel

WEIGHTS = np.array([[1.0, 0.1, -2.0], [0.0, 1 / 3, 1e-7]])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_notation_reads_back_what_it_writes(suffix, tmp_path):
    notation = import_module(NOTATIONS[suffix])
    path = tmp_path / f"mine{suffix}"
    path.write_text(notation.write(Kernel("mine", WEIGHTS)))
    assert isinstance(notation.read(path), KernelFile)
    np.testing.assert_array_equal(load_kernel(str(path)).weights, WEIGHTS)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_name_finds_a_users_file_in_each_notation(suffix, tmp_path, monkeypatch):
    (tmp_path / f"mine{suffix}").write_text(import_module(NOTATIONS[suffix]).write(Kernel("mine", WEIGHTS)))
    monkeypatch.setenv("CONVCLI_KERNELS", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    assert user_files() == {"mine": tmp_path / f"mine{suffix}"}
    np.testing.assert_array_equal(load_kernel("mine").weights, WEIGHTS)


def test_what_has_no_known_suffix_is_read_in_the_notation_of_the_catalogue(tmp_path):
    assert {NOTATIONS[path.suffix] for path in catalogue_folder().iterdir()} == {DEFAULT}
    (tmp_path / "mine.kernel").write_text("weights: [[1, 2]]\n")
    assert load_kernel(f"{tmp_path}/mine.kernel").weights.tolist() == [[1, 2]]


def test_suffixes_are_written_in_lower_case_and_found_in_any(tmp_path):
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in SUFFIXES)
    (tmp_path / "mine.YAML").write_text("weights: [[1, 2]]\n")
    assert load_kernel(f"{tmp_path}/mine.YAML").weights.tolist() == [[1, 2]]
