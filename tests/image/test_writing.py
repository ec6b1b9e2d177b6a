"""Writing: every format and depth comes back, files are whole or not there at all, and destinations are checked."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from image_samples import rough, smooth
from repository import ROOT

from convcli.errors import ImageReadError, ImageWriteError, OutputError, OutputExistsError, UsageError
from convcli.image.formats.registry import FORMATS, format_for
from convcli.image.model import Image
from convcli.image.reading import decode_image, read_image
from convcli.image.writing import as_image, encode_image, write_image
from convcli.system import output_path as destination
from convcli.system.output_path import check_destination

# The largest difference that a lossy format may make to gentle waves, in units of the sample type.
LOSSY = {
    ("jpeg", "u8"): 20,
    ("webp", "u8"): 16,
    ("avif", "u8"): 16,
    ("hdr", "f32"): 0.01,
}
CASES = [
    (kind.name, depth, channels)
    for kind in FORMATS.values()
    for depth in kind.depths
    for channels in (1, 2, 3, 4)
    if (kind.alpha or channels in (1, 3)) and (kind.colour or channels == 1)
]


@pytest.mark.parametrize(("name", "depth", "channels"), CASES)
def test_every_format_gives_back_what_it_was_given(name, depth, channels):
    pixels = smooth(40, 50, channels, depth)
    data, notes = encode_image(as_image(pixels), FORMATS[name])
    image = decode_image(bytes(data), "x")
    assert notes == ()
    assert (image.depth, image.alpha) == (depth, channels in (2, 4))
    got = image.pixels if image.size[2] == channels else image.pixels[:, :, [0, -1] if channels == 2 else [0]]
    tolerance = LOSSY.get((name, depth), 0)
    np.testing.assert_allclose(got.astype(np.float64), pixels.astype(np.float64), rtol=0, atol=tolerance)


def test_quality_and_compression_do_what_they_say():
    image = as_image(smooth(200, 300))
    for name in ("jpeg", "webp", "avif"):
        small, large = (len(encode_image(image, FORMATS[name], quality=q)[0]) for q in (20, 95))
        assert small < large
    data, _ = encode_image(image, FORMATS["webp"], quality=100)
    np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, image.pixels)
    plain, deflated = (len(encode_image(image, FORMATS["tiff"], compression=c)[0]) for c in ("fast", "small"))
    assert deflated < plain
    for depth in ("u16", "f32"):
        picture = as_image(smooth(20, 30, 3, depth))
        data, _ = encode_image(picture, FORMATS["tiff"], compression="small")
        np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, picture.pixels)


def test_hdr_says_that_it_cuts_what_is_negative():
    _, notes = encode_image(as_image(smooth(8, 8, 3, "f32") - 0.5), FORMATS["hdr"])
    assert notes == ("negative values became 0: Radiance HDR holds none; write .tiff, .pfm or .npy",)


@pytest.mark.parametrize(
    ("path", "depth", "channels", "message"),
    [
        ("a.png", "f32", 3, r"PNG cannot hold f32 \(it holds u8, u16\): write .tiff, .pfm or .npy"),
        ("a.jpg", "u16", 3, r"JPEG cannot hold u16 \(it holds u8\): write .png, .tiff or .npy"),
        ("a.jpg", "u8", 4, "JPEG cannot hold transparency: say --alpha drop, or write .png, .tiff or .npy"),
        ("a.pgm", "u8", 3, "PGM holds only gray: say --gray, or write .ppm"),
        ("a.tiff", "u8", 0, r"shape \(8, 8, 0\)"),
        ("a.xyz", "u8", 3, r"a.xyz: unknown suffix '.xyz'; end it in one of .png .jpg"),
        ("a.pgn", "u8", 3, "did you mean '.pnm'"),
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
    with pytest.raises(OutputError, match=r"unknown format 'jpge': expected .*; did you mean 'jpeg'"):
        format_for("x.png", "jpge")
    with pytest.raises(OutputError, match=r"GIF, with its 256 colours, is only read; say --format png"):
        format_for(None, "gif")
    write_image(tmp_path / "odd.name", smooth(8, 8), format="png")
    assert read_image(tmp_path / "odd.name").format == "png"


def test_nearest_depth_loses_least():
    wanted = {"png": "u16", "jpeg": "u8", "tiff": "f32", "pfm": "f32", "npy": "f32"}
    assert {name: FORMATS[name].nearest_depth("f32") for name in wanted} == wanted


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4, np.uint8), r"an array \(H, W\) or \(H, W, C\) with 1 to 4 channels, not of shape \(4,\)"),
        (np.zeros((4, 4, 5), np.uint8), "1 to 4 channels"),
        (np.zeros((4, 4), np.int64), "an image holds u8, u16, i16, f32, f64, not int64; convert it with .astype"),
        (np.zeros((0, 4), np.uint8), "an image of 4 x 0 pixels cannot be written"),
    ],
)
def test_arrays_that_are_no_image_are_refused(tmp_path, array, message):
    with pytest.raises(OutputError, match=message):
        write_image(tmp_path / "a.npy", array)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quality": 0}, "quality must be from 1 to 100, not 0"),
        ({"compression": "best"}, "unknown compression 'best': expected fast, balanced, small"),
        ({"existing": "maybe"}, "unknown policy 'maybe'"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        write_image(tmp_path / "a.png", smooth(4, 4), **options)


def test_existing_files_are_replaced_skipped_or_refused(tmp_path):
    path = tmp_path / "a.png"
    write_image(path, smooth(4, 4))
    write_image(path, smooth(5, 5), existing="skip")
    assert read_image(path).size == (4, 4, 3)
    with pytest.raises(OutputExistsError, match=r"a.png: exists already: say -f to replace it"):
        write_image(path, smooth(5, 5), existing="error")
    write_image(path, smooth(5, 5))
    assert read_image(path).size == (5, 5, 3)


def test_a_new_file_gets_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path):
    mask = os.umask(0o027)
    try:
        write_image(tmp_path / "new.png", smooth(4, 4))
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o640
    (tmp_path / "new.png").chmod(0o604)
    write_image(tmp_path / "new.png", smooth(5, 5))
    assert stat.S_IMODE((tmp_path / "new.png").stat().st_mode) == 0o604
    assert [entry.name for entry in tmp_path.iterdir()] == ["new.png"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "deep").mkdir()
    target, link = tmp_path / "deep" / "target.png", tmp_path / "link.png"
    write_image(target, smooth(4, 4))
    link.symlink_to("deep/target.png")
    write_image(link, smooth(6, 6))
    assert link.is_symlink()
    assert read_image(target).size == (6, 6, 3)
    (tmp_path / "dangling.png").symlink_to("deep/later.png")
    write_image(tmp_path / "dangling.png", smooth(7, 7))
    assert read_image(tmp_path / "deep" / "later.png").size == (7, 7, 3)


def test_devices_and_fifos_are_written_directly(tmp_path):
    write_image("/dev/null", smooth(4, 4), format="png")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    fifo = tmp_path / "pipe.png"
    os.mkfifo(fifo)
    received = []
    reader = threading.Thread(target=lambda: received.append(fifo.read_bytes()))
    reader.start()
    write_image(fifo, smooth(4, 4))
    reader.join()
    np.testing.assert_array_equal(decode_image(received[0], "x").pixels, smooth(4, 4))


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("step", ["replace", "chmod"])
def test_whatever_fails_the_old_file_is_whole_and_no_other_is_left(tmp_path, monkeypatch, failure, step):
    path = tmp_path / "a.png"
    write_image(path, smooth(4, 4))

    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(os, step, fail)
    expected = ImageWriteError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected, match=r"No space left" if isinstance(failure, OSError) else None):
        write_image(path, smooth(9, 9))
    monkeypatch.undo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
    assert read_image(path).size == (4, 4, 3)


def test_an_encoder_that_fails_touches_nothing(tmp_path):
    path = tmp_path / "a.jp2"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"JPEG 2000 is written from 32 pixels a side on, not 8 x 8: write .png"):
        write_image(path, smooth(8, 8))
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if entry.sides != (1, 2**31 - 1)])
def test_the_largest_and_least_sides_are_those_that_the_encoder_takes(name):
    least, most = FORMATS[name].sides
    for side in {least, min(most, 100_000)}:
        encoded, _ = encode_image(Image(np.zeros((side, 32, 3), np.uint8)), FORMATS[name])
        assert decode_image(bytes(encoded), "encoded").size == (side, 32, 3)
    for side in {least - 1, most + 1} - {0, 2**31}:
        with pytest.raises(OutputError, match=f"{FORMATS[name].title} .* a side"):
            encode_image(Image(np.zeros((side, 32, 3), np.uint8)), FORMATS[name])


def test_standard_output_sent_to_a_file_is_written_not_replaced(tmp_path):
    path = tmp_path / "out.png"
    code = (
        "import numpy as np; from convcli.system.output_path import check_destination;"
        "from convcli.image.writing import write_image; assert check_destination('/dev/stdout') == 'write';"
        "write_image('/dev/stdout', np.zeros((4, 5), np.uint8), format='png')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with path.open("wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, env=environment)
    assert read_image(path).size == (4, 5, 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        (n, d)
        for n in FORMATS
        for d in ("u8", "u16", "f32")
        if d in FORMATS[n].depths and n not in ("npy", "pam", "jp2")
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_opencv_sees_the_same_picture(name, depth, channels):
    if channels == 3 and not FORMATS[name].colour:
        channels = 1
    data, _ = encode_image(as_image(smooth(40, 50, channels, depth)), FORMATS[name])
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).reshape(40, 50, -1)
    np.testing.assert_array_equal(seen[:, :, ::-1], decode_image(bytes(data), "x").pixels)


def test_a_full_device_is_an_error_in_one_line():
    with pytest.raises(ImageWriteError, match=r"/dev/full: cannot be written: No space left on device"):
        write_image("/dev/full", smooth(4, 4), format="png")


def test_destinations_are_checked_before_anything_is_computed(tmp_path):
    source, other = tmp_path / "in.png", tmp_path / "other.png"
    write_image(source, smooth(4, 4))
    write_image(other, smooth(4, 4))
    assert check_destination(tmp_path / "new.png", "error", [source]) == "write"
    assert check_destination(other, "skip", [source]) == "skip"
    assert check_destination(other, "overwrite", [source]) == "write"
    assert check_destination("/dev/null", "error", [source]) == "write"
    with pytest.raises(OutputExistsError, match=r"exists already"):
        check_destination(other, "error", [source])
    with pytest.raises(OutputError, match=r"the folder .*nowhere does not exist; make it first"):
        check_destination(tmp_path / "nowhere" / "x.png", "error", [source])
    with pytest.raises(OutputError, match=r"a folder, not a file; name a file in it"):
        check_destination(tmp_path, "overwrite", [source])
    with pytest.raises(OutputError, match=r"other.png does not exist; make it first"):
        check_destination(other / "x.png", "error")


@pytest.mark.parametrize("existing", ["error", "skip", "overwrite"])
@pytest.mark.parametrize("way", ["itself", "symbolic link", "hard link", "other spelling"])
def test_an_input_is_never_the_output(tmp_path, existing, way):
    source, path = tmp_path / "in.png", tmp_path / "out.png"
    write_image(source, smooth(4, 4))
    if way == "symbolic link":
        path.symlink_to(source)
    elif way == "hard link":
        path.hardlink_to(source)
    else:
        path = source if way == "itself" else tmp_path / ".." / tmp_path.name / "in.png"
    with pytest.raises(UsageError, match=r"the output is the input"):
        check_destination(path, existing, [source])


def test_a_folder_without_permission_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(destination.os, "access", lambda *_: False)  # root may write everywhere, whatever the mode
    with pytest.raises(OutputError, match=r"x.png: no permission to write in .*: choose another folder with -o"):
        check_destination(tmp_path / "x.png")


def test_a_missing_input_does_not_hide_its_own_error(tmp_path):
    write_image(tmp_path / "x.png", smooth(4, 4))
    assert check_destination(tmp_path / "x.png", "overwrite", [tmp_path / "none.png"]) == "write"
    with pytest.raises(ImageReadError, match=r"no such file"):
        read_image(tmp_path / "none.png")


@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_jpeg_2000_loses_nothing_unless_a_quality_says_so(depth, channels):
    pixels = rough(40, 50, channels, depth)
    image = Image(pixels, channels == 4)
    data, _ = encode_image(image, FORMATS["jp2"])
    np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, pixels)
    assert len(encode_image(image, FORMATS["jp2"], quality=10)[0]) < len(data) / 4
