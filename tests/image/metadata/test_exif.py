"""EXIF blocks corrected for an upright picture, however broken they are."""

import struct

import numpy as np
from image_samples import exif

from convcli.image.metadata.exif import correct_exif, orientation_of


def test_a_thumbnail_amid_other_values_is_blanked_in_place():
    block = bytearray(exif(thumbnail=b"\xff\xd8thumbnail\xff\xd9"))
    # Move the maker's name behind the thumbnail, so that nothing may be cut off.
    struct.pack_into("<I", block, 8 + 2 + 8, len(block))
    block += b"Camera works!\0"
    fixed, dropped = correct_exif(bytes(block), (40, 60), (40, 60))
    assert dropped
    assert len(fixed) == len(block)
    assert b"thumbnail" not in fixed
    assert fixed.endswith(b"Camera works!\0")


def test_any_block_however_broken_is_survived():
    random = np.random.default_rng(8)
    whole = exif(6, thumbnail=b"\xff\xd8 thumb \xff\xd9")
    for _ in range(3000):
        block = bytearray(whole[: random.integers(0, len(whole) + 1)])
        for place in random.integers(0, max(1, len(block)), 4):
            if block:
                block[place] = random.integers(0, 256)
        fixed, _ = correct_exif(bytes(block), (40, 60), (60, 40))
        assert len(fixed) <= len(block)
        assert orientation_of(fixed) == 1
