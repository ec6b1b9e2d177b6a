"""NumPy's own files, without pickles. Source: numpy.lib.format."""

import io
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image import memory_check
from convcli.image.model import Image, Metadata, depth_name

_DEPTHS = ("u8", "u16", "i16", "f32", "f64")


def read(data: bytes, name: str) -> Image:
    """Read an array (H, W) or (H, W, C), C of 1 to 4, of u8, u16, i16, f32 or f64. Raises ImageReadError.

    Of 2 and 4 channels the last is taken for alpha.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = header(file)
        _check(shape, kind, name)
        file.seek(0)
        array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, TypeError, SyntaxError, TokenError) as error:
        reason = " ".join(str(error).split())
        raise ImageReadError(f"{name}: truncated or damaged NPY file ({reason}); save it again") from None
    pixels = array[:, :, np.newaxis] if array.ndim == 2 else array
    pixels = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))
    return Image(pixels, pixels.shape[2] in (2, 4), Metadata(stored_size=pixels.shape[:2]), "npy")


def _check(shape: tuple[int, ...], kind: np.dtype[Any], name: str) -> None:
    if depth_name(kind) not in _DEPTHS:
        raise ImageReadError(f"{name}: an array of {kind}; save it as one of {', '.join(_DEPTHS)}, with .astype()")
    if len(shape) not in (2, 3) or (len(shape) == 3 and not 1 <= shape[2] <= 4):
        raise ImageReadError(f"{name}: an array of shape {shape}; an image is (H, W) or (H, W, C) with C from 1 to 4")
    if 0 in shape:
        raise ImageReadError(f"{name}: an empty array of shape {shape}; there is no image in it")
    memory_check.check_pixels(name, (shape[0], shape[1], shape[2] if len(shape) == 3 else 1), kind.itemsize)


def encode(pixels: NDArray[Any]) -> bytes:
    """Encode (H, W, C) samples as an array (H, W) where C is 1, else as (H, W, C)."""
    file = io.BytesIO()
    np.save(file, pixels[:, :, 0] if pixels.shape[2] == 1 else pixels, allow_pickle=False)
    return file.getvalue()
