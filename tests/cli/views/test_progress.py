"""What is shown while a command works."""

import io
import sys

from convcli.batch.totals import BatchTotals
from convcli.cli.views.progress import BatchLines, Progress, StatusLine, batch_progress
from convcli.process.result import ImageResult


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watch(monkeypatch):
    """Make standard error a terminal of 10 columns; a fixture could not, for pytest replaces it before the test."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("COLUMNS", "10")
    return found


def test_a_status_line_replaces_itself_fits_and_is_cleared(monkeypatch):
    terminal = watch(monkeypatch)
    with StatusLine(wanted=True) as line:
        line.tell("round 1 of 3")
        line.tell("a\x1bb")
    assert terminal.getvalue() == "\r\x1b[Kround 1 o\r\x1b[Ka?b\r\x1b[K"


def test_a_line_that_is_not_wanted_or_has_no_place_is_not_shown(monkeypatch):
    terminal = watch(monkeypatch)
    with StatusLine(wanted=False) as line:
        line.tell("round 1")
    assert terminal.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", None)
    with StatusLine(wanted=True) as line:
        line.tell("round 1")


def test_lines_come_when_it_is_time(capsys):
    totals = BatchTotals(2)
    totals.add(ImageResult("a.png", "b.png", "skipped"))
    never, always = BatchLines(totals, every=1e9), BatchLines(totals, every=0.0)
    never.tick()
    assert capsys.readouterr().err == ""
    always.tick()
    assert capsys.readouterr().err.startswith("1/2 files")


def test_what_is_shown_goes_by_what_was_asked(monkeypatch):
    totals = BatchTotals(1)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(batch_progress(totals, quiet=True, verbose=False, json=False)) is Progress
    assert type(batch_progress(totals, quiet=False, verbose=False, json=False)) is Progress
    assert type(batch_progress(totals, quiet=False, verbose=True, json=False)) is BatchLines
