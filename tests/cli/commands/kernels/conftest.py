"""Run `convcli kernels` where there is no kernel of one's own."""

import pytest

from convcli.cli.app import run


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
