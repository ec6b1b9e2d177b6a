"""Reading: every format against an independent writer, and everything that is cut, wrong or not an image."""

import io
import subprocess
import sys
from itertools import repeat

import numpy as np
import pytest
from image_samples import LOSSLESS, as_stored, exif, hdr, npy, pillow, rough, saved, smooth, srgb_profile, tiff
from PIL import Image as Pillow
from PIL import ImageOps
from repository import bare_environment

from convcli.errors import ImageReadError
from convcli.image.reading import decode_image, read_all, read_image


@pytest.mark.parametrize("kind", LOSSLESS)
def test_colours_come_in_rgb_order(kind):
    pixels = smooth(40, 50)
    image = decode_image(saved(pillow(pixels), kind, **LOSSLESS[kind]), "x")
    np.testing.assert_allclose(image.pixels.astype(int), pixels, atol=3 if kind == "AVIF" else 0)
    assert (image.depth, image.alpha, image.notes) == ("u8", False, ())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG2000", "AVIF"])
def test_alpha_is_kept_apart_and_not_multiplied_in(kind):
    pixels = smooth(40, 50, 4)
    options = {"exact": True} if kind == "WEBP" else {}
    image = decode_image(saved(pillow(pixels), kind, **LOSSLESS[kind], **options), "x")
    np.testing.assert_allclose(image.pixels.astype(int), pixels, atol=3 if kind == "AVIF" else 0)
    assert image.alpha


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "BMP", "PPM", "JPEG2000"])
def test_gray_stays_one_channel(kind):
    pixels = smooth(40, 50, 1)
    image = decode_image(saved(pillow(pixels), kind, **LOSSLESS.get(kind, {"quality": 100})), "x")
    np.testing.assert_allclose(image.pixels.astype(int), pixels, atol=1 if kind == "JPEG" else 0)


FILES = {
    "png": lambda: saved(pillow(smooth(60, 70)), "PNG"),
    "jpeg": lambda: saved(pillow(smooth(60, 70)), "JPEG", quality=90),
    "progressive jpeg": lambda: saved(pillow(smooth(60, 70)), "JPEG", progressive=True),
    "tiff": lambda: tiff(smooth(60, 70), photometric="rgb"),
    "pillow's tiff": lambda: saved(pillow(smooth(60, 70)), "TIFF", icc_profile=srgb_profile()),
    "deflated tiff": lambda: tiff(smooth(60, 70), photometric="rgb", compression="zlib", rowsperstrip=8),
    "tiled tiff": lambda: tiff(smooth(60, 70), photometric="rgb", tile=(16, 16)),
    "webp": lambda: saved(pillow(smooth(60, 70)), "WEBP"),
    "avif": lambda: saved(pillow(smooth(60, 70)), "AVIF"),
    "jpeg 2000": lambda: saved(pillow(smooth(60, 70)), "JPEG2000"),
    "bmp": lambda: saved(pillow(smooth(60, 70)), "BMP"),
    "gif": lambda: saved(pillow(smooth(60, 70)), "GIF"),
    "ppm": lambda: saved(pillow(smooth(60, 70)), "PPM"),
    "hdr": lambda: hdr(smooth(60, 70, 3, "f32")),
    "npy": lambda: npy(smooth(60, 70)),
}


# Bytes at the end of a file that may be missing, since no pixel depends on them.
WITHOUT_PICTURE = dict.fromkeys(FILES, 0) | {"png": 12, "jpeg": 2, "progressive jpeg": 2, "bmp": 2, "gif": 1}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_anywhere_is_an_error_in_one_line_and_nothing_else(kind, capfd):
    data = FILES[kind]()
    whole = decode_image(data, "whole")
    assert whole.size == (60, 70, 3)
    cuts = {*range(1, min(len(data), 90)), *np.linspace(1, len(data) - 1, 120).astype(int).tolist(), len(data) - 1}
    for cut in sorted(cuts):
        if cut >= len(data) - WITHOUT_PICTURE[kind]:  # an end mark or padding is all that is missing
            np.testing.assert_array_equal(decode_image(data[:cut], "cut").pixels, whole.pixels)
            continue
        with pytest.raises(ImageReadError, match="cut") as caught:
            decode_image(data[:cut], "cut")
        assert "\n" not in str(caught.value), cut
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", FILES)
def test_a_file_with_bytes_changed_is_read_or_refused_but_never_breaks(kind):
    data = FILES[kind]()
    random = np.random.default_rng(5)
    for _ in range(60):
        damaged = bytearray(data)
        for place in random.integers(0, min(len(data), 400), 3):
            damaged[place] = random.integers(0, 256)
        try:
            message = f"read: {decode_image(bytes(damaged), 'damaged').size}"
        except ImageReadError as error:
            message = str(error)
        assert "\n" not in message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bad.png: empty file, there is no image in it"),
        (b"# A title\n\nSome words.", "bad.png: not an image: it is text, starting '# A title Some words.'"),
        (b"\0\1\2\3\4\5\6\7\x08", "it starts with the bytes 00 01 02 03 04 05 06 07"),
        (b"%PDF-1.7 ", "a PDF document; export its page as PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"P9 1 1", "it is text"),
        (b"\x1f\x8b\x08\0", "gzip-compressed; unpack it first"),
    ],
)
def test_what_is_not_an_image_is_named(tmp_path, data, message):
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)


