"""Which files of folders a batch takes."""

import os
from datetime import datetime

import pytest

from convcli.batch.inputs import Choice, find_inputs, newer_than
from convcli.errors import UsageError


@pytest.fixture
def photos(tmp_path):
    for number, name in enumerate(("a.png", "b.JPG", "raw/c.png", "raw/d.jpg", "raw/deep/e.png")):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        os.utime(path, (1000.0 * number, 1000.0 * number))
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), ["a.png", "b.JPG", "raw/c.png", "raw/d.jpg", "raw/deep/e.png"]),
        (Choice(include=("*.jpg",)), ["b.JPG", "raw/d.jpg"]),
        (Choice(exclude=("raw/*",)), ["a.png", "b.JPG"]),
        (Choice(include=("*.png",), exclude=("c.*",)), ["a.png", "raw/deep/e.png"]),
        (Choice(include=("a.*", "d.*")), ["a.png", "raw/d.jpg"]),
        (Choice(newer=2000.0), ["raw/d.jpg", "raw/deep/e.png"]),
    ],
)
def test_files_of_folders_are_chosen_by_name_and_time(photos, choice, taken):
    found = find_inputs([str(photos)], "out", recursive=True, choice=choice)
    assert sorted(source.relative for source in found.sources) == taken
    left = 5 - len(taken)
    assert found.notes == ([f"{left} files are left out by --include, --exclude or --newer"] if left else [])


def test_a_pattern_is_chosen_from_and_a_named_file_is_taken_in_any_case(photos):
    found = find_inputs([f"{photos}/*.*", str(photos / "raw/c.png")], "out", choice=Choice(include=("b.*",)))
    assert [source.relative for source in found.sources] == ["b.JPG", "c.png"]


def test_where_nothing_is_left_that_is_said(photos):
    with pytest.raises(UsageError, match="5 files are left out by --include, --exclude or --newer"):
        find_inputs([str(photos)], "out", recursive=True, choice=Choice(include=("*.tif",)))


def test_newer_takes_a_file_or_a_date(photos):
    assert newer_than(str(photos / "raw/d.jpg")) == 3000.0
    assert newer_than("2024-05-31T12:00") == datetime(2024, 5, 31, 12).timestamp()
    with pytest.raises(UsageError) as caught:
        newer_than("yesterday")
    assert str(caught.value) == "--newer yesterday: there is no such file, nor is it a date: write a date as 2024-05-31"
