"""Maps made visible: contact sheets and pages."""

import io

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from convcli.pipeline.execution.contact_sheet import MOST_TILES, contact_sheet, sheet_size, tiff_pages


def tiles_of(sheet, values):
    """How much of a sheet has each of these gray values."""
    return [int((sheet == value).sum()) for value in values]


def ramp(low, high, size=(100, 120)):
    return np.linspace(low, high, size[0] * size[1], dtype=np.float32).reshape(*size, 1)


def test_each_map_is_stretched_by_itself_unless_all_share_a_scale():
    maps = np.concatenate([ramp(0, 1), ramp(0, 2)], axis=2)
    apart = contact_sheet(maps)
    together = contact_sheet(maps, common_scale=True)
    assert apart.shape[2] == together.shape[2] == 1
    # Both tiles reach white apart; on one scale the first of them ends in the middle.
    white = apart[..., 0] == 255
    assert white.sum() > 0
    assert np.count_nonzero(together[..., 0] == 255) < np.count_nonzero(white)


def test_the_tiles_are_the_maps_where_those_are_neither_small_nor_large():
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 256, (100, 120, 3)).astype(np.float32)
    maps[0, 0], maps[-1, -1] = 0, 255
    sheet = contact_sheet(maps)[..., 0]
    for channel in range(3):
        tile = maps[..., channel].astype(np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(sheet, tile.shape)
        assert (windows[:, :, ::9, ::11] == tile[::9, ::11]).all(axis=(2, 3)).any(), (
            f"map {channel} is not on the sheet"
        )


def test_small_maps_are_enlarged_by_repeating_pixels_and_large_ones_reduced():
    small = contact_sheet(np.arange(4, dtype=np.float32).reshape(2, 2, 1))[..., 0]
    assert min(tiles_of(small, [0, 85, 170, 255])) >= 40 * 40
    assert max(contact_sheet(np.zeros((3000, 2000, 2), np.float32)).shape) <= 4096


def test_a_map_of_one_pixel_is_shown_on_the_scale_of_all():
    sheet = contact_sheet(np.array([[[0.0, 1.0, 0.5]]], np.float32))[..., 0]
    black, middle, white = tiles_of(sheet, [0, 128, 255])
    assert min(black, middle, white) >= 80 * 80


def test_nan_is_black_and_a_map_without_numbers_breaks_nothing():
    maps = ramp(1, 2)
    maps[10:60] = np.nan
    assert contact_sheet(maps).shape == contact_sheet(ramp(1, 2)).shape
    assert contact_sheet(np.full((8, 8, 2), np.nan, np.float32)).dtype == np.uint8
    assert contact_sheet(np.full((8, 8, 2), np.inf, np.float32)).dtype == np.uint8


def test_of_very_many_maps_the_first_are_shown():
    sheet = contact_sheet(np.zeros((1, 1, MOST_TILES + 500), np.float32))
    assert max(sheet.shape) <= 4200


@pytest.mark.parametrize("shape", [(1, 1, 10), (8, 8, 4), (100, 120, 7), (3000, 2000, 2), (1, 1, MOST_TILES + 9)])
@pytest.mark.parametrize("common_scale", [False, True])
def test_the_size_of_a_sheet_is_known_before_its_maps(shape, common_scale):
    maps = np.zeros(shape, np.float32)
    assert sheet_size(shape, common_scale=common_scale) == contact_sheet(maps, common_scale=common_scale).shape


@pytest.mark.parametrize("title", ["", "conv_1  12x15x3", "a title that is much longer than the sheet is wide" * 5])
def test_titles_fit_or_are_left_away(title):
    assert contact_sheet(np.zeros((8, 8, 2), np.float32), title, common_scale=True).ndim == 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_page_of_a_tiff_is_a_map(dtype):
    maps = (np.random.default_rng(1).random((7, 9, 5)) * 200).astype(dtype)
    with tifffile.TiffFile(io.BytesIO(tiff_pages(maps))) as file:
        assert len(file.pages) == 5
        pages = [page.asarray() for page in file.pages]
    assert pages[0].dtype == dtype
    assert_array_equal(np.stack(pages, axis=2), maps)
