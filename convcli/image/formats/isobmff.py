"""Boxes of the ISO base media file format, in which AVIF and JPEG 2000 come, as far as one picture needs them.

Source: ISO/IEC 14496-12 (boxes), 23008-12 (items, properties), 15444-1 annex I (JP2).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from convcli.errors import ImageReadError

Box = tuple[bytes, memoryview]


def boxes(view: memoryview, name: str, title: str) -> Iterator[Box]:
    """Yield the type and body of each box.

    Parameters
    ----------
    view : memoryview
        What holds the boxes.
    name : str
        What messages call the file.
    title : str
        The name of its format.

    Raises
    ------
    ImageReadError
        Where a box is longer than what holds it.
    """
    place = 0
    while place < len(view):
        if place + 8 > len(view):
            raise _cut(name, title)
        length, head = int.from_bytes(view[place : place + 4], "big"), 8
        kind = bytes(view[place + 4 : place + 8])
        if length == 1:
            length, head = int.from_bytes(view[place + 8 : place + 16], "big"), 16
        elif length == 0:
            length = len(view) - place
        if length < head or place + length > len(view):
            raise _cut(name, title)
        yield kind, view[place + head : place + length]
        place += length


def _cut(name: str, title: str) -> ImageReadError:
    return ImageReadError(f"{name}: truncated or damaged {title}, one of its boxes is cut; get the file again")


@dataclass
class Items:
    """The items of a `meta` box.

    Parameters
    ----------
    kinds : dict
        The type of each item by its number.
    extents : dict
        (start, length) in the file of the pieces of each item.
    primary : int
        The number of the picture.
    properties : list of (bytes, memoryview)
        Type and body of those of the picture, in order.
    """

    kinds: dict[int, bytes] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    primary: int = 0
    properties: list[Box] = field(default_factory=list)

    def body(self, data: bytes, kind: bytes) -> bytes | None:
        """Return the bytes of the first item of a kind, if they lie in the file."""
        for number, its_kind in self.kinds.items():
            places = self.extents.get(number, [])
            if its_kind == kind and places and all(start + length <= len(data) for start, length in places):
                return b"".join(data[start : start + length] for start, length in places)
        return None


class _Cursor:
    """Reads whole numbers of several sizes one after another; beyond the end there are zeros."""

    def __init__(self, view: memoryview) -> None:
        self.view, self.place = view, 0

    def take(self, size: int) -> int:
        value = int.from_bytes(self.view[self.place : self.place + size], "big")
        self.place += size
        return value

    @property
    def left(self) -> int:
        """Bytes behind the last number, at least 0."""
        return max(0, len(self.view) - self.place)


def items(meta: memoryview, name: str, title: str) -> Items:
    """Read the items of a `meta` box, as far as it can be understood.

    Parameters
    ----------
    meta : memoryview
        Its body.
    name : str
        What messages call the file.
    title : str
        The name of its format.

    Returns
    -------
    Items
        Empty where there are none.

    Raises
    ------
    ImageReadError
        Where a box in it is cut.
    """
    found = Items()
    inner = dict(boxes(meta[4:], name, title))
    pitm, iloc, iinf = (inner.get(kind, memoryview(b"")) for kind in (b"pitm", b"iloc", b"iinf"))
    found.primary = int.from_bytes(pitm[4 : 8 if bytes(pitm[:1]) == b"\1" else 6], "big")
    if iinf:
        count_size = 2 if iinf[0] == 0 else 4
        for kind, body in boxes(iinf[4 + count_size :], name, title):
            if kind == b"infe" and len(body) >= 12:
                number_size = 2 if body[0] == 2 else 4
                number = int.from_bytes(body[4 : 4 + number_size], "big")
                found.kinds[number] = bytes(body[6 + number_size : 10 + number_size])
    if iloc:
        found.extents = _locations(iloc)
    if b"iprp" in inner:
        found.properties = _properties(inner[b"iprp"], found.primary, name, title)
    return found


def _locations(iloc: memoryview) -> dict[int, list[tuple[int, int]]]:
    version = iloc[0]
    cursor = _Cursor(iloc[4:])
    sizes = cursor.take(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    number_size = 4 if version == 2 else 2
    found: dict[int, list[tuple[int, int]]] = {}
    for _ in range(cursor.take(number_size)):
        if not cursor.left:
            break
        number = cursor.take(number_size)
        method = cursor.take(2) & 15 if version in (1, 2) else 0
        cursor.take(2)
        base = cursor.take(base_size)
        places = []
        # No more extents than there are bytes for: a damaged count must not take long.
        extents, extent_bytes = cursor.take(2), index_size + offset_size + length_size
        for _ in range(min(extents, cursor.left // extent_bytes) if extent_bytes else min(extents, 1)):
            cursor.take(index_size)
            offset = cursor.take(offset_size)
            places.append((base + offset, cursor.take(length_size)))
        if method == 0:  # offsets into the file; other methods are not used for what we look up
            found[number] = places
    return found


def _properties(iprp: memoryview, primary: int, name: str, title: str) -> list[Box]:
    inner = dict(boxes(iprp, name, title))
    listed = list(boxes(inner.get(b"ipco", memoryview(b"")), name, title))
    ipma = inner.get(b"ipma", memoryview(b""))
    if len(ipma) < 8:
        return []
    version, wide = ipma[0], ipma[3] & 1
    cursor = _Cursor(ipma[4:])
    for _ in range(cursor.take(4)):
        if not cursor.left:
            break
        number = cursor.take(4 if version else 2)
        indices = [cursor.take(2) & 0x7FFF if wide else cursor.take(1) & 0x7F for _ in range(cursor.take(1))]
        if number == primary:
            return [listed[index - 1] for index in indices if 0 < index <= len(listed)]
    return []


def largest_picture(head: bytes) -> tuple[int, int] | None:
    """Return (height, width) of the largest picture that the start of a file tells of; None where it tells of none."""
    sizes, at = [], head.find(b"ispe")
    while at >= 0:
        if at + 16 <= len(head):
            sizes.append(
                (int.from_bytes(head[at + 12 : at + 16], "big"), int.from_bytes(head[at + 8 : at + 12], "big"))
            )
        at = head.find(b"ispe", at + 4)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)
