"""Which of a TIFF's directories holds its picture, whether all of that is in the file, and what is said beside it.

Source: TIFF 6.0, section 8 (NewSubfileType); Adobe DNG 1.7 and TIFF/EP for cameras' raw files.
"""

import struct
from dataclasses import dataclass
from typing import Any

import tifffile

from convcli.errors import ImageReadError
from convcli.image.formats.tiff import strips
from convcli.image.metadata.tiff_directories import Block, serialise
from convcli.image.metadata.tiff_tags import (
    DESCRIPTION,
    DESCRIPTIVE,
    GEOREFERENCE,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    is_layout,
    kept_tags,
)
from convcli.image.model import Metadata, TiffTags, check_fits_memory

AGAIN = "get the file again"
_REDUCED, _MASK = 1, 4
_CFA, _LINEAR_RAW = 32803, 34892
_PLAIN_KINDS = (0, 1, 2, 3, 5, 6, 8)  # photometric interpretations that are pictures
_XMP, _ICC = 700, 34675
_CENTIMETRES_PER_INCH = 2.54
# Those that are written as well; what is compressed in another way is deflated.
_COMPRESSIONS = {code: name for name, code in strips.CODES.items()} | {32946: strips.DEFLATE}
_MOST_LOOKED_AT = 64  # directories of a stack whose kind is asked for


@dataclass(frozen=True, eq=False)
class Picture:
    """The directory that is read.

    Parameters
    ----------
    page : TiffPage
        Of tifffile.
    pages : int
        How many full-size pictures the file holds.
    notes : tuple of str
        What else is in the file.
    """

    page: Any
    pages: int
    notes: tuple[str, ...]


def picture_of(file: Any, data: bytes, name: str, wanted: str | None) -> Picture:
    """Find the directory to read.

    Parameters
    ----------
    file : TiffFile
        Of tifffile.
    data : bytes
        The whole file.
    name : str
        What messages call it.
    wanted : str or None
        `preview` for the largest preview of a camera's raw file; None for its first full-size picture.

    Raises
    ------
    ImageReadError
        For a camera's raw file whose full-size picture is not one that can be decoded, unless its preview is wanted;
        and for a preview that is not there.
    """
    count = len(file.pages)
    chain = [file.pages[number] for number in range(min(count, _MOST_LOOKED_AT))]
    nested = [below for page in chain for below in _sub_pages(page)]
    sensor = max((page for page in chain + nested if _is_of_sensor(page, data)), key=_area, default=None)
    full_size = [page for page in chain if not page.subfiletype & (_REDUCED | _MASK)]
    developed = [page for page in full_size if _is_plain(page) and 2 * _area(page) > _area(sensor or page)]
    if sensor is not None and (not developed or not _area(sensor)):
        previews = [page for page in chain + nested if _is_plain(page)]
        preview = max(previews, key=_area, default=None)
        if preview is not None and wanted == "preview":
            return Picture(preview, 1, ())
        hint = "it holds no preview"
        if preview is not None:
            hint = f"--page preview takes its preview of {preview.imagewidth} x {preview.imagelength}"
        size = f" of {sensor.imagewidth} x {sensor.imagelength} samples of the sensor" if _area(sensor) else ""
        raise ImageReadError(
            f"{name}: a camera's raw file{size}, which convcli does not develop; develop it to TIFF first ({hint})"
        )
    if wanted == "preview":
        raise ImageReadError(f"{name}: not a camera's raw file, it has no preview; leave out --page preview")
    page = full_size[0] if full_size else chain[0]
    if not full_size:
        larger = [
            below for below in nested if not below.subfiletype & (_REDUCED | _MASK) and _area(below) > _area(page)
        ]
        page = larger[0] if larger else page
    others = count - len(chain) + max(1, len(full_size))
    notes = [f"{others} pages: only the first is used"] if others > 1 else []
    if any(other.subfiletype & _MASK and other is not page for other in chain):
        notes.append("the mask of transparency beside the picture is not used")
    return Picture(page, others, tuple(notes))


def _sub_pages(page: Any) -> list[Any]:
    try:
        return [below for below in page.pages or () if isinstance(below, tifffile.TiffPage)] if page.subifds else []
    except (tifffile.TiffFileError, struct.error, ValueError, TypeError, OSError, IndexError):
        return []


def _area(page: Any) -> int:
    return int(page.imagewidth * page.imagelength)


def _is_of_sensor(page: Any, data: bytes) -> bool:
    """Whether a directory holds what a sensor saw behind its colour filters, and no picture yet."""
    # Canon's CR2 marks itself behind the header, and its sensor's samples by the slices that they are stored in.
    return int(page.photometric) in (_CFA, _LINEAR_RAW) or (data[8:10] == b"CR" and 50752 in page.tags)


def _is_plain(page: Any) -> bool:
    plain = int(page.photometric) in _PLAIN_KINDS and 50752 not in page.tags
    return plain and bool(page.dataoffsets) and _area(page) > 0


