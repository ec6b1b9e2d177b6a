"""TIFF: every depth and layout against tifffile and Pillow, and compressed as it was when it is written again."""

import io
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
from image_samples import exif, packed_tiff, pillow, rough, saved, smooth, tiff
from PIL import Image as Pillow
from PIL import ImageCms

from convcli.errors import ImageReadError
from convcli.image.formats.registry import written_formats
from convcli.image.formats.tiff.codec import read
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
@pytest.mark.parametrize("depth", ["u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("was", ["none", "lzw", "deflate", "packbits", "zstd"])
def test_samples_of_every_kind_are_compressed_as_they_were(was, channels, depth, order):
    pixels = smooth(60, 50, channels, depth)
    image = Image(pixels, channels in (2, 4), Metadata(exif=exif(order=order), tiff_compression=was))
    written = bytes(encode_image(image, written_formats()["tiff"])[0])
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        page = file.pages[0]
        assert file.byteorder == order
        compression = page.compression.name
        np.testing.assert_array_equal(page.asarray().reshape(pixels.shape), pixels)
    expected = {"none": "NONE", "lzw": "LZW", "packbits": "PACKBITS"}
    assert compression == expected.get(was, "ADOBE_DEFLATE")
    again = decode_image(written, "y")
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.roles == image.roles


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


def test_a_volume_is_refused():
    slices = np.moveaxis(rough(16, 32, 2), 2, 0).copy()
    volume = tiff(slices, photometric="minisblack", volumetric=True, tile=(2, 16, 16))
    with pytest.raises(ImageReadError, match=r"x: a TIFF volume of depth \d+; save one slice"):
        decode_image(volume, "x")


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


def identity(data):
    """The bytes of a TIFF that is read and written again, its notes, and its first page."""
    written, notes = encode_image(decode_image(data, "x.tif"), written_formats()["tiff"])
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        page = file.pages[0]
        page.asarray()
    return bytes(written), notes, page


@pytest.mark.parametrize(
    ("colours", "extra", "roles", "place"),
    [
        ("minisblack", [0, 0, 0, 0], ("gray", "data", "data", "data", "data"), None),
        ("minisblack", [0, 2, 0], ("gray", "data", "data", "alpha"), 2),
        ("minisblack", [0, 0], ("gray", "data", "data"), None),
        ("rgb", [0], ("red", "green", "blue", "data"), None),
        ("rgb", [2, 0], ("red", "green", "blue", "data", "alpha"), 3),
        ("rgb", [0, 2], ("red", "green", "blue", "data", "alpha"), 4),
        ("rgb", [2, 2], ("red", "green", "blue", "data", "alpha"), 3),
    ],
)
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_bands_keep_their_roles_and_order(colours, extra, roles, place, planes):
    pixels = rough(9, 8, len(roles), "u16")
    stored = pixels if planes == "contig" else np.moveaxis(pixels, 2, 0).copy()
    data = tiff(stored, photometric=colours, planarconfig=planes, extrasamples=extra)
    image = decode_image(data, "x")
    order = [n for n in range(len(roles)) if n != place] + ([] if place is None else [place])
    np.testing.assert_array_equal(image.pixels, pixels[:, :, order])
    assert (image.roles, image.alpha_place, image.alpha) == (roles, place, place is not None)
    _, notes, page = identity(data)
    np.testing.assert_array_equal(page.asarray(), pixels)
    kept = [
        2 if value == 2 and 3 * (colours == "rgb") + (colours != "rgb") + n == place else 0
        for n, value in enumerate(extra)
    ]
    assert [int(value) for value in page.extrasamples] == kept
    assert (page.photometric.name.lower(), notes) == (colours, ())


def test_a_fourth_band_without_a_word_on_it_is_data():
    data = bytearray(tiff(rough(9, 8, 4), photometric="rgb", extrasamples=["unassalpha"]))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        entry = file.pages[0].tags["ExtraSamples"].offset
    data[entry : entry + 2] = (65001).to_bytes(2, "little")  # its entry becomes one of another tag
    assert decode_image(bytes(data), "x").roles == ("red", "green", "blue", "data")


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("channels", [1, 3])
def test_odd_bits_span_the_full_range_and_go_back_to_the_file_where_nothing_is_lost(bits, channels):
    codes = np.random.default_rng(bits).integers(0, 2**bits, (7, 13, channels)).astype("u1" if bits < 8 else "u2")
    kind = "rgb" if channels == 3 else "minisblack"
    if bits == 1:
        if channels == 3:
            return  # tifffile writes none
        data = tiff(codes[:, :, 0].astype(bool), photometric=kind)
    else:
        data = packed_tiff(codes, bits, photometric=kind)
    most = 255 if bits < 8 else 65535
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels, np.rint(codes / (2**bits - 1) * most))
    _, _, page = identity(data)
    assert page.bitspersample == bits
    np.testing.assert_array_equal(page.asarray().reshape(codes.shape), codes)
    pixels = image.pixels.copy()
    pixels[0, 0] = 1  # a level that the file's depth does not have
    written, _ = encode_image(replace(image, pixels=pixels), written_formats()["tiff"])
    np.testing.assert_array_equal(decode_image(bytes(written), "x").pixels, pixels)


def test_ink_is_what_it_leaves_of_the_light_and_a_note_says_so():
    inks = rough(9, 8, 5, "u16")
    image = decode_image(tiff(inks, photometric="separated", extrasamples=["unassalpha"]), "x")
    left = 1 - inks[:, :, :4] / 65535
    np.testing.assert_allclose(image.pixels[:, :, :3], left[:, :, :3] * left[:, :, 3:] * 65535, rtol=0, atol=1)
    np.testing.assert_array_equal(image.pixels[:, :, 3], inks[:, :, 4])
    assert (image.roles[-1], image.alpha_place) == ("alpha", 3)
    assert "CMYK" in image.notes[0]


def test_lab_is_converted_as_pillow_converts_it():
    rgb = pillow(smooth(20, 30))
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    stored = ImageCms.profileToProfile(rgb, srgb, lab, outputMode="LAB")
    image = decode_image(saved(stored, "TIFF"), "x")
    expected = ImageCms.profileToProfile(stored, lab, srgb, outputMode="RGB")
    np.testing.assert_allclose(image.pixels.astype(int), np.asarray(expected).astype(int), rtol=0, atol=1)
    np.testing.assert_allclose(image.pixels.astype(int), np.asarray(rgb).astype(int), rtol=0, atol=12)
    assert image.notes == ("Lab became sRGB",)


def tag_place(data, name):
    """Where the value of a tag of the first page stands."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return file.pages[0].tags[name].valueoffset


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("layout", [{"rowsperstrip": 4}, {"tile": (16, 16)}])
def test_a_part_that_is_not_there_is_damage_and_never_black(compression, layout):
    whole = tiff(rough(32, 32, 1)[:, :, 0], compression=compression, photometric="minisblack", **layout)
    kind = "Tile" if "tile" in layout else "Strip"
    counts, offsets = tag_place(whole, f"{kind}ByteCounts"), tag_place(whole, f"{kind}Offsets")
    with tifffile.TiffFile(io.BytesIO(whole)) as file:
        page = file.pages[0]
        width = 2 if page.tags[f"{kind}ByteCounts"].dtype == 3 else 4
        second = page.databytecounts[1]
    for place, size, value in (
        (counts + width, width, 0),
        (counts + width, width, second - 9),
        (offsets + 4, 4, len(whole) + 8),
        (offsets + 4, 4, 0),
    ):
        data = bytearray(whole)
        data[place : place + size] = value.to_bytes(size, "little")
        with pytest.raises(ImageReadError, match=r"x\.tif: .*(truncated|damaged)"):
            decode_image(bytes(data), "x.tif")


def test_tiles_that_gdal_left_out_are_missing_samples():
    pixels = rough(32, 32, 1, "i16")[:, :, 0]
    data = bytearray(tiff(pixels, tile=(16, 16), extratags=[(42113, "s", 0, "-9999", True)]))
    for name in ("TileOffsets", "TileByteCounts"):
        place = tag_place(data, name)
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            width = 2 if file.pages[0].tags[name].dtype == 3 else 4
        data[place + width : place + 2 * width] = bytes(width)
    image = decode_image(bytes(data), "x")
    expected = pixels.copy()
    expected[:16, 16:] = -9999
    np.testing.assert_array_equal(image.pixels[:, :, 0], expected)
    assert image.nodata == -9999


def test_what_asks_for_more_than_the_file_holds_is_refused_before_decoding():
    data = bytearray(tiff(rough(32, 32, 1)[:, :, 0], compression="zlib", rowsperstrip=1))
    place = tag_place(data, "StripByteCounts")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        width = 2 if file.pages[0].tags["StripByteCounts"].dtype == 3 else 4
    data[place : place + 32 * width] = (1000).to_bytes(width, "little") * 32
    place = tag_place(data, "StripOffsets")
    data[place : place + 32 * 4] = (8).to_bytes(4, "little") * 32
    with pytest.raises(ImageReadError, match=r"x\.tif: damaged TIFF, its strips are said to hold more than the file"):
        decode_image(bytes(data) + bytes(2000), "x.tif")
    place = tag_place(data, "ImageWidth")
    data[place : place + 4] = (2**28).to_bytes(4, "little")
    place = tag_place(data, "ImageLength")
    data[place : place + 4] = (2**28).to_bytes(4, "little")
    with pytest.raises(ImageReadError, match="of memory"):
        decode_image(bytes(data), "x.tif")


def raw_file(*, sensor=(60, 80), preview=(24, 32)):
    """A camera's raw file: a preview, and the sensor's samples below it."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        shown = smooth(*preview)
        writer.write(shown, photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        filters = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
        writer.write(np.zeros(sensor, np.uint16), photometric=32803, extratags=filters, metadata=None)
    return stream.getvalue(), shown


def test_a_raw_file_is_refused_with_the_size_of_its_preview_which_can_be_asked_for():
    data, preview = raw_file()
    with pytest.raises(
        ImageReadError, match=r"80 x 60 samples of the sensor.*--page preview takes its preview of 32 x 24"
    ):
        decode_image(data, "x.dng")
    np.testing.assert_array_equal(read(data, "x.dng", page="preview").pixels, preview)
    with pytest.raises(ImageReadError, match="not a camera's raw file"):
        read(tiff(preview, photometric="rgb"), "x.tif", page="preview")


def test_a_reduced_copy_before_the_picture_is_passed_over():
    stream = io.BytesIO()
    picture = smooth(24, 32)
    with tifffile.TiffWriter(stream) as writer:
        writer.write(picture[::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
        writer.write(picture, photometric="rgb", metadata=None)
    image = decode_image(stream.getvalue(), "x")
    np.testing.assert_array_equal(image.pixels, picture)
    assert image.notes == ()


def test_palettes_of_eight_bits_a_colour_are_read_as_they_stand():
    codes = rough(9, 8, 1)[:, :, 0]
    table = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16)
    for written in (table, table * 257):
        data = tiff(codes, photometric="palette", colormap=written)
        np.testing.assert_array_equal(decode_image(data, "x").pixels, table.T[codes].astype(np.uint8))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_every_tag_that_is_still_true_is_carried_with_its_type_and_values(order, big):
    tags = [
        (270, "s", 0, "a hill", True),
        (33432, "s", 0, "ours", True),
        (33550, "d", 3, (30.0, 30.0, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 5e5, 5e6, 0.0), True),
        (34735, "H", 4, (1, 1, 0, 0), True),
        (42113, "s", 0, "-9999", True),
        (65000, "H", 3, (1, 2, 3), True),
        (65001, "d", 1, (0.5,), True),
        (65002, "b", 2, (-1, 2), True),
        (65003, "f", 2, (1.5, 2.5), True),
    ]
    options = {"byteorder": order, "bigtiff": big, "resolution": (4.0, 5.0), "resolutionunit": 1, "extratags": tags}
    data = tiff(rough(9, 8, 1, "i16")[:, :, 0], **options)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        before = {tag.code: (tag.dtype, tag.count, tag.value) for tag in file.pages[0].tags}
    _, notes, page = identity(data)
    after = {tag.code: (tag.dtype, tag.count, tag.value) for tag in page.tags}
    for code in [*(tag[0] for tag in tags), 282, 283, 296]:
        assert after[code] == before[code], code
    assert notes == ()


def test_what_cannot_be_true_any_longer_goes_with_a_note():
    pixels = rough(9, 8, 1)[:, :, 0]
    statistics = '<GDALMetadata>\n  <Item name="STATISTICS_MEAN" sample="0">3</Item>\n  <Item name="A">b</Item>\n'
    statistics += "</GDALMetadata>"
    tags = [(281, "H", 1, (200,), True), (42112, "s", 0, statistics, True), (42113, "s", 0, "7", True)]
    image = decode_image(tiff(pixels, extratags=tags), "x")
    assert image.notes == (
        "its limits of samples are dropped: they are no longer true",
        "GDAL's statistics are dropped: they are those of the samples before",
    )
    written, _ = encode_image(image, written_formats()["tiff"])
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        found = file.pages[0].tags
        assert found[42112].value.strip() == '<GDALMetadata>\n  <Item name="A">b</Item>\n</GDALMetadata>'
        assert found[42113].value == "7"
        assert 281 not in found
    outside = replace(image, nodata=-9999.0)
    written, notes = encode_image(outside, written_formats()["tiff"])
    assert notes == ("the nodata value -9999 is dropped: u8 cannot hold it",)


def test_white_as_zero_and_odd_bits_take_the_nodata_value_with_them():
    codes = np.arange(72).reshape(9, 8, 1).astype(np.uint8) % 16
    data = packed_tiff(codes, 4, photometric="miniswhite", extratags=[(42113, "s", 0, "3", True)])
    image = decode_image(data, "x")
    assert image.nodata == 255 - 3 * 17
    np.testing.assert_array_equal(image.pixels == image.nodata, codes == 3)
    _, _, page = identity(data)
    assert page.tags[42113].value == "204"


def test_the_description_of_a_stack_becomes_that_of_its_first_page():
    stack = rough(9, 8, 3, "u16").transpose(2, 0, 1).copy()
    stream = io.BytesIO()
    tifffile.imwrite(stream, stack, imagej=True, resolution=(4.0, 4.0), metadata={"unit": "um", "axes": "ZYX"})
    _, _, page = identity(stream.getvalue())
    assert "unit=um" in page.description
    assert "slices" not in page.description
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, stack, ome=True, metadata={"axes": "CYX", "PhysicalSizeX": 0.1, "Channel": {"Name": ["A", "B", "C"]}}
    )
    written, _, page = identity(stream.getvalue())
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        np.testing.assert_array_equal(file.series[0].asarray(), stack[0])
    assert 'SizeC="1"' in page.description
    assert 'Name="A"' in page.description
    assert 'Name="B"' not in page.description


def test_a_last_strip_that_inflates_to_more_than_its_rows_is_whole():
    pixels = rough(10, 8, 3)
    strips = [zlib.compress(pixels[:6].tobytes()), zlib.compress(pixels[6:].tobytes() + bytes(48))]
    stream = io.BytesIO()
    tifffile.imwrite(
        stream,
        iter(strips),
        shape=pixels.shape,
        dtype=pixels.dtype,
        photometric="rgb",
        rowsperstrip=6,
        compression="zlib",
    )
    np.testing.assert_array_equal(decode_image(stream.getvalue(), "x").pixels, pixels)
