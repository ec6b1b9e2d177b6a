"""What of an image's metadata is still true after filtering, and fits into the format that it goes to."""

import re
from dataclasses import replace
from typing import Any

from convcli.image.formats.registry import Format
from convcli.image.model import Metadata

_XMP_NUMBERS = rb"""((?:tiff|exif):%s\s*(?:=\s*["']|>\s*))\d+"""
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_CHUNK_WORDS = {b"tIME": "time", b"bKGD": "background", b"pHYs": "shape of pixels"}
_COLOUR_CHUNKS = "the PNG's gamma and primaries"
_STRETCH = 0.1  # what a valid extent may change of the ratio of the sides
_PROFILE_CHANNELS = {b"GRAY": 1, b"RGB ": 3}


def fit_metadata(
    metadata: Metadata, target: Format, size: tuple[int, int, int], alpha: bool
) -> tuple[Metadata, tuple[str, ...]]:
    """Return the metadata that an image may carry in a format.

    Orientation and size tags are set right, the thumbnail goes, a colour profile for other channels goes, and so does
    what the format has no place for. What is true already stays byte for byte.

    Parameters
    ----------
    metadata : Metadata
        That of the image it was made from.
    target : Format
        The format it goes to.
    size : tuple of int
        Height, width and channels of the image.
    alpha : bool
        Whether its last channel is opacity.

    Returns
    -------
    Metadata, tuple of str
        What can be written, and notes of what was lost.
    """
    notes: list[str] = []
    height, width, channels = size
    exif, xmp, icc = metadata.exif, metadata.xmp, metadata.icc
    turned = False
    if exif is not None:
        from convcli.image.metadata.exif import correct_exif, has_structure, orientation_of

        turned = orientation_of(exif) != 1
        if has_structure(exif):
            exif, dropped = correct_exif(exif, metadata.stored_size, (height, width))
            if dropped:
                notes.append("the EXIF thumbnail is dropped: it showed the picture before")
        else:
            exif = None
            notes.append("the damaged EXIF is dropped")
    if xmp is not None and (turned or metadata.stored_size != (height, width)):
        xmp = _correct_xmp(xmp, height, width, turned)
    colours = target.stored_channels(channels) - alpha
    fits = _PROFILE_CHANNELS.get(icc[16:20] if icc is not None else b"")
    if icc is not None and (fits is None or (colours in (1, 3) and fits != colours)):  # more are bands of data
        icc = None
        notes.append(f"the colour profile is dropped: it is not one for {'gray' if colours == 1 else 'RGB'}")
    fitted = replace(metadata, exif=exif, xmp=xmp, icc=icc)
    if fitted.has_aspect and _stretched(metadata.stored_size, (height, width)):
        fitted = fitted.without_aspect()
        notes.append("the shape of its pixels is dropped: it is another now")
    lost = []
    for part, title in (
        ("exif", "EXIF"),
        ("xmp", "XMP"),
        ("icc", "the colour profile"),
        ("resolution", "the resolution"),
        ("png_chunks", _words_of_chunks(fitted.png_chunks)),
        ("jpeg_segments", "the comment"),
        ("jpeg_aspect", "the shape of its pixels"),
    ):
        if part not in target.metadata and getattr(fitted, part):
            missing: dict[str, Any] = {part: () if part in ("png_chunks", "jpeg_segments") else None}
            fitted = replace(fitted, **missing)
            lost.append(title)
    if fitted.tiff_tags is not None and "tiff_tags" not in target.metadata:
        from convcli.image.metadata.tiff_tags import titles

        lost += titles(fitted.tiff_tags)
        fitted = replace(fitted, tiff_tags=None)
    if "png_colour" not in target.metadata and any(kind != b"sRGB" for kind, _ in fitted.png_colour) and icc is None:
        lost.append(_COLOUR_CHUNKS)
    if lost:
        plural = lost[0].endswith("s") or lost[0] in (_COLOUR_CHUNKS, "GDAL's metadata")
        verb = "are" if len(lost) > 1 or plural else "is"
        notes.append(f"{_listed(lost)} {verb} lost: {target.title} has no place for {'it' if verb == 'is' else 'them'}")
    return fitted, tuple(notes)


def _stretched(before: tuple[int, int] | None, now: tuple[int, int]) -> bool:
    """Whether a picture was made narrower in one direction than in the other, by a stride."""
    if before is None:
        return False
    (height, width), ratio = before, now[0] / now[1]
    return min(abs(ratio * width / height - 1), abs(ratio * height / width - 1)) > _STRETCH


def _words_of_chunks(chunks: tuple[tuple[bytes, bytes], ...]) -> str:
    r"""Return what chunks of a PNG hold, for a message.

    >>> _words_of_chunks(((b"tEXt", b"Title\0A house"), (b"tIME", bytes(7))))
    "the PNG's text (Title), time"
    """
    texts = dict.fromkeys(body.partition(b"\0")[0].decode("latin-1") for kind, body in chunks if kind in _TEXTS)
    words = [f"text ({', '.join(texts)})"] if texts else []
    words += dict.fromkeys(_CHUNK_WORDS[kind] for kind, _ in chunks if kind in _CHUNK_WORDS)
    return f"the PNG's {', '.join(words)}"


def _correct_xmp(xmp: bytes, height: int, width: int, turned: bool) -> bytes:
    """Set orientation and size where XMP repeats what EXIF says; nothing else of it changes."""
    values = {b"ImageWidth": width, b"PixelXDimension": width, b"ImageLength": height, b"PixelYDimension": height}
    if turned:
        values[b"Orientation"] = 1
    for key, value in values.items():
        xmp = re.sub(_XMP_NUMBERS % key, rb"\g<1>%d" % value, xmp)
    return xmp


def _listed(words: list[str]) -> str:
    """Return words joined as a sentence does.

    >>> _listed(["EXIF", "XMP", "the resolution"])
    'EXIF, XMP and the resolution'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
