"""The list of image formats, what a format says of itself, and how a path or a file's first bytes name one.

A format is a module, or a folder, beside this one: its `FORMATS` describe what it holds, and its codec reads and writes
it. To add one, write that module and name it in `_MODULES`. Descriptions import neither numpy nor OpenCV, and are
loaded one after another until one fits: the command line checks where an output goes before it loads anything else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, cast

from convcli.errors import OutputError, nearest

if TYPE_CHECKING:
    from convcli.image.formats.codec import Codec

# The common ones first: of those behind the one that fits, nothing is loaded.
# How hard encoders of formats without loss try: the speed of writing against the size of the file.
COMPRESSIONS = ("fast", "balanced", "small")
_MODULES = (
    "png",
    "jpeg",
    "tiff",
    "webp",
    "avif",
    "jpeg2000",
    "jpegxl",
    "heif",
    "bmp",
    "gif",
    "netpbm",
    "hdr",
    "npy",
    "pillow_formats",
)

# Where a format lacks a depth, the nearest of these that it has is taken: first those that lose least.
_FALLBACKS = {
    "u8": ("u16", "f32"),
    "u16": ("f32", "u8"),
    "u32": ("f64", "f32", "u16", "u8"),
    "i8": ("i16", "f32", "u16", "u8"),
    "i16": ("u16", "f32", "u8"),
    "i32": ("f64", "f32", "u16", "u8"),
    "f32": ("u16", "u8"),
    "f64": ("f32", "u16", "u8"),
}


@dataclass(frozen=True, eq=False)
class Format:
    """What an image format is called, how its files are recognised, and what they hold.

    Parameters
    ----------
    name : str
        The word for it in options, `png`.
    title : str
        The name for people, `PNG`.
    suffixes : tuple of str
        Of the names of its files, the usual one first.
    codec : str
        The module that reads and writes it, loaded when it is first used.
    depths : tuple of str
        The sample types that can be written: u8, u16, u32, i8, i16, i32, f32, f64. For a format that is only read,
        those it gives.
    channels : tuple of int
        The layouts it has: 1 gray, 2 gray+alpha, 3 RGB, 4 RGBA. Gray is written as three equal channels where it has no
        gray of its own, which loses nothing.
    signatures : tuple of bytes
        What its files start with.
    recognise : callable, optional
        Whether the first 256 bytes are those of such a file, where signatures do not suffice.
    decoded_bytes : callable
        Size in bytes of the decoded picture, from the header of an open file; None where it does not say. Nothing is
        checked, and a damaged header may raise struct.error, ValueError, LookupError or OSError.
    only_read : str
        Why it is only read; empty for a format that is written.
    aliases : tuple of str
        Other words for it in options.
    read_suffixes : tuple of str
        Suffixes of files that are read as this format, but never written.
    metadata : tuple of str
        What it holds beside the pixels, by the names of `Metadata`: exif, xmp, icc, resolution, png_colour, tiff_tags.
    encoder_options : tuple of str
        The settings that its encoder heeds: quality, compression.
    sides : tuple of int
        The least and the most pixels a side that its encoder takes, and common decoders read.
    many_bands : bool
        Whether bands of data fit behind gray or colours.
    stacks : str
        How it holds more channels than a picture has: `channels`, `pages`, or not at all, empty.
    rounds_floats : bool
        Whether floats lose precision and sign in it, so that it is no place for a response.
    advised : bool
        Whether it is named first where another format cannot hold something.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    codec: str
    depths: tuple[str, ...]
    channels: tuple[int, ...]
    decoded_bytes: Callable[[BinaryIO], int | None]
    signatures: tuple[bytes, ...] = ()
    recognise: Callable[[bytes], bool] | None = None
    only_read: str = ""
    aliases: tuple[str, ...] = ()
    read_suffixes: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    encoder_options: tuple[str, ...] = ()
    sides: tuple[int, int] = (1, 2**31 - 1)
    many_bands: bool = False
    stacks: str = ""
    rounds_floats: bool = False
    advised: bool = False

    @property
    def alpha(self) -> bool:
        """Whether a channel of opacity fits."""
        return not {2, 4}.isdisjoint(self.channels)

    @property
    def colour(self) -> bool:
        """Whether three channels of colour fit."""
        return not {3, 4}.isdisjoint(self.channels)

    def matches(self, start: bytes) -> bool:
        """Whether a file that starts so is of this format."""
        return start.startswith(self.signatures) or (self.recognise is not None and self.recognise(start))

    def load_codec(self) -> Codec:
        """Return the module that reads and writes this format, with the libraries behind it."""
        return cast("Codec", import_module(self.codec))

    def stored_channels(self, channels: int) -> int:
        """Return how many channels a picture is stored with.

        Parameters
        ----------
        channels : int
            Of the picture, or of an array that is none.

        Returns
        -------
        int
            The same, but for gray 3, and for gray+alpha 4, where the format has no gray.

        Examples
        --------
        >>> format_for("a.webp").stored_channels(1), format_for("a.webp").stored_channels(2)
        (3, 4)
        """
        return channels if channels > 2 or channels in self.channels else channels + 2

    def check(self, depth: str, channels: int, alpha: bool) -> None:
        """Check that this format holds such samples.

        Parameters
        ----------
        depth : str
            u8, u16, i16, f32 or f64.
        channels : int
            All of them, opacity included.
        alpha : bool
            Whether the last channel is opacity.

        Raises
        ------
        OutputError
            Where it does not; it says what to do instead.

        Examples
        --------
        >>> format_for("a.png").check("f32", 3, alpha=False)
        Traceback (most recent call last):
        convcli.errors.OutputError: PNG cannot hold f32 (it holds u8, u16): write .tiff, .pfm or .npy
        """
        if depth not in self.depths:
            held = ", ".join(self.depths)
            raise OutputError(f"{self.title} cannot hold {depth} (it holds {held}): write {_suffixes_holding(depth)}")
        if alpha and not self.alpha:
            better = _suffixes_holding(depth, alpha=True)
            raise OutputError(f"{self.title} cannot hold transparency: say --alpha drop, or write {better}")
        colours = channels - alpha
        if not self.many_bands and colours not in (1, 3):
            raise OutputError(
                f"{self.title} cannot hold {colours} colour channels, only gray or RGB: write .tiff or .npy"
            )
        if colours == 3 and not self.colour:
            raise OutputError(f"{self.title} holds only gray: say --gray, or write .ppm")

    def check_size(self, height: int, width: int) -> None:
        """Check that a picture of this size can be written.

        Parameters
        ----------
        height, width : int
            In pixels.

        Raises
        ------
        OutputError
            Where it cannot; it says what can.

        Examples
        --------
        >>> format_for("a.webp").check_size(100, 20000)
        Traceback (most recent call last):
        convcli.errors.OutputError: WebP holds at most 16383 pixels a side, not 20000 x 100: write .png or .tiff
        """
        least, most = self.sides
        size = f"{width} x {height}: write .png or .tiff"
        if max(height, width) > most:
            raise OutputError(f"{self.title} holds at most {most} pixels a side, not {size}")
        if min(height, width) < least:
            raise OutputError(f"{self.title} is written from {least} pixels a side on, not {size}")

    def nearest_depth(self, depth: str) -> str:
        """Return the depth to write samples of another in.

        Parameters
        ----------
        depth : str
            What the samples are.

        Returns
        -------
        str
            `depth` where this format holds it, else the one that loses least.

        Examples
        --------
        >>> format_for("a.png").nearest_depth("f32"), format_for("a.jpg").nearest_depth("u16")
        ('u16', 'u8')
        """
        return next(d for d in (depth, *_FALLBACKS[depth], *self.depths) if d in self.depths)


