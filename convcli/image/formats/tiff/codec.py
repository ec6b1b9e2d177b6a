"""TIFF: what the registry calls. Reading loads tifffile and imagecodecs, which writing needs next to nothing of."""

from convcli.image.formats.tiff.encoder import write
from convcli.image.model import Image

__all__ = ["read", "read_preview", "write"]


def read(data: bytes, name: str, threads: int = 1, *, page: str | None = None) -> Image:
    """Decode the first full-size page of a TIFF, or with page `preview` that of a camera's raw file; see `decode`."""
    from convcli.image.formats.tiff.decoder import decode

    return decode(data, name, threads, page)


def read_preview(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode the preview of a camera's raw file; as `read` otherwise."""
    return read(data, name, threads, page="preview")
