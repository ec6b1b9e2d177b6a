"""Directories of TIFF: read and written as Pillow and tifffile do, and no offset trusted."""

import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from image_samples import exif, rough, tiff
from PIL import Image as Pillow

from convcli.image.metadata.tiff_directories import Block, serialise


@pytest.mark.parametrize("order", ["<", ">"])
def test_entries_are_those_that_tifffile_lists(order):
    data = tiff(rough(20, 30), photometric="rgb", byteorder=order, description="a picture of noise")
    block = Block(data)
    entries = list(block.entries(block.word(4)))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        assert [(entry.tag, entry.count) for entry in entries] == [(tag.code, tag.count) for tag in tags]
        for entry in entries:
            if entry.count == 1 and block.integer(entry) is not None:
                value = tags[entry.tag].value
                assert block.integer(entry) == (value[0] if isinstance(value, tuple) else value)
        assert {entry.tag: entry.bytes for entry in entries} == {tag.code: tag.valuebytecount for tag in tags}


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tree_that_is_written_again_reads_the_same(order):
    block = Block(exif(6, order=order))
    tree = block.tree(block.word(4))
    assert tree[0x0112] == (3, 1, struct.pack(order + "H", 6))
    assert set(tree[0x8769]) == {0x927C, 0xA002, 0xA003}
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    again = head + serialise(tree, order, 8)
    copy = Block(again)
    assert copy.tree(copy.word(4)) == tree
    tags = Pillow.Exif()
    tags.load(again)
    assert (tags[0x0112], tags[0x010F]) == (6, "Camera works!")
    assert tags.get_ifd(0x8769)[0x927C] == b"maker note, 32 bytes of secrets!"


def test_only_wanted_tags_are_taken_from_the_first_directory():
    block = Block(exif())
    assert set(block.tree(block.word(4), frozenset({0x0112}))) == {0x0112, 0x8769}


def test_a_number_too_large_for_its_field_widens_it():
    block = Block(bytearray(exif()))
    (entry,) = (entry for entry in block.entries(block.word(4)) if entry.tag == 0x0112)
    block.set_integer(entry, 70_000)
    (wide,) = (entry for entry in block.entries(block.word(4)) if entry.tag == 0x0112)
    assert (wide.kind, block.integer(wide)) == (4, 70_000)


def test_a_directory_that_holds_itself_is_read_once():
    data = bytearray(exif())
    block = Block(data)
    (entry,) = (entry for entry in block.entries(8) if entry.tag == 0x8769)
    struct.pack_into("<I", data, entry.place, 8)
    assert (8, 8 + 2 + 3 * 12 + 4) in block.extent(8)
    depth, tree = 0, block.tree(8)
    while isinstance(tree, dict) and 0x8769 in tree:
        depth, tree = depth + 1, tree[0x8769]
    assert 1 <= depth < 10


@given(st.binary(max_size=80), st.sampled_from([b"II*\0", b"MM\0*", b""]), st.integers(-5, 100))
def test_nothing_outside_the_block_is_read(data, start, place):
    block = Block(start + data)
    assert block.word(place) >= 0
    size = len(start + data)
    assert all(entry.place + 4 <= size for entry in block.entries(place))
    following = block.next_place(place)
    assert following is None or following + 4 <= size
    for value in block.tree(place).values():
        assert isinstance(value, dict) or len(value[2]) <= size


def test_what_is_no_tiff_has_no_directories():
    block = Block(b"junk" + np.arange(100, dtype=np.uint8).tobytes())
    assert (block.order, block.word(4), list(block.entries(8)), block.tree(8)) == ("", 0, [], {})
