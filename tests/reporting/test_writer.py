"""Every format of reports, read back by somebody else's reader; and files that are whole or not there at all."""

import csv
import errno
import io
import json
import math
from pathlib import Path

import pytest
from report_readers import Page, markdown_tables

from convcli.errors import ImageWriteError, UsageError
from convcli.reporting.document import Bullets, Column, Heading, Paragraph, ReportHead, ReportTail
from convcli.reporting.formats import REPORT_SUFFIXES, report_suffix
from convcli.reporting.writer import ReportFile, report_text, write_report

NAME = 'a|b, "c" <i>&*d*`e`\\.png'
NOT_UTF8 = "caf\udce9.png"


def cells(record):
    return [record["input"], f"{record['seconds']:.1f}" if math.isfinite(record["seconds"]) else ""]


HEAD = ReportHead(
    f"title of {NAME}",
    fields=("input", "seconds", "steps.kernel"),
    columns=(Column("input", left=True), Column("time", "s")),
    cells=cells,
    data={"machine": {"load": math.nan}},
    blocks=(Paragraph(f"above: {NAME}"),),
)
TAIL = ReportTail({"totals": {"files": 2, "rate": math.inf}}, (Heading("Failures"), Bullets((f"below: {NAME}",))))


def record(name, seconds=0.25):
    return {"input": name, "seconds": seconds, "steps": [{"kernel": "a|b"}, {"kernel": "c"}]}


RECORDS = [record(NAME), record("second.png", math.nan)]


def values(suffix, text):
    """The names and seconds of all records that a report holds."""
    if suffix == ".json":
        return [(each["input"], each["seconds"]) for each in json.loads(text)["results"]]
    if suffix == ".csv":
        rows = csv.DictReader(io.StringIO(text))
        return [(row["input"], float(row["seconds"]) if row["seconds"] else None) for row in rows]
    if suffix == ".md":
        (table,) = markdown_tables(text)
        return [(unescaped(name), None if not told else 0.25) for name, told in table[2:]]
    page = Page(text)
    assert (len(page.all("table")), len(page.all("tr"))) == (1, 3)
    return [(name, told) for name, told in ((NAME, 0.25), ("second.png", None)) if name in page.text]


def unescaped(cell):
    for character in "|*<`\\":
        cell = cell.replace(f"\\{character}", character)
    return cell.replace("\0", "|")


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_what_a_name_holds_comes_back_as_it_was_and_nan_as_nothing(suffix):
    text = report_text(suffix, HEAD, RECORDS, TAIL)
    assert values(suffix, text) == [(NAME, 0.25), ("second.png", None)]


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_a_report_without_records_is_one_as_well(suffix):
    text = report_text(suffix, HEAD, [], TAIL)
    if suffix == ".json":
        assert json.loads(text)["results"] == []
    elif suffix == ".csv":
        assert text == "input,seconds,steps.kernel\n"
    elif suffix == ".md":
        assert [len(table) for table in markdown_tables(text)] == [2]
    else:
        assert len(Page(text).all("tr")) == 1


def test_json_has_null_for_nan_and_keys_before_and_after_the_results():
    found = json.loads(report_text(".json", HEAD, RECORDS, TAIL))
    assert found["machine"] == {"load": None}
    assert found["totals"] == {"files": 2, "rate": None}
    assert found["results"][0] == record(NAME)


def test_csv_joins_keys_by_dots_and_elements_by_bars():
    first, _ = csv.DictReader(io.StringIO(report_text(".csv", HEAD, RECORDS, TAIL)))
    assert first["steps.kernel"] == "a|b | c"


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_text_above_and_below_the_table_is_text(suffix):
    text = report_text(suffix, HEAD, RECORDS, TAIL)
    shown = Page(text).text if suffix == ".html" else unescaped(text)
    for part in (f"title of {NAME}", f"above: {NAME}", f"below: {NAME}"):
        assert part in shown
    assert "<i>" not in text.replace(r"\<", "")


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_a_name_that_is_not_utf8_is_written(suffix, tmp_path):
    path = tmp_path / f"r{suffix}"
    write_report(str(path), HEAD, [record(NOT_UTF8)], TAIL)
    shown = {".json": b"caf\\udce9.png", ".html": b"caf?.png"}.get(suffix, b"caf\xe9.png")
    assert shown in path.read_bytes()


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_records_that_come_one_by_one_give_the_same_file(suffix, tmp_path):
    path = tmp_path / f"r{suffix}"
    with ReportFile(str(path), HEAD) as report:
        for each in RECORDS:
            report.add(each)
        assert not path.exists()
        report.finish(TAIL)
    assert path.read_text(encoding="utf-8") == report_text(suffix, HEAD, RECORDS, TAIL)
    assert list(tmp_path.iterdir()) == [path]


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_on_a_full_disk_the_report_that_was_there_stays(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"r{suffix}"
    path.write_text("before")
    monkeypatch.setattr("convcli.system.output_file.os.replace", full_disk)
    with pytest.raises(ImageWriteError, match=rf"^--report {path}: cannot be written: No space left on device$"):
        write_report(str(path), HEAD, RECORDS, TAIL)
    with ReportFile(str(path), HEAD) as report:
        report.add(RECORDS[0])
        with pytest.raises(ImageWriteError, match="No space left on device"):
            report.finish(TAIL)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


class FullFile:
    """A temporary file on a disk that is full."""

    def write(self, _):
        full_disk()

    def seek(self, _):
        full_disk()

    def close(self):
        full_disk()


def test_a_record_without_room_is_an_error_that_names_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr("convcli.reporting.writer.tempfile.TemporaryFile", lambda **_: FullFile())
    with ReportFile(str(tmp_path / "r.csv"), HEAD) as report:
        with pytest.raises(ImageWriteError, match=r"^--report .*r\.csv: cannot be written: No space left"):
            report.add(RECORDS[0])
        with pytest.raises(ImageWriteError, match=r"^--report .*r\.csv: cannot be written: No space left"):
            report.finish(TAIL)
    assert list(tmp_path.iterdir()) == []


def test_a_report_without_room_for_its_records_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("convcli.reporting.writer.tempfile.TemporaryFile", full_disk)
    with pytest.raises(ImageWriteError, match="No space left"):
        ReportFile(str(tmp_path / "r.csv"), HEAD)


def test_a_folder_that_is_missing_is_an_error_that_names_the_report(tmp_path):
    path = tmp_path / "no" / "r.md"
    with pytest.raises(ImageWriteError, match=rf"^--report {path}: cannot be written"):
        write_report(str(path), HEAD, RECORDS, TAIL)


@pytest.mark.parametrize("path", ["r.txt", "r", ".", "r.json.gz"])
def test_a_suffix_that_no_report_has_is_refused_with_those_there_are(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = rf"^--report {path}: a report is written as {', '.join(REPORT_SUFFIXES)}; end its name in one$"
    for refused in (report_suffix, lambda p: ReportFile(p, HEAD), lambda p: write_report(p, HEAD, [], TAIL)):
        with pytest.raises(UsageError, match=message):
            refused(path)
    assert list(Path().iterdir()) == []
