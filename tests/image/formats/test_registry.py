"""Every format of the registry: what it claims to hold comes back, and what it does not is refused."""

import ast
from dataclasses import fields

import cv2
import numpy as np
import pytest
from image_samples import smooth
from repository import ROOT

from convcli.errors import OutputError
from convcli.image.formats import registry
from convcli.image.formats.registry import format_for, format_of, known_formats, written_formats
from convcli.image.header_size import decoded_bytes
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image, read_image
from convcli.image.writing import as_image, encode_image, write_image

DEPTHS = ("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64")
LAYOUTS = (1, 2, 3, 4)
WRITTEN = list(written_formats())
# The largest difference that a lossy format may make to gentle waves, in units of the sample type.
LOSSY = {("jpeg", "u8"): 20, ("webp", "u8"): 16, ("avif", "u8"): 16, ("hdr", "f32"): 0.01}


def holds(format_, depth: str, channels: int) -> bool:
    """By what it says of itself; gray may be stored as RGB, and gray with alpha as RGBA."""
    return depth in format_.depths and (channels in format_.channels or channels + 2 in format_.channels)


@pytest.mark.parametrize("channels", LAYOUTS)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_format_claims_to_hold_comes_back_and_all_else_is_refused(tmp_path, name, depth, channels):
    format_ = written_formats()[name]
    pixels = smooth(40, 50, channels, depth)
    path = tmp_path / f"picture{format_.suffixes[0]}"
    if not holds(format_, depth, channels):
        with pytest.raises(OutputError, match=f"^{format_.title} (cannot hold|holds only gray)"):
            write_image(path, pixels)
        assert not path.exists()
        return
    assert write_image(path, pixels) == ()
    image = read_image(path)
    # The channels of an array have no roles of their own, so that none of them is alpha.
    assert (image.depth, image.alpha) == (depth, channels in (2, 4) and name != "npy")
    assert image.size == (40, 50, format_.stored_channels(channels))
    got = image.pixels if image.size[2] == channels else image.pixels[:, :, [0, -1] if channels == 2 else [0]]
    np.testing.assert_allclose(
        got.astype(np.float64), pixels.astype(np.float64), rtol=0, atol=LOSSY.get((name, depth), 0)
    )
    assert format_of(path.read_bytes()[:256]).codec == format_.codec
    assert decoded_bytes(str(path), 1) == image.pixels.nbytes


@pytest.mark.parametrize("format_", list(known_formats()), ids=lambda format_: format_.name)
def test_a_description_is_whole_and_its_codec_does_what_it_says(format_):
    codec = format_.load_codec()
    assert callable(codec.read)
    assert hasattr(codec, "write") or format_.only_read
    assert set(format_.depths) <= set(DEPTHS)
    assert set(format_.channels) <= set(LAYOUTS)
    assert set(format_.metadata) <= {field.name for field in fields(Metadata)}
    assert set(format_.encoder_options) <= {"quality", "compression"}
    assert all(suffix.startswith(".") and suffix.islower() for suffix in format_.suffixes + format_.read_suffixes)


def test_no_two_formats_share_a_name_or_suffix_and_no_start_is_that_of_two():
    words = [word for format_ in known_formats() for word in (format_.name, *format_.aliases)]
    suffixes = [suffix for format_ in known_formats() for suffix in format_.suffixes + format_.read_suffixes]
    assert len(words) == len(set(words))
    assert len(suffixes) == len(set(suffixes))
    starts = [start for format_ in known_formats() for start in format_.signatures]
    assert starts
    for start in starts:
        assert sum(format_.matches(start) for format_ in known_formats()) == 1


def test_options_without_effect_leave_the_bytes_as_they_are():
    image = as_image(smooth(120, 150))
    gray = as_image(smooth(120, 150, 1))
    for format_ in written_formats().values():
        picture = image if 3 in format_.channels else gray
        if "u8" not in format_.depths:
            picture = Image(picture.pixels.astype(np.float32))
        plain, better, smaller = (
            bytes(encode_image(picture, format_, **options)[0])
            for options in ({}, {"quality": 30}, {"compression": "small"})
        )
        assert (better != plain) == ("quality" in format_.encoder_options), format_.name
        assert (smaller != plain) == ("compression" in format_.encoder_options), format_.name


