"""An image before and after, side by side as a picture, or one over the other on a page with a slider."""

from importlib.resources import files
from pathlib import Path

import numpy as np

from convcli.errors import OutputError
from convcli.image.model import Image
from convcli.image.tone import convert_depth
from convcli.image.writing import write_bytes
from convcli.reporting.charts import escape_html
from convcli.reporting.style import style_sheet
from convcli.visual.drawing import Pixels, data_address, png_bytes
from convcli.visual.terminal_picture import beside

COMPARE_SUFFIXES = (".png", ".html")
_GAP = 8  # pixels between the two


def compare_suffix(path: str) -> str:
    """Return the suffix of a comparison, one of `COMPARE_SUFFIXES`, or raise OutputError."""
    suffix = Path(path).suffix.lower()
    if suffix not in COMPARE_SUFFIXES:
        raise OutputError("a comparison is written as .png or .html", where=path, advice="name such a file")
    return suffix


def rgb_picture(image: Image) -> Pixels:
    """Return an image as RGB of 8 bits; opacity is laid over mid-grey, and of more channels the first is shown.

    Floats are taken as white at 1; where they go beyond 0..1, as a raw response does, they are stretched.

    >>> rgb_picture(Image(np.array([[[0], [65535]]], np.uint16)))[0, :, 0].tolist()
    [0, 255]
    """
    pixels = image.pixels[:, :, :-1] if image.alpha else image.pixels
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(pixels.min()), float(pixels.max())
        if low < 0.0 or high > 1.0:
            pixels = (pixels - low) / ((high - low) or 1.0)
        pixels = np.asarray(np.rint(np.clip(pixels, 0.0, 1.0) * 255.0), np.uint8)
    elif pixels.dtype == np.int16:
        pixels = np.asarray((pixels.astype(np.int32) + 32768) >> 8, np.uint8)
    else:
        pixels = convert_depth(pixels, np.dtype(np.uint8))
    rgb = pixels if pixels.shape[2] == 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    if image.alpha:
        white = 1.0 if image.pixels.dtype.kind == "f" else float(np.iinfo(image.pixels.dtype).max)
        share = image.pixels[:, :, -1:].astype(np.float64) / white
        rgb = np.asarray(np.rint(rgb * share + 128.0 * (1.0 - share)), np.uint8)
    return np.ascontiguousarray(rgb)


def write_comparison(path: str, before: Pixels, after: Pixels, names: tuple[str, str]) -> None:
    """Write an image before and after as the suffix of `path` says, whole or not at all.

    Parameters
    ----------
    path : str
        A file that ends in one of `COMPARE_SUFFIXES`; what is there is replaced.
    before, after : array (rows, columns, 3) of uint8
        The pictures, which may differ in size.
    names : (str, str)
        What they are called.

    Raises
    ------
    OutputError
        For another suffix.
    ImageWriteError
        Where the file cannot be written.
    """
    if compare_suffix(path) == ".png":
        write_bytes(path, png_bytes(beside(before, after, _GAP)))
    else:
        write_bytes(path, slider_page(before, after, names).encode())


def slider_page(before: Pixels, after: Pixels, names: tuple[str, str]) -> str:
    """Return a page with the picture after over the one before, parted where a slider stands; it needs nothing else."""
    height, width = before.shape[:2]
    parts = {
        "title": escape_html(" and ".join(names)),
        "style": style_sheet(),
        "before": data_address(before),
        "after": data_address(after),
        "before-name": escape_html(names[0]),
        "after-name": escape_html(names[1]),
        "width": str(width),
        "height": str(height),
        "sizes": escape_html(" and ".join(f"{each.shape[1]} x {each.shape[0]}" for each in (before, after))),
    }
    page = files(__package__).joinpath("slider.html").read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"{{{{{name}}}}}", text)
    return page
