"""What a batch's outputs are called, and which inputs it takes."""

import os

import pytest

from convcli.batch import naming
from convcli.batch.inputs import find_inputs
from convcli.batch.naming import Naming, check_distinct, ignores_case
from convcli.errors import OutputError, UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """photos/{a.png, B.JPG, notes.txt, .hidden.png, deep/{c.tif, .git/d.png, deeper/e.png}}"""
    monkeypatch.chdir(tmp_path)
    for name in (
        "photos/a.png",
        "photos/B.JPG",
        "photos/notes.txt",
        "photos/.hidden.png",
        "photos/deep/c.tif",
        "photos/deep/.git/d.png",
        "photos/deep/deeper/e.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def places(found):
    return [source.relative for source in found.sources]


def test_a_folder_gives_its_images_and_says_what_it_leaves(tree):
    found = find_inputs(["photos"], "out")
    assert places(found) == ["B.JPG", "a.png"]
    assert [source.path for source in found.sources] == ["photos/B.JPG", "photos/a.png"]
    assert [source.bytes for source in found.sources] == [len("photos/B.JPG"), len("photos/a.png")]
    assert found.notes == ["1 folder is not looked into: that takes --recursive"]
    assert found.details == ["1 file is left out by suffix: not of an image"]


def test_recursion_keeps_the_tree_and_passes_hidden_folders(tree):
    assert places(find_inputs(["photos/"], "out", recursive=True)) == [
        "B.JPG",
        "a.png",
        "deep/c.tif",
        "deep/deeper/e.png",
    ]


def test_a_named_file_lies_directly_below_the_output_whatever_its_suffix(tree):
    assert places(find_inputs(["photos/deep/c.tif", "photos/notes.txt"], "out")) == ["c.tif", "notes.txt"]


def test_what_is_named_twice_is_taken_once(tree):
    assert places(find_inputs(["photos", "./photos/a.png", "photos/a.png"], "out")) == ["B.JPG", "a.png"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photos/*.png", ["a.png"]),
        ("photos/**/*.png", ["a.png", "deep/deeper/e.png"]),
        ("photos/*/*.tif", ["deep/c.tif"]),
        ("*/[aB].*", ["photos/B.JPG", "photos/a.png"]),
    ],
)
def test_a_pattern_the_shell_has_left_is_matched_and_keeps_the_tree(tree, pattern, expected):
    assert places(find_inputs([pattern], "out")) == expected


def test_a_pattern_that_leads_out_of_its_fixed_part_keeps_outputs_within_the_folder(tree):
    found = find_inputs(["photos/*/../../photos/a*.png"], "out")
    assert found.sources
    assert not any(source.relative.startswith("..") for source in found.sources)


def test_the_outputs_of_another_batch_below_an_input_are_named(tree):
    (tree / "photos/deep/.convcli").mkdir(parents=True)
    (note,) = find_inputs(["photos"], "out", recursive=True).notes
    assert note == "photos/deep holds the outputs of another batch, which are taken as inputs too"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree):
    (tree / "photos/[1].png").write_bytes(b"x")
    assert places(find_inputs(["photos/[1].png"], "out")) == ["[1].png"]


def test_all_that_matches_nothing_is_named(tree):
    with pytest.raises(UsageError, match=r"nothing matches 'no\.png', 'photos/\*\.bmp': check the paths"):
        find_inputs(["photos/a.png", "no.png", "photos/*.bmp"], "out")
    with pytest.raises(UsageError, match=r"'0', '1', '2', '3', '4' and 2 more"):
        find_inputs([str(n) for n in range(7)], "out")


def test_folders_without_images_say_where_there_may_be_some(tree):
    (tree / "empty/inner").mkdir(parents=True)
    with pytest.raises(UsageError, match="no images in 'empty'; look into its folders too with --recursive"):
        find_inputs(["empty"], "out")
    with pytest.raises(UsageError, match=r"no images in 'empty'$"):
        find_inputs(["empty"], "out", recursive=True)


def test_standard_input_is_no_input_of_a_batch():
    with pytest.raises(UsageError, match="standard input"):
        find_inputs(["-"], "out")


