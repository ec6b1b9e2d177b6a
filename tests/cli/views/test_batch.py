"""What `batch` says and writes of a run that was made up."""

import csv
import io
import json

import pytest

from convcli.batch.totals import BatchTotals
from convcli.cli.views.batch import Asked, BatchReporter
from convcli.cli.views.batch_report import batch_report_tail
from convcli.cli.views.batch_totals import batch_summary, batch_timing
from convcli.cli.views.image_report import image_report_head
from convcli.errors import ImageWriteError
from convcli.process.result import ImageResult, StepResult
from convcli.reporting.writer import report_text

SECONDS = {"read": 0.5, "prepare": 0.25, "filter": 1.0, "write": 0.25, "total": 2.0}
DONE = ImageResult(
    "a|b.png", "out/a.png", "done", (1000, 2000, 3), (1000, 2000, 3), "u8", "abs",
    steps=(StepResult("box", "fft", "why", 0.1), StepResult("abs", "", ""), StepResult("box", "fft", "why", 0.1)),
    seconds=SECONDS,
)  # fmt: skip
FAILED = ImageResult("c.png", "out/c.png", "failed", error="c.png: empty file")


@pytest.fixture
def totals():
    return BatchTotals(2, clock=iter([0.0, *[4.0] * 20]).__next__)


@pytest.fixture
def ended(totals):
    for result in (DONE, FAILED):
        totals.add(result)
    totals.stop()
    return totals


def test_the_summary_counts_speeds_and_what_failed(ended):
    assert batch_summary(ended, "out") == "wrote 1 file into out: 2 MP in 4 s, 0.5 MP/s, 0.25 files/s; 1 failed"


def test_the_timing_tells_the_stages_the_slowest_and_the_choices(ended):
    lines = list(batch_timing(ended))
    assert lines[0].split() == ["stage", "s", "%", "ms", "a", "file"]
    assert lines[3].split() == ["filter", "1.00", "50", "1000"]
    assert lines[-1] == "box: fft, why; predicted 100 ms; 2 files"


def test_the_report_has_a_row_for_each_image_and_what_all_came_to(ended):
    head, tail = image_report_head("batch"), batch_report_tail(ended, "out")
    records = [DONE.record(), FAILED.record()]
    assert json.loads(report_text(".json", head, records, tail)) == {"results": records, "totals": ended.record()}
    first, second = csv.DictReader(io.StringIO(report_text(".csv", head, records, tail)))
    assert (first["steps.kernel"], first["error"], second["error"]) == ("box | abs | box", "", "c.png: empty file")
    lines = report_text(".md", head, records, tail).splitlines()
    assert (
        r"| a\|b.png | out/a.png | done | box, abs, box | fft | abs | 500 | 250 | 1000 | 250 | 2000 | 2.00 |" in lines
    )
    assert lines[-1] == "- c.png: empty file"


def test_a_report_without_room_is_told_in_the_end(totals, tmp_path, monkeypatch, capsys):
    def add(report, record):
        raise ImageWriteError("no room", where="--report r.md")

    monkeypatch.setattr("convcli.reporting.writer.ReportFile.add", add)
    with BatchReporter(totals, "out", Asked(report=str(tmp_path / "r.md"))) as reporter:
        reporter.show(DONE)
        with pytest.raises(ImageWriteError, match=r"^--report r\.md: no room$"):
            reporter.finish()
    assert "wrote 1 file into out" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
