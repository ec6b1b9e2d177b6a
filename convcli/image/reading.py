"""Image files become images: the content says what they are, every end mark is checked, and each is turned upright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import BinaryIO

from convcli.errors import ImageReadError, UsageError
from convcli.image import read_ahead
from convcli.image.formats.registry import Format, format_of
from convcli.image.model import MAX_PIXELS, Image
from convcli.system.threads import available_threads

__all__ = ["ReadOptions", "decode_image", "read_all", "read_image"]

_RECOGNISED_FROM = 256  # bytes, which `format_of` asks for
_FIRST = 2**16  # bytes that are read in one go: of small files, all


_ALPHA_BAND_WORDS = ("auto", "last", "none")
_FIRST_PAGE, _PREVIEW = "1", "preview"


@dataclass(frozen=True)
class ReadOptions:
    """Choices in reading an image, whatever its format.

    Parameters
    ----------
    bands : tuple of int, optional
        Numbers of the bands to read, from 1, in the order wanted; by default all.
    alpha_band : str or int
        The band that is opacity: `auto`, the one that the file says is; `none`; `last`; or its number in the file.
    max_pixels : int, optional
        The most pixels, width times height, that are decoded; by default what fits into memory.
    page : str, optional
        `1`, the first, which is the default; or `preview`, the picture that a camera's raw file holds to be looked at.

    Raises
    ------
    UsageError
        For a band 0 or one named twice, an unknown word, or a page that is none.

    Examples
    --------
    >>> ReadOptions(bands=(4, 3, 2)).bands
    (4, 3, 2)
    """

    bands: tuple[int, ...] | None = None
    alpha_band: str | int = "auto"
    max_pixels: int | None = None
    page: str | None = None

    def __post_init__(self) -> None:
        bands = self.bands
        if bands is not None:
            if not bands or min(bands) < 1:
                raise UsageError("bands are counted from 1", where="--bands", advice="such as --bands 1,3-5")
            twice = next((band for band in bands if bands.count(band) > 1), None)
            if twice is not None:
                raise UsageError(f"band {twice} is named twice", where="--bands", advice="name each band once")
        if isinstance(self.alpha_band, int):
            if self.alpha_band < 1:
                raise UsageError(
                    "bands are counted from 1", where=f"--alpha-band {self.alpha_band}", advice="or say last or none"
                )
            if bands is not None and self.alpha_band not in bands:
                raise UsageError(
                    f"band {self.alpha_band} is not among the bands that are read",
                    where=f"--alpha-band {self.alpha_band}",
                    advice="add it to --bands",
                )
        elif self.alpha_band not in _ALPHA_BAND_WORDS:
            raise UsageError(
                "is neither the number of a band nor last, none or auto", where=f"--alpha-band {self.alpha_band}"
            )
        if self.max_pixels is not None and self.max_pixels < 1:
            raise UsageError("must be at least 1", where=f"--max-pixels {self.max_pixels}")
        if self.page not in (None, _FIRST_PAGE, _PREVIEW):
            raise UsageError(
                "of a file of several pages the first is read, and no other can be chosen yet",
                where=f"--page {self.page}",
                advice=f"say --page {_FIRST_PAGE}, or --page {_PREVIEW} for the preview in a camera's raw file",
            )

    def cache_key(self) -> tuple[object, ...]:
        """Return what of them the pixels of an image depend on."""
        return self.bands, self.alpha_band, self.page


_PLAIN = ReadOptions()


def read_image(path: str | os.PathLike[str], *, threads: int | None = None, options: ReadOptions = _PLAIN) -> Image:
    """Read an image file of any known format, upright, in RGB(A) order.

    The content decides the format, not the suffix.

    Parameters
    ----------
    path : path
        The file.
    threads : int, optional
        How many cores to use, by default all.
    options : ReadOptions
        Which bands are read, which of them is opacity, and how large a picture may be.

    Returns
    -------
    Image
        Its `pixels` are (height, width, channels), in the file's own units.

    Raises
    ------
    ImageReadError
        In one line, when the file is missing, unreadable, truncated, damaged, too large or not an image, and where it
        has no such bands.
    """
    name = os.fspath(path)
    begun = read_ahead.take(name)
    if begun is None:
        return decode_image(_read_bytes(name), name, threads=threads, options=options)
    with _at_most(options.max_pixels):
        image = begun.image(name, threads or available_threads())
    return _with_bands(image, options, name)


def decode_image(data: bytes, name: str, *, threads: int | None = None, options: ReadOptions = _PLAIN) -> Image:
    """Decode the bytes of an image file; see `read_image`.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int, optional
        How many cores to use, by default all.
    options : ReadOptions
        As for `read_image`.

    Returns
    -------
    Image
        As from `read_image`.

    Raises
    ------
    ImageReadError
        In one line, when they are truncated, damaged, too large or no image, and where it has no such bands.
    """
    if not data:
        raise ImageReadError(f"{name}: empty file, there is no image in it")
    found = format_of(data)
    if found is None:
        from convcli.image.formats.foreign import description

        raise ImageReadError(f"{name}: not an image: {description(data)}")
    with _at_most(options.max_pixels):
        image = _decoded(found, data, name, threads or available_threads(), options.page)
    return _with_bands(image, options, name)


@contextmanager
def _at_most(pixels: int | None) -> Iterator[None]:
    """Limit the pictures that are decoded, as long as the context lasts."""
    token = MAX_PIXELS.set(pixels)
    try:
        yield
    finally:
        MAX_PIXELS.reset(token)


def _with_bands(image: Image, options: ReadOptions, name: str) -> Image:
    if options.bands is None and options.alpha_band == "auto":
        return image
    from convcli.image.band_selection import select_bands

    return select_bands(image, options.bands, options.alpha_band, name)


def _decoded(found: Format, data: bytes, name: str, threads: int, page: str | None) -> Image:
    codec = found.load_codec()
    if page != _PREVIEW:
        return codec.read(data, name, threads)
    if "page" not in signature(codec.read).parameters:
        raise ImageReadError(
            "a preview is what the raw files of cameras hold",
            where=name,
            advice=f"read this {found.title} without --page {page}",
        )
    choices = {"page": page}  # of which codecs that have none know nothing
    return codec.read(data, name, threads, **choices)


def read_all(file: BinaryIO) -> bytes:
    """Read a file whole if it starts as an image does, else no more than its start.

    A device such as /dev/zero has no end, and a film that was meant for another program is long.

    Parameters
    ----------
    file : binary file
        Seekable or not.

    Returns
    -------
    bytes
        All of the file, or at least its first 256 bytes.
    """
    start = file.read(_FIRST) or b""  # None: there is nothing yet in a pipe that does not wait
    if format_of(start) is None and len(start) >= _RECOGNISED_FROM:
        return start
    if len(start) < _FIRST:  # then that was all, as a rule
        more = file.read(_FIRST)
        return start + more + (file.read() or b"") if more else start
    if file.seekable():
        file.seek(-len(start), os.SEEK_CUR)
        return file.read()
    return start + (file.read() or b"")


def _read_bytes(name: str) -> bytes:
    try:
        with open(name, "rb", buffering=0) as file:
            return read_all(file)
    except FileNotFoundError:
        raise ImageReadError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise ImageReadError(f"{name}: a directory, not an image; name a file in it") from None
    except PermissionError:
        raise ImageReadError(f"{name}: no permission to read it; check its mode and owner") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageReadError(f"{name!r}: cannot be read: {reason}") from None
    except MemoryError:
        raise ImageReadError(f"{name}: larger than the memory there is; cut it in parts") from None
