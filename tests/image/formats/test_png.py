"""PNG, written on several threads and read: held against Pillow, OpenCV and files put together here."""

import io
import struct
import threading
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from image_samples import XMP, exif, pillow, rough, saved, smooth, srgb_profile
from PIL import Image as Pillow

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.png import codec as png
from convcli.image.formats.png.chunks import decodes_in_strips, walk
from convcli.image.formats.png.inflate import FilteredRows
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encoded(pixels: np.ndarray, metadata: Metadata, *, compression: str, threads: int) -> bytes:
    parts: list[bytes] = []
    png.write(Image(pixels, metadata=metadata), parts.append, EncoderSettings("png", None, compression, threads))
    return b"".join(parts)


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
    data = encoded(pixels, Metadata(), compression=compression, threads=2)
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
    data = encoded(pixels, Metadata(), compression=compression, threads=2)
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


def check_strictly(data: bytes) -> None:
    """Hold a file to the PNG specification as pngcheck does: order, lengths and checksums, and the zlib stream."""
    assert data[:8] == SIGNATURE
    place, kinds, stream = 8, [], b""
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        body = data[place + 4 : place + 8 + length]
        assert len(body) == length + 4
        assert struct.unpack_from(">I", data, place + 8 + length) == (zlib.crc32(body),)
        kinds.append(body[:4])
        stream += body[4:] if body[:4] == b"IDAT" else b""
        place += 12 + length
    assert place == len(data)
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert data[-12:-8] == bytes(4)
    first, last = kinds.index(b"IDAT"), len(kinds) - kinds[::-1].index(b"IDAT")
    assert set(kinds[first:last]) == {b"IDAT"}
    others = [kind for kind in kinds if kind != b"IDAT"]
    assert len(set(others)) == len(others)
    assert not {b"iCCP", b"pHYs", b"gAMA", b"cHRM", b"sRGB"} & set(kinds[last:])
    assert not {b"iCCP", b"sRGB"} <= set(kinds)
    width, height, bits, colour, *rest = struct.unpack_from(">IIBBBBB", data, 16)
    assert rest == [0, 0, 0]
    assert int.from_bytes(stream[:2], "big") % 31 == 0
    assert stream[0] & 15 == 8
    inflater = zlib.decompressobj(8 + (stream[0] >> 4))  # no farther back than the stream says
    raw = inflater.decompress(stream)
    assert inflater.eof
    assert inflater.unused_data == b""
    row = 1 + width * {0: 1, 2: 3, 4: 2, 6: 4}[colour] * bits // 8
    assert len(raw) == height * row
    assert set(raw[::row]) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("compression", ["fast", "balanced", "small"])
@pytest.mark.parametrize(
    ("channels", "depth", "size"), [(1, "u8", (1, 1)), (3, "u8", (700, 900)), (4, "u16", (90, 99))]
)
def test_files_are_strictly_valid(size, channels, depth, compression):
    resolution, colour = (300.0, 300.0), ((b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 45455)))
    for metadata in (Metadata(), Metadata(exif(), XMP, srgb_profile(), resolution, png_colour=colour)):
        pixels = smooth(*size, channels, depth) // 2 + rough(*size, channels, depth) // 8
        check_strictly(encoded(pixels, metadata, compression=compression, threads=2))


def test_a_photograph_is_hardly_larger_than_opencv_makes_it():
    noise = np.random.default_rng(0).normal(0, 2, (600, 800, 3))
    photograph = np.clip(smooth(600, 800) * 0.5 + 60 + noise, 0, 255).astype(np.uint8)
    text = np.full((600, 800, 3), 250, np.uint8)
    cv2.putText(text, "some text", (20, 300), cv2.FONT_HERSHEY_COMPLEX, 4, (20, 30, 90), 6)
    edges = cv2.filter2D(photograph, -1, np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32))
    for pixels in (photograph, text, edges, rough(600, 800)):
        ours = len(encoded(pixels, Metadata(), compression="balanced", threads=2))
        assert ours <= 1.05 * cv2.imencode(".png", pixels[:, :, ::-1])[1].size


