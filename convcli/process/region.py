"""The part of an image that alone is filtered. Imports no numpy: the command line makes one before anything is read."""

from dataclasses import dataclass

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError


@dataclass(frozen=True)
class Region:
    """A rectangle of an image, in pixels.

    Parameters
    ----------
    x, y : int
        Column and row of its first pixel, from 0.
    width, height : int
        How many columns and rows it has.
    crop : bool
        Whether the output is the rectangle alone, not the image with the rectangle filtered.

    Raises
    ------
    UsageError
        For a rectangle without pixels, or one that starts before the image.
    """

    x: int
    y: int
    width: int
    height: int
    crop: bool = False

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise UsageError(
                "it starts at 0,0 at the least, and is at least 1 pixel wide and high",
                where=f"--roi {self}",
                advice="X,Y,W,H are the first column and row, width and height",
            )

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"

    def check(self, options: ConvolveOptions) -> None:
        """Check what can be checked whatever the image. Raises UsageError."""
        if options.extent != "same":
            raise UsageError(
                f"takes --extent same, not {options.extent}", where=f"--roi {self}", advice="drop one of them"
            )
        if options.stride != (1, 1) and not self.crop:
            raise UsageError(
                "with --stride the part filtered is smaller than the one it replaces",
                where=f"--roi {self}",
                advice="say --crop too",
            )
