"""The inputs of a batch: named ones, and those of a list."""

import io
import os
from unittest import mock

import pytest

from convcli.batch.input_list import batch_inputs, read_input_list
from convcli.errors import UsageError


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"a.png\nb c.png\n", ["a.png", "b c.png"]),
        (b"a.png\r\n\r\nb.png", ["a.png", "b.png"]),
        (b"two\nlines.png\0b.png\0", ["two\nlines.png", "b.png"]),
        (b"\xff.png\n", [os.fsdecode(b"\xff.png")]),
    ],
    ids=["lines", "windows lines", "nul", "any bytes"],
)
def test_a_list_is_separated_by_nul_where_it_holds_one_and_by_lines_else(tmp_path, data, names):
    (tmp_path / "list").write_bytes(data)
    assert read_input_list(str(tmp_path / "list")) == names
    with mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(data))):
        assert read_input_list("-") == names


def test_named_inputs_come_before_those_of_the_list(tmp_path):
    (tmp_path / "list").write_text("a.png\n")
    assert batch_inputs(["z.png"], str(tmp_path / "list")) == ["z.png", "a.png"]


def test_no_input_an_image_on_standard_input_and_no_list_are_refused(tmp_path):
    (tmp_path / "empty").write_text("\n\n")
    with pytest.raises(UsageError, match=r"^no input was given: "):
        batch_inputs([])
    with pytest.raises(UsageError, match=r"^batch reads no image from standard input: "):
        batch_inputs(["-"])
    with pytest.raises(UsageError, match=r"^--files-from .*empty: the list is empty$"):
        read_input_list(str(tmp_path / "empty"))
    with pytest.raises(UsageError, match=r"^--files-from nowhere: "):
        read_input_list("nowhere")
    with mock.patch("sys.stdin", None), pytest.raises(UsageError, match="standard input is no list"):
        read_input_list("-")