def check_whole(page: Any, data: bytes, name: str) -> None:
    """Check that every strip or tile lies inside the file, that they are enough, and that the picture fits memory.

    Raises
    ------
    ImageReadError
        Where one does not.
    """
    offsets, counts = page.dataoffsets, page.databytecounts
    height, width, channels = page.imagelength, page.imagewidth, page.samplesperpixel
    if not offsets or len(offsets) != len(counts):
        raise ImageReadError(f"{name}: truncated or damaged TIFF, it does not say where its picture is; {AGAIN}")
    if not height or not width or not channels:
        raise ImageReadError(f"{name}: damaged TIFF, a picture of {width} x {height} pixels; {AGAIN}")
    if page.imagedepth != 1:
        raise ImageReadError(f"{name}: a TIFF volume of depth {page.imagedepth}; save one slice of it as an image")
    item = page.dtype.itemsize if page.dtype is not None else 1
    check_fits_memory(name, (height, width, channels), item)
    if page.is_tiled:
        check_fits_memory(name, (page.tilelength, page.tilewidth, channels), item)
        needed = -(-height // page.tilelength) * -(-width // page.tilewidth)
    else:
        needed = -(-height // page.rowsperstrip) if page.rowsperstrip else 1
    needed *= channels if page.planarconfig == 2 else 1
    part = "tiles" if page.is_tiled else "strips"
    jpeg_alone = page.compression == 6 or page.jpegheader is not None
    if len(offsets) < needed and not jpeg_alone:
        raise ImageReadError(f"{name}: truncated or damaged TIFF, it has {len(offsets)} of {needed} {part}; {AGAIN}")
    empty = sum(not count or not offset for offset, count in zip(offsets, counts, strict=True))
    sparse = 42113 in page.tags and all(
        bool(offset) == bool(count) for offset, count in zip(offsets, counts, strict=True)
    )  # GDAL writes no tile of missing samples, and says what they are
    if empty and not sparse:
        raise ImageReadError(
            f"{name}: truncated or damaged TIFF, {empty} of its {len(counts)} {part} are empty; {AGAIN}"
        )
    last = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    if last > len(data):
        raise ImageReadError(f"{name}: truncated TIFF, {last - len(data)} bytes of its picture are missing; {AGAIN}")
    bits = page.bitspersample if isinstance(page.bitspersample, int) else max(page.bitspersample)
    decoded = (height * width * channels * bits + 7) // 8
    if sum(counts) > len(data) + 2 * decoded:
        raise ImageReadError(f"{name}: damaged TIFF, its {part} are said to hold more than the file; {AGAIN}")
    if page.compression == 1 and not page.is_subsampled and not empty and sum(counts) < decoded:
        raise ImageReadError(
            f"{name}: truncated or damaged TIFF, its picture is {sum(counts)} of {decoded} bytes; {AGAIN}"
        )


def orientation_of_page(page: Any) -> int:
    """Return the orientation, 1 to 8, of a directory."""
    value = page.tags.valueof(274, 1)
    value = int(value) if isinstance(value, int) else 1
    return value if 1 <= value <= 8 else 1


def metadata_of(picture: Picture, data: bytes) -> tuple[Metadata, list[str]]:
    """Return what a directory says beside its samples, and notes of what of that cannot be kept."""
    page = picture.page
    block = Block(data)
    tree = block.tree(page.offset)
    described = {tag: value for tag, value in tree.items() if tag in DESCRIPTIVE or isinstance(value, dict)}
    description = described.get(DESCRIPTION)
    if isinstance(description, tuple) and is_layout(description[2]):
        del described[DESCRIPTION]  # which is no text on the picture, and of no use to other formats
    turned = orientation_of_page(page)
    exif = None
    if described.keys() - {274}:
        order = "<" if block.order == "<" else ">"
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
        exif = head + serialise(described, order, 8)
    tags, notes = kept_tags(tree, block.order, pages=picture.pages, described=described)
    resolution = _resolution(page)
    if turned >= 5:
        resolution = resolution[::-1] if resolution is not None else None
    if tags is not None and turned != 1:
        values, lost = _turned(dict(tags.values), turned)
        tags, notes = TiffTags(tags.order, values), notes + lost

    def raw(code: int) -> bytes | None:
        value = tree.get(code)
        return value[2] if isinstance(value, tuple) else None

    bits = page.bitspersample
    metadata = Metadata(
        exif,
        raw(_XMP),
        raw(_ICC),
        resolution,
        (page.imagelength, page.imagewidth),
        tiff_compression=_COMPRESSIONS.get(int(page.compression), strips.DEFLATE),
        tiff_tags=tags,
        bits=bits if isinstance(bits, int) and bits % 8 else None,
    )
    return metadata, notes


def _turned(
    values: dict[int, tuple[int, int, bytes]], orientation: int
) -> tuple[dict[int, tuple[int, int, bytes]], list[str]]:
    """Swap the resolutions of a picture that is turned upright; a georeference of the stored rows is dropped."""
    if orientation >= 5 and X_RESOLUTION in values and Y_RESOLUTION in values:
        values[X_RESOLUTION], values[Y_RESOLUTION] = values[Y_RESOLUTION], values[X_RESOLUTION]
    lost = [values.pop(tag) for tag in GEOREFERENCE if tag in values]
    return values, ["the georeference is dropped: the picture is turned upright"] if lost else []


def _resolution(page: Any) -> tuple[float, float] | None:
    unit = page.tags.valueof(RESOLUTION_UNIT, 2)
    per_inch = {2: 1.0, 3: _CENTIMETRES_PER_INCH}.get(unit) if isinstance(unit, int) else None
    values = [page.tags.valueof(code) for code in (X_RESOLUTION, Y_RESOLUTION)]
    if per_inch is None or any(not isinstance(v, tuple) or len(v) != 2 or not all(v) for v in values):
        return None
    across, down = (v[0] / v[1] * per_inch for v in values)
    return across, down
