"""Files put in place: whole or not at all, from a folder for what is not whole, and from another file system."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from image_samples import rough, smooth
from repository import ROOT

from convcli.errors import ImageWriteError
from convcli.image.formats.png import codec as png
from convcli.image.reading import read_image
from convcli.image.writing import write_image
from convcli.system.output_file import whole_file, write_bytes, write_file


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.rglob("*") if entry.is_file())


def test_pieces_are_joined_and_seen_only_when_all_are_there(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with whole_file(path) as sink:
        sink(b"one ")
        assert path.read_bytes() == b"old"
        sink(memoryview(b"two"))
    assert path.read_bytes() == b"one two"
    write_file(path, (bytes([number]) for number in range(3)))
    assert path.read_bytes() == b"\0\1\2"
    write_bytes(path, b"x")
    assert (path.read_bytes(), names(tmp_path)) == (b"x", ["a.bin"])


def test_what_is_not_whole_is_in_the_folder_for_it(tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "a.png"
    with whole_file(path, str(tmp_path / "tmp")) as sink:
        sink(b"x")
        assert names(tmp_path / "out") == []
        assert len(names(tmp_path / "tmp")) == 1
    assert names(tmp_path) == ["a.png"]
    write_image(path, smooth(5, 6), temporary_folder=str(tmp_path / "tmp"))
    assert read_image(path).size == (5, 6, 3)
    assert names(tmp_path) == ["a.png"]


def another_system(monkeypatch, refusals):
    """Have the first renames fail as between two file systems."""
    rename = os.replace

    def replace(source, target):
        if refusals:
            raise refusals.pop()
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)


@pytest.mark.parametrize("existing", [False, True])
def test_a_folder_on_another_file_system_takes_a_copy(tmp_path, monkeypatch, existing):
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "a.png"
    if existing:
        path.write_bytes(b"old")
        path.chmod(0o604)
    another_system(monkeypatch, [OSError(errno.EXDEV, "Invalid cross-device link")])
    write_image(path, rough(5, 6), temporary_folder=str(tmp_path / "tmp"))
    np.testing.assert_array_equal(read_image(path).pixels, rough(5, 6))
    assert names(tmp_path) == ["a.png"]
    if existing:
        assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_copy_that_fails_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    another_system(monkeypatch, [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EXDEV, "Cross")])
    with pytest.raises(ImageWriteError, match=r"a.png: cannot be written: No space left on device"):
        write_image(path, rough(5, 6), temporary_folder=str(tmp_path / "tmp"))
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a.png"])


def test_a_folder_that_has_gone_is_an_error_in_one_line(tmp_path):
    with pytest.raises(ImageWriteError, match=r"a.png: cannot be written: No such file or directory"):
        write_image(tmp_path / "a.png", rough(5, 6), temporary_folder=str(tmp_path / "gone"))
    assert names(tmp_path) == []


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_encoder_that_stops_in_the_middle_leaves_the_old_file(tmp_path, monkeypatch, failure):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    make = png.make_strip

    def stop(pixels, start, *rest):
        if start > 1000:
            raise failure
        return make(pixels, start, *rest)

    monkeypatch.setattr(png, "make_strip", stop)
    with pytest.raises(ImageWriteError if isinstance(failure, OSError) else KeyboardInterrupt):
        write_image(path, rough(3000, 1000), threads=2)
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a.png"])


LIMITED = """
import resource, signal, sys, numpy as np
from convcli.errors import ImageWriteError
from convcli.image.writing import write_image
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))
pixels = np.random.default_rng(0).integers(0, 256, (2000, 1000, 3), np.uint8)
try:
    write_image(sys.argv[1], pixels)
except ImageWriteError as error:
    print(error)
"""


def test_a_disk_that_fills_up_while_strips_are_written_leaves_nothing(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "a.png")]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert result.stdout == f"{tmp_path / 'a.png'}: cannot be written: File too large\n"
    assert names(tmp_path) == []