@pytest.mark.parametrize("name", [name for name in WRITTEN if written_formats()[name].sides != (1, 2**31 - 1)])
def test_the_largest_and_least_sides_are_those_that_the_encoder_takes(name):
    format_ = written_formats()[name]
    least, most = format_.sides
    for side in {least, min(most, 100_000)}:
        encoded, _ = encode_image(Image(np.zeros((side, 32, 3), np.uint8)), format_)
        assert decode_image(bytes(encoded), "encoded").size == (side, 32, 3)
    for side in {least - 1, most + 1} - {0, 2**31}:
        with pytest.raises(OutputError, match=f"{format_.title} .* a side"):
            encode_image(Image(np.zeros((side, 32, 3), np.uint8)), format_)


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        (format_.name, depth)
        for format_ in written_formats().values()
        for depth in ("u8", "u16", "f32")
        if depth in format_.depths and format_.name not in ("npy", "pam", "jp2", "jxl")
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_opencv_sees_the_same_picture(name, depth, channels):
    format_ = written_formats()[name]
    channels = channels if format_.colour else 1
    data, _ = encode_image(as_image(smooth(40, 50, channels, depth)), format_)
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).reshape(40, 50, -1)
    np.testing.assert_array_equal(seen[:, :, ::-1], decode_image(bytes(data), "x").pixels)


@pytest.mark.parametrize(
    ("path", "depth", "channels", "message"),
    [
        ("a.png", "f32", 3, r"PNG cannot hold f32 \(it holds u8, u16\): write .tiff, .pfm or .npy"),
        ("a.jpg", "u16", 3, r"JPEG cannot hold u16 \(it holds u8\): write .png, .tiff or .npy"),
        ("a.jpg", "u8", 4, "JPEG cannot hold transparency: say --alpha drop, or write .png, .tiff or .npy"),
        ("a.pgm", "u8", 3, "PGM holds only gray: say --gray, or write .ppm"),
        ("a.tiff", "u8", 0, r"shape \(8, 8, 0\)"),
        ("a.xyz", "u8", 3, r"a.xyz: unknown suffix '.xyz'; end it in one of .png .jpg"),
        ("a.pgn", "u8", 3, "unknown suffix '.pgn'; did you mean '.png'"),
        ("a.gif", "u8", 3, "GIF, with its 256 colours, is only read; write .png"),
        ("a.pbm", "u8", 1, "PBM, with its two shades, is only read; write .png"),
        ("noend", "u8", 3, "noend: no suffix says which format to write"),
    ],
)
def test_what_a_format_cannot_hold_is_said_before_anything_is_written(tmp_path, path, depth, channels, message):
    with pytest.raises(OutputError, match=message):
        write_image(tmp_path / path, smooth(8, 8, max(channels, 1), depth)[:, :, : channels or 0])
    assert list(tmp_path.iterdir()) == []


def test_formats_are_named_by_option_and_misspelt_ones_offer_the_nearest(tmp_path):
    assert format_for("x.JPG").name == "jpeg"
    assert format_for(None, ".tif").name == "tiff"
    assert {format_for(None, name).name for name in ("jp2", "JPEG2000", "j2k")} == {"jp2"}
    with pytest.raises(OutputError, match=r"unknown format 'jpge': expected .*; did you mean 'jpeg'"):
        format_for("x.png", "jpge")
    with pytest.raises(OutputError, match=r"GIF, with its 256 colours, is only read; say --format png"):
        format_for(None, "gif")
    write_image(tmp_path / "odd.name", smooth(8, 8), format="png")
    assert read_image(tmp_path / "odd.name").format == "png"


def test_nearest_depth_loses_least():
    wanted = {"png": "u16", "jpeg": "u8", "tiff": "f32", "pfm": "f32", "npy": "f32"}
    assert {name: written_formats()[name].nearest_depth("f32") for name in wanted} == wanted