def test_a_file_is_written_as_its_strips_are_made(monkeypatch):
    pixels = rough(4000, 1000)  # twelve strips
    begun = []
    make = png.make_strip
    monkeypatch.setattr(png, "make_strip", lambda *arguments: begun.append(1) or make(*arguments))
    pieces, waiting = [], []

    def sink(piece):
        pieces.append(bytes(piece))
        if len(piece) > 1000:
            time.sleep(0.02)  # a slow disk: the threads must not run far ahead of it
            waiting.append(len(begun) - len(waiting))

    png.write(Image(pixels), sink, EncoderSettings("png", compression="fast", threads=2))
    assert len(begun) == len(waiting) == 12
    assert max(waiting) <= 5
    assert max(map(len, pieces)) < 1.2 * 2**20
    assert b"".join(pieces) == encoded(pixels, Metadata(), compression="fast", threads=1)


def test_a_sink_that_fails_ends_all_threads():
    before = threading.active_count()

    def sink(piece):
        if len(piece) > 1000:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        png.write(Image(rough(4000, 1000)), sink, EncoderSettings("png", compression="fast", threads=3))
    assert threading.active_count() == before


def filtered(pixels: np.ndarray, kinds: np.ndarray) -> bytes:
    """The rows of a picture, each filtered in its own way, byte by byte as the specification has it."""
    height, _, channels = pixels.shape
    step = channels * pixels.dtype.itemsize
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8).astype(int)
    rows = np.pad(rows, ((1, 0), (step, 0)))
    out = b""
    for number, kind in enumerate(kinds, start=1):
        now, left = rows[number, step:], rows[number, :-step]
        above, corner = rows[number - 1, step:], rows[number - 1, :-step]
        nearest = np.argmin(np.abs([above - corner, left - corner, left + above - 2 * corner]), axis=0)
        paeth = np.choose(nearest, [left, above, corner])
        row = now - [0 * now, left, above, (left + above) // 2, paeth][kind]
        out += bytes([kind]) + (row % 256).astype(np.uint8).tobytes()
    return out


def wrapped(pixels: np.ndarray, stream: bytes, part: int = 2**30) -> bytes:
    height, width, channels = pixels.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, colour, 0, 0, 0))
    data = [chunk(b"IDAT", stream[at : at + part]) for at in range(0, len(stream), part)]
    return b"".join([SIGNATURE, header, *data, chunk(b"IEND", b"")])


