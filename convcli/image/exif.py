"""EXIF, as far as a filter must touch it: the orientation, the size, and the thumbnail, which shows the old picture.

EXIF is a small TIFF file: a header with the byte order, then directories (IFD) of 12-byte entries. It comes from
strangers, so every offset is checked, and a block that makes no sense is left alone. Edits are made in place, so that
all other bytes (maker notes, with their absolute offsets, included) stay where they were.

Source: CIPA DC-008 (Exif 2.32), section 4.6; TIFF 6.0, section 2.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ORIENTATION = 0x0112
_IMAGE_SIZE = (0x0100, 0x0101)
_PIXEL_SIZE = (0xA002, 0xA003)
_SUB_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # Exif, GPS, interoperability
_THUMBNAIL_START, _THUMBNAIL_BYTES = 0x0201, 0x0202
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_INTEGERS = {1: "B", 3: "H", 4: "I"}
_MOST_ENTRIES = 1000


@dataclass(frozen=True)
class _Entry:
    tag: int
    kind: int
    count: int
    place: int  # of the value, or of the offset to it

    @property
    def bytes(self) -> int:
        return _TYPE_SIZES.get(self.kind, 1) * self.count


class _Block:
    """A TIFF-structured block of bytes that may be changed in place."""

    def __init__(self, exif: bytes) -> None:
        self.data = bytearray(exif)
        self.order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(exif[:4]), "")

    def word(self, place: int) -> int:
        """Read four bytes as an offset; 0, which no directory can have, where there are none."""
        if not self.order or place < 0 or place + 4 > len(self.data):
            return 0
        return int(struct.unpack_from(self.order + "I", self.data, place)[0])

    def entries(self, directory: int) -> Iterator[_Entry]:
        """List the entries of the directory at an offset, as far as they lie inside the block."""
        if not self.order or directory < 8 or directory + 2 > len(self.data):
            return
        count = struct.unpack_from(self.order + "H", self.data, directory)[0]
        for place in range(directory + 2, directory + 2 + 12 * min(count, _MOST_ENTRIES), 12):
            if place + 12 > len(self.data):
                return
            tag, kind, number = struct.unpack_from(self.order + "HHI", self.data, place)
            yield _Entry(tag, kind, number, place + 8)

    def integer(self, entry: _Entry) -> int | None:
        """Read an entry that is a single whole number."""
        code = _INTEGERS.get(entry.kind)
        if code is None or entry.count != 1:
            return None
        return int(struct.unpack_from(self.order + code, self.data, entry.place)[0])

    def set_integer(self, entry: _Entry, value: int) -> None:
        """Replace an entry that is a single whole number; one too narrow for the value becomes a LONG."""
        kind = entry.kind if value < 256 ** _TYPE_SIZES[entry.kind] else 4
        struct.pack_into(self.order + "H", self.data, entry.place - 6, kind)
        self.data[entry.place : entry.place + 4] = bytes(4)
        struct.pack_into(self.order + _INTEGERS[kind], self.data, entry.place, value)

    def next_place(self, directory: int) -> int | None:
        """Where a directory holds the offset of the one after it, or None where that is outside the block."""
        if not self.order or directory < 8 or directory + 2 > len(self.data):
            return None
        place = directory + 2 + 12 * int(struct.unpack_from(self.order + "H", self.data, directory)[0])
        return place if place + 4 <= len(self.data) else None

    def extent(self, directory: int) -> list[tuple[int, int]]:
        """The (start, stop) ranges of a directory, its sub-directories and the values that these point to."""
        ranges = []
        waiting, seen = [directory], set()
        while waiting:
            start = waiting.pop()
            if start in seen:
                continue
            seen.add(start)
            stop = start
            for entry in self.entries(start):
                stop = entry.place + 4
                if entry.tag in _SUB_DIRECTORIES:
                    waiting.append(self.word(entry.place))
                elif entry.bytes > 4:
                    ranges.append((self.word(entry.place), self.word(entry.place) + entry.bytes))
            ranges.append((start, stop + 4))
        return ranges


def orientation_of(exif: bytes | None) -> int:
    """Return the orientation (1 to 8) that a block states, and 1, upright, where it states none that makes sense.

    >>> orientation_of(b"II*\\0\\x08\\0\\0\\0\\x01\\0\\x12\\x01\\x03\\0\\x01\\0\\0\\0\\x06\\0\\0\\0\\0\\0\\0\\0")
    6
    >>> orientation_of(b"nonsense")
    1
    """
    block = _Block(exif or b"")
    for entry in block.entries(block.word(4)):
        if entry.tag == _ORIENTATION:
            value = block.integer(entry)
            return value if value is not None and 1 <= value <= 8 else 1
    return 1


def has_structure(exif: bytes) -> bool:
    """Whether the block starts as one must and has a directory with an entry in it."""
    block = _Block(exif)
    return next(block.entries(block.word(4)), None) is not None


def make_true(exif: bytes, stored_size: tuple[int, int] | None, size: tuple[int, int]) -> tuple[bytes, bool]:
    """Make a block true of the upright picture of this (height, width); say also whether a thumbnail was dropped.

    The orientation becomes 1. The size tags are set where the picture has another size or was turned. What follows the
    first directory is the thumbnail, which shows the picture before it was filtered. A block of which all is true
    already comes back as it is, byte for byte.
    """
    block = _Block(exif)
    first = block.word(4)
    if orientation_of(exif) != 1:
        _set(block, first, {_ORIENTATION: 1})
        stored_size = None
    if stored_size != size:
        height, width = size
        _set(block, first, dict(zip(_IMAGE_SIZE, (width, height), strict=True)))
        for entry in list(block.entries(first)):
            if entry.tag == _SUB_DIRECTORIES[0]:
                _set(block, block.word(entry.place), dict(zip(_PIXEL_SIZE, (width, height), strict=True)))
    dropped = _drop_thumbnail(block, first)
    return bytes(block.data), dropped


def _set(block: _Block, directory: int, values: dict[int, int]) -> None:
    for entry in list(block.entries(directory)):
        if entry.tag in values and block.integer(entry) is not None:
            block.set_integer(entry, values[entry.tag])


def _drop_thumbnail(block: _Block, first: int) -> bool:
    """Unlink the second directory; cut its bytes off where they end the block, else blank those that are its alone."""
    place = block.next_place(first)
    second = block.word(place) if place is not None else 0
    if place is None or second == 0:
        return False
    kept = [(0, 8), *block.extent(first)]
    dropped = block.extent(second)
    tags = {entry.tag: block.integer(entry) for entry in block.entries(second)}
    start, length = tags.get(_THUMBNAIL_START), tags.get(_THUMBNAIL_BYTES)
    if start and length:
        dropped.append((start, start + length))
    block.data[place : place + 4] = bytes(4)
    last_kept = max(stop for _, stop in kept)
    last_kept += last_kept % 2
    if min(begin for begin, _ in dropped) >= last_kept - 1:
        del block.data[last_kept:]
        return True
    for begin, stop in dropped:
        end = min(stop, len(block.data))
        if all(end <= keep_from or begin >= keep_to for keep_from, keep_to in kept):
            block.data[begin:end] = bytes(max(0, end - begin))
    return True
