"""Images become files: encoded by the format's encoder, piece by piece, and put in place whole or not at all."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import OutputError, UsageError
from convcli.image.formats.encoders import ENCODERS
from convcli.image.formats.registry import Format, format_for
from convcli.image.metadata.retention import fit
from convcli.image.model import Image, Metadata, depth_name
from convcli.system.atomic_file import Sink, whole_file, write_bytes
from convcli.system.ordered_results import available_threads
from convcli.system.output_path import check_destination

__all__ = ["COMPRESSIONS", "as_image", "encode_image", "encode_to", "write_bytes", "write_image"]

COMPRESSIONS = ("fast", "balanced", "small")
_DEPTHS = ("u8", "u16", "i16", "f32", "f64")


def encode_image(
    image: Image,
    format: Format,  # the option's word; the builtin has no use here
    *,
    quality: int | None = None,
    compression: str = "balanced",
    threads: int | None = None,
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Encode an image to bytes, as `encode_to` does, and say in notes what of its metadata was lost."""
    parts: list[bytes | memoryview] = []
    notes = encode_to(parts.append, image, format, quality=quality, compression=compression, threads=threads)
    return parts[0] if len(parts) == 1 else b"".join(parts), notes


def encode_to(
    sink: Sink,
    image: Image,
    format: Format,  # as above
    *,
    quality: int | None = None,
    compression: str = "balanced",
    threads: int | None = None,
) -> tuple[str, ...]:
    """Encode an image to `sink`, which is given its bytes piece by piece; say in notes what of its metadata was lost.

    `quality` is 1 to 100 for JPEG (by default that of the JPEG that the image comes from where it can be told, else
    95), WebP and AVIF (95; WebP at 100 loses nothing) and JPEG 2000 (100, which loses nothing).
    `compression` is `fast`, `balanced` or `small`, for PNG and TIFF. `threads` is how many cores to use, by default
    all; the bytes do not depend on it. What is wrong with the arguments is found before the first piece.

    Raises
    ------
    OutputError
        when the format cannot hold the samples; it says what can.
    UsageError
        for a quality or compression that there is not.
    """
    if compression not in COMPRESSIONS:
        raise UsageError(f"unknown compression {compression!r}: expected {', '.join(COMPRESSIONS)}")
    if quality is not None and not 1 <= quality <= 100:
        raise UsageError(f"quality must be from 1 to 100, not {quality}")
    if 0 in image.pixels.shape:
        raise OutputError(f"an image of {image.pixels.shape[1]} x {image.pixels.shape[0]} pixels cannot be written")
    format.check(image.depth, image.pixels.shape[2], image.alpha)
    format.check_size(*image.pixels.shape[:2])
    metadata, notes = fit(image.metadata, format, image.size, image.alpha)
    encode = ENCODERS[format.name]
    return notes + encode(replace(image, metadata=metadata), sink, quality, compression, threads or available_threads())


def write_image(
    path: str | os.PathLike[str],
    image: Image | NDArray[Any],
    *,
    format: str | Format | None = None,
    quality: int | None = None,
    compression: str = "balanced",
    existing: str = "overwrite",
    threads: int | None = None,
    temporary_folder: str | None = None,
) -> tuple[str, ...]:
    """Write an image file, whole or not at all, and return notes of what of its metadata was lost.

    `image` is an Image or an array (H, W) or (H, W, C): gray, gray+alpha, RGB or RGBA, in u8, u16, i16, f32 or f64 as
    the format holds. The suffix of `path` says the format, unless `format` does. A file that exists keeps its
    permissions, a link stays a link; `existing` may be `error` or `skip` instead of `overwrite`. The file is made in
    `temporary_folder`, by default beside `path`, and renamed. The other options are those of `encode_to`.

    Raises
    ------
    OutputError
        when the format cannot hold the samples, or the folder is missing or not writable.
    ImageWriteError
        when the disk is full, or writing fails otherwise; no partial file is left.
    """
    chosen = format if isinstance(format, Format) else format_for(path, format)
    picture = image if isinstance(image, Image) else as_image(image)
    if check_destination(path, existing) == "skip":
        return ()
    with whole_file(path, temporary_folder) as sink:
        return encode_to(sink, picture, chosen, quality=quality, compression=compression, threads=threads)


def as_image(array: NDArray[Any]) -> Image:
    """Make an image of an array (H, W) or (H, W, C), C of 1 to 4, of which 2 and 4 have alpha. Raises OutputError.

    >>> as_image(np.zeros((4, 5), np.uint8)).size
    (4, 5, 1)
    """
    pixels = np.asarray(array)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.ndim != 3 or not 1 <= pixels.shape[2] <= 4:
        raise OutputError(f"an image is an array (H, W) or (H, W, C) with 1 to 4 channels, not of shape {array.shape}")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if depth_name(pixels.dtype) not in _DEPTHS:
        raise OutputError(f"an image holds {', '.join(_DEPTHS)}, not {pixels.dtype}; convert it with .astype()")
    return Image(pixels, pixels.shape[2] in (2, 4), Metadata())
