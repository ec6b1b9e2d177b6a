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

_DEPTHS = ("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64")


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Read an array (H, W) or (H, W, C) as an image.

    Returns
    -------
    Image
        Three channels are red, green and blue; any other number is bands of data, of which the first is shown as gray.
        Booleans become 0 and 255, and half floats f32.

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
    if pixels.dtype == bool:
        pixels = np.multiply(pixels, np.uint8(255), dtype=np.uint8)
    elif pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    return Image(pixels, metadata=Metadata(stored_size=pixels.shape[:2]), format="npy")


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

    if depth_name(kind) not in (*_DEPTHS, "b8", "f16"):
        raise ImageReadError(f"{name}: an array of {kind}; save it as one of {', '.join(_DEPTHS)}, with .astype()")
    if len(shape) not in (2, 3):
        raise ImageReadError(f"{name}: an array of shape {shape}; an image is (H, W) or (H, W, C)")
    if 0 in shape:
        raise ImageReadError(f"{name}: an empty array of shape {shape}; there is no image in it")
    channels, item = (shape[2] if len(shape) == 3 else 1), max(kind.itemsize, 4 if kind.kind == "f" else 1)
    check_fits_memory(name, (shape[0], shape[1], channels), item)


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
        many_bands=True,
        stacks="channels",
        advised=True,
    ),
)
