"""Images become files: encoded by the format's encoder, and put in place whole or not at all."""

import contextlib
import os
import stat
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageWriteError, OutputError, UsageError
from convcli.image.destination import check_destination, is_stream
from convcli.image.encoders import ENCODERS
from convcli.image.formats import Format, format_for
from convcli.image.metadata import fit
from convcli.image.model import Image, Metadata, depth_name

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
    """Encode an image, and say in notes what of its metadata was lost.

    `quality` is 1 to 100 for JPEG, WebP and AVIF (95 by default; WebP at 100 loses nothing) and JPEG 2000 (100 by
    default, which loses nothing).
    `compression` is `fast`, `balanced` or `small`, for PNG and TIFF. `threads` is how many cores to use, by default
    all; the bytes do not depend on it.

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
    data, more = encode(replace(image, metadata=metadata), quality, compression, threads or _cores())
    return data, notes + more


def write_image(
    path: str | os.PathLike[str],
    image: Image | NDArray[Any],
    *,
    format: str | Format | None = None,
    quality: int | None = None,
    compression: str = "balanced",
    existing: str = "overwrite",
    threads: int | None = None,
) -> tuple[str, ...]:
    """Write an image file, whole or not at all, and return notes of what of its metadata was lost.

    `image` is an Image or an array (H, W) or (H, W, C): gray, gray+alpha, RGB or RGBA, in u8, u16, i16, f32 or f64 as
    the format holds. The suffix of `path` says the format, unless `format` does. A file that exists keeps its
    permissions, a link stays a link; `existing` may be `error` or `skip` instead of `overwrite`. The other options are
    those of `encode_image`.

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
    data, notes = encode_image(picture, chosen, quality=quality, compression=compression, threads=threads)
    write_bytes(path, data)
    return notes


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


def write_bytes(path: str | os.PathLike[str], data: bytes | memoryview) -> None:
    """Put bytes at a path: at a device or FIFO directly, else by a temporary file in the same folder and a rename.

    A file that is replaced keeps its permissions, and a link leads to the new file. Raises ImageWriteError in one line;
    then what was there before is still there.
    """
    name = os.fspath(path)
    target = os.path.realpath(name)
    try:
        mode = os.stat(name).st_mode
    except OSError:
        mode = None
    try:
        if mode is not None and is_stream(name, mode):
            with open(name, "wb") as stream:
                stream.write(data)
        else:
            _replace(target, data, mode)
    except OSError as error:
        raise ImageWriteError(f"{name}: cannot be written: {error.strerror or error}") from None


def _replace(target: str, data: bytes | memoryview, mode: int | None) -> None:
    folder, base = os.path.split(target)
    # Hidden, told apart by process and chance, and short enough for a name near the limit of 255 bytes.
    temporary = os.path.join(folder, f".{base[:40]}.{os.getpid():x}{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            file.write(data)
        os.replace(temporary, target)
    except BaseException:  # an interrupt, too, must leave no temporary file
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
