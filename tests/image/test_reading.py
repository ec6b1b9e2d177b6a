"""Reading: every format against an independent writer, and everything that is cut, wrong or not an image."""

import io
import struct
import subprocess
import sys
import zlib
from itertools import repeat

import cv2
import numpy as np
import pytest
import tifffile
from image_samples import as_stored, exif, pillow, rough, saved, smooth, srgb_profile
from PIL import Image as Pillow
from PIL import ImageOps
from repository import bare_environment

from convcli.errors import ImageReadError
from convcli.image import memory_check
from convcli.image.reading import decode_image, read_all, read_image

LOSSLESS = {
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "PPM": {},
    "JPEG2000": {"irreversible": False},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def tiff(pixels: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


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


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_agrees_with_pillow(mode, progressive):
    data = saved(pillow(smooth(48, 64)).convert(mode), "JPEG", quality=92, progressive=progressive)
    with Pillow.open(io.BytesIO(data)) as image:
        seen = np.asarray(image.convert("L" if mode == "L" else "RGB")).astype(int)
    # CMYK is turned to RGB with other rounding; colours decode with up to a few units of difference.
    pixels = decode_image(data, "x").pixels
    np.testing.assert_allclose(pixels.astype(int), seen.reshape(pixels.shape), atol=3)


@pytest.mark.parametrize("depth", ["u8", "u16", "i16", "f32", "f64"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    "layout", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"byteorder": ">"}, {"bigtiff": True}]
)
def test_tiff_of_every_depth_and_layout(depth, channels, layout):
    pixels = smooth(40, 50, channels, depth)
    kind = {"photometric": "minisblack" if channels == 1 else "rgb"}
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    image = decode_image(tiff(pixels[:, :, 0] if channels == 1 else pixels, **kind, **extra, **layout), "x")
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.depth, image.alpha, image.format) == (depth, channels == 4, "tiff")


