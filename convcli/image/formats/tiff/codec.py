"""TIFF by tifffile, with OpenCV for what tifffile cannot decode alone; EXIF and GPS directories carried along.

Source: TIFF 6.0; Adobe Photoshop TIFF technical notes (alpha, ICC); CIPA DC-008, section 4.6.
"""

import io
import logging
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from convcli.errors import ImageReadError, ImageWriteError
from convcli.image.formats import opencv_codec
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.tiff import strips
from convcli.image.metadata.tiff_directories import Block, Tree, serialise
from convcli.image.model import Image, Metadata, check_fits_memory, depth_name
from convcli.system.output_file import Sink

# tifffile logs what it finds odd; without a handler, Python would print that on stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_DEPTHS = ("u8", "u16", "i16", "f32", "f64")
_CENTIMETRES_PER_INCH = 2.54
_STRIP_BYTES = 2**20
_XMP, _ICC, _DESCRIPTION = 700, 34675, 270
_IPTC = (33723, 34377)
# Tags that describe the picture, not how the file holds it: document, description, make, model, orientation, page,
# software, date, artist, computer, rating, copyright, and Windows' title, comment, author, keywords and subject.
_DESCRIPTIVE = frozenset({269, 270, 271, 272, 274, 285, 305, 306, 315, 316, 18246, 33432, *range(0x9C9B, 0x9CA0)})
# Descriptions in which a program states the layout of its own file, which is no longer that of ours.
_LAYOUTS = (b'{"shape"', b"ImageJ=", b"<?xml")
_PREMULTIPLIED = 1
# Those that are written as well; what is compressed in another way is deflated.
_COMPRESSIONS = {code: name for name, code in strips.CODES.items()}
# What OpenCV decodes: nothing, CCITT's three, LZW, JPEG, deflate by both its numbers, PackBits.
_OPENCV_DECODES = frozenset((1, 2, 3, 4, 5, 7, 8, 32946, 32773))
# tifffile and the codecs below it meet damage with whatever their code runs into, and promise no fewer kinds.
_DAMAGE = (
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
_AGAIN = "get the file again"


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode the first page of a TIFF.

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
        Gray or RGB with or without alpha, upright; u8, u16, i16, f32 or f64. Notes say what is left out.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged, too large, or of a kind that neither tifffile nor OpenCV decodes.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            pages = len(file.pages)
            _check_whole(page, data, name)
            pixels, alpha, cut = _pixels(page, data, name)
            metadata = _metadata(page, data)
    except ImageReadError:
        raise
    except _DAMAGE as error:
        raise ImageReadError(f"{name}: truncated or damaged TIFF ({_one_line(error)}); {_AGAIN}") from None
    except MemoryError:
        raise ImageReadError(f"{name}: the TIFF asks for more memory than there is; cut it up") from None
    orientation = _orientation(page)
    notes = [f"{pages} pages: only the first is used"] if pages > 1 else []
    notes += ["its channels beyond the colours and alpha are ignored"] if cut else []
    if _has_iptc(page):
        notes.append("its IPTC block is lost: only EXIF, XMP, profile and resolution are kept")
    return Image(opencv_codec.turn_upright(pixels, orientation), alpha, metadata, "tiff", tuple(notes))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _check_whole(page: Any, data: bytes, name: str) -> None:
    """Check that every strip or tile lies inside the file, that they are enough, and that the picture fits memory."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if not offsets or len(offsets) != len(counts):
        raise ImageReadError(f"{name}: truncated or damaged TIFF, it does not say where its picture is; {_AGAIN}")
    last = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    if last > len(data):
        raise ImageReadError(f"{name}: truncated TIFF, {last - len(data)} bytes of its picture are missing; {_AGAIN}")
    height, width, channels = page.imagelength, page.imagewidth, page.samplesperpixel
    needed = (height * width * channels * page.bitspersample + 7) // 8
    if page.compression == tifffile.COMPRESSION.NONE and not page.is_subsampled and sum(counts) < needed:
        raise ImageReadError(
            f"{name}: truncated or damaged TIFF, its picture is {sum(counts)} of {needed} bytes; {_AGAIN}"
        )
    if page.imagedepth != 1:
        raise ImageReadError(f"{name}: a TIFF volume of depth {page.imagedepth}; save one slice of it as an image")
    check_fits_memory(name, (height, width, channels), max(1, page.bitspersample // 8))


def _pixels(page: Any, data: bytes, name: str) -> tuple[NDArray[Any], bool, bool]:
    """Decode a page to (H, W, C) of full range; say whether it has alpha, and whether channels were left out."""
    kind = page.photometric
    shades = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE)
    known = (*shades, tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.PALETTE)
    jpeg_colour = kind == tifffile.PHOTOMETRIC.YCBCR and page.compression == tifffile.COMPRESSION.JPEG
    if kind not in known and not jpeg_colour:
        return _by_opencv(page, data, name), False, False
    try:
        pixels = page.asarray()
    except (ValueError, ImportError) as error:
        # Raised where a codec is missing (tifffile names imagecodecs then, or a module of newer Pythons) and where the
        # data is damaged.
        if not _lacks_codec(error):
            raise _undecodable(page, name, error) from None
        if page.samplesperpixel > (1 if kind in (*shades, tifffile.PHOTOMETRIC.PALETTE) else 3):
            return _with_alpha_by_opencv(page, data, name, error), True, False
        return _by_opencv(page, data, name), False, False
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    elif page.axes.startswith("S"):
        pixels = np.ascontiguousarray(np.moveaxis(pixels, 0, 2))
    if kind == tifffile.PHOTOMETRIC.PALETTE:
        table = np.asarray(page.colormap).T
        return (table[pixels[:, :, 0]] >> 8).astype(np.uint8), False, False
    pixels = _full_range(pixels, page.bitspersample, name)
    colours = 1 if kind in shades else 3
    if kind == tifffile.PHOTOMETRIC.MINISWHITE and pixels.dtype.kind == "u":
        shade = np.iinfo(pixels.dtype).max - pixels[:, :, :1]
        pixels = np.concatenate([shade, pixels[:, :, 1:]], axis=2)  # alpha is as everywhere
    alpha = pixels.shape[2] > colours
    cut = pixels.shape[2] > colours + 1
    pixels = np.ascontiguousarray(pixels[:, :, : colours + alpha])
    if alpha and page.extrasamples and page.extrasamples[0] == _PREMULTIPLIED:
        pixels = _unpremultiplied(pixels)
    return pixels, alpha, cut


def _full_range(pixels: NDArray[Any], bits: int, name: str) -> NDArray[Any]:
    """Make samples native, and those of odd widths 0..255 (below 8 bits) or 0..65535 (9 to 15)."""
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype == bool:
        white: NDArray[Any] = np.multiply(pixels, np.uint8(255), dtype=np.uint8)
        return white
    if pixels.dtype == np.float16:
        return pixels.astype(np.float32)
    if pixels.dtype.kind == "u" and bits < 16 and bits != 8:
        kind, most = (np.uint8, 255) if bits < 8 else (np.uint16, 65535)
        full: NDArray[Any] = np.rint(pixels * (most / (2**bits - 1))).astype(kind)
        return full
    if depth_name(pixels.dtype) not in _DEPTHS:
        raise ImageReadError(
            f"{name}: a TIFF of {pixels.dtype} samples; convert it to one of {', '.join(_DEPTHS)} (f32 loses least)"
        )
    return pixels


def _unpremultiplied(pixels: NDArray[Any]) -> NDArray[Any]:
    """Divide the colours by their alpha (TIFF's associated alpha); where alpha is 0 there is no colour."""
    colour, alpha = pixels[:, :, :-1], pixels[:, :, -1:]
    white = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    divided = np.divide(colour * white, alpha, out=np.zeros(colour.shape), where=alpha != 0)
    straight = divided if pixels.dtype.kind == "f" else np.rint(np.minimum(divided, white))
    return np.concatenate([straight.astype(pixels.dtype), alpha], axis=2)


def _by_opencv(page: Any, data: bytes, name: str) -> NDArray[Any]:
    """Let OpenCV's libtiff decode CMYK, YCbCr and Lab, and compressions that tifffile needs imagecodecs for."""
    pixels = _decoded_by_opencv(page, data, name)
    if page.photometric == tifffile.PHOTOMETRIC.CIELAB:
        raise ImageReadError(f"{name}: a TIFF in Lab colours; convert it to RGB")
    return np.ascontiguousarray(pixels[:, :, :3]) if pixels.shape[2] == 4 else pixels


def _with_alpha_by_opencv(page: Any, data: bytes, name: str, error: Exception) -> NDArray[Any]:
    """Let OpenCV decode RGBA as well; of other channels, and of planes, it makes something else."""
    if page.samplesperpixel != 4 or page.photometric != tifffile.PHOTOMETRIC.RGB or page.planarconfig != 1:
        raise _undecodable(page, name, error)
    pixels = _decoded_by_opencv(page, data, name)
    if pixels.shape[2] != 4 or pixels.dtype != page.dtype:
        raise _undecodable(page, name, error)
    premultiplied = page.extrasamples and page.extrasamples[0] == _PREMULTIPLIED
    return _unpremultiplied(pixels) if premultiplied else pixels


def _decoded_by_opencv(page: Any, data: bytes, name: str) -> NDArray[Any]:
    """Decode by OpenCV, as stored: neither turned, nor with the colours multiplied by alpha."""
    if page.imagelength * page.imagewidth > opencv_codec.MOST_PIXELS:
        raise _undecodable(page, name, ValueError(f"more than {opencv_codec.MOST_PIXELS:,} pixels"))
    copy = bytearray(data)
    for tag in (page.tags.get("Orientation"), page.tags.get("ExtraSamples")):
        if tag is not None:  # 1 is upright, and premultiplied
            copy[tag.valueoffset : tag.valueoffset + 2] = struct.pack(page.parent.byteorder + "H", 1)
    pixels = opencv_codec.decode(copy)
    if pixels is None or pixels.shape[:2] != (page.imagelength, page.imagewidth):
        damaged = page.compression in _OPENCV_DECODES
        raise _undecodable(page, name, ValueError("nor does OpenCV decode it") if damaged else ImportError())
    return pixels


def _lacks_codec(error: Exception) -> bool:
    return isinstance(error, ImportError) or "imagecodecs" in str(error)


def _undecodable(page: Any, name: str, error: Exception) -> ImageReadError:
    kind = getattr(page.compression, "name", page.compression)
    if _lacks_codec(error):
        return ImageReadError(f'{name}: a TIFF compressed by {kind}; to read it: pip install "convcli[tiff]"')
    return ImageReadError(f"{name}: the TIFF ({kind}) cannot be decoded: {_one_line(error)}; {_AGAIN}")


def _has_iptc(page: Any) -> bool:
    return any(tag in page.tags for tag in _IPTC)


def _orientation(page: Any) -> int:
    tag = page.tags.get("Orientation")
    value = int(tag.value) if tag is not None and isinstance(tag.value, int) else 1
    return value if 1 <= value <= 8 else 1


def _metadata(page: Any, data: bytes) -> Metadata:
    def raw(code: int) -> bytes | None:
        tag = page.tags.get(code)
        if tag is None:
            return None
        return data[tag.valueoffset : tag.valueoffset + tag.valuebytecount]

    resolution = _resolution(page)
    if resolution is not None and _orientation(page) >= 5:
        resolution = resolution[::-1]
    size = (page.imagelength, page.imagewidth)
    compression = _COMPRESSIONS.get(page.compression, strips.DEFLATE)
    return Metadata(_exif(data, page.offset), raw(_XMP), raw(_ICC), resolution, size, tiff_compression=compression)


def _resolution(page: Any) -> tuple[float, float] | None:
    unit = page.tags.valueof("ResolutionUnit", 2)
    per_inch = {2: 1.0, 3: _CENTIMETRES_PER_INCH}.get(unit)
    values = [page.tags.valueof(code) for code in ("XResolution", "YResolution")]
    if per_inch is None or any(not isinstance(v, tuple) or len(v) != 2 or not all(v) for v in values):
        return None
    across, down = (v[0] / v[1] * per_inch for v in values)
    return across, down


def _exif(data: bytes, directory: int) -> bytes | None:
    """Copy the descriptive tags and the EXIF and GPS directories of a page into a block of their own."""
    block = Block(data)
    tree = block.tree(directory, _DESCRIPTIVE)
    description = tree.get(_DESCRIPTION)
    if isinstance(description, tuple) and description[2].startswith(_LAYOUTS):
        del tree[_DESCRIPTION]
    if not tree.keys() - {274}:
        return None
    return bytes(data[:4]) + struct.pack(block.order + "I", 8) + serialise(tree, block.order, 8)


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode an image with its metadata to `sink`.

    Parameters
    ----------
    image : Image
        Gray or RGB with or without alpha, of any depth.
    sink : callable
        Called with the pieces of the file.
    settings : EncoderSettings
        Its `compression` is `fast` (none), `balanced` (as the TIFF was that the picture comes from; none if it was no
        TIFF), or `small` (deflate at its best). Its `threads` compress strips.

    Returns
    -------
    tuple of str
        Notes of what was lost.

    Raises
    ------
    ImageWriteError
        Where OpenCV cannot compress it, or the metadata of a very large file has no place.
    """
    parts, notes = _encode(image.pixels, image.alpha, image.metadata, settings)
    for part in parts:
        sink(part)
    return notes


def _encode(
    pixels: NDArray[Any], alpha: bool, metadata: Metadata, settings: EncoderSettings
) -> tuple[list[bytes | memoryview], tuple[str, ...]]:
    block = Block(metadata.exif or b"II*\0")
    byteorder: strips.ByteOrder = ">" if block.order == ">" else "<"
    tags = [
        (code, kind, len(value), value, True)
        for code, kind, value in ((_XMP, 1, metadata.xmp), (_ICC, 7, metadata.icc))
        if value is not None
    ]
    height, width, channels = pixels.shape
    rows = max(1, min(height, _STRIP_BYTES // (width * channels * pixels.dtype.itemsize)))
    chosen = strips.compression_for(settings.compression, metadata.tiff_compression, pixels, byteorder)
    plane = pixels if channels > 1 else pixels[:, :, 0]
    data: NDArray[Any] | Iterator[bytes] = plane
    options: dict[str, Any] = {}
    if chosen != strips.NONE:
        options = {"shape": plane.shape, "dtype": plane.dtype}
        data = strips.compressed_strips(
            pixels, rows, chosen, byteorder, thorough=settings.compression == "small", threads=settings.threads
        )
    if metadata.resolution is not None:
        options |= {"resolution": metadata.resolution, "resolutionunit": 2}
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        data,
        photometric="rgb" if channels - alpha == 3 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if alpha else None,
        byteorder=byteorder,
        compression=None if chosen == strips.NONE else "adobe_deflate",
        predictor=strips.predicts(chosen, pixels),
        rowsperstrip=rows,
        extratags=tags,
        metadata=None,
        software=False,
        **options,
    )
    written = file.getbuffer()
    strips.declare_compression(written, chosen)
    tree = block.tree(block.word(4), _DESCRIPTIVE) if metadata.exif is not None else {}
    if not tree:
        return [written], ()
    if len(written) > 2**32 - 2**20:
        return [written], ("EXIF is lost: the TIFF is too large for it",)
    return _with_directories(written, tree), ()


def _with_directories(data: memoryview, tree: Tree) -> list[bytes | memoryview]:
    """Write the first directory anew at the end of a TIFF, with the tags of `tree` added."""
    block = Block(data)
    place = block.word(4)
    if not block.order or not place:
        raise ImageWriteError("the TIFF came out too large for its metadata: write .png")
    merged = {**block.tree(place), **tree}
    start = len(data) + len(data) % 2
    head = bytes(data[:4]) + struct.pack(block.order + "I", start)
    return [head, data[8:], bytes(start - len(data)), serialise(merged, block.order, start)]
