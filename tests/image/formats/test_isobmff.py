"""Boxes of the ISO base media format: walked as far as they are whole, and items found where they say they lie."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ImageReadError
from convcli.image.formats.isobmff import boxes, items


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def long_box(kind: bytes, body: bytes) -> bytes:
    return (1).to_bytes(4, "big") + kind + (16 + len(body)).to_bytes(8, "big") + body


def test_boxes_come_with_their_bodies_whatever_says_their_length():
    data = box(b"aaaa", b"one") + long_box(b"bbbb", b"two") + b"\0\0\0\0ccccto the end"
    found = [(kind, bytes(body)) for kind, body in boxes(memoryview(data), "x", "AVIF")]
    assert found == [(b"aaaa", b"one"), (b"bbbb", b"two"), (b"cccc", b"to the end")]


@pytest.mark.parametrize("data", [b"\0\0\0", box(b"aaaa", b"one")[:-1], b"\0\0\0\7aaaa", long_box(b"aaaa", b"x")[:12]])
def test_a_box_longer_than_what_holds_it_or_shorter_than_its_head_is_an_error(data):
    with pytest.raises(ImageReadError, match="x: truncated or damaged AVIF, one of its boxes is cut"):
        list(boxes(memoryview(data), "x", "AVIF"))


def meta(data_start: int) -> bytes:
    """A `meta` box's body: item 1, the picture, with two properties, and item 2, its EXIF, in two pieces."""
    infe = [
        box(b"infe", b"\2\0\0\0" + number.to_bytes(2, "big") + b"\0\0" + kind + b"\0")
        for number, kind in ((1, b"av01"), (2, b"Exif"))
    ]
    extents = [[(0, 4)], [(4, 3), (9, 2)]]
    iloc = b"\0\0\0\0\x44\x40" + (2).to_bytes(2, "big")
    for number, places in enumerate(extents, start=1):
        iloc += number.to_bytes(2, "big") + b"\0\0" + data_start.to_bytes(4, "big") + len(places).to_bytes(2, "big")
        iloc += b"".join(start.to_bytes(4, "big") + length.to_bytes(4, "big") for start, length in places)
    ipco = box(b"ispe", bytes(12)) + box(b"irot", b"\1") + box(b"imir", b"\0")
    ipma = b"\0\0\0\0" + (1).to_bytes(4, "big") + (1).to_bytes(2, "big") + b"\2\x83\1"
    parts = [
        box(b"pitm", b"\0\0\0\0" + (1).to_bytes(2, "big")),
        box(b"iinf", b"\0\0\0\0" + (2).to_bytes(2, "big") + b"".join(infe)),
        box(b"iloc", iloc),
        box(b"iprp", box(b"ipco", ipco) + box(b"ipma", ipma)),
    ]
    return b"\0\0\0\0" + b"".join(parts)


def test_items_and_their_properties_are_found_in_their_order():
    data = b"headPICTxxexif--if"
    found = items(memoryview(meta(4)), "x", "AVIF")
    assert (found.primary, found.kinds) == (1, {1: b"av01", 2: b"Exif"})
    assert found.extents == {1: [(4, 4)], 2: [(8, 3), (13, 2)]}
    assert found.body(data, b"Exif") == data[8:11] + data[13:15]
    assert [kind for kind, _ in found.properties] == [b"imir", b"ispe"]
    assert found.body(data, b"mime") is None
    assert found.body(data[:12], b"Exif") is None


@given(st.binary(max_size=20), st.integers(0, 200))
def test_a_damaged_description_is_understood_or_refused(noise, place):
    whole = meta(4)
    damaged = whole[:place] + noise + whole[place + len(noise) :]
    with contextlib.suppress(ImageReadError):
        found = items(memoryview(damaged), "x", "AVIF")
        assert sum(map(len, found.extents.values())) <= len(damaged)
        assert len(found.properties) <= len(damaged)