def test_tiff_planes_bilevel_palette_and_white_as_zero_are_understood():
    colour = smooth(20, 30)
    data = tiff(np.moveaxis(colour, 2, 0).copy(), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(decode_image(data, "x").pixels, colour)
    gray = smooth(20, 30, 1)
    np.testing.assert_array_equal(decode_image(tiff(gray[:, :, 0], photometric="miniswhite"), "x").pixels, 255 - gray)
    alpha = smooth(20, 30, 2)
    data = tiff(alpha, photometric="miniswhite", planarconfig="contig", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(decode_image(data, "x").pixels, np.dstack([255 - alpha[:, :, :1], alpha[:, :, 1:]]))
    bilevel = pillow(gray).convert("1")
    seen = np.asarray(bilevel.convert("L"))[:, :, np.newaxis]
    np.testing.assert_array_equal(decode_image(saved(bilevel, "TIFF"), "x").pixels, seen)
    palette = pillow(colour).quantize(16)
    np.testing.assert_array_equal(decode_image(saved(palette, "TIFF"), "x").pixels, np.asarray(palette.convert("RGB")))


def test_tiff_with_premultiplied_alpha_is_divided_by_it():
    straight = np.array([[[200, 100, 50, 128], [9, 9, 9, 0], [10, 20, 30, 255]]], np.uint8)
    premultiplied = straight.copy()
    premultiplied[:, :, :3] = np.rint(straight[:, :, :3] * (straight[:, :, 3:] / 255))
    image = decode_image(tiff(premultiplied, photometric="rgb", extrasamples=["assocalpha"]), "x")
    np.testing.assert_allclose(image.pixels[0, [0, 2]].astype(int), straight[0, [0, 2]], atol=1)
    assert image.pixels[0, 1].tolist() == [0, 0, 0, 0]


def test_cmyk_tiff_becomes_rgb():
    cmyk = pillow(smooth(20, 30)).convert("CMYK")
    image = decode_image(saved(cmyk, "TIFF"), "x")
    np.testing.assert_allclose(image.pixels.astype(int), np.asarray(cmyk.convert("RGB")).astype(int), atol=2)


def test_of_several_pages_the_first_is_read_and_a_note_says_so():
    pages = [pillow(rough(9, 9, seed=n)) for n in range(3)]
    image = decode_image(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "x")
    np.testing.assert_array_equal(image.pixels, np.asarray(pages[0]))
    assert image.notes == ("3 pages: only the first is used",)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_compressions_that_tifffile_cannot_decode_alone_go_to_opencv(monkeypatch, orientation):
    pixels = rough(20, 30)
    data = saved(pillow(as_stored(pixels, orientation)), "TIFF", compression="tiff_lzw", tiffinfo={274: orientation})
    np.testing.assert_array_equal(decode_image(data, "x").pixels, pixels)

    def missing(*_, **__):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", missing)
    np.testing.assert_array_equal(decode_image(data, "x").pixels, pixels)
    floats = tiff(smooth(20, 30, 1, "f64")[:, :, 0], compression="zlib")
    monkeypatch.setattr("convcli.image.formats.opencv_codec.decode", lambda *_, **__: None)
    with pytest.raises(ImageReadError, match="cannot be decoded"):
        decode_image(floats, "x.tif")


@pytest.mark.parametrize(
    "missing",
    [
        ModuleNotFoundError("No module named 'compression'"),  # as tifffile says it for ZSTD before Python 3.14
        ValueError("<COMPRESSION.ZSTD: 50000> requires the 'imagecodecs' package"),
    ],
)
def test_a_compression_that_nothing_here_decodes_is_told_with_what_does(monkeypatch, missing):
    data = bytearray(tiff(smooth(20, 30, 3), photometric="rgb"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages[0].tags["Compression"].valueoffset
    data[place : place + 2] = (50000).to_bytes(2, "little")

    def decode(*_, **__):
        raise missing

    monkeypatch.setattr(tifffile.TiffPage, "asarray", decode)
    with pytest.raises(ImageReadError, match=r"x\.tif: a TIFF compressed by ZSTD; to read it: pip install"):
        decode_image(bytes(data), "x.tif")


@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize("meaning", [None, "unassalpha", "assocalpha"])
def test_alpha_is_kept_where_opencv_decodes_the_compression(monkeypatch, depth, meaning):
    pixels = smooth(20, 30, 4, depth)
    white = np.iinfo(pixels.dtype).max
    pixels[:, :, :3] = np.minimum(pixels[:, :, :3], pixels[:, :, 3:])
    data = tiff(pixels, photometric="rgb", extrasamples=[meaning] if meaning else None, compression="zlib")
    if meaning is None:  # as OpenCV writes it
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            tag = file.pages[0].tags["ExtraSamples"]
        data = bytearray(data)
        data[tag.valueoffset : tag.valueoffset + 2] = bytes(2)

    def missing(*_, **__):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", missing)
    image = decode_image(bytes(data), "x")
    straight = pixels.astype(float)
    if meaning == "assocalpha":
        straight[:, :, :3] *= white / straight[:, :, 3:]
    np.testing.assert_allclose(image.pixels, straight, atol=0.5 + 1e-6)
    assert image.alpha
    gray = tiff(pixels[:, :, :2].copy(), photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"])
    with pytest.raises(ImageReadError, match=r"x\.tif: a TIFF compressed by NONE; to read it: pip install"):
        decode_image(gray, "x.tif")


def bmp(pixels: np.ndarray, header: bytes, masks: bytes = b"") -> bytes:
    rows = b"".join(row.tobytes() + bytes(-row.nbytes % 4) for row in pixels[::-1])
    start = 14 + len(header) + len(masks)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + masks + rows


@pytest.mark.parametrize("size", [40, 56, 108, 124])
@pytest.mark.parametrize("alpha_mask", [0, 0xFF000000])
def test_a_bmp_of_32_bits_has_the_alpha_that_its_masks_say(size, alpha_mask):
    pixels = smooth(9, 13, 4)
    if not alpha_mask or size == 40:
        pixels[:, :, 3] = 0
    header = struct.pack("<IiiHHIIiiII", size, 13, 9, 1, 32, 3, pixels.nbytes, 0, 0, 0, 0)
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, alpha_mask).ljust(size - 40, b"\0")
    image = decode_image(bmp(pixels[:, :, [2, 1, 0, 3]], header, masks[:12] if size == 40 else masks), "x")
    expected = pixels if alpha_mask and size > 40 else pixels[:, :, :3]
    np.testing.assert_array_equal(image.pixels, expected)


def test_a_bmp_with_the_oldest_header_keeps_its_colours():
    pixels = smooth(9, 13)
    image = decode_image(bmp(pixels[:, :, ::-1], struct.pack("<IHHHH", 12, 13, 9, 1, 24)), "x")
    np.testing.assert_array_equal(image.pixels, pixels)


def test_tiff_samples_beyond_ours_are_refused_by_name():
    with pytest.raises(ImageReadError, match="a TIFF of int32 samples; convert it to one of u8, u16, i16, f32, f64"):
        decode_image(tiff(np.zeros((4, 4), np.int32)), "x.tif")


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (b"P1 # a comment\n3 2\n101\n0 1 0\n", [[0, 255, 0], [255, 0, 255]]),
        (b"P2\n3 1\n# another\n15\n0 5 15\n", [[0, 85, 255]]),
        (b"P2 2 1 1000 0 1000", [[0, 65535]]),
        (b"P3\n1 1\n255\n1 2 3", [[[1, 2, 3]]]),
        (b"P4\n9 1\n\x80\x80", [[0, 255, 255, 255, 255, 255, 255, 255, 0]]),
        (b"P5 2 1 255 \x01\x02", [[1, 2]]),
        (b"P5 2 1 65535\n\x01\x02\xff\xff", [[258, 65535]]),
        (b"P6\n1 1\n255\n\x01\x02\x03", [[[1, 2, 3]]]),
        (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x07\x09", [[[7, 9]]]),
        (b"Pf\n1 2\n-1.0\n" + struct.pack("<ff", -2.5, 3), [[3], [-2.5]]),
        (b"PF\n1 1\n1.0\n" + struct.pack(">fff", 1, 2, 3), [[[1, 2, 3]]]),
    ],
)
def test_netpbm_files_written_by_hand(data, pixels):
    wanted = np.array(pixels)
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels, wanted if wanted.ndim == 3 else wanted[:, :, np.newaxis])


def test_hdr_agrees_with_opencv():
    pixels = smooth(20, 30, 3, "f32")
    np.testing.assert_allclose(decode_image(hdr(pixels), "x").pixels, pixels, atol=0.01)


def test_gif_gives_its_first_picture_with_its_transparency():
    first = Pillow.new("P", (4, 3), 1)
    first.putpalette([10, 20, 30, 40, 50, 60])
    first.putpixel((2, 1), 0)
    image = decode_image(saved(first, "GIF", transparency=0), "x")
    assert image.alpha
    assert image.pixels[0, 0].tolist() == [40, 50, 60, 255]
    assert image.pixels[1, 2, 3] == 0
    frames = [pillow(smooth(9, 9, seed=n)).quantize(8) for n in range(3)]
    image = decode_image(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "x")
    assert image.notes == ("3 pictures: only the first is used",)
    assert not image.alpha


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_is_stretched_to_16_bits(bits):
    deep = np.full((16, 16, 3), 2**bits - 1, np.uint16)
    deep[:8] = 0
    data = cv2.imencode(".avif", deep, [cv2.IMWRITE_AVIF_DEPTH, bits, cv2.IMWRITE_AVIF_QUALITY, 100])[1].tobytes()
    pixels = decode_image(data, "x").pixels
    assert (pixels.dtype, pixels.min(), pixels.max()) == (np.uint16, 0, 65535)


def hdr(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".hdr", pixels[:, :, ::-1])[1].tobytes()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "i2", "f4", ">f4", "f8"])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_npy_of_our_depths(dtype, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    image = decode_image(npy(array), "x")
    np.testing.assert_array_equal(image.pixels, array if array.ndim == 3 else array[:, :, np.newaxis])
    assert image.pixels.dtype.isnative


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4), np.int32), "an array of int32; save it as one of u8, u16, i16, f32, f64"),
        (np.zeros((4, 4), bool), "an array of bool"),
        (np.zeros((4, 4), complex), "an array of complex128"),
        (np.array([[{}]]), "an array of object"),
        (np.zeros(4, np.uint8), r"shape \(4,\); an image is \(H, W\)"),
        (np.zeros((3, 4, 9), np.uint8), "C from 1 to 4"),
        (np.zeros((0, 4), np.uint8), "an empty array"),
    ],
)
def test_npy_that_is_no_image_is_refused(array, message):
    with pytest.raises(ImageReadError, match=message):
        decode_image(npy(array), "x.npy")


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


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_anywhere_is_an_error_in_one_line_and_nothing_else(kind, capfd):
    data = FILES[kind]()
    assert decode_image(data, "whole").size == (60, 70, 3)
    cuts = {*range(1, min(len(data), 90)), *np.linspace(1, len(data) - 1, 120).astype(int).tolist(), len(data) - 1}
    for cut in sorted(cuts):
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
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
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


