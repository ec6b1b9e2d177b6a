"""TIFF: every depth and layout against tifffile and Pillow, and compressed as it was when it is written again."""

import io

import cv2
import numpy as np
import pytest
import tifffile
from image_samples import as_stored, exif, pillow, rough, saved, smooth, tiff
from PIL import Image as Pillow

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image


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


def test_tiff_samples_beyond_ours_are_refused_by_name():
    with pytest.raises(ImageReadError, match="a TIFF of int32 samples; convert it to one of u8, u16, i16, f32, f64"):
        decode_image(tiff(np.zeros((4, 4), np.int32)), "x.tif")


TIFF_KINDS = {
    None: ("NONE", 1),
    "tiff_lzw": ("LZW", 2),
    "tiff_adobe_deflate": ("ADOBE_DEFLATE", 2),
    "packbits": ("PACKBITS", 1),
}


@pytest.mark.parametrize(
    "pixels",
    [smooth(700, 600), smooth(90, 80, 1), rough(50, 60, 4), smooth(40, 30, 1, "u16")],
    ids=["rgb", "gray", "rgba", "u16"],
)
@pytest.mark.parametrize("kind", TIFF_KINDS)
def test_a_tiff_is_compressed_as_it_was(pixels, kind):
    if pixels.dtype == np.uint16:
        source = Pillow.fromarray(pixels[:, :, 0].astype(np.int32)).convert("I;16")
    else:
        source = pillow(pixels)
    image = decode_image(saved(source, "TIFF", compression=kind), "x")
    np.testing.assert_array_equal(image.pixels, pixels)
    written = bytes(encode_image(image, written_formats()["tiff"], threads=2)[0])
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        page = file.pages[0]
        assert (page.compression.name, page.predictor) == TIFF_KINDS[kind]
    if pixels.shape[2] != 4:  # OpenCV multiplies colours by alpha
        seen = cv2.imdecode(np.frombuffer(written, np.uint8), cv2.IMREAD_UNCHANGED).reshape(pixels.shape)
        np.testing.assert_array_equal(seen[:, :, ::-1], pixels)
    with Pillow.open(io.BytesIO(written)) as again:
        np.testing.assert_array_equal(np.asarray(again).reshape(pixels.shape), pixels)
    np.testing.assert_array_equal(decode_image(written, "y").pixels, pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("depth", ["u8", "u16", "i16", "f32", "f64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("was", ["none", "lzw", "deflate", "packbits"])
def test_what_opencv_cannot_compress_is_deflated(was, channels, depth, order):
    pixels = smooth(60, 50, channels, depth)
    image = Image(pixels, channels in (2, 4), Metadata(exif=exif(order=order), tiff_compression=was))
    written = bytes(encode_image(image, written_formats()["tiff"])[0])
    by_opencv = was in ("lzw", "packbits") and channels != 2 and (depth == "u8" or (depth == "u16" and order == "<"))
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        assert file.byteorder == order
        compression = file.pages[0].compression.name
    expected = {"none": "NONE", "deflate": "ADOBE_DEFLATE", "lzw": "LZW", "packbits": "PACKBITS"}
    assert compression == (expected[was] if by_opencv or was in ("none", "deflate") else "ADOBE_DEFLATE")
    np.testing.assert_array_equal(decode_image(written, "y").pixels, pixels)


def test_what_is_asked_for_wins_over_what_a_tiff_was():
    image = Image(smooth(600, 700), metadata=Metadata(tiff_compression="lzw"))
    sizes = {}
    for compression, expected in (("fast", "NONE"), ("balanced", "LZW"), ("small", "ADOBE_DEFLATE")):
        written = bytes(encode_image(image, written_formats()["tiff"], compression=compression, threads=2)[0])
        with tifffile.TiffFile(io.BytesIO(written)) as file:
            assert file.pages[0].compression.name == expected
        assert written == bytes(encode_image(image, written_formats()["tiff"], compression=compression, threads=1)[0])
        sizes[compression] = len(written)
    assert sizes["small"] < sizes["balanced"] < sizes["fast"]


def test_a_volume_is_refused_and_channels_beyond_alpha_are_left_out_with_a_note():
    slices = np.moveaxis(rough(16, 32, 2), 2, 0).copy()
    volume = tiff(slices, photometric="minisblack", volumetric=True, tile=(2, 16, 16))
    with pytest.raises(ImageReadError, match=r"x: a TIFF volume of depth \d+; save one slice"):
        decode_image(volume, "x")
    pixels = rough(9, 8, 4)
    many = np.concatenate([pixels, pixels[:, :, :1]], axis=2)
    image = decode_image(tiff(many, photometric="rgb", extrasamples=["unassalpha", "unspecified"]), "x")
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.notes == ("its channels beyond the colours and alpha are ignored",)


def test_half_floats_are_read_as_floats():
    pixels = smooth(9, 8, 3, "f32").astype(np.float16)
    image = decode_image(tiff(pixels, photometric="rgb"), "x")
    assert image.depth == "f32"
    np.testing.assert_array_equal(image.pixels, pixels.astype(np.float32))


def test_a_tiff_that_asks_for_too_much_memory_is_refused(monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    data = tiff(rough(9, 8), photometric="rgb")
    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuse)
    with pytest.raises(ImageReadError, match="x: the TIFF asks for more memory than there is; cut it up"):
        decode_image(data, "x")
