"""What a file says beside its pixels: what survives byte for byte, what is set right, and what goes with a note."""

import io
import struct

import numpy as np
import pytest
import tifffile
from image_samples import XMP, as_stored, exif, pillow, rough, saved, smooth, srgb_profile
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

from convcli.image.formats.registry import written_formats
from convcli.image.model import Image, Metadata
from convcli.image.reading import decode_image
from convcli.image.writing import encode_image

ICC = srgb_profile()


def photograph(kind: str, block: bytes, xmp: bytes = XMP, size: tuple[int, int] = (40, 60)) -> bytes:
    """A picture with EXIF, XMP, profile and resolution, as Pillow writes it."""
    options = {"icc_profile": ICC, "exif": block}
    if kind == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options |= {"pnginfo": info, "dpi": (300, 150)}
    elif kind == "JPEG":
        options |= {"xmp": xmp, "dpi": (300, 150), "exif": b"Exif\0\0" + block}
    else:
        options |= {"xmp": xmp, "lossless": True}
    return saved(pillow(smooth(*size)), kind, **options)


def rewritten(data: bytes, kind: str) -> tuple[Image, bytes, tuple[str, ...]]:
    """Read, write as `kind`, and give what was read, the new file and the notes."""
    image = decode_image(data, "in")
    encoded, notes = encode_image(image, written_formats()[kind])
    return image, bytes(encoded), notes


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("target", ["png", "jpeg", "webp"])
def test_an_upright_photograph_keeps_exif_xmp_and_profile_byte_for_byte(source, target, order):
    block = exif(order=order, tail=b"unknown bytes at the end")
    _, data, notes = rewritten(photograph(source, block), target)
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.info["icc_profile"] == ICC
        assert image.info["exif"].removeprefix(b"Exif\0\0") == block
        assert image.info.get("xmp", XMP) == XMP
        if target != "webp" and source != "WEBP":
            np.testing.assert_allclose(image.info["dpi"], (300, 150), atol=0.02)
    again = decode_image(data, "again").metadata
    assert (again.exif, again.xmp, again.icc) == (block, XMP, ICC)
    assert notes == (
        ("the resolution is lost: WebP has no place for it",) if (target, source != "WEBP") == ("webp", True) else ()
    )


@pytest.mark.parametrize("source", ["PNG", "JPEG"])
def test_avif_and_tiff_keep_them_too(source):
    block = exif()
    _, data, _ = rewritten(photograph(source, block), "avif")
    again = decode_image(data, "again").metadata
    assert (again.xmp, again.icc) == (XMP, ICC)
    assert again.exif is not None
    assert again.exif == block
    _, data, notes = rewritten(photograph(source, block), "tiff")
    assert notes == ()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        assert (tags[700].value, tags[34675].value, tags["Make"].value) == (XMP, ICC, "Camera works!")
        assert tags["ExifTag"].value["PixelXDimension"] == 60
        assert tags["ExifTag"].value["MakerNote"] == b"maker note, 32 bytes of secrets!"
        np.testing.assert_allclose(np.divide(*tags["XResolution"].value), 300, atol=0.02)
    second, data, _ = rewritten(data, "tiff")
    assert second.metadata.icc == ICC
    with Pillow.open(io.BytesIO(data)) as image:
        assert image.getexif()[0x010F] == "Camera works!"
        assert image.getexif().get_ifd(0x8769)[0xA002] == 60


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_turned_photograph_comes_out_upright_and_says_so(orientation, order):
    upright = smooth(40, 60)
    stored = as_stored(upright, orientation)
    xmp = XMP.replace(b'Orientation="1"', b'Orientation="%d"' % orientation)
    block = exif(orientation, stored.shape[:2], order)
    data = saved(pillow(stored), "JPEG", quality=95, exif=b"Exif\0\0" + block, xmp=xmp, dpi=(200, 100))
    _, written, notes = rewritten(data, "png")
    assert notes == ()
    with Pillow.open(io.BytesIO(written)) as image:
        assert image.size == (60, 40)
        tags = image.getexif()
        assert tags[0x0112] == 1
        assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == (60, 40)
        assert tags.get_ifd(0x8769)[0x927C] == b"maker note, 32 bytes of secrets!"
        assert image.info["xmp"] == XMP
        wanted = (100, 200) if orientation >= 5 else (200, 100)
        np.testing.assert_allclose(image.info["dpi"], wanted, atol=0.02)


def test_a_picture_of_another_size_says_its_own():
    xmp = XMP.replace(b"tiff:Orientation", b'tiff:ImageWidth="60" tiff:Orientation')
    image = decode_image(photograph("PNG", exif(), xmp), "in")
    cut = Image(image.pixels[:30, :50].copy(), metadata=image.metadata)
    again = decode_image(bytes(encode_image(cut, written_formats()["jpeg"])[0]), "again").metadata
    tags = Pillow.Exif()
    tags.load(again.exif)
    assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == (50, 30)
    assert b'tiff:ImageWidth="50"' in again.xmp


