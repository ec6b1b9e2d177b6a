"""Writing: files are whole or not there at all, and what is wrong is found before anything is written."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from image_samples import smooth
from repository import ROOT

from convcli.errors import ImageWriteError, OutputError, OutputExistsError, UsageError
from convcli.image.formats.registry import written_formats
from convcli.image.reading import decode_image, read_image
from convcli.image.writing import as_image, encode_image, write_image


def test_quality_and_compression_do_what_they_say():
    image = as_image(smooth(200, 300))
    for name in ("jpeg", "webp", "avif"):
        small, large = (len(encode_image(image, written_formats()[name], quality=q)[0]) for q in (20, 95))
        assert small < large
    data, _ = encode_image(image, written_formats()["webp"], quality=100)
    np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, image.pixels)
    plain, deflated = (len(encode_image(image, written_formats()["tiff"], compression=c)[0]) for c in ("fast", "small"))
    assert deflated < plain
    for depth in ("u16", "f32"):
        picture = as_image(smooth(20, 30, 3, depth))
        data, _ = encode_image(picture, written_formats()["tiff"], compression="small")
        np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, picture.pixels)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4, np.uint8), r"an array \(H, W\) or \(H, W, C\), not of shape \(4,\)"),
        (
            np.zeros((4, 4), np.int64),
            "an image holds u8, u16, u32, i8, i16, i32, f32, f64, not int64; convert it with .astype",
        ),
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
    path = tmp_path / "a.webp"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"WebP holds at most 16383 pixels a side, not 16384 x 1: write .png"):
        write_image(path, np.zeros((1, 16384), np.uint8))
    assert path.read_bytes() == b"old"


def test_standard_output_sent_to_a_file_is_written_not_replaced(tmp_path):
    path = tmp_path / "out.png"
    code = (
        "import numpy as np; from convcli.system.output_file import check_destination;"
        "from convcli.image.writing import write_image; assert check_destination('/dev/stdout') == 'write';"
        "write_image('/dev/stdout', np.zeros((4, 5), np.uint8), format='png')"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with path.open("wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, env=environment)
    assert read_image(path).size == (4, 5, 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


def test_a_full_device_is_an_error_in_one_line():
    with pytest.raises(ImageWriteError, match=r"/dev/full: cannot be written: No space left on device"):
        write_image("/dev/full", smooth(4, 4), format="png")