def test_a_picture_larger_than_memory_is_refused_before_it_is_decoded(monkeypatch):
    huge = b"P5 30000 30000 255 "
    monkeypatch.setattr(memory_check, "available_bytes", lambda: 10**9)
    message = r"huge.pgm: 30000 x 30000 pixels need 1.8 GB of memory, and 1.0 GB are free; cut it up"
    with pytest.raises(ImageReadError, match=message):
        decode_image(huge, "huge.pgm")


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
        "from convcli.image.formats.png import codec as png; import numpy as np;"
        "from convcli.image.model import Metadata;"
        "data = png.encode(np.zeros((64, 64, 3), np.uint8), Metadata(), compression='balanced', threads=2);"
        f"reading.decode_image(data, 'x'); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=bare_environment()
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b";",
        saved(pillow(rough(8, 9)), "BMP")[:18]
        + struct.pack("<ii", 40000, 40000)
        + saved(pillow(rough(8, 9)), "BMP")[26:],
    ],
)
def test_more_pixels_than_opencv_decodes_are_refused_by_their_header(data):
    message = (
        r"x: \d+ x \d+ pixels are more than the 1,073,741,824 that OpenCV decodes; convert it to TIFF or cut it up"
    )
    with pytest.raises(ImageReadError, match=message):
        decode_image(data, "x")


def test_a_side_that_opencv_does_not_decode_is_refused_by_its_header(capfd):
    lines = zlib.compress(bytes(1_000_002), 9)
    header = struct.pack(">IIBBBBB", 1_000_001, 1, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", lines), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with pytest.raises(ImageReadError, match="x: 1000001 x 1 pixels are more than the 1,000,000 a side that OpenCV"):
        decode_image(data, "x")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_too_short_for_the_size_it_states_is_damaged(progressive, capfd):
    data = bytearray(saved(pillow(smooth(48, 64)), "JPEG", progressive=progressive))
    place = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    struct.pack_into(">HH", data, place + 5, 9000, 9000)
    with pytest.raises(ImageReadError, match=r"x: damaged JPEG, \d+ bytes cannot make 9000 x 9000 pixels"):
        decode_image(bytes(data), "x")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_of_one_colour_is_short_and_sound(progressive):
    data = saved(Pillow.new("L", (5000, 5000)), "JPEG", quality=1, optimize=True, progressive=progressive)
    assert decode_image(data, "x").size == (5000, 5000, 1)


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
