"""A TIFF's samples, decoded by tifffile and imagecodecs, become bands of full range: gray or RGB, data, then alpha.

Source: TIFF 6.0, sections 16 to 23 (inks, YCbCr, Lab), 18 (ExtraSamples); Adobe Photoshop TIFF technical notes.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from convcli.errors import ImageReadError
from convcli.image.formats.tiff.pages import AGAIN
from convcli.image.model import COLOURS, depth_name

_DEPTHS = ("u8", "u16", "u32", "i8", "i16", "i32", "f32", "f64")
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _INKS, _YCBCR, _LAB, _ICC_LAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
_COLOURS = {_RGB: 3, _YCBCR: 3, _LAB: 3, _ICC_LAB: 3, _INKS: 4}
_ASSOCIATED, _STRAIGHT = 1, 2
_OLD_JPEG, _JPEG = 6, 7
_FAX = (2, 3, 4)
_DEFLATE = (8, 32946)
_ICC_TAG, _INK_SET = 34675, 332


# tifffile and the codecs below it meet damage with whatever their code runs into, and promise no fewer kinds.
# Errors of imagecodecs are RuntimeErrors.
DAMAGE = (
    tifffile.TiffFileError,
    struct.error,
    zlib.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class UnreadableError(Exception):
    """A TIFF that is sound, of a kind that is not decoded; its text says which, and what to do."""


@dataclass(frozen=True, eq=False)
class Bands:
    """What the samples of a directory are.

    Parameters
    ----------
    pixels : ndarray
        (H, W, C), as stored in rows, alpha the last band.
    roles : tuple of str
        Of each band.
    alpha_place : int or None
        Where the file has its alpha.
    nodata : callable
        From the number that stands for missing samples in the file to the one here; None where there is none.
    notes : tuple of str
        What was changed.
    converted : bool
        Whether the colours are no longer those of the file's profile.
    """

    pixels: NDArray[Any]
    roles: tuple[str, ...]
    alpha_place: int | None
    nodata: Callable[[float], float | None]
    notes: tuple[str, ...] = ()
    converted: bool = False


def bands_of(page: Any, data: bytes, name: str, threads: int) -> Bands:
    """Decode a directory.

    Parameters
    ----------
    page : TiffPage
        Of tifffile.
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int
        How many cores may be used.

    Raises
    ------
    ImageReadError
        For damage.
    UnreadableError
        For a kind that is not decoded.
    """
    kind = int(page.photometric)
    if kind not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, *_COLOURS):
        title = getattr(page.photometric, "name", page.photometric)
        raise UnreadableError(
            f"a TIFF of {_KINDS.get(kind, title)} samples ({kind}), which is not decoded; convert it to RGB"
        )
    if kind == _YCBCR and (page.compression == _OLD_JPEG or page.compression != _JPEG):
        return _by_libtiff(page, data, name)
    stored = _decoded(page, data, name, threads)
    if page.compression in _FAX and kind in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
        _check_fax(page, data, name, stored)
    if kind == _PALETTE:
        return _of_palette(page, stored)
    bits = page.bitspersample
    pixels = _full_range(stored, bits)
    scale = _nodata_scale(stored, bits, pixels)
    colours = min(_COLOURS.get(kind, 1), pixels.shape[2])
    if kind in (_RGB, _YCBCR) and colours < 3:
        colours = 1
    if kind == _WHITE_IS_ZERO and pixels.dtype.kind == "u":
        white = int(np.iinfo(pixels.dtype).max)
        pixels = np.concatenate([white - pixels[:, :, :1], pixels[:, :, 1:]], axis=2).astype(pixels.dtype, copy=False)
        before = scale
        scale = lambda value: white - before(value)  # noqa: E731  one rule upon another
    pixels, extra, place = _alpha_last(page, pixels, colours)
    notes: tuple[str, ...] = ()
    converted = kind in (_INKS, _LAB, _ICC_LAB)
    if converted:
        change = _from_inks if kind == _INKS else _from_lab
        rgb, note = change(page, pixels[:, :, :colours])
        pixels, notes = np.concatenate([rgb, pixels[:, :, colours:]], axis=2), (note,)
        place = None if place is None else place + 3 - colours
        colours = 3
    shown = COLOURS if colours == 3 else ("gray",)
    return Bands(np.ascontiguousarray(pixels), (*shown, *extra), place, scale, notes, converted)


_KINDS = {32803: "colour filter array", 32844: "SGI LogL", 32845: "SGI LogLuv", 10: "ITU Lab", 34892: "linear raw"}


def _decoded(page: Any, data: bytes, name: str, threads: int) -> NDArray[Any]:
    """Decode to (H, W, C) as stored. Raises UnreadableError for codings and sample types that nobody here knows."""
    coding = getattr(page.compression, "name", page.compression)
    dtype = page.dtype
    if dtype is None or dtype.kind not in "buif" or dtype.itemsize > (8 if dtype.kind == "f" else 4):
        what = page.dtype if page.dtype is not None else f"{page.bitspersample}-bit"
        raise UnreadableError(f"a TIFF of {what} samples; convert it to one of {', '.join(_DEPTHS)} (f32 loses least)")
    if (
        page.compression != 1
        and page.compression not in tifffile.TIFF.DECOMPRESSORS
        and page.compression not in (6, 7, 2, 3, 4)
    ):
        raise UnreadableError(f"a TIFF compressed by {coding}, which is not decoded; save it with deflate")
    try:
        pixels = page.asarray(maxworkers=threads)
    except NotImplementedError as error:
        raise UnreadableError(f"a TIFF ({coding}) that is not decoded: {error}; save it with deflate") from None
    except (*DAMAGE, ImportError) as error:
        again = _with_cut_strips(page, data) if page.compression in _DEFLATE and not page.is_tiled else None
        if again is None:
            raise _undecodable(name, coding, error) from None
        pixels = again
    if pixels.size == 0:
        raise ImageReadError(f"{name}: damaged TIFF, there are no samples in it; {AGAIN}")
    if pixels.ndim == 2:
        return np.asarray(pixels[:, :, np.newaxis])
    return np.asarray(np.moveaxis(pixels, 0, 2) if page.axes.startswith("S") else pixels)


def _with_cut_strips(page: Any, data: bytes) -> NDArray[Any] | None:
    """Decode deflated strips of which some inflate to more than their rows; None for damaged ones.

    Some programs make the last strip as long as the others. The decoders of imagecodecs take that for damage.
    """
    row = (page.imagewidth * (page.samplesperpixel if page.planarconfig == 1 else 1) * page.bitspersample + 7) // 8
    copy, offsets, counts = [data], [], []
    end = len(data)
    strips = -(-page.imagelength // page.rowsperstrip)
    for number, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        rows = min(page.rowsperstrip, page.imagelength - number % strips * page.rowsperstrip)
        try:
            inflated = zlib.decompressobj().decompress(data[offset : offset + count], row * rows)
        except zlib.error:
            return None
        if len(inflated) != row * rows:
            return None
        copy.append(zlib.compress(inflated, 0))
        offsets.append(end)
        counts.append(len(copy[-1]))
        end += counts[-1]
    with tifffile.TiffFile(io.BytesIO(b"".join(copy))) as file:
        if not isinstance(page.index, int):
            return None
        again = file.pages[page.index]
        again.dataoffsets, again.databytecounts = tuple(offsets), tuple(counts)
        return np.asarray(again.asarray())


def _undecodable(name: str, coding: object, error: Exception) -> ImageReadError:
    text = " ".join(str(error).split()) or type(error).__name__
    return ImageReadError(f"{name}: truncated or damaged TIFF, its {coding} data do not decode ({text}); {AGAIN}")


def _check_fax(page: Any, data: bytes, name: str, stored: NDArray[Any]) -> None:
    """Check that two decoders agree on a fax: neither of them says that its codes are damaged."""
    import imagecodecs

    coding = getattr(page.compression, "name", page.compression)
    try:
        seen = _rgba_by_libtiff(page, data)[:, :, 0] > 0
    except imagecodecs.TiffError as error:
        raise _undecodable(name, coding, error) from None
    white = stored[:, :, 0] > 0
    if int(page.photometric) == _WHITE_IS_ZERO:
        np.logical_not(white, out=white)
    if seen.shape != white.shape or not np.array_equal(seen, white):
        raise _undecodable(name, coding, ValueError("two decoders find different pictures"))


def _rgba_by_libtiff(page: Any, data: bytes) -> NDArray[np.uint8]:
    """Decode to RGBA of 8 bits, in rows as stored."""
    import imagecodecs

    orientation = page.tags.get(274)
    if orientation is not None and orientation.value != 1:  # libtiff would turn some of them
        copy = bytearray(data)
        place = orientation.valueoffset
        copy[place : place + orientation.valuebytecount] = (1).to_bytes(
            orientation.valuebytecount, "little" if page.parent.byteorder == "<" else "big"
        )
        data = bytes(copy)
    index = page.index if isinstance(page.index, int) else 0
    return np.asarray(imagecodecs.tiff_decode(data, index=index, asrgb=True))


def _full_range(pixels: Any, bits: Any) -> Any:
    """Make samples native, and those of odd widths 0..255 (below 8 bits), 0..65535 (9 to 15) or all of 32 bits."""
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype == bool:
        return np.multiply(pixels, np.uint8(255), dtype=np.uint8)
    if pixels.dtype == np.float16:
        return pixels.astype(np.float32)
    wide = 8 * pixels.dtype.itemsize
    if pixels.dtype.kind == "u" and isinstance(bits, int) and bits < wide:
        most = np.iinfo(pixels.dtype).max
        white = 2**bits - 1
        if bits > 16:
            return np.rint(pixels * (most / white)).astype(pixels.dtype)
        # Rounded: white is odd, so that nothing lies halfway.
        return ((pixels.astype(np.uint32) * most + white // 2) // white).astype(pixels.dtype)
    if isinstance(bits, tuple):
        most = np.iinfo(pixels.dtype).max
        return np.rint(pixels * (most / (2.0 ** np.array(bits) - 1))).astype(pixels.dtype)
    return pixels


def _nodata_scale(stored: NDArray[Any], bits: Any, pixels: NDArray[Any]) -> Callable[[float], float]:
    """Return what turns a number in the units of the file into one of the samples in memory."""
    if stored.dtype == bool or (
        pixels.dtype.kind == "u" and isinstance(bits, int) and bits < 8 * pixels.dtype.itemsize
    ):
        most = int(np.iinfo(pixels.dtype).max)
        return lambda value: float(np.rint(value * most / (2**bits - 1)))
    return float


def _alpha_last(page: Any, pixels: NDArray[Any], colours: int) -> tuple[NDArray[Any], tuple[str, ...], int | None]:
    """Move the first band that is alpha to the end; return the samples, the roles behind the colours, and its place."""
    kinds = [int(kind) for kind in page.extrasamples][: pixels.shape[2] - colours]
    kinds += [0] * (pixels.shape[2] - colours - len(kinds))
    opacity = next((n for n, kind in enumerate(kinds) if kind in (_ASSOCIATED, _STRAIGHT)), None)
    if opacity is None:
        return pixels, ("data",) * len(kinds), None
    place = colours + opacity
    alpha = pixels[:, :, place : place + 1]
    colour = pixels[:, :, :colours]
    if kinds[opacity] == _ASSOCIATED:
        colour = _straight(colour, alpha)
    others = [n for n in range(colours, pixels.shape[2]) if n != place]
    return np.concatenate([colour, pixels[:, :, others], alpha], axis=2), (*("data",) * len(others), "alpha"), place


def _straight(colour: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Divide colours by their alpha (TIFF's associated alpha); where alpha is 0 there is no colour."""
    white = 1.0 if colour.dtype.kind == "f" else float(np.iinfo(colour.dtype).max)
    divided = np.divide(colour * white, alpha, out=np.zeros(colour.shape), where=alpha != 0)
    straight = divided if colour.dtype.kind == "f" else np.rint(np.minimum(divided, white))
    result: NDArray[Any] = straight.astype(colour.dtype)
    return result


