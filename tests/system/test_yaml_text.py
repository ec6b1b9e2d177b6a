"""YAML of untrusted origin becomes plain data, or one line that says why not."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from convcli.system.yaml_text import MAX_BYTES, MAX_DEPTH, YamlTextError, parse_yaml, read_yaml

# Of what is not YAML only the place is checked: the library words the reason.
BAD = {
    "empty": ("", "is empty$"),
    "only a comment": ("# nothing\n", "is empty$"),
    "two documents": ("a: 1\n---\na: 1\n", "more than one document"),
    "not YAML": ("weights: [[1, 2\n", "line 2: not valid YAML"),
    "a control character": ("name: \x07\n", "not valid YAML"),
    "a repeated key": ("weights: 1\nweights: 1\n", "line 2: the key 'weights' is given twice"),
    "a list as key": ("? [1]\n: 2\n", "line 1: a key must be plain text"),
    "a Python object": (
        "weights: !!python/object/apply:os.system ['true']\n",
        "line 1: tags such as .* are not allowed",
    ),
    "a harmless tag": ("name: !!str x\n", "tags such as tag:yaml.org,2002:str are not allowed"),
    "an anchor": ("weights: &w [[1]]\n", "line 1: anchors and aliases"),
    "an alias": ("name: &n a\nsummary: *n\n", "line 1: anchors and aliases"),
    "deep nesting": ("weights: " + "[" * 300_000, "line 1: is nested more than 8 deep"),
    "deep nesting of blocks": ("- " * 10_000 + "1\n", "is nested more than 8 deep"),
    "a long row cut off": ("weights: [[" + "1, " * 1000, "not valid YAML"),
    "deep nesting of mappings": ("a: {" * 2000, "is nested more than 8 deep"),
    "deep nesting that ends": ("[" * 9 + "]" * 9, "line 1: is nested more than 8 deep"),
    "deep nesting on many lines": ("[\n" * 2000, "is nested more than 8 deep"),
    "brackets in quotes before a fault": ("a: '[[[[[[[[[[[[' b", "line 1: not valid YAML"),
}


@pytest.mark.parametrize("case", BAD)
def test_text_that_is_not_taken_is_refused_in_one_line_with_its_place(case):
    text, reason = BAD[case]
    with pytest.raises(YamlTextError, match=reason) as caught:
        parse_yaml(text, "x.yaml")
    message = str(caught.value)
    assert message.startswith("x.yaml: ")
    assert "\n" not in message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 999, 1001, 5000])
def test_the_limit_on_nesting_is_ours_whatever_the_library_does(loader, depth, monkeypatch):
    monkeypatch.setattr(yaml, "CSafeLoader", getattr(yaml, loader))
    for text in ("[" * depth + "]" * depth, "- " * depth + "1", "{a: " * depth + "}" * depth):
        if depth <= MAX_DEPTH:
            assert parse_yaml(text, "x") != 0
            continue
        with pytest.raises(YamlTextError, match=r"^x: line 1: is nested more than 8 deep$"):
            parse_yaml(text, "x")


def test_brackets_in_text_and_comments_are_no_nesting():
    assert parse_yaml("a: '[[[[[[[[[[[['  # [[[[[[[[[[", "x") == {"a": "[" * 12}
    assert parse_yaml("a: text [[[[[[[[[[[[", "x") == {"a": "text " + "[" * 12}


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    with pytest.raises(YamlTextError, match=r"bomb.yaml: line 1: anchors and aliases \(& and \*\) are not allowed"):
        read_yaml(tmp_path / "bomb.yaml")


def test_a_file_of_ten_megabytes_is_refused_by_its_size(tmp_path):
    (tmp_path / "large.yaml").write_bytes(b"# " + b"x" * 10_000_000)
    with pytest.raises(YamlTextError) as caught:
        read_yaml(tmp_path / "large.yaml")
    large = tmp_path / "large.yaml"
    assert str(caught.value) == f"{large}: has 10000002 bytes; a kernel file has at most {MAX_BYTES}"


def test_text_longer_than_a_file_may_be_is_refused():
    with pytest.raises(YamlTextError, match=f"^x: has more than {MAX_BYTES} characters"):
        parse_yaml("#" * (MAX_BYTES + 1), "x")


def test_a_file_that_is_not_there_a_folder_and_bytes_that_are_not_text_are_named(tmp_path):
    with pytest.raises(YamlTextError, match=r"none\.yaml: no such kernel file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(YamlTextError, match=r"folder\.yaml: is a folder"):
        read_yaml(tmp_path / "folder.yaml", "pipeline file")
    (tmp_path / "bytes.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(YamlTextError, match=r"bytes.yaml: is not UTF-8 text \(byte 6\)"):
        read_yaml(tmp_path / "bytes.yaml")


def test_the_place_is_a_part_of_the_error(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: &x 2\n")
    with pytest.raises(YamlTextError) as caught:
        read_yaml(path)
    assert caught.value.where == f"{path}: line 2"
    assert caught.value.what == "anchors and aliases (& and *) are not allowed"
    assert caught.value.advice == "write the value out"


def test_numbers_are_read_as_yaml_1_2_reads_them():
    assert parse_yaml("[010, 1e3, -.5, +4, .inf]", "x") == [10, 1000.0, -0.5, 4, float("inf")]
    assert parse_yaml("[1:30, no, 1_000, 0x10, 2020-01-01]", "x") == ["1:30", "no", "1_000", "0x10", "2020-01-01"]
    assert parse_yaml("['3', true, ~, null, yes]", "x") == ["3", True, None, None, "yes"]


def test_the_python_reader_of_yaml_gives_the_same_where_libyaml_is_missing(monkeypatch):
    text = "{name: a, weights: [[1, 2e-1], ['3', 1/4]], ok: true, none: ~}"
    expected = parse_yaml(text, "x")
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse_yaml(text, "x") == expected
    with pytest.raises(YamlTextError, match="anchors and aliases"):
        parse_yaml("[&a 1, *a]", "x")
    with pytest.raises(YamlTextError, match="nested more than 8 deep"):
        parse_yaml("[" * 100_000, "x")


letters = st.text(st.characters(codec="ascii"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | letters
lists = st.lists(scalars | st.lists(scalars, max_size=3), max_size=3)


@given(st.dictionaries(letters, scalars | lists, max_size=4))
def test_json_reads_as_json_does(data):
    assert parse_yaml(json.dumps(data), "x") == data
