"""Pillow as a codec for formats that OpenCV lacks or reads in part; the one place that knows of its modes."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image.model import Image, Metadata, check_fits_memory, check_plausible
from convcli.system.captured_stderr import library_messages

_AGAIN = "get the file again"
# What its modes become; those that are here already stay as they are.
_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "RGBX": "RGB", "La": "LA", "RGBa": "RGBA", "YCbCr": "RGB", "LAB": "RGB"}
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1, "I;16B": 1, "I;16L": 1, "I": 1, "F": 1}
# What a file can hold by run lengths and dictionaries: 4096 pixels in 12 bits.
MOST_PIXELS_A_BYTE = 4096
_FAILURES = (OSError, SyntaxError, ValueError, LookupError, TypeError, struct.error, EOFError, NotImplementedError)

_lock = threading.Lock()  # Python's filter of warnings is the process's


@contextmanager
def opened(data: bytes, name: str, title: str, plugin: str, reader: str) -> Iterator[Any]:
    """Open and load a file with Pillow; see `decode`. Raises ImageReadError for all that fails inside.

    Yields
    ------
    PIL.Image.Image
        The picture, as stored.
    """
    kind = getattr(import_module(f"PIL.{plugin}"), reader)
    from PIL import Image as PillowImage

    with _lock, warnings.catch_warnings(), library_messages():
        warnings.simplefilter("ignore")
        try:
            with kind(io.BytesIO(data), name) as picture:
                width, height = picture.size
                check_fits_memory(name, (height, width, 4), 1)
                check_plausible(name, title, (height, width), len(data), MOST_PIXELS_A_BYTE)
                picture.load()
                yield picture
        except PillowImage.DecompressionBombError:
            raise ImageReadError(
                f"{name}: more pixels than Pillow decodes as {title}; convert it to PNG or cut it up"
            ) from None
        except _FAILURES as error:
            reason = " ".join(str(error).split())[:80] or type(error).__name__
            word = "truncated or damaged" if is_damage(error) else "an unusual"
            advice = _AGAIN if is_damage(error) else "convert it to PNG"
            raise ImageReadError(f"{name}: {word} {title}, which Pillow does not decode ({reason}); {advice}") from None


def decode(data: bytes, name: str, title: str, plugin: str, reader: str) -> tuple[NDArray[Any], dict[Any, Any]]:
    """Decode a file's bytes, as stored: not turned.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    title : str
        The name of its format.
    plugin : str
        The module of Pillow that reads it, `GifImagePlugin`; no other is loaded, and no other tried.
    reader : str
        The class in it.

    Returns
    -------
    ndarray, dict
        Samples (H, W, C), gray or RGB with or without alpha, and what Pillow says besides.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large.
    """
    with opened(data, name, title, plugin, reader) as picture:
        return _samples(picture, name, title), dict(picture.info)


def is_damage(error: Exception) -> bool:
    """Whether an error of Pillow's says that a file is not whole, and not that its kind is not read."""
    unknown = ("not supported", "unsupported", "unknown", "unrecognized", "cannot handle", "not implemented")
    return not isinstance(error, NotImplementedError) and not any(word in str(error).lower() for word in unknown)


def _samples(picture: Any, name: str, title: str) -> NDArray[Any]:
    mode = picture.mode
    transparent = "transparency" in picture.info
    if mode == "CMYK":
        raise ImageReadError(f"{name}: a {title} of inks (CMYK); convert it to RGB")
    wanted = _MODES.get(mode, mode)
    if transparent and mode in ("1", "L"):
        wanted = "LA"
    elif transparent and mode in ("P", "RGB"):
        wanted = "RGBA"
    if wanted != mode:
        picture = picture.convert(wanted)
    if picture.mode not in _CHANNELS:
        raise ImageReadError(f"{name}: a {title} of Pillow's mode {mode}, which is not read; convert it to PNG")
    pixels = np.asarray(picture)
    if picture.mode == "I":
        pixels = pixels.astype(np.uint16) if pixels.min() >= 0 and pixels.max() < 2**16 else pixels
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return np.array(pixels, pixels.dtype.newbyteorder("="))


def image(pixels: NDArray[Any], format: str, metadata: Metadata | None = None, notes: tuple[str, ...] = ()) -> Image:
    """Return an image of samples (H, W, C) of which 2 and 4 channels have alpha."""
    kept = metadata or Metadata(stored_size=pixels.shape[:2])
    return Image(pixels, pixels.shape[2] in (2, 4), kept, format, notes)
