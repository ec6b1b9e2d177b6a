"""HEIF with HEVC, what phones call HEIC: read by pillow-heif where that is installed. Source: ISO/IEC 23008-12."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image

_TITLE = "HEIC"
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode the primary picture of a HEIC.

    Returns
    -------
    Image
        RGB or RGBA, upright; u8, or u16 (10 and 12 bits made 0..65535).

    Raises
    ------
    ImageReadError
        Where pillow-heif is not installed, and for a file that is damaged or too large.
    """
    import numpy as np

    from convcli.image.model import Image, Metadata, check_fits_memory
    from convcli.system.captured_stderr import library_messages

    try:
        import pillow_heif
    except ImportError:
        raise ImageReadError(
            f"{name}: a HEIC picture; install pillow-heif (pip install 'convcli[heif]'), or convert it to JPEG or PNG"
        ) from None
    try:
        with library_messages():
            file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
            picture = file[file.primary_index]
            width, height = picture.size
            check_fits_memory(name, (height, width, 4), 2)
            mode, info = picture.mode, dict[str, Any](picture.info)
            stored = np.asarray(picture)
    except (ValueError, RuntimeError, EOFError, OSError, SyntaxError, LookupError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:80]
        raise ImageReadError(f"{name}: a HEIC that libheif does not take ({reason}); convert it to PNG") from None
    pixels = np.array(stored.reshape(*stored.shape[:2], -1))  # already of full range, and turned by libheif
    exif = info.get("exif")
    metadata = Metadata(
        exif.removeprefix(b"Exif\0\0") if exif else None,
        info.get("xmp"),
        info.get("icc_profile"),
        stored_size=pixels.shape[:2],
    )
    if metadata.exif is not None:
        from convcli.image.metadata.exif import correct_exif, has_structure

        if has_structure(metadata.exif):  # the picture has been turned: the block must say so
            from dataclasses import replace

            metadata = replace(metadata, exif=correct_exif(metadata.exif, None, pixels.shape[:2])[0])
    notes = ("several pictures: only the primary one is used",) if len(file) > 1 else ()
    return Image(pixels, mode.split(";")[0] in ("LA", "RGBA", "BGRA", "RGBa"), metadata, "heic", notes)


def _recognise(start: bytes) -> bool:
    if start[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return any(brand in _BRANDS for brand in (start[8:12], *(start[at : at + 4] for at in range(16, end, 4))))


def _decoded_bytes(file: BinaryIO) -> int | None:
    from convcli.image.formats.isobmff import largest_picture

    size = largest_picture(file.read(65536))
    return None if size is None else size[0] * size[1] * 3


FORMATS = (
    Format(
        name="heic",
        title=_TITLE,
        suffixes=(".heic", ".heif"),
        aliases=("heif",),
        codec=__name__,
        depths=("u8", "u16"),
        channels=(3, 4),
        recognise=_recognise,
        decoded_bytes=_decoded_bytes,
        only_read="by pillow-heif",
    ),
)
