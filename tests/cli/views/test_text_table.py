"""Columns of plain text."""

from convcli.cli.views.text_table import columns


def test_words_stand_to_the_left_and_numbers_to_the_right():
    rows = [["step", "what", "ms", "by"], ["a", "filter", "10.5", "opencv, 9 weights"], ["longer", "b", "1", ""]]
    assert list(columns(rows, words=2)) == [
        "step    what      ms  by",
        "a       filter  10.5  opencv, 9 weights",
        "longer  b          1",
    ]
