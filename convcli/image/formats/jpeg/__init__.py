"""JPEG: its description here; segments, metadata and quality in the modules beside.

Source: ITU-T T.81, annex B.
"""

import struct
from typing import BinaryIO

from convcli.image.formats.registry import Format

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the markers of frame headers, SOF0 to SOF15
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a body: TEM, RST0 to RST7
_SCAN, _END = 0xDA, 0xD9


def _decoded_bytes(file: BinaryIO) -> int | None:
    """Look for the frame header among the markers before the first scan."""
    file.seek(2)
    while file.read(1) == b"\xff":
        code = b"\xff"
        while code == b"\xff":  # fill bytes
            code = file.read(1)
        marker = ord(code) if code else _END
        if marker in FRAMES:
            height, width, components = struct.unpack(">3xHHB", file.read(8))
            return int(height * width * (1 if components == 1 else 3))
        if marker in (_SCAN, _END):
            return None
        if marker not in ALONE:
            (length,) = struct.unpack(">H", file.read(2))
            file.seek(length - 2, 1)
    return None


FORMATS = (
    Format(
        name="jpeg",
        title="JPEG",
        suffixes=(".jpg", ".jpeg", ".jpe", ".jfif"),
        aliases=("jpg",),
        codec="convcli.image.formats.jpeg.codec",
        depths=("u8",),
        channels=(1, 3),
        signatures=(b"\xff\xd8\xff",),
        metadata=("exif", "xmp", "icc", "resolution", "jpeg_segments", "jpeg_aspect"),
        encoder_options=("quality",),
        decoded_bytes=_decoded_bytes,
        sides=(1, 65500),
    ),
)
