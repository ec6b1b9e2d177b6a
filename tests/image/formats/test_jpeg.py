"""JPEG: decoded as Pillow does it, and written at the quality and subsampling that it came with."""

import io
import struct

import cv2
import numpy as np
import pytest
from image_samples import as_stored, exif, pillow, saved, smooth, srgb_profile
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from convcli.errors import ImageReadError
from convcli.image.formats.jpeg.tables import read_tables
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import as_image, encode_image

ICC = srgb_profile()


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
    written = bytes(encode_image(image, written_formats()["jpeg"])[0])
    assert tables(written) == tables(data)
    with Pillow.open(io.BytesIO(written)) as again:
        assert JpegImagePlugin.get_sampling(again) == SUBSAMPLINGS[subsampling]


@pytest.mark.parametrize("subsampling", ["411", "440"])
def test_subsamplings_that_few_programs_write_are_kept_too(subsampling):
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{subsampling}")
    data = cv2.imencode(".jpg", smooth(40, 50), [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1].tobytes()
    written = bytes(encode_image(decode_image(data, "x"), written_formats()["jpeg"])[0])
    with Pillow.open(io.BytesIO(data)) as one, Pillow.open(io.BytesIO(written)) as two:
        assert one.layer == two.layer


def test_a_quality_that_is_asked_for_wins_and_others_are_95():
    for quality, wanted in ((40, 40), (None, 75)):
        image = decode_image(jpeg(smooth(40, 50), quality=75), "x")
        written = bytes(encode_image(image, written_formats()["jpeg"], quality=quality)[0])
        assert tables(written) == tables(jpeg(smooth(40, 50), quality=wanted))
    foreign = decode_image(jpeg(smooth(40, 50), qtables=[[16] * 64, [17] * 64]), "x")
    assert foreign.metadata.jpeg_quality is None
    best = tables(jpeg(smooth(40, 50), quality=95))
    for image in (foreign, as_image(smooth(40, 50)), decode_image(saved(pillow(smooth(40, 50)), "PNG"), "x")):
        assert tables(bytes(encode_image(image, written_formats()["jpeg"])[0])) == best


def test_a_gray_jpeg_has_no_chroma_and_keeps_its_quality():
    data = jpeg(smooth(40, 50, 1), quality=60)
    image = decode_image(data, "x")
    assert (image.metadata.jpeg_quality, image.metadata.jpeg_subsampling) == (60, None)
    assert tables(bytes(encode_image(image, written_formats()["jpeg"])[0])) == tables(data)


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
    assert decode_image(bytes(encode_image(image, written_formats()["jpeg"])[0]), "y").size == (40, 60, 3)


def test_tables_are_read_as_far_as_they_go():
    body = bytes([0, *range(1, 65)]) + bytes([0x11]) + struct.pack(">64H", *range(300, 364))
    assert read_tables(body) == {0: tuple(range(1, 65)), 1: tuple(range(300, 364))}
    for cut in (1, 64, 128):
        assert read_tables(body[:-cut]) == {0: tuple(range(1, 65))}
    assert read_tables(b"") == {}


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_agrees_with_pillow(mode, progressive):
    data = saved(pillow(smooth(48, 64)).convert(mode), "JPEG", quality=92, progressive=progressive)
    with Pillow.open(io.BytesIO(data)) as image:
        seen = np.asarray(image.convert("L" if mode == "L" else "RGB")).astype(int)
    # CMYK is turned to RGB with other rounding; colours decode with up to a few units of difference.
    pixels = decode_image(data, "x").pixels
    np.testing.assert_allclose(pixels.astype(int), seen.reshape(pixels.shape), atol=3)


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


def test_large_profiles_take_several_jpeg_segments():
    large = ICC + np.random.default_rng(3).bytes(200_000)
    image = Image(smooth(16, 16), metadata=Metadata(icc=large))
    data, notes = encode_image(image, written_formats()["jpeg"])
    assert notes == ()
    with Pillow.open(io.BytesIO(bytes(data))) as opened:
        assert opened.info["icc_profile"] == large
    assert decode_image(bytes(data), "x").metadata.icc == large


@pytest.mark.parametrize(("unit", "dpi"), [("inch", (300, 300)), ("cm", (299.72, 299.72))])
def test_a_jpeg_density_in_either_unit_comes_back_the_same(unit, dpi):
    data = bytearray(saved(pillow(smooth(16, 16)), "JPEG", dpi=(118 if unit == "cm" else 300,) * 2))
    place = data.index(b"JFIF\0") + 7
    data[place] = 2 if unit == "cm" else 1
    image = decode_image(bytes(data), "x")
    written = bytes(encode_image(image, written_formats()["jpeg"])[0])
    np.testing.assert_allclose(image.metadata.resolution, dpi, atol=1e-6)
    assert written[place : place + 5] == bytes(data[place : place + 5])


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


FRAME = segment(0xC0, struct.pack(">BHHB", 8, 9, 9, 1) + b"\1\x11\0")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xd8\xff\xe0\0\4ab" + bytes(9), "truncated JPEG, it ends after 17 bytes without its end mark"),
        (b"\xff\xd8" + FRAME + b"\xff\xd9", "damaged JPEG, it holds no picture data"),
        (b"\xff\xd8\xff\xe0\0\1" + bytes(9), "damaged JPEG, a segment of no length at byte 4"),
        (b"\xff\xd8" + segment(0xC0, b"\x08\0\1"), "damaged JPEG, its frame header is too short"),
        (b"\xff\xd8" + segment(0xDA, b"") + b"data\xff\xd9", "damaged JPEG, it states no size"),
        (b"\xff\xd8" + FRAME + segment(0xDA, b"") + b"data", "(truncated|damaged) "),
        (
            b"\xff\xd8" + FRAME.replace(b"\xff\xc0", b"\xff\xc3") + segment(0xDA, b"") + b"data\xff\xd9",
            "a lossless JPEG, which is not decoded",
        ),
        (
            b"\xff\xd8" + FRAME.replace(b"\x08\0\x09", b"\x0c\0\x09") + segment(0xDA, b"") + b"data\xff\xd9",
            "a 12-bit JPEG, which is not decoded",
        ),
    ],
)
def test_damage_and_what_is_not_decoded_are_named(data, message):
    with pytest.raises(ImageReadError, match=f"x: {message}"):
        decode_image(data, "x")


def test_fill_bytes_and_markers_without_a_body_are_passed_over():
    data = jpeg(smooth(8, 9))
    padded = data[:2] + b"\xff\xff\xff\xd0\xff\x01" + data[2:]
    np.testing.assert_array_equal(decode_image(padded, "x").pixels, decode_image(data, "x").pixels)


def test_a_part_of_a_profile_that_is_missing_leaves_none():
    image = Image(smooth(8, 9), metadata=Metadata(icc=ICC + bytes(70_000)))
    data = bytes(encode_image(image, written_formats()["jpeg"])[0])
    place = data.index(b"ICC_PROFILE\0\2\2") - 4
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    assert decode_image(data[:place] + data[place + 2 + length :], "x").metadata.icc is None


def test_a_profile_beyond_all_room_is_lost_with_a_note():
    image = Image(smooth(8, 9), metadata=Metadata(icc=ICC + bytes(255 * 65519)))
    data, notes = encode_image(image, written_formats()["jpeg"])
    assert notes == ("the colour profile is lost: JPEG has room for 16 MB of it",)
    assert len(data) < 10_000
