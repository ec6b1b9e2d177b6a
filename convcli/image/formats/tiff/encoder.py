"""TIFF written: header, strips, and a directory with every tag that is still true.

Source: TIFF 6.0; the BigTIFF design; Adobe Photoshop TIFF technical notes (alpha, ICC); CIPA DC-008, section 4.6.
"""

import struct
from collections.abc import Iterable

import numpy as np

from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.tiff import strips
from convcli.image.metadata.tiff_directories import Block, Tree, serialise, swapped
from convcli.image.metadata.tiff_tags import DESCRIPTIVE, GDAL_NODATA, fit_tags, nodata_text, nodata_value
from convcli.image.model import Image, TiffTags, depth_name
from convcli.system.output_file import Sink

_STRIP_BYTES = 2**20
_BIG_FROM = 2**32 - 2**26  # bytes of strips; the directory has to fit behind them
_SHORT, _LONG, _RATIONAL, _LONG8 = 3, 4, 5, 16
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}
_FORMATS = {"u": 1, "i": 2, "f": 3}
_STRAIGHT_ALPHA, _DATA = 2, 0
_XMP, _ICC = 700, 34675


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode an image with its metadata to `sink`.

    Parameters
    ----------
    image : Image
        Any number of bands, of any depth.
    sink : callable
        Called with the pieces of the file.
    settings : EncoderSettings
        Its `compression` is `fast` (none), `balanced` (as the TIFF was that the picture comes from; none if it was no
        TIFF), or `small` (deflate at its best). Its `threads` compress strips.

    Returns
    -------
    tuple of str
        Notes of what was lost.
    """
    pixels, roles = image.pixels, image.roles
    if "alpha" in roles and image.alpha_place not in (None, len(roles) - 1):
        order = [n for n, role in enumerate(roles) if role != "alpha"]
        order.insert(image.alpha_place or 0, roles.index("alpha"))
        pixels, roles = pixels[:, :, order], tuple(roles[n] for n in order)
    height, width, channels = pixels.shape
    byteorder = _byte_order(image)
    compression = strips.compression_for(settings.compression, image.metadata.tiff_compression)
    bits = strips.exact_bits(pixels, image.metadata.bits)
    rows = max(1, min(height, _STRIP_BYTES // (width * channels * pixels.dtype.itemsize)))
    tree, notes = _described(image, byteorder, bits)
    thorough = settings.compression == "small"
    encoded: Iterable[bytes] = strips.encoded_strips(
        pixels, rows, compression, byteorder, bits, thorough=thorough, threads=settings.threads
    )
    if compression == strips.NONE:  # sizes are known, and nothing need be held
        row_bytes = (width * channels * bits + 7) // 8
        sizes = [row_bytes * min(rows, height - start) for start in range(0, height, rows)]
    else:
        encoded = list(encoded)
        sizes = [len(strip) for strip in encoded]
    wide = sum(sizes) > _BIG_FROM
    first = 16 if wide else 8
    starts = [first]
    for size in sizes[:-1]:
        starts.append(starts[-1] + size)
    end = starts[-1] + sizes[-1]
    kind = _LONG8 if wide else _LONG
    colours = "red" in roles

    def numbers(kind: int, *values: int) -> tuple[int, int, bytes]:
        return kind, len(values), struct.pack(f"{byteorder}{len(values)}{_CODES[kind]}", *values)

    tree |= {
        256: numbers(_LONG, width),
        257: numbers(_LONG, height),
        258: numbers(_SHORT, *[bits] * channels),
        259: numbers(_SHORT, strips.CODES[compression]),
        262: numbers(_SHORT, 2 if colours else 1),
        273: numbers(kind, *starts),
        277: numbers(_SHORT, channels),
        278: numbers(_LONG, rows),
        279: numbers(kind, *sizes),
        284: numbers(_SHORT, 1),
        339: numbers(_SHORT, *[_FORMATS[pixels.dtype.kind]] * channels),
    }
    if strips.predicts(compression, pixels, bits):
        tree[317] = numbers(_SHORT, 2)
    extra = [_STRAIGHT_ALPHA if role == "alpha" else _DATA for role in roles[3 if colours else 1 :]]
    if extra:
        tree[338] = numbers(_SHORT, *extra)
    directory = end + end % 2
    mark = b"II" if byteorder == "<" else b"MM"
    if wide:
        sink(mark + struct.pack(byteorder + "HHHQ", 43, 8, 0, directory))
    else:
        sink(mark + struct.pack(byteorder + "HI", 42, directory))
    for strip in encoded:
        sink(strip)
    sink(bytes(end % 2) + serialise(tree, byteorder, directory, wide=wide))
    return tuple(notes)


def _byte_order(image: Image) -> strips.ByteOrder:
    """Return the byte order of the TIFF that the metadata come from: values of some tags depend on it."""
    tags, exif = image.metadata.tiff_tags, image.metadata.exif
    order = tags.order if tags is not None else Block(exif).order if exif is not None else "<"
    return ">" if order == ">" else "<"


def _described(image: Image, byteorder: str, bits: int) -> tuple[Tree, list[str]]:
    """Return all tags that describe the picture, and notes of those that cannot be kept."""
    metadata = image.metadata
    notes: list[str] = []
    tree: Tree = {}
    if metadata.resolution is not None:
        tree |= {282 + n: (_RATIONAL, 1, _rational(value, byteorder)) for n, value in enumerate(metadata.resolution)}
        tree[296] = (_SHORT, 1, struct.pack(byteorder + "H", 2))
    if metadata.exif is not None:
        block = Block(metadata.exif)
        below = block.tree(block.word(4), DESCRIPTIVE)
        tree |= below if block.order == byteorder else _swapped(below)
        tree.pop(274, None)  # upright is what a TIFF is without it
    if metadata.xmp is not None:
        tree[_XMP] = (1, len(metadata.xmp), metadata.xmp)
    if metadata.icc is not None:
        tree[_ICC] = (7, len(metadata.icc), metadata.icc)
    tags = metadata.tiff_tags or TiffTags(byteorder, {})
    if image.nodata is not None:
        stated = tags.values.get(GDAL_NODATA)
        if stated is None or not _same(nodata_value(stated[2]), image.nodata):
            text = nodata_text(image.nodata)
            tags = TiffTags(tags.order, {**tags.values, GDAL_NODATA: (2, len(text), text)})
    if tags.values:
        tags, notes = fit_tags(tags, image.size, depth_name(image.pixels.dtype), bits)
        tree |= tags.values
    return tree, notes


def _same(one: float | None, other: float) -> bool:
    return one == other or (one is not None and np.isnan(one) and np.isnan(other))


def _rational(value: float, byteorder: str) -> bytes:
    """Return the fraction that is nearest to a number."""
    from fractions import Fraction

    nearest = Fraction(min(max(value, 1e-6), 2**32 - 1)).limit_denominator(10**6)
    while nearest.numerator >= 2**32:
        nearest = Fraction(value).limit_denominator(nearest.denominator // 2)
    return struct.pack(byteorder + "II", nearest.numerator, nearest.denominator)


def _swapped(tree: Tree) -> Tree:
    return {
        tag: _swapped(value) if isinstance(value, dict) else (value[0], value[1], swapped(value[0], value[2]))
        for tag, value in tree.items()
    }
