"""NumPy's own files, without pickles. Source: numpy.lib.format."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    import numpy as np

    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_DEPTHS = ("u8", "u16", "i16", "f32", "f64")


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Read an array (H, W) or (H, W, C), C of 1 to 4, as an image.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int
        Not heeded.

    Returns
    -------
    Image
        u8, u16, i16, f32 or f64. Of 2 and 4 channels the last is taken for alpha.

    Raises
    ------
    ImageReadError
        For a file that is cut short or damaged, or an array that is no image.
    """
    import numpy as np

    from convcli.image.model import Image, Metadata

    file = io.BytesIO(data)
    try:
        shape, kind = _read_header(file)
        _check(shape, kind, name)
        file.seek(0)
        array = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ImageReadError(f"{name}: truncated or damaged NPY file ({reason}); save it again") from None
    pixels = array[:, :, np.newaxis] if array.ndim == 2 else array
    pixels = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))
    return Image(pixels, pixels.shape[2] in (2, 4), Metadata(stored_size=pixels.shape[:2]), "npy")


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode samples to `sink` as an array (H, W) where there is one channel, else as (H, W, C)."""
    import numpy as np

    file = io.BytesIO()
    np.save(file, image.pixels[:, :, 0] if image.pixels.shape[2] == 1 else image.pixels, allow_pickle=False)
    sink(file.getvalue())
    return ()


def _read_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    from tokenize import TokenError

    import numpy as np

    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, kind = header(file)
    except (SyntaxError, TokenError) as error:  # of text that is no Python literal
        raise ValueError(str(error)) from None
    return shape, kind


def _check(shape: tuple[int, ...], kind: np.dtype[Any], name: str) -> None:
    from convcli.image.model import check_fits_memory, depth_name

    if depth_name(kind) not in _DEPTHS:
        raise ImageReadError(f"{name}: an array of {kind}; save it as one of {', '.join(_DEPTHS)}, with .astype()")
    if len(shape) not in (2, 3) or (len(shape) == 3 and not 1 <= shape[2] <= 4):
        raise ImageReadError(f"{name}: an array of shape {shape}; an image is (H, W) or (H, W, C) with C from 1 to 4")
    if 0 in shape:
        raise ImageReadError(f"{name}: an empty array of shape {shape}; there is no image in it")
    check_fits_memory(name, (shape[0], shape[1], shape[2] if len(shape) == 3 else 1), kind.itemsize)


def _decoded_bytes(file: BinaryIO) -> int | None:
    import math

    shape, kind = _read_header(file)
    return math.prod(shape) * kind.itemsize


FORMATS = (
    Format(
        name="npy",
        title="NPY",
        suffixes=(".npy",),
        codec=__name__,
        depths=_DEPTHS,
        channels=(1, 2, 3, 4),
        signatures=(b"\x93NUMPY",),
        decoded_bytes=_decoded_bytes,
        stacks="channels",
        advised=True,
    ),
)
