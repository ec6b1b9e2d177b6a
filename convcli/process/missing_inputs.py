"""Which samples of an image are missing: those of its nodata value, and those that a mask leaves out."""

import math
import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.missing import MissingOptions
from convcli.errors import FilterError, ImageReadError, UsageError
from convcli.image.model import Image
from convcli.image.reading import ReadOptions, read_image
from convcli.image.tone import full_range


@dataclass(frozen=True)
class MissingInputs:
    """What was said of missing samples, whatever the image.

    Parameters
    ----------
    nodata : str or float
        The value of missing samples: `auto`, what the file says; `none`; or a number, which may be NaN.
    mask : str, optional
        An image of one band: 0 where samples are missing, white where they are known, certain by halves in between.
        For `batch` also a folder with one for each image.
    treatment : MissingOptions
        What becomes of them.

    Raises
    ------
    UsageError
        For a word or number that it cannot be.
    """

    nodata: str | float = "auto"
    mask: str | None = None
    treatment: MissingOptions = field(default_factory=MissingOptions)

    def __post_init__(self) -> None:
        if isinstance(self.nodata, str) and self.nodata not in ("auto", "none"):
            raise UsageError("is neither a number nor auto or none", where=f"--nodata {self.nodata}")
        if self.mask == "":
            raise UsageError("--mask is empty", advice="name an image")

    def cache_key(self) -> tuple[object, ...]:
        """Return what outputs depend on. A mask counts by its size and time; those of a folder are no part of it."""
        return repr(self.nodata), file_state(self.mask), self.treatment

    def nodata_of(self, image: Image) -> float | None:
        """Return the value of an image's missing samples; None where there is none. Raises FilterError."""
        if self.nodata == "none":
            return None
        if isinstance(self.nodata, str):
            return image.nodata
        if image.pixels.dtype.kind == "f":
            return self.nodata
        limits = np.iinfo(image.pixels.dtype)
        shown = f"{self.nodata:g}" if abs(self.nodata) < 1e6 else repr(self.nodata)
        if not (limits.min <= self.nodata <= limits.max):  # nor is NaN
            raise FilterError(
                f"no sample can be {shown}: its {image.depth} ones are {limits.min} to {limits.max}",
                where=f"--nodata {shown}",
                advice="name a value within, or say --nodata none",
            )
        if self.nodata != math.floor(self.nodata):
            raise FilterError(
                f"no sample can be {shown}: its {image.depth} ones are whole numbers",
                where=f"--nodata {shown}",
                advice="name a whole number, or say --nodata none",
            )
        return self.nodata

    def certainty_of(self, image: Image, threads: int | None) -> NDArray[np.float32] | None:
        """Return how certain each pixel of an image is, 0 to 1, as (height, width); None where there is no mask.

        Raises
        ------
        ImageReadError
            Where the mask cannot be read.
        FilterError
            Where it is of another size, or no mask.
        """
        if self.mask is None:
            return None
        mask = read_image(self.mask, threads=threads, options=ReadOptions())
        where = f"--mask {self.mask}"
        bands = mask.pixels.shape[2]
        if bands > 1:
            raise FilterError(f"has {bands} bands, and a mask has one", where=where, advice="save it as plain gray")
        (height, width, _), (rows, columns, _) = mask.size, image.size
        if (height, width) != (rows, columns):
            raise FilterError(
                f"is {width} x {height} pixels, and the image is {columns} x {rows}",
                where=where,
                advice="a mask is as large as its image",
            )
        values = mask.pixels[:, :, 0]
        certainty = values.astype(np.float32) / np.float32(full_range(values.dtype))
        if not (certainty.min() >= 0 and certainty.max() <= 1):  # which NaN is not either
            raise FilterError(
                "holds samples outside of 0..1", where=where, advice="0 is missing and 1 known in a mask of floats"
            )
        return certainty


def file_state(path: str | None) -> tuple[str, int, int] | None:
    """Return what changes when a file does: its name, size and time. Raises ImageReadError where there is none."""
    if path is None or os.path.isdir(path):
        return None
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageReadError(f"cannot be read: {reason}", where=f"--mask {path}", advice="check the path") from error
    return path, status.st_size, status.st_mtime_ns
