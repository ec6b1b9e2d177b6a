"""TIFF: its description here; reading by tifffile and imagecodecs, and writing, in the modules beside.

Source: TIFF 6.0, section 2; the BigTIFF design of Adobe and others.
"""

import struct
from typing import BinaryIO

from convcli.image.formats.registry import Format

_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MOST_ENTRIES = 200
_WIDTH, _HEIGHT, _BITS, _KIND, _SAMPLES, _SAMPLE_FORMAT = 256, 257, 258, 262, 277, 339
_PALETTE, _FLOAT = 3, 3


def _decoded_bytes(file: BinaryIO) -> int | None:
    """Read size, bits and samples a pixel from the first directory."""
    head = file.read(16)
    order, big = ("<" if head[:1] == b"I" else ">"), 43 in head[2:4]
    file.seek(struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0])
    count_code, entry_code, field = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    (entries,) = struct.unpack(order + count_code, file.read(struct.calcsize(order + count_code)))
    entry_bytes = struct.calcsize(order + entry_code) + field
    directory = file.read(entry_bytes * min(entries, _MOST_ENTRIES))
    values = {}
    for place in range(0, len(directory) - entry_bytes + 1, entry_bytes):
        tag, kind, count = struct.unpack_from(order + entry_code, directory, place)
        code = _TYPES.get(kind)
        if code is None or not count:
            continue
        held = directory[place + entry_bytes - field : place + entry_bytes]
        if struct.calcsize(order + code) * count > field:  # then the entry says where they are; the first one is enough
            file.seek(struct.unpack(order + ("Q" if big else "I"), held)[0])
            held = file.read(struct.calcsize(order + code))
        values[tag] = struct.unpack_from(order + code, held)[0]
    if _WIDTH not in values or _HEIGHT not in values:
        return None
    bits, samples = values.get(_BITS, 1), values.get(_SAMPLES, 1)
    if values.get(_KIND) == _PALETTE:
        bits, samples = 8, 3
    elif bits == 16 and values.get(_SAMPLE_FORMAT) == _FLOAT:
        bits = 32  # half floats are read as f32
    return int(values[_WIDTH] * values[_HEIGHT] * samples * next((b for b in (1, 2, 4) if bits <= 8 * b), 8))


FORMATS = (
    Format(
        name="tiff",
        title="TIFF",
        suffixes=(".tiff", ".tif"),
        aliases=("tif",),
        codec="convcli.image.formats.tiff.codec",
        depths=("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64"),
        channels=(1, 2, 3, 4),
        signatures=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        metadata=("exif", "xmp", "icc", "resolution", "tiff_tags"),
        many_bands=True,
        encoder_options=("compression",),
        decoded_bytes=_decoded_bytes,
        stacks="pages",
        advised=True,
    ),
)
