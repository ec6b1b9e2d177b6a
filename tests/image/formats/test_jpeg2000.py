"""JPEG 2000: lossless unless a quality is asked for; channels by their definitions; what it says is kept."""

import struct

import imagecodecs
import numpy as np
import pytest
from image_samples import pillow, rough, saved, smooth
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image as Pillow
from PIL import ImageCms

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image

JP2 = written_formats()["jp2"]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def boxed(pixels: np.ndarray, *boxes: bytes, **options) -> bytes:
    """A file of lossless components with header boxes of our own."""
    stream = bytes(imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat="j2k", mct=False, **options))
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    head = box(b"ihdr", struct.pack(">IIHBBBB", height, width, channels, 7, 7, 0, 0)) + b"".join(boxes)
    return b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", head) + box(b"jp2c", stream)


def colour(space: int) -> bytes:
    return box(b"colr", b"\1\0\0" + struct.pack(">I", space))


@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_jpeg_2000_loses_nothing_unless_a_quality_says_so(depth, channels):
    pixels = rough(40, 50, channels, depth)
    image = Image(pixels, channels in (2, 4))
    data, _ = encode_image(image, JP2)
    again = decode_image(bytes(data), "x")
    assert_array_equal(again.pixels, pixels)
    assert again.alpha == image.alpha
    assert len(encode_image(image, JP2, quality=10)[0]) < len(data) / 4


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (31, 2)])
def test_small_pictures_are_written_too(size):
    pixels = rough(*size)
    assert_array_equal(decode_image(bytes(encode_image(Image(pixels), JP2)[0]), "x").pixels, pixels)


@pytest.mark.parametrize("bare", [False, True])
def test_a_file_and_a_bare_codestream_read_the_same(bare):
    pixels = rough(40, 50)
    image = decode_image(saved(pillow(pixels), "JPEG2000", irreversible=False, no_jp2=bare), "x")
    assert (image.format, image.alpha) == ("jp2", False)
    assert_array_equal(image.pixels, pixels)


def test_gray_with_alpha_is_alpha_where_a_definition_says_so():
    pixels = rough(40, 50, 2)
    stated = box(b"cdef", struct.pack(">H6H", 2, 0, 0, 1, 1, 1, 0))
    assert decode_image(boxed(pixels, colour(17), stated), "x").roles == ("gray", "alpha")
    plain = decode_image(boxed(pixels, colour(17)), "x")
    assert plain.roles == ("gray", "data")
    assert_array_equal(plain.pixels, pixels)


def test_definitions_put_channels_in_order():
    pixels = rough(40, 50)
    stated = box(b"cdef", struct.pack(">H9H", 3, 0, 0, 3, 1, 0, 2, 2, 0, 1))
    assert_array_equal(decode_image(boxed(pixels, colour(16), stated), "x").pixels, pixels[:, :, ::-1])


def test_a_palette_is_looked_up():
    palette = np.random.default_rng(3).integers(0, 256, (9, 3), dtype=np.uint8)
    index = rough(20, 24, 1)[:, :, 0] % 9
    table = box(b"pclr", struct.pack(">HB3B", 9, 3, 7, 7, 7) + palette.tobytes())
    mapping = box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, k) for k in range(3)))
    assert_array_equal(decode_image(boxed(index, colour(16), table, mapping), "x").pixels, palette[index])


def test_luma_and_chroma_become_colours():
    pixels = smooth(20, 24)
    stored = np.asarray(pillow(pixels).convert("YCbCr"))
    assert_allclose(decode_image(boxed(stored, colour(18)), "x").pixels.astype(int), pixels.astype(int), rtol=0, atol=3)


@pytest.mark.parametrize("bits", [4, 12])
def test_other_depths_fill_the_whole_range(bits):
    most = 2**bits - 1
    pixels = (rough(20, 24, 1, "u16") % (most + 1)).astype(np.uint8 if bits <= 8 else np.uint16)
    white = 255 if bits <= 8 else 65535
    image = decode_image(boxed(pixels[:, :, 0], colour(17), bitspersample=bits), "x")
    assert_array_equal(image.pixels, np.rint(pixels * (white / most)))


def test_signed_samples_are_shifted_with_a_note():
    pixels = rough(20, 24, 1).view(np.int8)
    image = decode_image(boxed(pixels[:, :, 0], colour(17)), "x")
    assert_array_equal(image.pixels, pixels.astype(int) + 128)
    assert image.notes == ("signed samples are shifted: the least is black",)


def test_a_space_that_is_not_read_is_named():
    with pytest.raises(
        ImageReadError, match="x: a JPEG 2000 of colour space 12, which is not read; convert it to TIFF"
    ):
        decode_image(boxed(rough(20, 24, 4), colour(12)), "x")


@pytest.mark.parametrize("resolution", [(300.0, 150.0), (4_000_000.0, 2_000_000.0)])
def test_profile_resolution_exif_and_xmp_come_back(resolution, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = b"II*\0\x08\0\0\0\x01\0\x31\x01\x02\0\x02\0\0\0a\0\0\0\0\0\0\0"
    metadata = Metadata(exif, b"<x/>", profile, resolution)
    again = decode_image(bytes(encode_image(Image(smooth(40, 50), metadata=metadata), JP2)[0]), "x").metadata
    assert (again.exif, again.xmp, again.icc) == (exif, b"<x/>", profile)
    assert_allclose(again.resolution, resolution, rtol=1e-4)
    assert not list(tmp_path.iterdir())  # nothing goes through a file


def test_pillow_reads_what_is_written():
    pixels = rough(40, 50, 4)
    data = bytes(encode_image(Image(pixels, True, Metadata(resolution=(300, 300))), JP2)[0])
    import io

    with Pillow.open(io.BytesIO(data)) as opened:
        assert_array_equal(np.asarray(opened), pixels)
        assert_allclose(opened.info["dpi"], (300, 300), rtol=1e-4)