def known_formats() -> Iterator[Format]:
    """Yield the description of every format, those that are only read included, loading each as it comes."""
    for module in _MODULES:
        yield from import_module(f"convcli.image.formats.{module}").FORMATS


@cache
def written_formats() -> Mapping[str, Format]:
    """Return the formats that can be written, by name.

    >>> written_formats()["jp2"].title
    'JPEG 2000'
    """
    return {format_.name: format_ for format_ in known_formats() if not format_.only_read}


def formats_taking(option: str) -> tuple[Format, ...]:
    """Return the formats whose encoder heeds a setting, `quality` or `compression`.

    >>> [format_.title for format_ in formats_taking("compression")]
    ['PNG', 'TIFF']
    """
    return tuple(format_ for format_ in written_formats().values() if option in format_.encoder_options)


def joined_titles(formats: Iterable[Format]) -> str:
    """Join the names of formats as a sentence does.

    >>> joined_titles(formats_taking("quality"))
    'JPEG, WebP, AVIF, JPEG 2000 and JPEG XL'
    """
    return _joined([format_.title for format_ in formats], "and")


@cache
def readable_suffixes() -> frozenset[str]:
    """Return the suffixes of all files that can be read.

    >>> {".gif", ".j2k", ".png"} <= readable_suffixes()
    True
    """
    return frozenset(suffix for format_ in known_formats() for suffix in format_.suffixes + format_.read_suffixes)


