"""What names and summaries hold is shown, and neither obeyed by a spreadsheet nor taken for markup."""

import csv
import io

import pytest

from convcli.reporting.charts import escape_html
from convcli.reporting.csv_table import csv_line
from convcli.reporting.markdown_table import escape_markdown


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "=HYPERLINK(1)"])
def test_a_formula_is_text_in_csv(text):
    assert next(csv.reader([csv_line([text])])) == [f"'{text}"]


@pytest.mark.parametrize("cell", ["-1 0 1", "-0.5", -0.5, "+1e-3", "0 -1 0; -1 5 -1", "a=b", "photo-1.png"])
def test_numbers_and_names_stay_as_they_are(cell):
    assert next(csv.reader([csv_line([cell])])) == [str(cell)]


def test_a_carriage_return_tears_no_row():
    written = csv_line(["a\rb", "c"])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["a\\rb", "c"]]


@pytest.mark.parametrize("write", [escape_html, escape_markdown, lambda text: csv_line([text])])
def test_no_control_character_is_left(write):
    assert {"\x1b", "\x9b", "\u202e", "\x00"}.isdisjoint(write("a\x1b[2J\x9b1m\u202eb\x00"))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("[a](http://b)", "[a]\\(http://b)"),
        ("![a][b]", "![a]\\[b]"),
        ("[a]: http://b", "[a]\\: http://b"),
        ("&lt;script&#62;", "\\&lt;script\\&#62;"),
        ("time [ms] & more", "time [ms] & more"),
    ],
)
def test_links_and_entities_are_text_in_markdown(text, escaped):
    assert escape_markdown(text) == escaped
