"""What is asked of a fit: the kernel's size and what must hold of it, and the images it is to explain."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import FilterError, UsageError, check_word
from convcli.kernel.weights import MAX_WEIGHTS

Size = tuple[int, int]
SYMMETRIES = ("none", "left-right", "up-down", "both", "point", "quarter", "full", "radial")

# The equations of this many weights take 130 MB.
_MOST_WEIGHTS = 4096


@dataclass(frozen=True)
class FitOptions:
    """What is asked of the kernel.

    Parameters
    ----------
    size : (int, int)
        Rows and columns, 4096 weights at most.
    anchor : (int, int), optional
        The weight over the output pixel; the middle, (rows // 2, columns // 2), unless stated.
    bias : bool
        Whether a constant is added to the response, and fitted with the weights.
    ridge : float
        The penalty on large weights, at least 0: this part of the mean energy of a weight's samples, times the sum of
        the squared weights, is added to the squared errors. 1e-6 calms what noise makes of patterns that the images
        hardly show.
    symmetry : str
        Which weights are equal: `left-right` and `up-down` mirrors, `both`, `point` (turned by 180 degrees), `quarter`
        (turned by 90), `full` (turns and mirrors), `radial` (all at one distance from the kernel's middle), or `none`.
    total : float, optional
        What the weights must sum to; whatever fits unless stated.

    Raises
    ------
    UsageError
        For a size, anchor, ridge or sum that is out of range, an unknown symmetry, or one that needs a square kernel.
    """

    size: Size
    anchor: Size | None = None
    bias: bool = False
    ridge: float = 0.0
    symmetry: str = "none"
    total: float | None = None

    def __post_init__(self) -> None:
        height, width = self.size
        if min(self.size) < 1:
            raise UsageError(f"--size {height}x{width}: a kernel has at least one row and one column")
        if height * width > min(_MOST_WEIGHTS, MAX_WEIGHTS):
            raise UsageError(f"--size {height}x{width}: at most {_MOST_WEIGHTS} weights are fitted, such as 63x63")
        if self.anchor is not None and not (self.anchor[0] < height and self.anchor[1] < width):
            raise UsageError(f"--anchor {self.anchor[0]},{self.anchor[1]}: outside a kernel of {height}x{width}")
        if not 0 <= self.ridge < np.inf:
            raise UsageError(f"--ridge {self.ridge:g}: must be zero or a positive number, such as 1e-6")
        if self.total is not None and not np.isfinite(self.total):
            raise UsageError(f"--sum {self.total:g}: must be finite")
        check_word("symmetry", self.symmetry, SYMMETRIES)
        if self.symmetry in ("quarter", "full") and height != width:
            raise UsageError(f"--symmetric {self.symmetry}: turns rows into columns, which {height}x{width} cannot")

    @property
    def origin(self) -> Size:
        """The row and column of the weight over the output pixel, stated or not."""
        return self.anchor or (self.size[0] // 2, self.size[1] // 2)


@dataclass(frozen=True, eq=False)
class Pair:
    """An image before and after a filter that treats every channel alike.

    Parameters
    ----------
    before : array (rows, columns, channels)
        Integers or floats.
    after : array (rows, columns, channels)
        As large as `before`, or smaller by the kernel, as an extent of `valid` leaves it. Integer samples at either end
        of their range count as saturated.
    unit : float
        What a step of 1 in `before` is in `after`: 257 from 8 to 16 bits.
    usable : array (rows, columns) of bool, optional
        Which pixels of `before` are known; all unless stated.
    name : str
        What messages call the pair.
    """

    before: NDArray[Any]
    after: NDArray[Any]
    unit: float = 1.0
    usable: NDArray[np.bool_] | None = None
    name: str = "the pair"


def check_sizes(pair: Pair, options: FitOptions) -> None:
    """Raise FilterError unless a window lies within `before`, and `after` has the size and channels to match."""
    height, width, channels = pair.before.shape
    rows, columns = height - options.size[0] + 1, width - options.size[1] + 1
    if min(rows, columns) < 1:
        raise FilterError(
            f"{pair.name}: no window of {size_words(options.size)} lies within an image of {height}x{width}"
        )
    if pair.after.shape[2] != channels:
        raise FilterError(
            f"{channels} channels before and {pair.after.shape[2]} after", where=pair.name, advice="they must match"
        )
    if pair.after.shape[:2] not in ((height, width), (rows, columns)):
        raise FilterError(
            f"{height}x{width} before and {size_words(pair.after.shape[:2])} after",
            where=pair.name,
            advice=f"expected the same size, or {rows}x{columns} of extent valid",
        )


def size_words(size: tuple[int, ...]) -> str:
    """Return a size as `3x5`."""
    return f"{size[0]}x{size[1]}"
