"""Folders that others have prepared: no link in them leads a batch to files that are not its own."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import done, refused, run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with two photographs, and one of somebody else's with a file in it."""
    (tmp_path / "work" / "photos" / "deep").mkdir(parents=True)
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "precious.png").write_bytes(b"precious")
    for name in ("a.png", "deep/b.png"):
        assert cv2.imwrite(str(tmp_path / "work" / "photos" / name), np.full((8, 9, 3), 77, np.uint8))
    monkeypatch.chdir(tmp_path / "work")
    yield
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["precious.png"]
    assert (tmp_path / "victim" / "precious.png").read_bytes() == b"precious"


LEADS_OUT = "leads out of the folder out through a link: say --follow to write there"
BATCH = ("batch", "photos", "-r", "-k", "box", "-o", "out")


@pytest.mark.parametrize("place", [".convcli", ".convcli/tmp"])
def test_a_link_in_the_place_of_the_journals_folders_is_refused(place):
    link = Path("out") / place
    link.parent.mkdir(parents=True)
    link.symlink_to(Path("../victim").resolve(), target_is_directory=True)
    message = refused(*BATCH)
    assert (
        message
        == f"out/{place}: is a link, and batch keeps its own files there: remove it, or choose another folder with -o"
    )
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["journal.jsonl", "lock"])
def test_a_link_in_the_place_of_the_journals_files_is_not_followed(name):
    Path("out/.convcli").mkdir(parents=True)
    Path("out/.convcli", name).symlink_to(Path("../victim/precious.png").resolve())
    outcome = run(*BATCH)
    assert outcome.status in (1, 2)
    assert all(line.startswith("convcli: ") for line in outcome.lines)


def test_only_files_that_are_called_as_ours_are_removed():
    theirs = Path("out/.convcli/tmp/notes.txt")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    ours = theirs.with_name(".a.png.12ab34cd5678.tmp")
    ours.write_bytes(b"half")
    link = theirs.with_name(".b.png.12ab34cd5678.tmp")
    link.symlink_to(Path("../victim/precious.png").resolve())
    done(*BATCH)
    assert theirs.read_text() == "mine"
    assert not ours.exists()
    assert link.is_symlink()


def test_a_linked_folder_leads_out_only_where_that_is_asked_for(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Path("out").mkdir()
    Path("out/deep").symlink_to(elsewhere, target_is_directory=True)
    outcome = run(*BATCH)
    assert outcome.status == 1
    (error,) = (line for line in outcome.lines if line.startswith("convcli: error: "))
    assert error.removeprefix("convcli: error: photos/deep/b.png: out/deep/b.png: ") == LEADS_OUT
    assert sorted(os.listdir("out")) == [".convcli", "a.png", "deep"]
    assert not list(elsewhere.iterdir())
    done(*BATCH, "--follow", "-f")
    assert [path.name for path in elsewhere.iterdir()] == ["b.png"]


def test_a_linked_folder_within_the_output_folder_is_followed():
    Path("out/kept").mkdir(parents=True)
    Path("out/deep").symlink_to("kept", target_is_directory=True)
    done(*BATCH)
    assert [path.name for path in Path("out/kept").iterdir()] == ["b.png"]


@pytest.mark.parametrize("existing", ["skip", "overwrite"])
def test_a_linked_output_is_not_written_through_whatever_the_journal_says(existing):
    Path("out/.convcli").mkdir(parents=True)
    Path("out/a.png").symlink_to(Path("../victim/precious.png").resolve())
    forged = {"output": "a.png", "state": "begun"}
    Path("out/.convcli/journal.jsonl").write_text(json.dumps(forged) + "\n")
    outcome = run(*BATCH, "--existing", existing)
    assert outcome.status == 1
    assert f"out/a.png: {LEADS_OUT}" in outcome.messages
    assert Path("out/deep/b.png").exists()