@pytest.mark.parametrize("tail", [b"", b"more"])
def test_a_thumbnail_goes_and_all_else_stays(tail):
    thumbnail = saved(pillow(rough(8, 8)), "JPEG")
    block = exif(thumbnail=thumbnail, tail=tail)
    _, data, notes = rewritten(photograph("JPEG", block), "jpeg")
    assert notes == ("the EXIF thumbnail is dropped: it showed the picture before",)
    again = decode_image(data, "again").metadata.exif
    assert thumbnail[:20] not in again
    assert again == exif()  # the same block, had there never been one


def test_profiles_for_other_channels_go_with_a_note():
    image = decode_image(photograph("PNG", exif()), "in")
    gray = Image(image.pixels[:, :, :1].copy(), metadata=image.metadata)
    data, notes = encode_image(gray, written_formats()["png"])
    assert notes == ("the colour profile is dropped: it is not one for gray",)
    assert decode_image(bytes(data), "again").metadata.icc is None
    cmyk = bytearray(ICC)
    cmyk[16:20] = b"CMYK"
    file = saved(pillow(smooth(20, 30)).convert("CMYK"), "JPEG", icc_profile=bytes(cmyk))
    read = decode_image(file, "in")
    assert read.metadata.icc is None
    assert read.notes == ("CMYK became RGB as (1 - ink)(1 - black): its profile is not one for inks, and is dropped",)


def test_what_has_no_room_or_no_place_is_said():
    metadata = Metadata(exif=exif(tail=bytes(70_000)), xmp=XMP + b" " * 70_000, stored_size=(16, 16))
    _, notes = encode_image(Image(smooth(16, 16), metadata=metadata), written_formats()["jpeg"])
    assert notes == ("EXIF is lost: JPEG has room for 64 KB of it", "XMP is lost: JPEG has room for 64 KB of it")
    metadata = Metadata(exif=exif(), xmp=XMP, icc=ICC, resolution=(72, 72), stored_size=(16, 16))
    _, notes = encode_image(Image(smooth(16, 16), metadata=metadata), written_formats()["ppm"])
    message = "EXIF, XMP, the colour profile and the resolution are lost: PPM has no place for them"
    assert notes == (message,)
    metadata = Metadata(exif=b"not exif at all")
    _, notes = encode_image(Image(smooth(16, 16), metadata=metadata), written_formats()["png"])
    assert notes == ("the damaged EXIF is dropped",)


def test_png_keeps_what_png_alone_can_say_of_its_colours():
    chunks = ((b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", *range(30000, 30008))))
    image = Image(smooth(16, 16), metadata=Metadata(png_colour=chunks, stored_size=(16, 16)))
    data, notes = encode_image(image, written_formats()["png"])
    assert notes == ()
    assert decode_image(bytes(data), "x").metadata.png_colour == chunks
    _, notes = encode_image(image, written_formats()["webp"])
    assert notes == ("the PNG's gamma and primaries are lost: WebP has no place for them",)


def test_gray_profiles_stay_with_gray_pictures():
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"GRAY"
    image = Image(smooth(16, 16, 1), metadata=Metadata(icc=bytes(profile)))
    data, notes = encode_image(image, written_formats()["png"])
    assert notes == ()
    assert decode_image(bytes(data), "x").metadata.icc == bytes(profile)


@pytest.mark.parametrize(("kind", "channels"), [("webp", 1), ("webp", 2), ("avif", 2)])
def test_a_gray_profile_goes_where_gray_is_written_as_rgb(kind, channels):
    profile = bytearray(ICC)
    profile[16:20] = b"GRAY"
    image = Image(smooth(16, 16, channels), channels == 2, metadata=Metadata(icc=bytes(profile)))
    data, notes = encode_image(image, written_formats()[kind])
    assert notes == ("the colour profile is dropped: it is not one for RGB",)
    assert decode_image(bytes(data), "x").metadata.icc is None


def test_texts_and_comments_are_kept_or_said_to_be_lost_and_so_is_iptc():
    pixels = np.zeros((4, 5, 3), np.uint8)
    picture, stream = Pillow.fromarray(pixels), io.BytesIO()
    text = PngInfo()
    text.add_text("Comment", "hello")
    text.add_itxt("Title", "hello", zip=True)
    picture.save(stream, "png", pnginfo=text)
    kept = "only EXIF, XMP, profile and resolution are kept"
    image = decode_image(stream.getvalue(), "a.png")
    with Pillow.open(io.BytesIO(encode_image(image, written_formats()["png"])[0])) as opened:
        assert opened.text == {"Comment": "hello", "Title": "hello"}
    _, notes = encode_image(image, written_formats()["jpeg"])
    assert notes == ("the PNG's text (Comment, Title) is lost: JPEG has no place for it",)

    stream = io.BytesIO()
    picture.save(stream, "jpeg", comment=b"hello")
    data = stream.getvalue()
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\0"
    data = data[:2] + b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]
    image = decode_image(data, "a.jpg")
    assert image.notes == (f"its IPTC block is lost: {kept}",)
    with Pillow.open(io.BytesIO(encode_image(image, written_formats()["jpeg"])[0])) as opened:
        assert opened.info["comment"] == b"hello"
    assert encode_image(image, written_formats()["png"])[1] == ("the comment is lost: PNG has no place for it",)

    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, extratags=[(33723, 7, 40, bytes(40), True)])
    image = decode_image(stream.getvalue(), "a.tif")
    assert encode_image(image, written_formats()["png"])[1] == ("IPTC is lost: PNG has no place for it",)
