"""Which tags of a TIFF are still true of another file of the same picture, and what of their values has to change.

Source: TIFF 6.0; GeoTIFF 1.1; GDAL's metadata and nodata tags; NGA's RPC tag; ImageJ's TIFF tags; OME-TIFF 6.
"""

import re
from collections.abc import Iterable

from convcli.image.metadata.tiff_directories import Tree
from convcli.image.model import TiffTags

DESCRIPTION = 270
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
PIXEL_SCALE, TIE_POINTS, TRANSFORMATION, GEO_KEYS, RPC = 33550, 33922, 34264, 34735, 50844
GDAL_METADATA, GDAL_NODATA = 42112, 42113
IPTC, PHOTOSHOP = 33723, 34377
_IMAGEJ = (50838, 50839)
_PAGE_NUMBER, _TRANSFER_FUNCTION = 297, 301
GEOREFERENCE = (PIXEL_SCALE, TIE_POINTS, TRANSFORMATION, GEO_KEYS, 34736, 34737, RPC)

# Tags that describe the picture, not how the file holds it: document, description, make, model, orientation, page,
# software, date, artist, computer, rating, copyright, and Windows' title, comment, author, keywords and subject.
DESCRIPTIVE = frozenset({269, 270, 271, 272, 274, 285, 305, 306, 315, 316, 18246, 33432, *range(0x9C9B, 0x9CA0)})

# Of the storage, which is written anew: sizes, layout, compression, inks, tiles, JPEG's tables, YCbCr, orientation.
_STORAGE = frozenset(
    (
        *(*range(254, 260), 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, *range(322, 329)),
        *(332, 333, 334, 336, 337, 338, 339, 347, *range(512, 522), *range(529, 533), 559, 32995, 32996, 32997, 50674),
        # What `Metadata` holds for all formats: XMP, colour profile, EXIF, GPS and interoperability.
        *(700, 34665, 34675, 34853, 40965),
    )
)
# Facts that filtering makes false, or values that point elsewhere in the file: what they are, for the note.
_FALSE = {
    "its limits of samples": (280, 281, 340, 341),
    "its gray response and halftone hints": (263, 264, 265, 290, 291, 321, 342),
    "the layers of Photoshop": (37724,),
    "MetaMorph's planes": (33628, 33629, 33630, 33631),
    "what its camera says of raw samples": (
        33421,
        33422,
        *range(50706, 50838),
        *range(50861, 51200),
        *range(52525, 52553),
    ),
}
_FREE_SPACE = (288, 289)
_SUB_DIRECTORIES = 330
_NOT_KEPT = frozenset(tag for tags in _FALSE.values() for tag in tags) | {*_FREE_SPACE, _SUB_DIRECTORIES} | _STORAGE

_OF_STACK = re.compile(rb"^(images|channels|slices|frames|hyperstack|loop|mode)=.*\n?", re.MULTILINE)
_STATISTICS = re.compile(rb'[ \t]*<Item name="STATISTICS_[^>]*>[^<]*</Item>\r?\n?')
_THUMBNAILS = (1033, 1036)  # Photoshop's image resources
_ASCII, _BYTE, _SHORT, _RATIONAL = 2, 1, 3, 5


def kept_tags(tree: Tree, order: str, *, pages: int, described: Iterable[int]) -> tuple[TiffTags | None, list[str]]:
    """Return the tags of a directory that are still true of its picture in another file.

    Parameters
    ----------
    tree : dict
        The directory, as from `Block.tree`.
    order : str
        Its byte order, `<` or `>`.
    pages : int
        How many pictures the file holds, of which one is read.
    described : iterable of int
        Tags that are held elsewhere.

    Returns
    -------
    TiffTags or None, list of str
        The tags, and notes of what is dropped.
    """
    held = set(described)
    values = {
        tag: value
        for tag, value in tree.items()
        if tag not in _NOT_KEPT and tag not in held and not isinstance(value, dict)
    }
    false = [title for title, tags in _FALSE.items() if set(tags) & tree.keys()]
    notes = [f"{title} are dropped: they are no longer true" for title in false]
    if pages > 1 and any(values.pop(tag, None) for tag in _IMAGEJ):
        notes.append("ImageJ's labels and overlays are dropped: they are those of all pages")
    if pages > 1:
        values.pop(_PAGE_NUMBER, None)
    if PHOTOSHOP in values:
        kind, _, value = values[PHOTOSHOP]
        value = _without_thumbnails(value)
        values[PHOTOSHOP] = (kind, len(value), value)
    if GDAL_METADATA in values:
        kind, _, value = values[GDAL_METADATA]
        known = _STATISTICS.sub(b"", value)
        if known != value:
            values[GDAL_METADATA] = (kind, len(known), known)
            notes.append("GDAL's statistics are dropped: they are those of the samples before")
    description = values.get(DESCRIPTION)
    if description is not None:
        text = _description_of_one_page(description[2], pages)
        if text:
            values[DESCRIPTION] = (_ASCII, len(text), text)
        else:
            del values[DESCRIPTION]
            notes.append("the description is dropped: it is that of the file's layout")
    return (TiffTags(order, values) if values else None), notes