NEW_FORMAT = '''
"""A format made up for a test: a letter for the channels, two bytes for each side, then the samples."""

import numpy as np

from convcli.image.formats.registry import Format
from convcli.image.model import Image


def read(data, name, threads):
    channels, height, width = data[4], *np.frombuffer(data, ">u2", 2, 5)
    return Image(np.frombuffer(data, np.uint8, -1, 9).reshape(height, width, channels), format="made-up")


def write(image, sink, settings):
    height, width, channels = image.size
    sink(b"MADE" + bytes([channels]) + np.array([height, width], ">u2").tobytes() + image.pixels.tobytes())
    return ()


def decoded_bytes(file):
    head = file.read(9)
    return head[4] * int.from_bytes(head[5:7], "big") * int.from_bytes(head[7:9], "big")


FORMATS = (
    Format(
        name="made-up",
        title="Made-up",
        suffixes=(".madeup",),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3),
        decoded_bytes=decoded_bytes,
        signatures=(b"MADE",),
    ),
)
'''


def test_a_new_format_is_a_module_and_a_line(tmp_path, monkeypatch):
    (tmp_path / "made_up.py").write_text(NEW_FORMAT)
    package = __import__("convcli.image.formats", fromlist=["__path__"])
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_MODULES", (*registry._MODULES, "made_up"))
    written_formats.cache_clear()
    registry.readable_suffixes.cache_clear()
    try:
        path = tmp_path / "a.madeup"
        pixels = smooth(8, 9)
        write_image(path, pixels)
        np.testing.assert_array_equal(read_image(path).pixels, pixels)
        assert decoded_bytes(str(path), 1) == pixels.nbytes
        assert ".madeup" in registry.readable_suffixes()
        with pytest.raises(OutputError, match="Made-up cannot hold u16"):
            write_image(path, smooth(8, 9, 3, "u16"))
        with pytest.raises(OutputError, match=r"expected avif, bmp, .*made-up"):
            format_for(None, "none")
    finally:
        written_formats.cache_clear()
        registry.readable_suffixes.cache_clear()


# Strings outside the formats that are the name of one: none of them changes with a new format.
MAY_BE_NAMED = {
    "convcli/benchmark/memory.py": {".npy"},  # how arrays go to another process
    # As kernels are written: an array of numpy's, or a picture that one floor up can decode.
    "convcli/image/__init__.py": {".png", "png", ".tif", ".tiff"},
    "convcli/kernel/files/notations.py": {".npy", "npy"},
    "convcli/kernel/files/npy_array.py": {"npy"},
    "convcli/kernel/files/recognition.py": {"npy"},
    "convcli/benchmark/pictures.py": {".png"},  # what the pictures in a report are
    "convcli/pipeline/weights/tensor_files.py": {".npy"},  # a file of weights, not a picture
    "convcli/process/shell.py": {".npy"},  # the one that is read without OpenCV, which need not be loaded early
    "convcli/process/saved_steps.py": {".npy", ".png"},  # what --save-steps makes
    "convcli/visual/before_after.py": {".png"},  # what --compare makes, beside pages
    "convcli/visual/drawing.py": {"png"},  # what the pictures in a page are
    "convcli/visual/kernel_plot.py": {".png"},  # what --plot makes, beside pages
}


def test_nothing_outside_the_formats_names_one():
    """A name or suffix as a whole string, which code compares or looks up; prose is not looked at."""
    words = {word for format_ in known_formats() for word in (format_.name, *format_.aliases, format_.title)}
    words |= {suffix for format_ in known_formats() for suffix in format_.suffixes + format_.read_suffixes}
    found = {}
    for path in sorted((ROOT / "convcli").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith("convcli/image/formats/"):
            strings = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
            named = {value for value in strings if isinstance(value, str) and value in words}
            if named - MAY_BE_NAMED.get(place, set()):
                found[place] = named
    assert found == {}
