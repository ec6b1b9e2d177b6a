"""Blocks of bytes in the structure of TIFF, which EXIF has too: directories of entries, found by offset.

Everything here may come from strangers: every offset is checked, and what lies outside the block is as if it were not
there.

Source: TIFF 6.0, section 2; the BigTIFF design, in which offsets and counts have 8 bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SUB_DIRECTORIES = (0x8769, 0x8825, 0xA005)  # Exif, GPS, interoperability
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_MAGIC = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}
_SIGNED = (6, 8, 9)
_MOST_ENTRIES = 1000
_DEEPEST = 4

# A directory as values: tag -> (type, count, the value's bytes in the block's order), or another directory.
Tree = dict[int, "tuple[int, int, bytes] | Tree"]


@dataclass(frozen=True)
class DirectoryEntry:
    """One entry of a directory.

    Parameters
    ----------
    tag, kind, count : int
        What it is, the TIFF type of its values, and how many there are.
    place : int
        Where in the block its value is, or the offset to it.
    """

    tag: int
    kind: int
    count: int
    place: int

    @property
    def bytes(self) -> int:
        """Size of its value in bytes; up to four lie in the entry itself."""
        return _TYPE_SIZES.get(self.kind, 1) * self.count


class Block:
    """A TIFF-structured block of bytes.

    Parameters
    ----------
    data : bytes-like
        Changed in place where it is a bytearray or a view of one.
    """

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data: Any = data  # bytes to read only, a bytearray or what lies in one to change
        self.order, self.wide = _MAGIC.get(bytes(data[:4]), ("", False))

    @property
    def _field(self) -> int:
        """Size in bytes of an offset, and of the values that lie in an entry itself."""
        return 8 if self.wide else 4

    def word(self, place: int) -> int:
        """Read an offset; 0, which no directory can have, where there is none."""
        if not self.order or place < 0 or place + self._field > len(self.data):
            return 0
        return int(struct.unpack_from(self.order + ("Q" if self.wide else "I"), self.data, place)[0])

    def pointer(self, entry: DirectoryEntry) -> int:
        """Read the offset of a directory from the entry that holds it, of 4 bytes or 8."""
        if _TYPE_SIZES.get(entry.kind) == 4 and entry.place + 4 <= len(self.data):
            return int(struct.unpack_from(self.order + "I", self.data, entry.place)[0])
        return self.word(entry.place)

    def entries(self, directory: int) -> Iterator[DirectoryEntry]:
        """Yield the entries of the directory at an offset, as far as they lie inside the block."""
        if not self.order or directory < 8 or directory + 2 > len(self.data):
            return
        count_code, code = ("Q", "HHQ") if self.wide else ("H", "HHI")
        begin, step = directory + struct.calcsize(count_code), struct.calcsize("=" + code) + self._field
        if begin > len(self.data):
            return
        count = struct.unpack_from(self.order + count_code, self.data, directory)[0]
        for place in range(begin, begin + step * min(count, _MOST_ENTRIES), step):
            if place + step > len(self.data):
                return
            tag, kind, number = struct.unpack_from(self.order + code, self.data, place)
            yield DirectoryEntry(tag, kind, number, place + step - self._field)

    def integer(self, entry: DirectoryEntry) -> int | None:
        """Read an entry that is a single whole number."""
        code = _INTEGERS.get(entry.kind)
        if code is None or entry.count != 1:
            return None
        return int(struct.unpack_from(self.order + code, self.data, entry.place)[0])

    def set_integer(self, entry: DirectoryEntry, value: int) -> None:
        """Replace an entry that is a single whole number; one too narrow for the value becomes a LONG."""
        largest = 256 ** _TYPE_SIZES[entry.kind] // (2 if entry.kind in _SIGNED else 1) - 1
        kind = entry.kind if value <= largest else 4
        struct.pack_into(self.order + "H", self.data, entry.place - 6, kind)
        self.data[entry.place : entry.place + 4] = bytes(4)
        struct.pack_into(self.order + _INTEGERS[kind], self.data, entry.place, value)

    def next_place(self, directory: int) -> int | None:
        """Return where a directory holds the offset of the one after it, or None where that is outside the block."""
        if not self.order or directory < 8 or directory + 2 > len(self.data):
            return None
        place = directory + 2 + 12 * int(struct.unpack_from(self.order + "H", self.data, directory)[0])
        return place if place + 4 <= len(self.data) else None

    def extent(self, directory: int) -> list[tuple[int, int]]:
        """Return the (start, stop) ranges of a directory, its sub-directories and the values that these point to."""
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
                if entry.tag in SUB_DIRECTORIES:
                    waiting.append(self.word(entry.place))
                elif entry.bytes > 4:
                    ranges.append((self.word(entry.place), self.word(entry.place) + entry.bytes))
            ranges.append((start, stop + 4))
        return ranges

    def tree(self, directory: int, wanted: frozenset[int] | None = None, depth: int = 0) -> Tree:
        """Return a directory's values, those of its sub-directories included; of its own only the `wanted` tags."""
        found: Tree = {}
        for entry in self.entries(directory):
            if entry.tag in SUB_DIRECTORIES:
                below = self.tree(self.pointer(entry), depth=depth + 1) if depth < _DEEPEST else {}
                if below:
                    found[entry.tag] = below
            elif entry.kind in _TYPE_SIZES and (wanted is None or entry.tag in wanted):
                start = entry.place if entry.bytes <= self._field else self.word(entry.place)
                if start + entry.bytes <= len(self.data):
                    found[entry.tag] = (entry.kind, entry.count, bytes(self.data[start : start + entry.bytes]))
        return found


