"""A file of the format that it came from is compressed as that was: JPEG's quality and chroma, TIFF's compression."""

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from image_samples import as_stored, exif, pillow, rough, saved, smooth
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from convcli.image.formats.jpeg.tables import read_tables
from convcli.image.formats.registry import FORMATS
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import as_image, encode_image

SUBSAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def jpeg(pixels, **options) -> bytes:
    return saved(pillow(pixels), "JPEG", **options)


def tables(data: bytes) -> dict[int, list[int]]:
    with Pillow.open(io.BytesIO(data)) as image:
        return {number: list(table) for number, table in image.quantization.items()}


@pytest.mark.parametrize("quality", range(1, 101))
def test_every_quality_is_told_from_its_table(quality):
    assert decode_image(jpeg(smooth(8, 8), quality=quality), "x").metadata.jpeg_quality == quality
    encoded = cv2.imencode(".jpg", smooth(8, 8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    assert decode_image(encoded, "x").metadata.jpeg_quality == quality


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [30, 75, 92])
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_a_jpeg_is_written_at_its_own_quality_and_subsampling(subsampling, quality, progressive):
    data = jpeg(smooth(40, 50), quality=quality, subsampling=SUBSAMPLINGS[subsampling], progressive=progressive)
    image = decode_image(data, "x")
    assert image.metadata.jpeg_subsampling == subsampling
    written = bytes(encode_image(image, FORMATS["jpeg"])[0])
    assert tables(written) == tables(data)
    with Pillow.open(io.BytesIO(written)) as again:
        assert JpegImagePlugin.get_sampling(again) == SUBSAMPLINGS[subsampling]


@pytest.mark.parametrize("subsampling", ["411", "440"])
def test_subsamplings_that_few_programs_write_are_kept_too(subsampling):
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{subsampling}")
    data = cv2.imencode(".jpg", smooth(40, 50), [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1].tobytes()
    written = bytes(encode_image(decode_image(data, "x"), FORMATS["jpeg"])[0])
    with Pillow.open(io.BytesIO(data)) as one, Pillow.open(io.BytesIO(written)) as two:
        assert one.layer == two.layer


def test_a_quality_that_is_asked_for_wins_and_others_are_95():
    for quality, wanted in ((40, 40), (None, 75)):
        image = decode_image(jpeg(smooth(40, 50), quality=75), "x")
        written = bytes(encode_image(image, FORMATS["jpeg"], quality=quality)[0])
        assert tables(written) == tables(jpeg(smooth(40, 50), quality=wanted))
    foreign = decode_image(jpeg(smooth(40, 50), qtables=[[16] * 64, [17] * 64]), "x")
    assert foreign.metadata.jpeg_quality is None
    best = tables(jpeg(smooth(40, 50), quality=95))
    for image in (foreign, as_image(smooth(40, 50)), decode_image(saved(pillow(smooth(40, 50)), "PNG"), "x")):
        assert tables(bytes(encode_image(image, FORMATS["jpeg"])[0])) == best


def test_a_gray_jpeg_has_no_chroma_and_keeps_its_quality():
    data = jpeg(smooth(40, 50, 1), quality=60)
    image = decode_image(data, "x")
    assert (image.metadata.jpeg_quality, image.metadata.jpeg_subsampling) == (60, None)
    assert tables(bytes(encode_image(image, FORMATS["jpeg"])[0])) == tables(data)


@pytest.mark.parametrize(
    ("factor", "turned"), [("444", "4:4:4"), ("422", "4:4:0"), ("440", "4:2:2"), ("420", "4:2:0"), ("411", None)]
)
def test_a_picture_that_is_turned_takes_its_chroma_along(factor, turned):
    parameters = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{factor}")]
    stored = as_stored(smooth(40, 60), 6)
    data = cv2.imencode(".jpg", stored, parameters)[1].tobytes()
    block = b"Exif\0\0" + exif(6, stored.shape[:2])
    data = data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]
    image = decode_image(data, "x")
    assert image.size == (40, 60, 3)
    assert image.metadata.jpeg_subsampling == turned
    assert decode_image(bytes(encode_image(image, FORMATS["jpeg"])[0]), "y").size == (40, 60, 3)


def test_tables_are_read_as_far_as_they_go():
    body = bytes([0, *range(1, 65)]) + bytes([0x11]) + struct.pack(">64H", *range(300, 364))
    assert read_tables(body) == {0: tuple(range(1, 65)), 1: tuple(range(300, 364))}
    for cut in (1, 64, 128):
        assert read_tables(body[:-cut]) == {0: tuple(range(1, 65))}
    assert read_tables(b"") == {}


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
    written = bytes(encode_image(image, FORMATS["tiff"], threads=2)[0])
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
    written = bytes(encode_image(image, FORMATS["tiff"])[0])
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
        written = bytes(encode_image(image, FORMATS["tiff"], compression=compression, threads=2)[0])
        with tifffile.TiffFile(io.BytesIO(written)) as file:
            assert file.pages[0].compression.name == expected
        assert written == bytes(encode_image(image, FORMATS["tiff"], compression=compression, threads=1)[0])
        sizes[compression] = len(written)
    assert sizes["small"] < sizes["balanced"] < sizes["fast"]