def test_loops_of_links_are_cut_and_the_real_folder_comes_first(tree):
    (tree / "photos/deep/up").symlink_to(tree / "photos")
    (tree / "photos/again").symlink_to("deep")
    (tree / "photos/self").symlink_to("self")
    found = find_inputs(["photos"], "out", recursive=True)
    assert places(found) == ["B.JPG", "a.png", "deep/c.tif", "deep/deeper/e.png"]
    assert [note for note in found.notes if "a link" in note] == [
        "photos/again: a link to a folder that is taken already",
        "photos/deep/up: a link to a folder that is taken already",
    ]


def test_a_link_to_a_folder_elsewhere_is_followed(tree):
    (tree / "else").mkdir()
    (tree / "else/f.png").write_bytes(b"f")
    (tree / "photos/linked").symlink_to(tree / "else")
    assert "linked/f.png" in places(find_inputs(["photos"], "out", recursive=True))


def test_a_dangling_link_is_a_problem_of_its_own(tree):
    (tree / "photos/gone.png").symlink_to("nowhere")
    found = find_inputs(["photos"], "out")
    assert places(found) == ["B.JPG", "a.png"]
    assert found.problems == [("photos/gone.png", "photos/gone.png: cannot be read: No such file or directory")]


def test_a_folder_that_cannot_be_read_is_a_problem_and_the_others_are_taken(tree, monkeypatch):
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("deeper"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find_inputs(["photos"], "out", recursive=True)
    assert places(found) == ["B.JPG", "a.png", "deep/c.tif"]
    assert found.problems == [
        ("photos/deep/deeper", "photos/deep/deeper: the folder cannot be read: Permission denied")
    ]


def test_what_is_no_file_is_a_problem(tree):
    os.mkfifo(tree / "pipe")
    assert find_inputs(["pipe"], "out").problems == [("pipe", "pipe: not a file: a batch reads files and folders")]


def test_the_output_folder_is_not_taken_as_input(tree):
    (tree / "photos/out").mkdir()
    (tree / "photos/out/z.png").write_bytes(b"z")
    assert "out/z.png" not in places(find_inputs(["photos"], "photos/out", recursive=True))
    # Where it is named itself, what a run has made there is left out.
    (tree / "photos/a_blur.png").write_bytes(b"z")
    assert places(find_inputs(["photos"], "photos", ours={"a_blur.png"})) == ["B.JPG", "a.png"]
    assert places(find_inputs(["photos/deep"], "photos", ours={"deep/c.tif"}, recursive=True)) == ["deeper/e.png"]


def test_names_are_made_of_the_fields():
    name = Naming("{parent}/{stem}_{kernel}{suffix}", "sobel_x_gaussian", None)
    assert name("tour/day/img.v2.png") == "tour/day/day/img.v2_sobel_x_gaussian.png"
    assert name("img.png", "/photos/tour") == "tour/img_sobel_x_gaussian.png"


def test_the_inputs_own_suffix_is_a_field_whatever_the_output_ends_in():
    name = Naming("{stem}_{ext}{suffix}", "", "png")
    assert name("day/img.v2.jpg") == "day/img.v2_jpg.png"
    assert name("img.PNG") == "img_PNG.PNG"
    assert name("img") == "img_.png"


@pytest.mark.parametrize(
    ("relative", "format_name", "expected"),
    [
        ("a.png", "jpeg", "a.jpg"),
        ("a.JPEG", "jpeg", "a.JPEG"),
        ("deep/a.b", "png", "deep/a.png"),
        ("noend", "tif", "noend.tiff"),
        ("a.gif", None, "a.gif"),
    ],
)
def test_the_format_changes_suffixes_that_do_not_mean_it(relative, format_name, expected):
    assert Naming("{stem}{suffix}", "", format_name)(relative) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{stm}{suffix}", r"unknown field \{stm\}: expected .*; did you mean 'stem'\?"),
        ("{0}", "unknown field"),
        ("{stem.upper}", "unknown field"),
        ("{stem:>9}", "as they are"),
        ("{stem!r}", "as they are"),
        ("{stem", "expected '}'"),
        ("../{stem}{suffix}", "below the output folder"),
        ("/tmp/{stem}{suffix}", "below the output folder"),
        ("{stem}/", "below the output folder"),
        ("", "below the output folder"),
        (".convcli/{stem}", "below the output folder"),
    ],
)
def test_a_name_that_cannot_be_is_refused_before_anything_is_named(template, message):
    with pytest.raises(UsageError, match=message):
        Naming(template, "", None)


