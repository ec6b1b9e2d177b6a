"""What is said of files that are no pictures of a known format."""

import pytest

from convcli.errors import ImageReadError
from convcli.image.formats.registry import format_of
from convcli.image.reading import decode_image


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg width='3'/>", ["SVG", "export it as PNG"]),
        (b"SIMPLE  =                    T", ["FITS", "convert it to TIFF"]),
        (b"%!PS-Adobe-3.0 EPSF-3.0", ["PostScript", "convert it to PNG"]),
        (bytes(128) + b"DICM" + bytes(200), ["DICOM", "convert it to TIFF"]),
        (b"gimp xcf v011", ["XCF", "export it"]),
        (b"FOVb\0\0\1\0", ["X3F", "develop it"]),
        (b"\x76\x2f\x31\x01\2\0\0\0", ["OpenEXR", "convert it to TIFF"]),
        (b"%PDF-1.7", ["PDF", "export its page"]),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41", ["video", "export its frames"]),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", ["CR3", "develop it"]),
        (b"version https://git-lfs.github.com/spec/v1", ["Git LFS", "git lfs pull"]),
        (b"<!DOCTYPE html><title>Not found</title>", ["HTML", "get the picture itself"]),
    ],
)
def test_the_line_names_the_format_and_what_to_do(data, words):
    assert format_of(data) is None
    with pytest.raises(ImageReadError) as raised:
        decode_image(data, "x")
    message = str(raised.value)
    assert message.startswith("x: not an image: ")
    assert "\n" not in message
    assert all(word in message for word in words)