def is_layout(description: bytes) -> bool:
    """Whether a description is one in which a program states the layout of its file: tifffile, ImageJ, OME."""
    return description.startswith((b'{"shape"', b"ImageJ=", b"<?xml")) or b"<OME " in description[:200]


def _description_of_one_page(text: bytes, pages: int) -> bytes:
    """Make a description that states a file's layout true of a file of one page; empty where it cannot be."""
    if text.startswith(b'{"shape"'):
        return text if pages == 1 else b""
    if pages == 1:
        return text
    if text.startswith(b"ImageJ="):
        return _OF_STACK.sub(b"", text)
    if b"<OME " in text[:2000]:
        return _ome_of_one_plane(text)
    return text


def _ome_of_one_plane(text: bytes) -> bytes:
    """Make OME-XML state the first plane of its first picture alone."""
    if len(re.findall(rb"<Image[ >]", text)) != 1:
        return b""
    text = re.sub(rb'(Size[ZCT]=")\d+(")', rb"\g<1>1\2", text)
    channels = list(re.finditer(rb"<Channel\b[^>]*?(?:/>|>.*?</Channel>)", text, re.DOTALL))
    for channel in reversed(channels[1:]):
        text = text[: channel.start()] + text[channel.end() :]
    planes = list(re.finditer(rb"<(?:TiffData|Plane)\b[^>]*?(?:/>|>.*?</(?:TiffData|Plane)>)", text, re.DOTALL))
    for plane in reversed(planes):
        text = text[: plane.start()] + text[plane.end() :]
    return text.replace(b"</Pixels>", b'<TiffData IFD="0" PlaneCount="1"/></Pixels>')


def _without_thumbnails(resources: bytes) -> bytes:
    """Take the thumbnails, which show the picture before, out of Photoshop's image resources; damaged ones stay."""
    kept, place = [], 0
    while resources[place : place + 4] == b"8BIM" and place + 12 <= len(resources):
        name = place + 6
        size = name + 1 + resources[name]
        size += (size - name) % 2
        length = int.from_bytes(resources[size : size + 4], "big")
        end = size + 4 + length + length % 2
        if int.from_bytes(resources[place + 4 : place + 6], "big") not in _THUMBNAILS:
            kept.append(resources[place:end])
        place = end
    return b"".join(kept) + resources[place:]


def titles(tags: TiffTags) -> list[str]:
    """Return what the tags are, in words for a note of what a format has no place for.

    >>> titles(TiffTags("<", {33550: (12, 0, b""), 42113: (2, 0, b""), 65000: (1, 0, b"")}))
    ['the georeference', 'the nodata value', '1 more TIFF tag']
    """
    found = []
    values = dict(tags.values)
    unit, across = values.get(RESOLUTION_UNIT), values.get(X_RESOLUTION)
    if unit is not None and unit[2].strip(b"\0") == b"\1" and across is not None and across[2][:4] != across[2][4:]:
        found.append("the resolution without a unit")
    layout = values.pop(DESCRIPTION, (_ASCII, 0, b""))[2]
    for start, title in ((b"ImageJ=", "ImageJ's description"), (b"<", "OME-XML")):
        if layout.startswith(start):
            found.append(title)
    for title, wanted in (
        ("the georeference", GEOREFERENCE),
        ("the nodata value", (GDAL_NODATA,)),
        ("GDAL's metadata", (GDAL_METADATA,)),
        ("IPTC", (IPTC,)),
        ("Photoshop's resources", (PHOTOSHOP,)),
        ("ImageJ's labels", _IMAGEJ),
    ):
        if values.keys() & set(wanted):
            found.append(title)
        for tag in wanted:
            values.pop(tag, None)
    rest = len(values.keys() - {X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT})
    if rest:
        found.append(f"{rest} more TIFF tag{'s' * (rest > 1)}")
    return found


