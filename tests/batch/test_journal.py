"""The journal of a batch, whatever has happened to the disk."""

import os
from pathlib import Path

import pytest

from convcli.batch.journal import BEGUN, DONE, FileDone, Journal, read_journal
from convcli.errors import UsageError


def test_the_journal_keeps_what_it_was_told(tmp_path):
    folder = str(tmp_path / "out")
    journal = Journal(folder)
    journal.begin(["a", 'b "quoted"', "c"])
    journal.finish([FileDone("a", "f1", 10, 11)])
    journal.leave(["c"])
    journal.close()
    records, notes = read_journal(folder)
    assert notes == []
    assert {name: record.state for name, record in records.items()} == {"a": DONE, 'b "quoted"': BEGUN}
    assert records["a"][1:] == ("f1", 10, 11)


def test_the_journal_goes_on_behind_a_line_that_a_full_disk_has_cut(tmp_path, monkeypatch):
    folder = str(tmp_path / "out")
    journal = Journal(folder)
    write, calls = os.write, []

    def half(file, data):
        calls.append(data)
        if len(calls) == 1:
            return write(file, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        journal.finish([FileDone("a", "f", 1, 1)])
    journal.finish([FileDone("b", "f", 1, 1)])
    journal.close()
    records, notes = read_journal(folder)
    assert list(records) == ["b"]
    assert len(notes) == 1


def test_a_journal_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / ".convcli/journal.jsonl").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"journal\.jsonl: cannot be read: Is a directory; put it right"):
        read_journal(str(tmp_path))


def test_the_folder_is_free_when_its_holder_is_gone(tmp_path):
    first = Journal(str(tmp_path))
    Path(first.temporaries, ".half.png.1a2b3c4d.tmp").touch()
    first.close()
    assert not list(Path(first.temporaries).iterdir())
    Journal(str(tmp_path)).close()
