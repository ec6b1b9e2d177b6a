"""PNG, written on several threads and read: held against Pillow, OpenCV and files put together here."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from image_samples import pillow, rough, saved, smooth
from PIL import Image as Pillow

from convcli.errors import ImageReadError
from convcli.image import png
from convcli.image.model import Metadata
from convcli.image.reading import decode_image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def built(values: np.ndarray, bits: int, colour_type: int, *extra: bytes) -> bytes:
    """A PNG of any bit depth from (H, W, C) samples, unfiltered."""
    height, width, _ = values.shape
    if bits == 16:
        rows = values.astype(">u2").reshape(height, -1).view(np.uint8)
    elif bits == 8:
        rows = values.astype(np.uint8).reshape(height, -1)
    else:
        planes = [(values[:, :, 0] >> bit) & 1 for bit in reversed(range(bits))]
        rows = np.packbits(np.stack(planes, axis=2).reshape(height, -1).astype(np.uint8), axis=1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
    return b"".join([SIGNATURE, header, *extra, chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")])


def by_opencv(data: bytes, channels: int) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if channels == 2:
        return pixels[:, :, ::3]
    if channels == 1:
        return pixels[:, :, np.newaxis]
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA)


@pytest.mark.parametrize("compression", ["fast", "balanced", "small"])
@pytest.mark.parametrize("depth", ["u8", "u16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 17), (17, 1), (33, 57)])
def test_other_readers_see_what_was_written(size, channels, depth, compression):
    pixels = rough(*size, channels, depth)
    pixels[: size[0] // 2] = smooth(*size, channels, depth)[: size[0] // 2]
    data = png.encode(pixels, Metadata(), compression=compression, threads=2)
    np.testing.assert_array_equal(by_opencv(data, channels), pixels)
    np.testing.assert_array_equal(decode_image(data, "x").pixels, pixels)
    if depth == "u8":
        with Pillow.open(io.BytesIO(data)) as image:
            assert np.asarray(image).reshape(pixels.shape).tolist() == pixels.tolist()
    elif channels == 1:
        with Pillow.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(np.asarray(image), pixels[:, :, 0])


@pytest.mark.parametrize("compression", ["fast", "balanced", "small"])
@pytest.mark.parametrize(("channels", "depth", "height"), [(3, "u8", 900), (1, "u16", 1300), (4, "u16", 301)])
def test_many_strips_make_one_valid_stream(channels, depth, height, compression):
    pixels = np.repeat(smooth(height, 1, channels, depth), 1200, axis=1)
    pixels[::3] ^= rough(1, 1200, channels, depth)
    data = png.encode(pixels, Metadata(), compression=compression, threads=2)
    assert data.count(b"IDAT") > 1
    np.testing.assert_array_equal(by_opencv(data, channels), pixels)
    stream = b"".join(body for kind, body in chunks(data) if kind == b"IDAT")
    assert len(zlib.decompress(stream)) == height * (1 + pixels[0].nbytes)  # zlib checks the Adler-32, too


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        found.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def test_the_bytes_do_not_depend_on_the_number_of_threads():
    pixels = rough(700, 800)
    one, two, five = (png.encode(pixels, Metadata(), compression="balanced", threads=n) for n in (1, 2, 5))
    assert one == two == five


def test_a_picture_in_other_memory_order_is_written_as_it_looks():
    pixels = rough(40, 30)[::-1, ::-1].swapaxes(0, 1)
    data = png.encode(pixels, Metadata(), compression="fast", threads=1)
    np.testing.assert_array_equal(decode_image(data, "x").pixels, pixels)


def test_small_is_no_larger_than_balanced():
    for pixels in (smooth(300, 400), rough(300, 400), np.repeat(rough(300, 20), 20, axis=1)):
        sizes = [len(png.encode(pixels, Metadata(), compression=c, threads=1)) for c in ("small", "balanced")]
        assert sizes[0] <= sizes[1]


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4)),
    ),
    st.sampled_from(["fast", "balanced", "small"]),
)
def test_any_picture_comes_back_as_it_was(pixels, compression):
    image = decode_image(png.encode(pixels, Metadata(), compression=compression, threads=2), "x")
    assert image.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.alpha == (pixels.shape[2] in (2, 4))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_gray_of_any_depth_is_read_over_its_full_range(bits):
    values = np.arange(2 ** min(bits, 8)).reshape(1, -1, 1) * (257 if bits == 16 else 1)
    image = decode_image(built(values, bits, 0), "x")
    white = 65535 if bits == 16 else 255
    np.testing.assert_array_equal(image.pixels, values * (white // (2**bits - 1)))
    assert image.size == values.shape
    assert not image.alpha


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_one_transparent_shade_of_gray_becomes_alpha(bits):
    shade = 1 if bits < 16 else 300
    values = np.array([0, shade, 2**bits - 1]).reshape(1, 3, 1)
    image = decode_image(built(values, bits, 0, chunk(b"tRNS", struct.pack(">H", shade))), "x")
    white = 65535 if bits == 16 else 255
    assert image.alpha
    assert image.pixels[0, :, 1].tolist() == [white, 0, white if bits > 1 else 0]
    np.testing.assert_array_equal(image.pixels[0, :, 0], values[0, :, 0] * (white // (2**bits - 1)))


@pytest.mark.parametrize("bits", [8, 16])
def test_one_transparent_colour_becomes_alpha(bits):
    values = np.array([[[10, 20, 30], [10, 20, 31]]])
    image = decode_image(built(values, bits, 2, chunk(b"tRNS", struct.pack(">HHH", 10, 20, 30))), "x")
    assert image.pixels.tolist() == [[[10, 20, 30, 0], [10, 20, 31, 2**bits - 1]]]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("transparent", [False, True])
def test_palettes_become_colours(bits, transparent):
    palette = rough(1, 2**bits, 3)
    values = np.arange(2**bits).reshape(1, -1, 1)
    extra = [chunk(b"PLTE", palette.tobytes())] + ([chunk(b"tRNS", b"\x07")] if transparent else [])
    image = decode_image(built(values, bits, 3, *extra), "x")
    np.testing.assert_array_equal(image.pixels[:, :, :3], palette)
    assert image.alpha == transparent
    if transparent:
        assert image.pixels[0, :, 3].tolist() == [7] + [255] * (2**bits - 1)


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_with_alpha_has_two_channels(bits):
    values = rough(5, 6, 2, "u8" if bits == 8 else "u16")
    image = decode_image(built(values, bits, 4), "x")
    np.testing.assert_array_equal(image.pixels, values)
    assert image.alpha


def test_an_interlaced_picture_is_read_whole():
    pixels = smooth(37, 41)
    data = saved(pillow(pixels), "PNG")
    done, interlaced = cv2.imencode(".png", pixels[:, :, ::-1])
    assert done
    for file in (data, interlaced.tobytes()):
        np.testing.assert_array_equal(decode_image(file, "x").pixels, pixels)


def test_an_animation_gives_its_first_picture_and_a_note():
    first, second = pillow(rough(9, 9)), pillow(rough(9, 9, seed=1))
    image = decode_image(saved(first, "PNG", save_all=True, append_images=[second]), "x")
    np.testing.assert_array_equal(image.pixels, np.asarray(first))
    assert image.notes == ("an animation: only its first picture is used",)


def test_what_follows_the_end_mark_does_not_matter():
    data = saved(pillow(rough(9, 9)), "PNG")
    assert decode_image(data + b"junk", "x").size == (9, 9, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:45] + bytes([d[45] ^ 1]) + d[46:], "wrong checksum in 'IDAT'"),
        (lambda d: SIGNATURE + chunk(b"IEND", b""), "does not start with its header"),
        (
            lambda d: SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0)) + d[33:],
            "header is not one",
        ),
        (
            lambda d: SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 3, 2, 0, 0, 0)) + d[33:],
            "header is not one",
        ),
        (lambda d: d[:33] + chunk(b"IEND", b""), "holds no picture data"),
        (
            lambda d: SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 10**5, 10**5, 8, 2, 0, 0, 0)) + d[33:],
            "cannot make",
        ),
    ],
)
def test_damage_is_named(change, message):
    data = change(saved(pillow(rough(4, 4)), "PNG"))
    with pytest.raises(ImageReadError, match=message):
        decode_image(data, "file.png")


def test_a_bad_colour_profile_neither_stops_reading_nor_talks(capfd):
    data = saved(pillow(rough(4, 4)), "PNG")
    bad = data[:33] + chunk(b"iCCP", b"x\0\0not deflate at all") + data[33:]
    image = decode_image(bad, "x")
    assert image.metadata.icc is None
    assert image.notes == ("its damaged colour profile is ignored",)
    assert capfd.readouterr() == ("", "")
