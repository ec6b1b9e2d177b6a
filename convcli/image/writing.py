"""Images become files: encoded by the format's codec, piece by piece, and put in place whole or not at all."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import OutputError, UsageError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import COMPRESSIONS, Format, format_for
from convcli.image.model import Image, Metadata, depth_name
from convcli.system.output_file import Sink, check_destination, whole_file, write_bytes
from convcli.system.threads import available_threads

__all__ = ["COMPRESSIONS", "as_image", "encode_image", "encode_to", "write_bytes", "write_image"]

_DEPTHS = ("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64")


def encode_image(
    image: Image,
    format: Format,  # the option's word; the builtin has no use here
    *,
    quality: int | None = None,
    compression: str = "balanced",
    threads: int | None = None,
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Encode an image as `encode_to` does, all in one.

    Parameters
    ----------
    image : Image
        What to encode.
    format : Format
        What to encode it as.
    quality, compression, threads
        As for `encode_to`.

    Returns
    -------
    bytes-like, tuple of str
        The bytes of the file, and notes of what of its metadata was lost.

    Raises
    ------
    OutputError, UsageError
        As from `encode_to`.
    """
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
    """Encode an image to `sink`, piece by piece. What is wrong with the arguments is found before the first piece.

    Parameters
    ----------
    sink : callable
        Called with the pieces of the file, in order, in this thread.
    image : Image
        What to encode.
    format : Format
        What to encode it as.
    quality : int, optional
        1 to 100 for JPEG (by default that of the JPEG that the image comes from where it is known, else 95), WebP and
        AVIF (95; WebP at 100 loses nothing) and JPEG 2000 (100, which loses nothing).
    compression : str
        `fast`, `balanced` or `small`, for PNG and TIFF.
    threads : int, optional
        How many cores to use, by default all; the bytes do not depend on it.

    Returns
    -------
    tuple of str
        Notes of what of its metadata was lost.

    Raises
    ------
    OutputError
        When the format cannot hold the samples; it says what can.
    UsageError
        For a quality or compression that there is not.
    """
    if compression not in COMPRESSIONS:
        raise UsageError(f"unknown compression {compression!r}: expected {', '.join(COMPRESSIONS)}")
    if quality is not None and not 1 <= quality <= 100:
        raise UsageError(f"quality must be from 1 to 100, not {quality}")
    if 0 in image.pixels.shape:
        raise OutputError(f"an image of {image.pixels.shape[1]} x {image.pixels.shape[0]} pixels cannot be written")
    format.check(image.depth, image.pixels.shape[2], image.alpha)
    format.check_size(*image.pixels.shape[:2])
    metadata = image.metadata
    notes: tuple[str, ...] = ()
    if not metadata.is_empty:
        from convcli.image.metadata.retention import fit_metadata

        metadata, notes = fit_metadata(metadata, format, image.size, image.alpha)
    pixels = _with_channels(image.pixels, format.stored_channels(image.pixels.shape[2]))
    settings = EncoderSettings(format.name, quality, compression, threads or available_threads())
    return notes + format.load_codec().write(replace(image, pixels=pixels, metadata=metadata), sink, settings)


def _with_channels(pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    """Return gray as three equal channels, alpha still the last, where that is what a format stores.

    >>> _with_channels(np.array([[[7, 9]]], np.uint8), 4).tolist()
    [[[7, 7, 7, 9]]]
    """
    if pixels.shape[2] == channels:
        return pixels
    return np.concatenate([np.repeat(pixels[:, :, :1], 3, axis=2), pixels[:, :, 1:]], axis=2)


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
    """Write an image file, whole or not at all.

    A file that exists keeps its permissions, and a link stays a link.

    Parameters
    ----------
    path : path
        The file.
    image : Image or ndarray
        An array is (H, W) or (H, W, C): gray, gray+alpha, RGB or RGBA, in u8, u16, i16, f32 or f64 as the format holds.
    format : str or Format, optional
        By default the one that the suffix of `path` says.
    quality, compression, threads
        As for `encode_to`.
    existing : str
        What to do where the file exists: `overwrite`, `error` or `skip`.
    temporary_folder : str, optional
        Where the file is made before it is renamed, by default beside `path`.

    Returns
    -------
    tuple of str
        Notes of what of its metadata was lost.

    Raises
    ------
    OutputError
        When the format cannot hold the samples, or the folder is missing or not writable.
    ImageWriteError
        When the disk is full, or writing fails otherwise; no partial file is left.
    """
    chosen = format if isinstance(format, Format) else format_for(path, format)
    picture = image if isinstance(image, Image) else as_image(image)
    if check_destination(path, existing) == "skip":
        return ()
    with whole_file(path, temporary_folder) as sink:
        return encode_to(sink, picture, chosen, quality=quality, compression=compression, threads=threads)


def as_image(array: NDArray[Any]) -> Image:
    """Return an image of an array.

    Parameters
    ----------
    array : ndarray
        (H, W) or (H, W, C): of 2 and 4 channels the last is alpha, of more than 4 all but the first are data; u8, u16,
        u32, i8, i16, i32, f32 or f64.

    Returns
    -------
    Image
        With native samples (H, W, C), and no metadata.

    Raises
    ------
    OutputError
        For an array of another shape or type.

    Examples
    --------
    >>> as_image(np.zeros((4, 5), np.uint8)).size
    (4, 5, 1)
    """
    pixels = np.asarray(array)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.ndim != 3 or not pixels.shape[2]:
        raise OutputError(f"an image is an array (H, W) or (H, W, C), not of shape {array.shape}")
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if depth_name(pixels.dtype) not in _DEPTHS:
        raise OutputError(f"an image holds {', '.join(_DEPTHS)}, not {pixels.dtype}; convert it with .astype()")
    return Image(pixels, pixels.shape[2] in (2, 4), Metadata())