_OME_TYPES = {
    "u8": b"uint8", "u16": b"uint16", "u32": b"uint32", "i8": b"int8", "i16": b"int16", "i32": b"int32",
    "f32": b"float", "f64": b"double",
}  # fmt: skip


def fit_tags(tags: TiffTags, size: tuple[int, int, int], depth: str, bits: int) -> tuple[TiffTags, list[str]]:
    """Return tags that are true of a picture of a size and sample type.

    Parameters
    ----------
    tags : TiffTags
        Those of the file it was made from.
    size : tuple of int
        Height, width and channels now.
    depth : str
        The sample type now, `u8`.
    bits : int
        Bits of a sample in the file to be written.

    Returns
    -------
    TiffTags, list of str
        The tags, and notes of what is dropped.
    """
    values, notes = dict(tags.values), []
    transfer = values.get(_TRANSFER_FUNCTION)
    if transfer is not None and transfer[1] not in (2**bits, 3 * 2**bits):
        del values[_TRANSFER_FUNCTION]
        notes.append(f"the transfer function is dropped: it is not one of {bits} bits")
    if GDAL_NODATA in values and not _holds(depth, values[GDAL_NODATA][2]):
        stated = values.pop(GDAL_NODATA)[2].strip(b"\0 ").decode("latin-1")
        notes.append(f"the nodata value {stated} is dropped: {depth} cannot hold it")
    description = values.get(DESCRIPTION)
    if description is not None:
        text = description[2]
        height, width, _ = size
        if text.startswith(b'{"shape"'):
            shape = [int(number) for number in re.findall(rb"\d+", text.split(b"]")[0])]
            if [n for n in shape if n != 1] != [n for n in size if n != 1]:
                text = b""
                notes.append("the description is dropped: it states another size")
        elif b"<OME " in text[:2000]:
            text = re.sub(rb'(SizeX=")\d+', rb"\g<1>%d" % width, text)
            text = re.sub(rb'(SizeY=")\d+', rb"\g<1>%d" % height, text)
            text = re.sub(rb'(<Pixels\b[^>]*?\sType=")[^"]*', rb"\g<1>" + _OME_TYPES[depth], text)
            text = re.sub(rb'BigEndian="[^"]*"', b'BigEndian="%s"' % (b"true" if tags.order == ">" else b"false"), text)
        if text:
            values[DESCRIPTION] = (_ASCII, len(text), text)
        else:
            del values[DESCRIPTION]
    return TiffTags(tags.order, values), notes


def _holds(depth: str, text: bytes) -> bool:
    """Whether a sample type holds the number that a nodata tag states."""
    number = nodata_value(text)
    if number is None or depth.startswith("f"):
        return True
    bits = int(depth[1:])
    low, high = (0, 2**bits - 1) if depth[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return number == int(number) and low <= number <= high if abs(number) < float("inf") else False


def nodata_value(text: bytes) -> float | None:
    r"""Return the number that GDAL's nodata tag states; None where it states none.

    >>> nodata_value(b"-9999\0"), nodata_value(b"n/a\0")
    (-9999.0, None)
    """
    try:
        return float(text.strip(b"\0 ").replace(b",", b".").decode("ascii"))
    except ValueError:  # a failed decoding is one too
        return None


def nodata_text(value: float) -> bytes:
    r"""Return GDAL's nodata tag of a number.

    >>> nodata_text(-9999.0), nodata_text(0.1), nodata_text(float("nan"))
    (b'-9999\x00', b'0.1\x00', b'nan\x00')
    """
    whole = abs(value) < 2**53 and value == int(value)
    return (str(int(value)) if whole else repr(value)).encode() + b"\0"
