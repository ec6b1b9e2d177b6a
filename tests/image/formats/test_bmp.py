"""BMP: palettes, bit fields, run lengths and headers of every age, by a loop over the bytes; what is kept; damage."""

import io
import struct

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

PALETTE = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [250, 240, 90]], np.uint8)
QUADS = b"".join(bytes([b, g, r, 0]) for r, g, b in PALETTE)


def info(size, width, height, bits, compression, colours=0, length=0):
    return struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, length, 0, 0, colours, 0)


def bmp(pixels: np.ndarray, header: bytes, masks: bytes = b"") -> bytes:
    rows = b"".join(row.tobytes() + bytes(-row.nbytes % 4) for row in pixels[::-1])
    return whole(header + masks, rows)


def whole(headers: bytes, body: bytes) -> bytes:
    start = 14 + len(headers)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + headers + body


@pytest.mark.parametrize("size", [40, 56, 108, 124])
@pytest.mark.parametrize("alpha_mask", [0, 0xFF000000])
def test_a_bmp_of_32_bits_has_the_alpha_that_its_masks_say(size, alpha_mask):
    pixels = smooth(9, 13, 4)
    if not alpha_mask or size == 40:
        pixels[:, :, 3] = 0
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, alpha_mask).ljust(size - 40, b"\0")
    header = info(size, 13, 9, 32, 3)
    image = decode_image(bmp(pixels[:, :, [2, 1, 0, 3]], header, masks[:12] if size == 40 else masks), "x")
    expected = pixels if alpha_mask and size > 40 else pixels[:, :, :3]
    assert_array_equal(image.pixels, expected)


def test_a_bmp_with_the_oldest_header_keeps_its_colours():
    pixels = smooth(9, 13)
    image = decode_image(bmp(pixels[:, :, ::-1], struct.pack("<IHHHH", 12, 13, 9, 1, 24)), "x")
    assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("top_down", [False, True])
def test_palettes_of_every_depth_and_age_are_looked_up(bits, old, top_down):
    indices = rough(9, 13, 1)[:, :, 0] % min(4, 1 << bits)
    rows = []
    for line in indices:
        packed = 0
        for index in line:
            packed = packed << bits | int(index)
        packed <<= -(13 * bits) % 32
        rows.append(packed.to_bytes((13 * bits + 31) // 32 * 4, "big"))
    top_down = top_down and not old
    colours = PALETTE[: 1 << bits]
    if old:
        table = b"".join(bytes([b, g, r]) for r, g, b in colours).ljust(3 << bits, b"\0")
        header = struct.pack("<IHHHH", 12, 13, 9, 1, bits) + table
    else:
        header = info(40, 13, -9 if top_down else 9, bits, 0, len(colours)) + QUADS[: 4 * len(colours)]
    data = whole(header, b"".join(rows if top_down else rows[::-1]))
    assert_array_equal(decode_image(data, "x").pixels, PALETTE[indices])


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0xF800, 0x07E0, 0x001F)),
        (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
        (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
        (32, (0x3FF00000, 0x000FFC00, 0x000003FF)),
        (32, (0xFE000000, 0x01000000, 0x00FF0000)),
        (32, (0x000000FF, 0x0000FF00, 0x00FF0000, 0xFF000000)),
    ],
)
def test_fields_of_any_width_are_stretched_to_the_whole_range(bits, masks):
    kind = np.uint16 if bits == 16 else np.uint32
    values = np.random.default_rng(4).integers(0, 2**bits, (5, 7), dtype=kind)
    values[0, :2] = 0, 2**bits - 1
    expected = np.zeros((5, 7, len(masks)), np.uint8)
    for y in range(5):
        for x in range(7):
            for channel, mask in enumerate(masks):
                field = (int(values[y, x]) & mask) / mask if mask else 0  # the shift cancels out
                expected[y, x, channel] = round(255 * field)
    header = info(56, 7, 5, bits, 3) + struct.pack("<4I", *(*masks, 0)[:4])
    image = decode_image(bmp(values, header), "x")
    assert image.alpha == (len(masks) == 4)
    assert_allclose(image.pixels.astype(int), expected.astype(int), rtol=0, atol=1)
    assert image.pixels[0, 1].tolist() == [255] * len(masks)


