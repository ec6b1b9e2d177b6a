"""What outputs are called, and what is checked of them before anything is read."""

from pathlib import Path

import pytest

from convcli.errors import OutputError, OutputExistsError, UsageError
from convcli.image.formats.registry import written_formats
from convcli.process.output_files import (
    OutputOptions,
    SuffixError,
    check_output_format,
    check_outputs,
    file_name_part,
    output_depth,
    output_format,
    output_paths,
)


@pytest.mark.parametrize(
    ("sources", "output", "format_name", "expected"),
    [
        (["img.png"], None, None, ["img_box_sobel_x.png"]),
        (["in/img.tar.png"], None, None, ["in/img.tar_box_sobel_x.png"]),
        (["img.JPG"], None, "jpeg", ["img_box_sobel_x.JPG"]),
        (["img.gif"], None, "png", ["img_box_sobel_x.png"]),
        (["img"], None, "tif", ["img_box_sobel_x.tiff"]),
        (["-"], None, None, ["-"]),
        (["img.png"], "-", None, ["-"]),
        (["img.png"], "other.webp", None, ["other.webp"]),
    ],
)
def test_default_names_tell_what_is_done(sources, output, format_name, expected):
    assert output_paths(sources, output, file_name_part(["box", "sobel_x"]), format_name) == expected


def test_characters_that_file_names_lack_are_replaced_in_names():
    assert file_name_part(["my/own kernel", "ä-1.5"]) == "my_own_kernel_ä-1.5"


def test_a_folder_takes_the_default_names(tmp_path):
    assert output_paths(["x/a.png", "y/b.png"], str(tmp_path), "sobel_x", None) == [
        str(tmp_path / "a_sobel_x.png"),
        str(tmp_path / "b_sobel_x.png"),
    ]


def test_links_between_folders_do_not_hide_a_clash(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(UsageError, match="would both be written to"):
        output_paths([str(tmp_path / "real/a.png"), str(tmp_path / "link/a.jpg")], None, "sobel_x", "png")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": "u12"}, "unknown depth 'u12'"),
        ({"quality": 0}, r"quality must lie within 1\.\.100, not 0"),
        ({"quality": 101}, r"quality must lie within 1\.\.100, not 101"),
        ({"compression": "none"}, "unknown compression 'none'"),
        ({"existing": "keep"}, "unknown treatment of existing outputs 'keep'"),
    ],
)
def test_options_are_checked_when_they_are_made(options, message):
    with pytest.raises(UsageError, match=message):
        OutputOptions(**options)


@pytest.mark.parametrize("quality", [1, 100])
def test_the_ends_of_the_range_of_quality_belong_to_it(quality):
    assert OutputOptions(quality=quality).quality == quality


@pytest.mark.parametrize(
    ("output", "options", "kind", "parts"),
    [
        ("a.xyz", {}, OutputError, ("a.xyz", "unknown suffix '.xyz'")),
        ("a.png", {"format": "jpeg"}, SuffixError, ("a.png", "its suffix and --format jpeg differ")),
        ("a.png", {"depth": "f32"}, OutputError, ("a.png", "PNG cannot hold f32")),
        ("a.hdr", {"depth": "f32"}, OutputError, ("a.hdr", "Radiance HDR rounds f32 and holds no negative values")),
    ],
)
def test_what_a_format_cannot_hold_is_told_in_parts(output, options, kind, parts):
    with pytest.raises(kind) as caught:
        check_output_format(output, OutputOptions(**options))
    where, what = parts
    assert caught.value.where == where
    assert caught.value.what.startswith(what)


def test_a_suffix_may_say_the_format_in_any_case_and_by_any_name():
    assert check_output_format("a.JPE", OutputOptions(format="jpg")).name == "jpeg"


def test_outputs_are_checked_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "there.png", "weights.npy"):
        Path(name).write_bytes(b"")
    with pytest.raises(OutputExistsError, match=r"there\.png: exists already"):
        check_outputs(["a.png", "b.png"], ["new.png", "there.png"], OutputOptions())
    skip, replace = OutputOptions(existing="skip"), OutputOptions(existing="overwrite")
    assert check_outputs(["a.png", "b.png"], ["new.png", "there.png"], skip) == {"there.png"}
    assert check_outputs(["a.png", "b.png"], ["new.png", "there.png"], replace) == set()
    with pytest.raises(UsageError, match=r"b\.png: the output is the input 'b\.png'"):
        check_outputs(["a.png", "b.png"], ["b.png", "new.png"], replace)
    with pytest.raises(UsageError, match=r"weights\.npy: the output is the input 'weights\.npy'"):
        check_outputs(["a.png"], ["weights.npy"], replace, ["weights.npy"])


def test_outputs_of_inputs_that_are_not_there_are_left_to_reading(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("there.png").write_bytes(b"")
    assert check_outputs(["none.png", "folder", "-"], ["there.png", "there.png", "-"], OutputOptions()) == set()


def test_a_stream_is_written_in_the_format_it_came_in_unless_told():
    assert output_format("-", "-", "webp", OutputOptions()).name == "webp"
    assert output_format("-", "-", "webp", OutputOptions(format="png")).name == "png"
    assert output_format("a.webp", "b.tif", "webp", OutputOptions()).name == "tiff"
    with pytest.raises(OutputError, match="cannot write the format it came in, gif: name one with --format"):
        output_format("-", "-", "gif", OutputOptions())


@pytest.mark.parametrize(
    ("format_name", "given", "asked", "depth", "noted"),
    [
        ("png", "u8", "same", "u8", False),
        ("png", "u16", "same", "u16", False),
        ("jpeg", "u16", "same", "u8", True),
        ("png", "f32", "same", "u16", True),
        ("tiff", "i16", "same", "i16", False),
        ("png", "i16", "u8", "u8", False),
        ("pfm", "u8", "same", "f32", True),
    ],
)
def test_the_depth_is_that_of_the_image_as_far_as_the_format_goes(format_name, given, asked, depth, noted):
    found, notes = output_depth("a", "b", written_formats()[format_name], given, OutputOptions(depth=asked))
    assert (found, bool(notes)) == (depth, noted)