def test_missing_files_and_directories_are_named(tmp_path):
    with pytest.raises(ImageReadError, match=r"none.png: no such file; check the path"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageReadError, match="a directory, not an image; name a file in it"):
        read_image(tmp_path)
    with pytest.raises(ImageReadError, match="cannot be read: "):
        read_image("a\0b.png")


def test_a_file_without_permission_is_named(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(saved(pillow(rough(4, 4)), "PNG"))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything, whatever the mode
    with pytest.raises(ImageReadError, match=r"secret.png: no permission to read it; check its mode and owner"):
        read_image(path)


def test_the_content_decides_not_the_suffix_and_any_path_will_do(tmp_path):
    path = tmp_path / "Straße mit ünïcode 写真.jpg"
    path.write_bytes(saved(pillow(rough(4, 5)), "PNG"))
    for shown in (path, str(path)):
        image = read_image(shown)
        assert (image.format, image.size) == ("png", (4, 5, 3))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_eight_orientations_give_the_same_upright_picture(kind, orientation):
    upright = smooth(48, 64)
    stored = pillow(as_stored(upright, orientation))
    if kind == "TIFF":
        data = saved(stored, kind, tiffinfo={274: orientation})
    else:
        options = {
            "JPEG": {"quality": 95, "subsampling": 0},
        }.get(kind, LOSSLESS.get(kind, {}))
        tag = Pillow.Exif()
        tag[274] = orientation
        data = saved(stored, kind, exif=tag, **options)
    image = decode_image(data, "x")
    assert image.size == (48, 64, 3)
    np.testing.assert_allclose(image.pixels.astype(int), upright, atol={"JPEG": 6, "AVIF": 4}.get(kind, 0))
    if kind != "AVIF":
        with Pillow.open(io.BytesIO(data)) as opened:
            seen = np.asarray(ImageOps.exif_transpose(opened).convert("RGB")).astype(int)
        np.testing.assert_allclose(image.pixels.astype(int), seen, atol=6 if kind == "JPEG" else 0)


@pytest.mark.parametrize(
    "block", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"junk" * 9, exif(9), exif()[:30], exif() * 3]
)
def test_exif_that_makes_no_sense_does_not_stop_reading(block):
    data = saved(pillow(rough(8, 9)), "JPEG", exif=b"Exif\0\0" + block)
    assert decode_image(data, "x").size == (8, 9, 3)


def test_reading_and_writing_png_load_no_heavy_module():
    heavy = ("tifffile", "PIL", "xml", "email", "multiprocessing", "concurrent.futures", "json", "difflib")
    code = (
        "import sys; from convcli.image import reading, writing; from convcli.image.formats import registry;"
        "import numpy as np;"
        "image = writing.as_image(np.zeros((64, 64, 3), np.uint8));"
        "data, _ = writing.encode_image(image, registry.format_for('a.png'));"
        f"reading.decode_image(data, 'x'); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=bare_environment()
    )
    assert done.stdout.strip() == "[]"


class Pipe(io.RawIOBase):
    """What can be read once, a little at a time, and goes on for as long as `again` says."""

    def __init__(self, data, again=1):
        self.rest = repeat(data, again)
        self.given = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        part = next(self.rest, b"")[: len(buffer)]
        buffer[: len(part)] = part
        self.given += len(part)
        return len(part)


def test_what_is_no_image_is_not_read_to_its_end():
    endless = Pipe(bytes(2**16), again=2**30)
    with pytest.raises(ImageReadError, match="it starts with the bytes 00 00 00 00"):
        decode_image(read_all(endless), "x")
    assert endless.given < 2**17
    with pytest.raises(ImageReadError, match="/dev/zero: not an image"):
        read_image("/dev/zero")


@pytest.mark.parametrize("data", [b"", b"P5 1 1 255 a", saved(pillow(rough(30, 40)), "PNG"), b"text" * 10])
def test_an_image_is_read_whole_from_a_file_and_from_a_pipe(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file:
        assert read_all(file) == data
    assert read_all(io.BufferedReader(Pipe(data[:7]))) == data[:7]
    assert read_all(io.BytesIO(data)) == data


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (MemoryError(), "larger than the memory there is; cut it in parts"),
    ],
)
def test_a_disk_or_a_memory_that_fails_is_named(tmp_path, monkeypatch, failure, message):
    def fail(*_, **__):
        raise failure

    (tmp_path / "a.png").write_bytes(saved(pillow(rough(4, 4)), "PNG"))
    monkeypatch.setattr("convcli.image.reading.read_all", fail)
    with pytest.raises(ImageReadError, match=rf"a\.png'?: {message}"):
        read_image(tmp_path / "a.png")


def test_a_pipe_of_more_than_is_read_at_once_is_read_whole():
    data = b"P5 300 300 255 " + bytes(300 * 300)
    assert read_all(io.BufferedReader(Pipe(data[:1000], again=80))) == data[:1000] * 80
