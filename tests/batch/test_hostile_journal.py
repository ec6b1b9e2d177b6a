"""A journal of any bytes: lines that are no records are passed over and counted, and nothing else happens."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.batch.journal import BEGUN, DONE, JournalRecord, _journal_path, _line, read_journal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FORGED = st.fixed_dictionaries(
    {},
    optional={
        "output": VALUES,
        "state": st.sampled_from([BEGUN, DONE, "left"]) | VALUES,
        "fingerprint": VALUES,
        "bytes": VALUES,
        "mtime_ns": VALUES,
    },
).map(lambda entry: json.dumps(entry).encode())
LINES = st.lists(FORGED | st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=5)
NAMES = st.text(max_size=20)
RECORDS = st.just(JournalRecord(BEGUN)) | st.builds(
    JournalRecord, st.just(DONE), st.text("0123456789abcdef", max_size=8), st.integers(0), st.integers(0)
)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    Path(_journal_path(str(folder))).parent.mkdir()
    return folder


@settings(max_examples=150)
@given(LINES)
def test_any_journal_is_read_as_records_and_damaged_lines(out, lines):
    Path(_journal_path(str(out))).write_bytes(b"".join(line + b"\n" for line in lines))
    records, notes = read_journal(str(out))
    assert all(isinstance(record, JournalRecord) for record in records.values())
    assert len(notes) <= 1
    assert len(records) + len(notes) <= len(lines)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, RECORDS, max_size=4))
def test_what_is_written_is_read_back(out, records):
    Path(_journal_path(str(out))).write_text("".join(map(_line, records, records.values())))
    assert read_journal(str(out)) == (records, [])


@pytest.mark.parametrize("number", ["1e999", "NaN", "null", "[]", "9" * 5000])
def test_a_size_that_is_none_is_a_damaged_line(out, number):
    line = f'{{"output": "a.png", "state": "done", "fingerprint": "f", "bytes": {number}, "mtime_ns": 1}}\n'
    Path(_journal_path(str(out))).write_text(line)
    records, (note,) = read_journal(str(out))
    assert records == {}
    assert note.endswith("1 line of 1 cannot be read and are passed over")
