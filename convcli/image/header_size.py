"""How large a picture will be in memory, told from the first bytes of its file, before any of it is decoded.

Only what many megabytes of one matter for: where to set what is done at the same time, not whether it can be done.
"""

import struct
from collections.abc import Iterator

_ENOUGH = 1 << 16  # bytes that hold the header; of a JPEG's, behind much metadata, more is read
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}
# Where nothing is known of a format: many times the file.
_USUAL_COMPRESSION = 30


def peek_samples(path: str) -> tuple[int, int] | None:
    """Tell how many samples the picture in a file has, of how many bytes each; None where its header does not say.

    An estimate: nothing is checked. Raises OSError where the file cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_ENOUGH)
        if head.startswith(b"\xff\xd8\xff"):
            return _jpeg(head + file.read(1 << 20) if b"\xff\xe1" in head else head)
        if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            order, big = ("<" if head[:1] == b"I" else ">"), 43 in head[2:4]
            place = (
                struct.unpack_from(f"{order}{'Q' if big else 'I'}", head, 8 if big else 4)[0] if len(head) > 16 else 0
            )
            file.seek(place)
            return _tiff(file.read(_ENOUGH), order, big)
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height, bits, colour = struct.unpack_from(">IIBB", head, 16)
            return width * height * {0: 2, 2: 3, 3: 4, 4: 4, 6: 4}.get(colour, 4), 2 if bits == 16 else 1
        if head.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", head, 18)
            return abs(width * height) * 4, 1
        if head.startswith(b"GIF8"):
            width, height = struct.unpack_from("<HH", head, 6)
            return width * height * 4, 1
    except struct.error:
        pass
    return None


def peek_bytes(path: str, file_bytes: int) -> int:
    """Estimate how many bytes the decoded picture in a file of `file_bytes` will take. Raises OSError."""
    samples = peek_samples(path)
    return file_bytes * _USUAL_COMPRESSION if samples is None else samples[0] * samples[1]


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """Find the frame header among the markers."""
    place = 2
    while place + 10 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width, components = struct.unpack_from(">HHB", head, place + 5)
            return height * width * components, 1
        place += 2 + int.from_bytes(head[place + 2 : place + 4], "big")
    return None


def _tiff(directory: bytes, order: str, big: bool) -> tuple[int, int] | None:
    """Read size, bits and samples a pixel from the first directory of a TIFF."""
    values = dict(_tiff_values(directory, order, big))
    if 256 not in values or 257 not in values:
        return None
    # Where bits do not fit in the entry they are the same for each channel in practice, and seldom more than 16.
    return values[256] * values[257] * values.get(277, 1), max(1, min(values.get(258, 16), 64) // 8)


def _tiff_values(directory: bytes, order: str, big: bool) -> Iterator[tuple[int, int]]:
    count_code, entry, first = ("Q", 20, 8) if big else ("H", 12, 2)
    try:
        (entries,) = struct.unpack_from(order + count_code, directory)
        for at in range(first, first + entry * min(entries, 200), entry):
            tag, kind, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), directory, at)
            code = _TIFF_TYPES.get(kind)
            if code is not None and count == 1:
                yield tag, struct.unpack_from(order + code, directory, at + entry - (8 if big else 4))[0]
    except struct.error:
        return
