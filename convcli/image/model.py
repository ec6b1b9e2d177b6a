"""What an image is here: pixels in RGB order, upright, and what its file said besides."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Metadata:
    """What a file holds beside its pixels, as raw bytes, so that it survives a run byte for byte.

    `exif` is the TIFF-structured block without `Exif\\0\\0` before it, as it stood in the file: its orientation, size
    are set right when the picture is written. `resolution` is (x, y) in dots per inch of the upright picture.
    `stored_size` is the (height, width) that the file held before the picture was turned upright. `png_colour` are a
    PNG's chunks on the meaning of its samples (gAMA, cHRM, sRGB, cICP), which only another PNG can hold.

    The rest is how the file was compressed, so that one of the same format can be made alike: a JPEG's quality, 1 to
    100, and chroma subsampling (`4:2:0`), a TIFF's compression (`none`, `lzw`, ...); None where that is unknown.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    resolution: tuple[float, float] | None = None
    stored_size: tuple[int, int] | None = None
    png_colour: tuple[tuple[bytes, bytes], ...] = ()
    jpeg_quality: int | None = None
    jpeg_subsampling: str | None = None
    tiff_compression: str | None = None


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels (height, width, channels) in their file's own units: gray, gray+alpha, RGB or RGBA, upright.

    `pixels` is u8, u16, i16, f32 or f64. `alpha` says that the last channel is opacity. `format` is what the file was
    (`png`, `jpeg`, ...), empty for an image that was never a file. `notes` are lines that a user should see.
    """

    pixels: NDArray[Any]
    alpha: bool = False
    metadata: Metadata = field(default_factory=Metadata)
    format: str = ""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.pixels.shape
        return height, width, channels

    @property
    def depth(self) -> str:
        """The sample type as the command line names it: u8, u16, i16, f32 or f64."""
        return depth_name(self.pixels.dtype)


def depth_name(dtype: np.dtype[Any]) -> str:
    """Name a sample type as `--depth` does.

    >>> depth_name(np.dtype(np.uint16))
    'u16'
    """
    return f"{dtype.kind}{8 * dtype.itemsize}"
