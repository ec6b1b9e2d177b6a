"""Tiles are read from the image with their padding in place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracle import PADDED_MODES, pad

from convcli.convolution.execution.padded_source import PaddedSource


@given(
    mode=st.sampled_from(PADDED_MODES),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    before=st.tuples(st.integers(0, 12), st.integers(0, 12)),
    after=st.tuples(st.integers(0, 12), st.integers(0, 12)),
    data=st.data(),
)
def test_a_tile_is_that_part_of_the_padded_image(mode, size, before, after, data):
    pixels = np.random.default_rng(0).integers(0, 255, (*size, 2), dtype=np.uint8)
    whole = pad(pixels, (*zip(before, after, strict=True), (0, 0)), mode, 9)
    top, left = (data.draw(st.integers(0, whole.shape[axis] - 1)) for axis in (0, 1))
    height = data.draw(st.integers(1, whole.shape[0] - top))
    width = data.draw(st.integers(1, whole.shape[1] - left))
    tile = np.full((height, width, 2), np.nan, np.float32)
    PaddedSource(pixels, before, after, mode, 9.0).read(top, left, tile)
    np.testing.assert_array_equal(tile, whole[top : top + height, left : left + width])