@pytest.mark.parametrize(("threads", "part"), [(1, 700), (3, 2**30)])
@pytest.mark.parametrize(("channels", "depth"), [(3, "u8"), (1, "u16"), (2, "u8"), (2, "u16"), (4, "u8"), (3, "u16")])
def test_a_large_picture_is_decoded_in_strips_whatever_its_filters(channels, depth, part, threads):
    pixels = smooth(1100, 2**21 // (1000 * channels * (2 if depth == "u16" else 1)), channels, depth)
    pixels += rough(*pixels.shape[:2], channels, depth) // 16
    for kinds in (np.random.default_rng(1).integers(0, 5, 1100), np.full(1100, 4), np.full(1100, 1)):
        data = wrapped(pixels, zlib.compress(filtered(pixels, kinds), 1), part)
        assert decodes_in_strips(*walk(data, "x"))
        np.testing.assert_array_equal(decode_image(data, "x", threads=threads).pixels, pixels)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("damage", ["checksum", "cut", "long", "filter", "garbage"])
def test_damage_in_a_large_picture_is_found(damage, threads):
    pixels = smooth(1200, 800)
    rows = filtered(pixels, np.full(1200, 2))
    stream = zlib.compress(rows)
    expected = ImageReadError
    if damage == "checksum":
        stream = stream[:-1] + bytes([stream[-1] ^ 1])
    elif damage == "cut":
        stream = zlib.compress(rows[:-3000])
    elif damage == "long":  # which libpng reads
        stream, expected = zlib.compress(rows + bytes(5000)), None
    elif damage == "filter":
        stream = zlib.compress(rows[: 2401 * 700] + b"\7" + rows[2401 * 700 + 1 :])
    else:
        stream = stream[:5000] + bytes(500) + stream[5500:]
    data = wrapped(pixels, stream, 8192)
    if expected is None:
        np.testing.assert_array_equal(decode_image(data, "x", threads=threads).pixels, pixels)
        return
    with pytest.raises(ImageReadError, match="x: damaged PNG, its picture data cannot be decoded"):
        decode_image(data, "x", threads=threads)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("behind", [False, True])
def test_what_is_no_part_of_the_picture_takes_no_memory(behind, threads):
    pixels = rough(1200, 800)
    rows = filtered(pixels, np.full(1200, 1))
    more = bytes(2**24)
    stream = zlib.compress(rows, 0) + more if behind else zlib.compress(rows + more, 9)
    data = wrapped(pixels, stream, 2**16)
    header, chunks = walk(data, "x")
    inflated = FilteredRows(header, chunks)
    tracemalloc.start()
    try:
        inflated.inflate()
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert inflated.damaged == (not behind)
    np.testing.assert_array_equal(decode_image(data, "x", threads=threads).pixels, pixels)


def test_a_lack_of_memory_is_told_as_one(monkeypatch):
    def refuse(*_arguments, **_options):
        raise OSError(12, "Cannot allocate memory")

    data = encoded(rough(1200, 800), Metadata(), compression="fast", threads=2)
    monkeypatch.setattr("mmap.mmap", refuse)
    with pytest.raises(MemoryError):
        decode_image(data, "x")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (b"ABCD", "x: a PNG with a chunk 'ABCD', which nobody may pass over and is not known here"),
        (b"a\nb\x1b", "x: damaged PNG, no chunk at byte 33"),
    ],
)
def test_chunks_that_nobody_may_pass_over_are_refused(kind, message):
    data = encoded(rough(3, 4), Metadata(), compression="fast", threads=1)
    for odd in (chunk(kind, b"12345"), chunk(kind, b"12345")[:10]):
        cut = len(odd) < 17 and kind.isalpha()
        with pytest.raises(ImageReadError, match="x: truncated PNG" if cut else message):
            decode_image(data[:33] + odd + (b"" if cut else data[33:]), "x")


def test_the_bytes_do_not_depend_on_the_number_of_threads():
    pixels = rough(700, 800)
    one, two, five = (encoded(pixels, Metadata(), compression="balanced", threads=n) for n in (1, 2, 5))
    assert one == two == five


def test_a_picture_in_other_memory_order_is_written_as_it_looks():
    pixels = rough(40, 30)[::-1, ::-1].swapaxes(0, 1)
    data = encoded(pixels, Metadata(), compression="fast", threads=1)
    np.testing.assert_array_equal(decode_image(data, "x").pixels, pixels)


def test_small_is_no_larger_than_balanced():
    for pixels in (smooth(300, 400), rough(300, 400), np.repeat(rough(300, 20), 20, axis=1)):
        sizes = [len(encoded(pixels, Metadata(), compression=c, threads=1)) for c in ("small", "balanced")]
        assert sizes[0] <= sizes[1]


@settings(max_examples=60)
@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 4)),
    ),
    st.sampled_from(["fast", "balanced", "small"]),
)
def test_any_picture_comes_back_as_it_was(pixels, compression):
    image = decode_image(encoded(pixels, Metadata(), compression=compression, threads=2), "x")
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
        (lambda d: d[:45] + bytes([d[45] ^ 1]) + d[46:], "wrong checksum in its picture data"),
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
