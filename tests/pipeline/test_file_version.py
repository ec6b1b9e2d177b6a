"""The version of a file."""

import os

from convcli.pipeline.file_version import file_version


def test_a_version_changes_with_size_time_and_replacement(tmp_path):
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("one")
    versions = [file_version(file)]
    os.utime(file, ns=(1, 1))
    versions.append(file_version(file))
    file.write_text("longer")
    os.utime(file, ns=(1, 1))
    versions.append(file_version(file))
    other.write_text("other!")
    os.utime(other, ns=(1, 1))
    os.replace(other, file)
    versions.append(file_version(str(file)))
    assert len(set(versions)) == 4
    assert file_version(file) == versions[-1]


def test_what_is_not_there_has_no_version(tmp_path):
    assert file_version(tmp_path / "none") is None
    assert file_version("a\0b") is None