def test_an_unknown_format_is_refused():
    with pytest.raises(OutputError, match="unknown format 'pgn'"):
        Naming("{stem}{suffix}", "", "pgn")


@pytest.mark.parametrize(
    ("template", "folder", "relative"),
    [("{parent}/{stem}_x{suffix}", "/", "a.png"), ("{stem}/x{suffix}", "photos", ".convcli.png")],
)
def test_no_name_leads_out_of_the_folder_or_to_what_a_batch_keeps_there(template, folder, relative):
    """A file in / has no parent: its output would be /a_x.png, wherever outputs are to go."""
    with pytest.raises(UsageError, match="names no file below the output folder"):
        Naming(template, "", None)(relative, folder)


def test_two_inputs_with_one_output_are_both_named(tmp_path):
    pairs = [("a/x.png", "x.png"), ("a/y.png", "y.png"), ("b/x.png", "x.png")]
    with pytest.raises(UsageError, match=r"^a/x\.png and b/x\.png would both be written to x\.png: .*--name"):
        check_distinct(pairs, str(tmp_path))
    many = [(f"{folder}/{n}", f"{n}") for folder in "ab" for n in range(5)]
    with pytest.raises(UsageError, match=r"\(and 2 more\)"):
        check_distinct(many, str(tmp_path))


@pytest.mark.parametrize(
    ("places", "advice"),
    [
        (["x.jpg", "x.png"], "such as '{stem}_{ext}{suffix}'"),
        (["a/x.png", "b/x.png"], "such as '{parent}_{stem}{suffix}'"),
        (["a/x.jpg", "b/x.png"], "such as '{parent}_{stem}{suffix}'"),
        (["a/x.jpg", "a/x.png", "b/x.png"], "such as '{parent}_{stem}_{ext}{suffix}'"),
        (["a/x/1.png", "b/x/1.png"], "filter them by runs of their own, each into another folder"),
        (["x.jpg", "x.png", "x_png.jpg", "x_png_png.png"], "such as '{stem}_{ext}{suffix}'"),
        (["p/x.jpg", "p/x.png", "q/x.jpg"], "such as '{parent}_{stem}_{ext}{suffix}'"),
    ],
)
def test_a_name_is_advised_that_tells_the_inputs_apart(tmp_path, places, advice):
    def named_by(template):
        name = Naming(template, "", "png")
        return [(place, name(os.path.basename(place), os.path.dirname(place))) for place in places]

    with pytest.raises(UsageError) as refusal:
        check_distinct(named_by("{stem}{suffix}"), str(tmp_path), named_by)
    assert str(refusal.value).endswith(advice)


def test_names_that_differ_by_case_alone_clash_where_the_file_system_says_so(tmp_path, monkeypatch):
    pairs = [("1", "Straße.png"), ("2", "STRASSE.png"), ("3", "other.png")]
    monkeypatch.setattr(naming, "ignores_case", lambda folder: False)
    (note,) = check_distinct(pairs, str(tmp_path))
    assert note == "Straße.png and STRASSE.png differ by case alone: some systems take them for one file"
    with pytest.raises(UsageError, match="2 and 4 would both"):
        check_distinct([*pairs, ("4", "STRASSE.png")], str(tmp_path))
    monkeypatch.setattr(naming, "ignores_case", lambda folder: True)
    with pytest.raises(UsageError, match="1 and 2 would both"):
        check_distinct(pairs, str(tmp_path))


def test_whether_case_counts_is_asked_of_the_file_system_without_touching_it(tmp_path):
    (tmp_path / "probe").touch()
    truth = (tmp_path / "PROBE").exists()
    assert ignores_case(str(tmp_path / "not" / "yet" / "there")) == truth
    assert sorted(os.listdir(tmp_path)) == ["probe"]
