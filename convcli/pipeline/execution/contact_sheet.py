"""Feature maps as pictures: a sheet of labelled tiles, one for each channel, and the pages of a TIFF."""

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.image.tone import span, stretch
from convcli.pipeline.steps.base import Maps

# More tiles than this nobody tells apart.
MOST_TILES = 1024
_LEAST_SIDE, _MOST_SIDE = 96, 512  # of a tile, in pixels
_MOST_SHEET = 4096
_GAP, _LINE = 6, 14
_HEADING = _LINE + 2
_GROUND, _INK, _FAINT = 24, 235, 150
_FONT_SCALE = 0.36


def contact_sheet(maps: Maps, title: str = "", common_scale: bool = False) -> NDArray[np.uint8]:
    """Draw every channel as a gray tile, with its number and its range above it.

    Small maps are enlarged by repeating their pixels, large ones reduced.

    Parameters
    ----------
    maps : float32 array, (rows, columns, channels)
    title : str
        The first line of the sheet.
    common_scale : bool
        Whether all tiles are stretched from the least sample of all to the largest, which the first line then tells;
        else each from its own. Maps of one pixel are always stretched together.

    Returns
    -------
    uint8 array, (height, width, 1)

    Examples
    --------
    >>> contact_sheet(np.zeros((8, 8, 4), np.float32)).shape
    (238, 210, 1)
    """
    import cv2

    height, width, channels = maps.shape
    shown = min(channels, MOST_TILES)
    across, tile_height, tile_width = _tiling(height, width, shown)
    cell_height, cell_width = tile_height + _LINE + _GAP, tile_width + _GAP
    single = height * width == 1  # stretched by itself it would always be black
    common_scale = common_scale or single
    overall = span(maps)
    heading = [title] if title else []
    if common_scale:
        heading.append(f"scale {_range(overall)}")
    if shown < channels:
        heading.append(f"the first {shown} of {channels}")
    top = _GAP + (_HEADING if heading else 0)
    sheet = np.full(sheet_size((height, width, channels), title, common_scale)[:2], _GROUND, np.uint8)
    if heading:
        _write(sheet, ", ".join(heading), _GAP, _GAP + _LINE - 4, sheet.shape[1] - 2 * _GAP, _INK)
    shrinking = tile_height < height
    for index in range(shown):
        plane = np.ascontiguousarray(maps[..., index])
        between = overall if common_scale else span(plane)
        how = cv2.INTER_AREA if shrinking else cv2.INTER_NEAREST
        sized = np.asarray(cv2.resize(plane, (tile_width, tile_height), interpolation=how))
        tile = np.empty(sized.shape, np.uint8)
        stretch(sized, between, tile)
        y, x = top + index // across * cell_height, _GAP + index % across * cell_width
        label = str(index)
        used = _write(sheet, label, x, y + _LINE - 4, tile_width, _INK)
        if single or not common_scale:
            numbers = f"{float(plane[0, 0]):.3g}" if single else _range(between)
            _write(sheet, numbers, x + used + 6, y + _LINE - 4, tile_width - used - 6, _FAINT)
        sheet[y + _LINE : y + _LINE + tile_height, x : x + tile_width] = tile
    return sheet[..., np.newaxis]


def sheet_size(shape: tuple[int, int, int], title: str = "", common_scale: bool = False) -> tuple[int, int, int]:
    """Return the size of the sheet of maps of a shape: height, width, 1.

    >>> sheet_size((8, 8, 4)), sheet_size((1, 1, 10))
    ((238, 210, 1), (254, 516, 1))
    """
    height, width, channels = shape
    shown = min(channels, MOST_TILES)
    across, tile_height, tile_width = _tiling(height, width, shown)
    headed = title or common_scale or height * width == 1 or shown < channels
    top = _GAP + (_HEADING if headed else 0)
    return top + -(-shown // across) * (tile_height + _LINE + _GAP), _GAP + across * (tile_width + _GAP), 1


def tiff_pages(maps: NDArray[Any]) -> bytes:
    """Return (rows, columns, channels) encoded as a TIFF of one gray page for each channel, without converting it."""
    import tifffile

    file = io.BytesIO()
    pages = np.ascontiguousarray(np.moveaxis(maps, 2, 0))
    with tifffile.TiffWriter(file, bigtiff=pages.nbytes > 1 << 31) as writer:
        for page in pages:
            writer.write(page, photometric="minisblack", metadata=None, software=False, contiguous=False)
    return file.getvalue()


def _tiling(height: int, width: int, count: int) -> tuple[int, int, int]:
    """Return the number of tiles side by side, and the rows and columns of each."""
    across = _columns(height, width, count)
    return across, *_tile_size(height, width, across, -(-count // across))


def _columns(height: int, width: int, count: int) -> int:
    """Return the number of tiles side by side with which the sheet is about square and its rows are full.

    >>> _columns(427, 640, 32), _columns(8, 8, 4), _columns(64, 64, 31)
    (4, 2, 6)
    """
    # The line of a label, in pixels of the map as it is shown.
    longest = max(height, width)
    line = _LINE * longest / min(max(longest, _LEAST_SIDE), _MOST_SIDE)
    square = math.sqrt(count * (height + line) / max(1, width))
    # Full rows, so that maps that belong together lie together, where the sheet stays less than three times as long.
    full = [across for across in range(1, count + 1) if count % across == 0 and 2 / 3 < across / square < 3 / 2]
    if full:
        return min(full, key=lambda across: abs(math.log(across / square)))
    return max(1, min(count, round(square)))


def _tile_size(height: int, width: int, across: int, down: int) -> tuple[int, int]:
    """Return rows and columns of a tile: whole multiples of a small map, less than a large one."""
    longest = max(height, width)
    most = max(1, min(_MOST_SIDE, _MOST_SHEET // max(across, down) - _GAP - _LINE))
    if across * down == 1:
        most = 2 * _MOST_SIDE
    if longest > most:
        return max(1, round(height * most / longest)), max(1, round(width * most / longest))
    times = min(max(1, -(-_LEAST_SIDE // longest)), max(1, most // longest))
    return height * times, width * times


def _write(sheet: NDArray[np.uint8], text: str, x: int, y: int, room: int, ink: int) -> int:
    """Write a text where all of it fits into `room`, and return its width in pixels."""
    import cv2

    (wide, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, _FONT_SCALE, 1)
    if wide > room:
        return 0
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, _FONT_SCALE, ink, 1, cv2.LINE_AA)
    return int(wide)


def _range(between: tuple[float, float]) -> str:
    low, high = between
    return "no number" if low > high else f"{low:.3g} to {high:.3g}"
