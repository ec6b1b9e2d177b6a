"""Size of a decoded picture, estimated from the header of its file."""

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import example, given
from hypothesis import strategies as st
from image_samples import hdr, npy, pillow, rough, saved, smooth, tiff
from PIL import Image as Pillow

from convcli.image.header_size import decoded_bytes
from convcli.image.reading import decode_image


def estimate(tmp_path, data: bytes, file_bytes: int = 1) -> int:
    path = tmp_path / "picture"
    path.write_bytes(data)
    return decoded_bytes(str(path), file_bytes)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def frame(marker: int, height: int, width: int, components: int) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, components) + bytes(3 * components))


FRAMES = [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF]
BEFORE = {
    "nothing": b"",
    "a Huffman table": segment(0xC4, b"\x11\x00\x10\x00\x10\x03" * 3),
    "the reserved marker": segment(0xC8, b"\x08\x00\x05\x00\x05\x01" * 3),
    "an arithmetic table": segment(0xCC, b"\x08\x00\x05\x00\x05\x01" * 3),
    "a segment without a body": segment(0xE0, b""),
    "a frame's marker within a body": segment(0xE1, b"\xff\xc0\x00\x11\x08\x00\x05\x00\x05\x01"),
    "metadata longer than what is read at once": segment(0xE1, bytes(65533)) * 3,
    "fill bytes": b"\xff\xff\xff",
    "restart markers": b"".join(bytes([0xFF, marker]) for marker in range(0xD0, 0xD8)),
    "a temporary marker": b"\xff\x01",
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("marker", FRAMES)
def test_a_jpegs_frame_is_found_by_any_of_its_markers_behind_anything(tmp_path, marker, before):
    data = b"\xff\xd8" + (BEFORE[before] or segment(0xFE, b"x")) + frame(marker, 300, 70, 3) + b"\xff\xd9"
    assert estimate(tmp_path, data) == 300 * 70 * 3


@pytest.mark.parametrize(("components", "channels"), [(1, 1), (3, 3), (4, 3)])
def test_a_jpeg_decodes_to_gray_or_rgb(tmp_path, components, channels):
    data = b"\xff\xd8" + segment(0xE0, b"JFIF") + frame(0xC0, 5, 7, components)
    assert estimate(tmp_path, data) == 5 * 7 * channels


@pytest.mark.parametrize(
    "rest",
    [
        segment(0xDA, b"\x01") + frame(0xC0, 9, 9, 1),
        segment(0xD9, b"") + frame(0xC0, 9, 9, 1),  # an end mark has no length, but something may follow it
        b"\x00\x00" + frame(0xC0, 9, 9, 1),
        b"\xff" * 9,
        frame(0xC0, 9, 9, 1)[:8],
        segment(0xE1, bytes(40))[:20],
    ],
    ids=["scan first", "end first", "no marker", "fill to the end", "cut frame", "cut segment"],
)
def test_a_jpeg_without_a_frame_is_estimated_from_its_size(tmp_path, rest):
    assert estimate(tmp_path, b"\xff\xd8" + segment(0xE0, b"JFIF") + rest, 1000) == 30_000


def opencv(suffix: str, pixels: np.ndarray, *settings: int) -> bytes:
    return cv2.imencode(suffix, pixels, list(settings))[1].tobytes()


FILES = {
    "png of 16 bits": lambda: opencv(".png", rough(30, 40, 1, "u16")),
    "png with a transparent shade": lambda: saved(pillow(rough(30, 40, 1)), "PNG", transparency=7),
    "png with a palette": lambda: saved(pillow(rough(30, 40)).quantize(7), "PNG"),
    "png of gray and alpha": lambda: saved(pillow(rough(30, 40, 2)), "PNG"),
    "png of one bit": lambda: saved(pillow(rough(30, 40, 1)).convert("1"), "PNG"),
    "progressive jpeg": lambda: saved(pillow(rough(30, 40)), "JPEG", progressive=True, comment=b"x" * 60_000),
    "cmyk jpeg": lambda: saved(pillow(rough(30, 40)).convert("CMYK"), "JPEG"),
    "tiff of floats": lambda: tiff(smooth(30, 40, 3, "f32"), photometric="rgb"),
    "tiff of half floats": lambda: tiff(smooth(30, 40, 3, "f32").astype(np.float16), photometric="rgb"),
    "tiff of doubles, big-endian": lambda: tiff(smooth(30, 40, 1, "f64")[:, :, 0], byteorder=">"),
    "big tiff": lambda: tiff(rough(30, 40), photometric="rgb", bigtiff=True),
    "big tiff, big-endian": lambda: tiff(rough(30, 40, 3, "u16"), photometric="rgb", bigtiff=True, byteorder=">"),
    "tiff with alpha": lambda: tiff(rough(30, 40, 4), photometric="rgb", extrasamples=["unassalpha"]),
    "tiff with a palette": lambda: saved(pillow(rough(30, 40)).quantize(7), "TIFF"),
    "tiff of one bit": lambda: saved(pillow(rough(30, 40, 1)).convert("1"), "TIFF"),
    "bmp": lambda: saved(pillow(rough(30, 41)), "BMP"),
    "bmp with alpha": lambda: saved(pillow(rough(30, 41, 4)), "BMP"),
    "gray bmp": lambda: saved(pillow(rough(30, 41, 1)), "BMP"),
    "bmp with a palette": lambda: saved(pillow(rough(30, 41)).quantize(7), "BMP"),
    "lossless webp with alpha": lambda: saved(pillow(rough(30, 40, 4)), "WEBP", lossless=True),
    "lossless webp": lambda: saved(pillow(rough(30, 40)), "WEBP", lossless=True),
    "webp": lambda: saved(pillow(rough(30, 40)), "WEBP"),
    "webp with metadata": lambda: saved(pillow(rough(30, 40, 4)), "WEBP", xmp=b"<x/>"),
    "gray avif": lambda: opencv(".avif", rough(30, 40, 1)),
    "avif": lambda: saved(pillow(rough(30, 40)), "AVIF"),
    "avif with alpha": lambda: saved(pillow(rough(30, 40, 4)), "AVIF"),
    "avif of 12 bits": lambda: opencv(".avif", rough(30, 40, 3, "u16") >> 4, cv2.IMWRITE_AVIF_DEPTH, 12),
    "jpeg 2000": lambda: saved(pillow(rough(40, 50, 4)), "JPEG2000"),
    "jpeg 2000 codestream": lambda: saved(pillow(rough(40, 50)), "JPEG2000", no_jp2=True),
    "pbm": lambda: b"P1 # a comment\n3 2\n0 1 0 1 1 1",
    "pgm of 10 bits": lambda: b"P5\n2 1\n1023\n\0\1\0\2",
    "ppm": lambda: saved(pillow(rough(30, 40)), "PPM"),
    "pam": lambda: b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nENDHDR\n\0\7\0\x09",
    "pfm": lambda: b"PF\n1 1\n1.0\n" + struct.pack(">fff", 1, 2, 3),
    "gray pfm": lambda: b"Pf\n1 1\n1.0\n" + struct.pack(">f", 1),
    "hdr": lambda: hdr(smooth(30, 40, 3, "f32")),
    "npy": lambda: npy(smooth(30, 40, 4, "f64")),
    "gif with transparency": lambda: saved(Pillow.new("P", (4, 3), 1), "GIF", transparency=1),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_header_says_what_is_decoded(tmp_path, kind):
    data = FILES[kind]()
    assert estimate(tmp_path, data) == decode_image(data, kind).pixels.nbytes


def test_a_gif_is_taken_to_have_alpha(tmp_path):
    assert estimate(tmp_path, saved(pillow(rough(30, 40)), "GIF")) == 30 * 40 * 4


def test_a_tiff_whose_values_lie_outside_the_directory_is_followed(tmp_path):
    for pixels in (rough(30, 40), rough(30, 40, 3, "u16")):
        for order in "<>":
            data = tiff(pixels, photometric="rgb", byteorder=order)
            with tifffile.TiffFile(io.BytesIO(data)) as file:
                assert file.pages[0].tags["BitsPerSample"].count == 3
            assert estimate(tmp_path, data) == pixels.nbytes


@pytest.mark.parametrize("data", [b"", b"some text", b"%PDF-1.7"])
def test_what_is_no_image_is_estimated_from_its_size(tmp_path, data):
    assert estimate(tmp_path, data, 100) == 3000


@example(data=b"\0\0\0\0\0\0\x10\0\0\0\0\0", start=b"MM\0+")  # an offset of 2**60
@given(
    data=st.binary(max_size=60),
    start=st.sampled_from(
        [
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"II*\0",
            b"MM\0+",
            b"BM",
            b"GIF89a",
            b"RIFF\0\0\0\0WEBPVP8L",
            b"\0\0\0\x10ftypavif\0\0\0\0ispe",
            b"\xff\x4f\xff\x51",
            b"P5 ",
            b"P7\n",
            b"PF ",
            b"#?RGBE",
            b"\x93NUMPY",
            b"",
        ]
    ),
)
def test_what_is_no_header_is_never_an_error(tmp_path_factory, data, start):
    path = tmp_path_factory.mktemp("header") / "a"
    path.write_bytes(start + data)
    assert decoded_bytes(str(path), len(data)) >= 0


def test_a_header_of_npy_that_is_never_closed_is_one_that_does_not_say(tmp_path):
    data = npy(np.zeros((3, 4), np.uint8)).replace(b"}", b" ", 1)
    assert estimate(tmp_path, data, file_bytes=1000) == estimate(tmp_path, b"no image", file_bytes=1000)
