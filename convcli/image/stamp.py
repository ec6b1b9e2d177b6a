"""What was done to a picture, written into its file as text, where the format has a place for it.

Source: PNG specification, third edition, 11.3.3; TIFF 6.0, section 8; ITU-T T.81, B.2.4.5.
"""

from dataclasses import replace

from convcli import __version__
from convcli.image.formats.registry import Format
from convcli.image.model import Metadata, TiffTags

_COMMENT = 0xFE  # the marker of a JPEG's comment
_DESCRIPTION, _SOFTWARE, _ASCII = 270, 305, 2
_MOST_COMMENT = 65533  # bytes of a segment
# Descriptions that programs read back: OME-XML, ImageJ's and tifffile's.
_PROGRAMS_OWN = (b"<", b"ImageJ=", b"{")


def stamped(metadata: Metadata, format_: Format, text: str) -> tuple[Metadata, tuple[str, ...]]:
    """Return metadata with a text on what was done.

    Parameters
    ----------
    metadata : Metadata
        What the file is to hold besides.
    format_ : Format
        The format of the file.
    text : str
        What was done. The same text makes the same bytes.

    Returns
    -------
    Metadata, tuple of str
        The metadata, and a note where the format has no place for it.

    Examples
    --------
    >>> from convcli.image.formats.registry import format_for
    >>> stamped(Metadata(), format_for("a.npy"), "kernel box")[1]
    ('--stamp does nothing to NPY, which has no place for text',)
    """
    program = f"convcli {__version__}"
    if "png_chunks" in format_.metadata:
        software = b"Software\0" + program.encode("latin-1")
        # International text: neither compressed nor of a language.
        comment = b"Comment\0\0\0\0\0" + text.encode()
        return replace(metadata, png_chunks=(*metadata.png_chunks, (b"tEXt", software), (b"iTXt", comment))), ()
    if "jpeg_segments" in format_.metadata:
        comment = f"{program}: {text}".encode()[:_MOST_COMMENT]
        return replace(metadata, jpeg_segments=(*metadata.jpeg_segments, (_COMMENT, comment))), ()
    if "tiff_tags" in format_.metadata:
        tags = metadata.tiff_tags or TiffTags("<", {})
        values = {**tags.values, _SOFTWARE: _ascii(program.encode())}
        described = _description(metadata)
        if not described.startswith(_PROGRAMS_OWN):
            lines = [described, f"{program}: {text}".encode()] if described else [f"{program}: {text}".encode()]
            values[_DESCRIPTION] = _ascii(b"\n".join(lines))
        return replace(metadata, tiff_tags=TiffTags(tags.order, values)), ()
    return metadata, (f"--stamp does nothing to {format_.title}, which has no place for text",)


def _description(metadata: Metadata) -> bytes:
    """Return what a TIFF says of its picture in words."""
    held = None if metadata.tiff_tags is None else metadata.tiff_tags.values.get(_DESCRIPTION)
    if held is None and metadata.exif is not None:
        from convcli.image.metadata.tiff_directories import Block

        block = Block(metadata.exif)
        found = block.tree(block.word(4), frozenset((_DESCRIPTION,))).get(_DESCRIPTION)
        held = found if isinstance(found, tuple) else None
    return b"" if held is None else held[2].rstrip(b"\0")


def _ascii(text: bytes) -> tuple[int, int, bytes]:
    return _ASCII, len(text) + 1, text + b"\0"
