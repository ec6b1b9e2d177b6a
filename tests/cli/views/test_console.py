"""Tables on standard output."""

import io
import sys

from rich.text import Text

from convcli.cli.views.console import open_table, print_line, print_view, stdout_console


def test_a_table_has_no_blanks_at_the_end_of_lines(capsys):
    table = open_table(("Name", "Sum"), left=(0,))
    table.add_row("a", "1")
    table.add_row(Text("longer than that"), "12.5")
    print_view(stdout_console(), table)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Name               Sum"
    assert lines[-1] == "longer than that  12.5"


def test_text_is_not_read_as_markup_nor_cut(capsys):
    text = "[red]" + 60 * " word"
    print_line(stdout_console(), text)
    assert capsys.readouterr().out == f"{text}\n"


def test_a_closed_standard_output_takes_what_nobody_reads(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    print_line(stdout_console(), "text")


def test_a_character_that_the_terminal_lacks_is_replaced(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_line(stdout_console(), "σ = 2")
    sys.stdout.flush()
    assert raw.getvalue() == b"? = 2\n"
