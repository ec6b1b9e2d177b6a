"""Images in memory: pixels in RGB order, upright, what their file said besides, and whether they fit."""

from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.system import memory

# Asking what is free takes as long as reading a small picture, which the libraries around it dwarf anyway.
_NEGLIGIBLE = 2**21
_LONGEST_SIDE = 10**6  # libpng refuses more, OpenCV more than 2^20

# The most pixels that a picture may have, for whatever is read in this context; None where memory alone is the bound.
MAX_PIXELS: ContextVar[int | None] = ContextVar("MAX_PIXELS", default=None)


@dataclass(frozen=True)
class Metadata:
    r"""What a file holds beside its pixels, as raw bytes, so that it survives a run byte for byte.

    Parameters
    ----------
    exif : bytes, optional
        The TIFF-structured block without `Exif\0\0` before it, as it stood in the file: its orientation and size
        are set right when the picture is written.
    xmp : bytes, optional
        The XMP packet.
    icc : bytes, optional
        The colour profile.
    resolution : tuple of float, optional
        (x, y) in dots per inch of the upright picture.
    stored_size : tuple of int, optional
        The (height, width) that the file held before the picture was turned upright.
    png_colour : tuple of (bytes, bytes)
        A PNG's chunks on the meaning of its samples (gAMA, cHRM, sRGB, cICP, mDCV, cLLI, sBIT), which only another PNG
        can hold.
    png_chunks : tuple of (bytes, bytes)
        A PNG's other chunks that stay true: text, time, the shape of pixels, and the background, in 16 bits.
    jpeg_segments : tuple of (int, bytes)
        A JPEG's comments, by marker.
    jpeg_aspect : tuple of int, optional
        (x, y), the shape of a JPEG's pixels where it states no resolution.
    jpeg_quality : int, optional
        The quality of the JPEG it was, 1 to 100, so that another can be made alike.
    jpeg_subsampling : str, optional
        The chroma subsampling of the JPEG it was, `4:2:0`.
    tiff_compression : str, optional
        The compression of the TIFF it was: `none`, `lzw`, ...
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    resolution: tuple[float, float] | None = None
    stored_size: tuple[int, int] | None = None
    png_colour: tuple[tuple[bytes, bytes], ...] = ()
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()
    jpeg_segments: tuple[tuple[int, bytes], ...] = ()
    jpeg_aspect: tuple[int, int] | None = None
    jpeg_quality: int | None = None
    jpeg_subsampling: str | None = None
    tiff_compression: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it that would be written to a file."""
        held = (self.exif, self.xmp, self.icc, self.resolution, self.jpeg_aspect)
        records = self.png_colour or self.png_chunks or self.jpeg_segments
        return not records and all(part is None for part in held)

    @property
    def has_aspect(self) -> bool:
        """Whether it says of what shape pixels are, without their size."""
        return self.jpeg_aspect is not None or any(kind == b"pHYs" for kind, _ in self.png_chunks)

    def without_aspect(self) -> "Metadata":
        """Return the same without the shape of pixels."""
        chunks = tuple(chunk for chunk in self.png_chunks if chunk[0] != b"pHYs")
        return replace(self, jpeg_aspect=None, png_chunks=chunks)


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels in their file's own units, upright, and what the file said besides.

    Parameters
    ----------
    pixels : ndarray
        (height, width, channels) of an integer or float type; opacity, where there is any, is the last channel.
    alpha : bool
        Whether the last channel is opacity.
    metadata : Metadata
        What the file held beside the pixels.
    format : str
        The name of the format it was, `png`; empty for an image that was never a file.
    notes : tuple of str
        Lines that a user should see.
    roles : tuple of str
        Of each channel, in the order of `pixels`: `gray`, `red`, `green`, `blue`, `data` or `alpha`. By default
        three channels are colours, and of any other number the first is gray and the others are data.
    alpha_place : int, optional
        The index at which the file holds opacity, where that is not after all other bands.
    nodata : float, optional
        The value that stands for missing samples, as the file says it.

    Examples
    --------
    >>> Image(np.zeros((4, 5, 5))).roles
    ('gray', 'data', 'data', 'data', 'data')
    >>> Image(np.zeros((4, 5, 4)), alpha=True).roles
    ('red', 'green', 'blue', 'alpha')
    """

    pixels: NDArray[Any]
    alpha: bool = False
    metadata: Metadata = field(default_factory=Metadata)
    format: str = ""
    notes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    alpha_place: int | None = None
    nodata: float | None = None

    def __post_init__(self) -> None:
        if not self.roles:
            object.__setattr__(self, "roles", default_roles(self.pixels.shape[2], alpha=self.alpha))

    @property
    def size(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.pixels.shape
        return height, width, channels

    @property
    def depth(self) -> str:
        """The sample type as the command line names it: u8, u16, i16, f32 or f64."""
        return depth_name(self.pixels.dtype)


COLOURS = ("red", "green", "blue")


def default_roles(channels: int, *, alpha: bool) -> tuple[str, ...]:
    """Return the roles of channels of which nothing more is known.

    >>> default_roles(2, alpha=True), default_roles(2, alpha=False)
    (('gray', 'alpha'), ('gray', 'data'))
    """
    bands = channels - alpha
    shown = COLOURS if bands == len(COLOURS) else ("gray",)
    return (*shown, *("data",) * (bands - len(shown)), *("alpha",) * alpha)


def depth_name(dtype: np.dtype[Any]) -> str:
    """Return the name of a sample type in `--depth`.

    Parameters
    ----------
    dtype : dtype
        A sample type.

    Returns
    -------
    str
        Its kind and bits.

    Examples
    --------
    >>> depth_name(np.dtype(np.uint16))
    'u16'
    """
    return f"{dtype.kind}{8 * dtype.itemsize}"


def check_fits_memory(
    name: str,
    size: tuple[int, int, int],
    sample_bytes: int,
    most_pixels: int | None = None,
    *,
    longest_side: int | None = None,
    decoder: str = "OpenCV",
) -> None:
    """Check, before a picture is decoded, that it fits into memory twice: read and filtered.

    Parameters
    ----------
    name : str
        What messages call its file.
    size : tuple of int
        Height, width and channels, as its header says them.
    sample_bytes : int
        Bytes of a decoded sample.
    most_pixels : int, optional
        How many pixels its decoder takes, where that is limited.
    longest_side : int, optional
        How many pixels a side its decoder takes, by default as many as OpenCV does where `most_pixels` is given.
    decoder : str
        The name of the decoder that is limited.

    Raises
    ------
    ImageReadError
        Where it does not fit, is larger than its decoder takes, or than `MAX_PIXELS`.
    """
    height, width, channels = size
    shown = f"{width} x {height} pixels"
    wanted = MAX_PIXELS.get()
    if wanted is not None and height * width > wanted:
        raise ImageReadError(f"{name}: {shown} are more than the {wanted:,} that are allowed; say --max-pixels")
    if longest_side is None and most_pixels is not None:
        longest_side = _LONGEST_SIDE
    advice = "convert it to TIFF or cut it up"
    if longest_side is not None and max(height, width) > longest_side:
        raise ImageReadError(
            f"{name}: {shown} are more than the {longest_side:,} a side that {decoder} decodes; {advice}"
        )
    if most_pixels is not None and height * width > most_pixels:
        raise ImageReadError(f"{name}: {shown} are more than the {most_pixels:,} that {decoder} decodes; {advice}")
    needed = 2 * height * width * channels * sample_bytes
    if needed <= _NEGLIGIBLE:
        return
    there = memory.available_bytes()
    if there is not None and needed > there:
        raise ImageReadError(
            f"{name}: {shown} need {_gigabytes(needed)} of memory, and {_gigabytes(there)} are free; cut it up"
        )


# A picture of fewer pixels is decoded in no time, however little says it.
_SMALL_PICTURE = 2**24


def check_plausible(name: str, title: str, size: tuple[int, int], file_bytes: int, most_pixels_a_byte: int) -> None:
    """Check, before a picture is decoded, that a file of its length can hold it.

    Parameters
    ----------
    name : str
        What messages call its file.
    title : str
        The name of its format.
    size : tuple of int
        Height and width, as its header says them.
    file_bytes : int
        Of the file.
    most_pixels_a_byte : int
        How many pixels a byte of the format's coding can stand for.

    Raises
    ------
    ImageReadError
        Where it cannot.
    """
    height, width = size
    if height * width > max(_SMALL_PICTURE, most_pixels_a_byte * file_bytes):
        raise ImageReadError(
            f"{name}: damaged {title}, {file_bytes} bytes cannot make {width} x {height} pixels; get the file again"
        )


def _gigabytes(number: int) -> str:
    """Return a number of bytes as text for people.

    >>> _gigabytes(1_500_000_000), _gigabytes(20_000_000)
    ('1.5 GB', '20 MB')
    """
    return f"{number / 1e9:.1f} GB" if number >= 10**9 else f"{number / 1e6:.0f} MB"