def is_writable_suffix(suffix: str) -> bool:
    """Whether a suffix, with its dot, names a format that can be written.

    >>> is_writable_suffix(".JPG"), is_writable_suffix(".gif")
    (True, False)
    """
    format_ = _of_suffix(suffix.lower())
    return format_ is not None and not format_.only_read


def format_of(start: bytes) -> Format | None:
    r"""Return the format of a file by its content.

    Parameters
    ----------
    start : bytes
        Its first 256 bytes, or all of it.

    Returns
    -------
    Format or None
        None where it is none of those known.

    Examples
    --------
    >>> format_of(b"\xff\xd8\xff\xe0").name
    'jpeg'
    """
    return next((format_ for format_ in known_formats() if format_.matches(start)), None)


def format_for(path: str | os.PathLike[str] | None, name: str | None = None) -> Format:
    """Return the format to write: the one that `name` says, or else the suffix of `path`.

    Parameters
    ----------
    path : path, optional
        The output; not looked at where there is a `name`.
    name : str, optional
        A format's name, alias or usual suffix, in any case.

    Raises
    ------
    OutputError
        With the known suffixes where neither says a format, and where it is one that is only read.

    Examples
    --------
    >>> format_for("out/edges.JPG").name
    'jpeg'
    >>> format_for("-", "png").name
    'png'
    """
    if name is not None:
        return _format_named(name)
    shown = "" if path is None else os.fspath(path)
    suffix = os.path.splitext(shown)[1].lower()
    found = _of_suffix(suffix)
    if found is not None and found.only_read:
        raise OutputError(f"{found.title}, {found.only_read}, is only read; write .png", where=shown)
    if found is not None:
        return found
    suffixes = [s for format_ in written_formats().values() for s in format_.suffixes]
    if suffix:
        problem = f"unknown suffix {suffix!r}"
    elif shown:
        problem = "no suffix says which format to write"
    else:
        problem = "no format to write was named"
    advice = nearest(suffix, suffixes) or f"; end it in one of {' '.join(suffixes)}, or say --format"
    raise OutputError(f"{problem}{advice}", where=shown)


def _format_named(name: str) -> Format:
    wanted = name.lower().strip(". ")
    found = next((format_ for format_ in known_formats() if wanted in (format_.name, *format_.aliases)), None)
    if found is None:
        known = sorted(written_formats())
        raise OutputError(f"unknown format {name!r}: expected {', '.join(known)}{nearest(wanted, known)}")
    if found.only_read:
        raise OutputError(f"{found.title}, {found.only_read}, is only read; say --format png")
    return found


def _of_suffix(suffix: str) -> Format | None:
    return next((format_ for format_ in known_formats() if suffix in format_.suffixes), None)


def _suffixes_holding(depth: str, alpha: bool = False) -> str:
    """Name the suffixes of the formats that hold a depth, as `.tiff, .pfm or .npy`."""
    holding = [
        format_
        for format_ in written_formats().values()
        if depth in format_.depths and (format_.alpha or not alpha) and not format_.rounds_floats
    ]
    if len(holding) > 4:
        holding = [format_ for format_ in holding if format_.advised]
    return _joined([format_.suffixes[0] for format_ in holding], "or")


def _joined(words: list[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