@pytest.mark.parametrize("masks", [(0xF800, 0xF800, 0x1F), (0xF0F, 0xF0, 0xF000), (0, 0, 0)])
def test_masks_that_explain_nothing_are_refused_without_the_word_damaged(masks):
    data = bmp(np.zeros((5, 7), np.uint16), info(40, 7, 5, 16, 3) + struct.pack("<3I", *masks))
    with pytest.raises(ImageReadError, match=r"x: a BMP whose masks \(.*\) do not say what its bits are; convert it"):
        decode_image(data, "x")


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths_copies_and_moves_are_undone(bits):
    four = bits == 4
    copy = bytes([0, 5]) + (bytes([0x01, 0x23, 0x00, 0]) if four else bytes([0, 1, 2, 3, 0, 0]))
    run = bytes([5, 0x12 if four else 3])
    data = whole(
        info(40, 13, 3, bits, 2 if four else 1, 4) + QUADS,
        run + copy + bytes([3, 0]) + bytes([0, 0]) + bytes([0, 2, 4, 1]) + run + bytes([0, 1]),
    )
    bottom = [*([1, 2, 1, 2, 1] if four else [3] * 5), 0, 1, 2, 3, 0, 0, 0, 0]
    top = [0, 0, 0, 0, *([1, 2, 1, 2, 1] if four else [3] * 5), 0, 0, 0, 0]
    assert_array_equal(decode_image(data, "x").pixels, PALETTE[np.array([top, [0] * 13, bottom])])


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"\5\1", "truncated BMP, its run lengths end early"), (b"\xff\1\1\1\0\1", "damaged BMP, .* go beyond row 0")],
)
def test_run_lengths_that_end_early_or_overflow_are_damage(body, message):
    with pytest.raises(ImageReadError, match=f"x: {message}"):
        decode_image(whole(info(40, 13, 3, 8, 1, 4) + QUADS, body), "x")


@pytest.mark.parametrize(("compression", "kind"), [(4, "JPEG"), (5, "PNG")])
def test_a_picture_that_is_wrapped_up_is_read(compression, kind):
    inner = saved(pillow(smooth(16, 24)), kind)
    image = decode_image(whole(info(40, 24, 16, 0, compression, length=len(inner)), inner), "x")
    assert image.format == "bmp"
    assert_array_equal(image.pixels, decode_image(inner, "y").pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("profiled", [False, True])
def test_pixels_resolution_and_profile_come_back_and_pillow_reads_the_same(channels, profiled):
    space = "sRGB" if channels > 1 else "XYZ"
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes())
    profile[16:20] = b"GRAY" if channels == 1 else b"RGB "
    icc = bytes(profile) if profiled else None
    image = Image(rough(9, 13, channels), channels == 4, Metadata(resolution=(300, 150), icc=icc))
    data = bytes(encode_image(image, written_formats()["bmp"])[0])
    with Pillow.open(io.BytesIO(data)) as opened:
        assert_allclose(opened.info["dpi"], (300, 150), atol=0.02)
        assert_array_equal(np.asarray(opened).reshape(9, 13, -1), image.pixels)
    again = decode_image(data, "x")
    assert_allclose(again.metadata.resolution, (300, 150), atol=0.02)
    assert again.metadata.icc == icc
    assert_array_equal(again.pixels, image.pixels)


def test_a_header_that_is_cut_is_named():
    with pytest.raises(ImageReadError, match="x: truncated BMP, its header is not whole"):
        decode_image(b"BM" + bytes(20), "x")


def test_a_picture_that_is_cut_is_named_and_the_padding_of_the_last_row_may_be_missing():
    pixels = smooth(9, 13)
    data = bmp(pixels[:, :, ::-1], info(40, 13, 9, 24, 0))
    assert_array_equal(decode_image(data[:-1], "x").pixels, pixels)
    with pytest.raises(ImageReadError, match="x: truncated BMP, 1 bytes are missing"):
        decode_image(data[:-2], "x")
