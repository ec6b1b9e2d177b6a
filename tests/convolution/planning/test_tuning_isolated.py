"""Processes that tuning starts run no module that lies in the current folder."""

import pytest

from convcli.convolution.planning import tuning


@pytest.mark.parametrize("module", ["cv2", "pyfftw", "numpy", "sitecustomize"])
def test_a_module_in_the_current_folder_is_not_run(module, tmp_path, monkeypatch):
    (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    assert tuning._loads()
    assert [path.name for path in tmp_path.iterdir()] == [f"{module}.py"]