def serialise(tree: Tree, order: str, start: int, *, wide: bool = False) -> bytes:
    r"""Return the bytes of a directory: its entries, then its long values, then its sub-directories.

    Parameters
    ----------
    tree : dict
        Its values by tag, as from `Block.tree`.
    order : str
        The byte order, `<` or `>`.
    start : int
        The offset it will have, which is even.
    wide : bool
        Whether it is for a BigTIFF.

    Returns
    -------
    bytes
        The directory and all that it points to. No other directory follows it.

    Examples
    --------
    >>> serialise({0x0112: (3, 1, b"\6\0")}, "<", 8).hex(" ")
    '01 00 12 01 03 00 01 00 00 00 06 00 00 00 00 00 00 00'
    """
    count_code, code, offset = ("Q", "HHQ", "Q") if wide else ("H", "HHI", "I")
    field_bytes = struct.calcsize(offset)
    records = [struct.pack(order + count_code, len(tree))]
    tails: list[bytes] = []
    place = start + struct.calcsize("=" + count_code) + len(tree) * (struct.calcsize("=" + code) + field_bytes)
    place += field_bytes
    for tag in sorted(tree):
        value = tree[tag]
        tail = b""
        if isinstance(value, dict):
            kind, count, field = (18 if wide else 4), 1, struct.pack(order + offset, place)
            tail = serialise(value, order, place, wide=wide)
        else:
            kind, count, field = value
            if len(field) > field_bytes:
                tail = field + bytes(len(field) % 2)
                field = struct.pack(order + offset, place)
        records.append(struct.pack(order + code, tag, kind, count) + field.ljust(field_bytes, b"\0"))
        tails.append(tail)
        place += len(tail)
    return b"".join([*records, bytes(field_bytes), *tails])


def swapped(kind: int, value: bytes) -> bytes:
    r"""Return a value's bytes in the other byte order.

    >>> swapped(3, b"\1\0\2\0")
    b'\x00\x01\x00\x02'
    """
    size = 4 if kind in (5, 10) else _TYPE_SIZES.get(kind, 1)  # a fraction is two numbers
    return b"".join(value[place : place + size][::-1] for place in range(0, len(value), size))