def _of_palette(page: Any, stored: NDArray[Any]) -> Bands:
    """Look up the colours of indices; what stands beside the index is alpha or data, of 8 bits."""
    table = np.asarray(page.colormap) if page.colormap is not None else None
    bits = page.bitspersample
    if table is None or not isinstance(bits, int) or table.shape != (3, 2**bits):
        raise ValueError("its palette is missing or of another size than its samples")
    # Some programs write 0..255, where 0..65535 is meant: then no colour reaches above 255.
    colours = (table if table.max() < 256 else table >> 8).T.astype(np.uint8)
    pixels = _looked_up(colours, stored[:, :, 0])
    rest = _full_range(stored[:, :, 1:], bits)
    rest = rest if rest.dtype == np.uint8 else np.rint(rest / 257).astype(np.uint8)
    pixels, extra, place = _alpha_last(page, np.concatenate([pixels, rest], axis=2), 3)
    return Bands(np.ascontiguousarray(pixels), (*COLOURS, *extra), place, lambda _: None)


def _looked_up(colours: NDArray[np.uint8], index: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the colours (H, W, 3) of indices."""
    index = np.ascontiguousarray(index)
    if index.dtype.itemsize > 1:
        return np.asarray(colours[index], np.uint8)
    import cv2

    table = np.zeros((1, 256, 3), np.uint8)
    table[0, : len(colours)] = colours
    index = index.view(np.uint8)
    return np.asarray(cv2.LUT(cv2.merge([index] * 3), table))  # several times as fast as indexing


def _from_inks(page: Any, inks: Any) -> tuple[NDArray[Any], str]:
    """Turn cyan, magenta, yellow and black into RGB: by their profile (8 bits), else by the light they leave."""
    if inks.shape[2] < 4 or page.tags.valueof(_INK_SET, 1) != 1:
        raise UnreadableError(f"a TIFF of {inks.shape[2]} inks that are not CMYK; convert it to RGB")
    if inks.dtype.kind == "i":
        raise UnreadableError(
            f"a TIFF of signed CMYK inks ({depth_name(inks.dtype)}), which have no meaning; convert it to RGB"
        )
    profile = page.tags.valueof(_ICC_TAG)
    if profile and inks.dtype == np.uint8:
        rgb = _through_profile(inks, "CMYK", bytes(profile))
        if rgb is not None:
            return rgb, "CMYK became sRGB through its profile"
    most = 1.0 if inks.dtype.kind == "f" else float(np.iinfo(inks.dtype).max)
    real = np.float64 if inks.dtype.itemsize > 2 else np.float32
    left = (1 - inks.astype(real) / most) * most
    light = left[:, :, :3] * left[:, :, 3:] / most
    rgb = light if inks.dtype.kind == "f" else np.rint(light)
    return rgb.astype(inks.dtype), "CMYK became RGB as (1 - ink)(1 - black), without a profile"


def _from_lab(page: Any, lab: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Turn CIE Lab of 8 bits into sRGB."""
    if lab.dtype != np.uint8 or lab.shape[2] != 3:
        raise UnreadableError(f"a TIFF in Lab colours of {lab.dtype}; convert it to RGB")
    # Pillow takes a and b as CIE Lab in TIFF has them, signed; ICC Lab counts from -128 on.
    signed = lab if int(page.photometric) == _LAB else np.concatenate([lab[:, :, :1], lab[:, :, 1:] ^ 0x80], axis=2)
    rgb = _through_profile(signed, "LAB", None)
    if rgb is None:
        raise UnreadableError("a TIFF in Lab colours; convert it to RGB")
    return rgb, "Lab became sRGB"


def _through_profile(samples: NDArray[Any], mode: str, profile: bytes | None) -> NDArray[Any] | None:
    """Convert colours to sRGB by LittleCMS; None for a profile that is damaged or one of other colours."""
    from PIL import Image, ImageCms

    try:
        source = ImageCms.createProfile("LAB") if profile is None else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        picture = Image.frombytes(mode, (samples.shape[1], samples.shape[0]), samples.tobytes())
        turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return None if turned is None else np.asarray(turned)


def _by_libtiff(page: Any, data: bytes, name: str) -> Bands:
    """Let libtiff make RGB of YCbCr that is subsampled, or compressed by old-style JPEG."""
    import imagecodecs

    coding = getattr(page.compression, "name", page.compression)
    if page.planarconfig != 1 or page.samplesperpixel != 3 or page.bitspersample != 8:
        raise UnreadableError(f"a TIFF of YCbCr samples ({coding}) in an odd layout; convert it to RGB")
    try:
        try:
            pixels = _rgba_by_libtiff(page, data)
        except imagecodecs.TiffError:
            start, count = page.dataoffsets[0], page.databytecounts[0]
            if page.compression != _OLD_JPEG or data[start : start + 2] != b"\xff\xd8":
                raise
            pixels = np.asarray(imagecodecs.jpeg8_decode(data[start : start + count]))  # whole, as in raw files
    except (imagecodecs.TiffError, imagecodecs.Jpeg8Error) as error:
        raise _undecodable(name, coding, error) from None
    pixels = np.ascontiguousarray(pixels[:, :, :3])
    if pixels.shape[:2] != (page.imagelength, page.imagewidth):
        raise UnreadableError(f"a TIFF of YCbCr samples ({coding}) in an odd layout; convert it to RGB")
    return Bands(pixels, COLOURS, None, lambda _: None)
