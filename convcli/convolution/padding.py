"""Padding modes: where samples outside the image come from.

Each mode is written once, here: its name and drawing, its names elsewhere, and which sample a position outside repeats.
Names are OpenCV's, which do not clash with scipy's. Imports no numpy at the top: the command line reads its choices
from here before it knows whether there is anything to compute.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["OUTSIDE", "PADDINGS", "PaddingMode", "padding_mode", "source_indices"]

# The index of a position that no sample of the image is repeated at.
OUTSIDE = -1


class PaddingMode(NamedTuple):
    """One way of going on beyond the edges of an image.

    Parameters
    ----------
    name : str
        The word of `--padding`.
    summary : str
        What it does, in a few words.
    drawing : str
        Three samples before and after the axis `a b c d`.
    source : callable
        From positions along an axis, an integer array counted from its first sample, and the axis' length to the
        indices of the samples that they repeat; `OUTSIDE` where there is none.
    aliases : tuple of str
        Other words for it, which mean one thing wherever they are used.
    opencv, scipy, numpy, torch : str or None
        Its name among cv2's constants, in scipy.ndimage, in numpy.pad and as torch's `padding_mode`.
    filled : bool
        Whether positions that are `OUTSIDE` take the padding value.
    opencv_filters : bool
        Whether cv2's filters take it.
    missing : bool
        Whether positions that are `OUTSIDE` are missing: the weights over the image are renormalised.
    """

    name: str
    summary: str
    drawing: str
    source: Callable[[Any, int], Any]
    aliases: tuple[str, ...]
    opencv: str | None = None
    scipy: str | None = None
    numpy: str | None = None
    torch: str | None = None
    filled: bool = False
    opencv_filters: bool = True
    missing: bool = False


def _reflect101(position: Any, length: int) -> Any:
    last = length - 1
    return last - abs(position % max(2 * last, 1) - last)


def _reflect(position: Any, length: int) -> Any:
    folded = position % (2 * length)
    return (2 * length - 1 - abs(2 * folded - (2 * length - 1))) // 2


def _replicate(position: Any, length: int) -> Any:
    return position.clip(0, length - 1)


def _constant(position: Any, length: int) -> Any:
    inside = (position >= 0) & (position < length)
    return (position - OUTSIDE) * inside + OUTSIDE


def _wrap(position: Any, length: int) -> Any:
    return position % length


PADDINGS: tuple[PaddingMode, ...] = (
    PaddingMode(
        "reflect101",
        "mirrored about the outermost sample, which is not repeated",
        "d c b | a b c d | c b a",
        _reflect101,
        aliases=("mirror",),
        opencv="BORDER_REFLECT_101",
        scipy="mirror",
        numpy="reflect",
        torch="reflect",
    ),
    PaddingMode(
        "reflect",
        "mirrored about the edge",
        "c b a | a b c d | d c b",
        _reflect,
        aliases=("symmetric", "symm", "grid-mirror"),
        opencv="BORDER_REFLECT",
        scipy="reflect",
        numpy="symmetric",
    ),
    PaddingMode(
        "replicate",
        "the outermost sample again and again",
        "a a a | a b c d | d d d",
        _replicate,
        aliases=("nearest", "edge", "clamp", "copy"),
        opencv="BORDER_REPLICATE",
        scipy="nearest",
        numpy="edge",
        torch="replicate",
    ),
    PaddingMode(
        "constant",
        "the padding value",
        "v v v | a b c d | v v v",
        _constant,
        aliases=("zero", "zeros", "background", "black"),
        opencv="BORDER_CONSTANT",
        scipy="constant",
        numpy="constant",
        torch="zeros",
        filled=True,
    ),
    PaddingMode(
        "wrap",
        "the image again, as on a torus",
        "b c d | a b c d | a b c",
        _wrap,
        aliases=("circular", "periodic", "repeat", "tile", "grid-wrap"),
        opencv="BORDER_WRAP",
        scipy="grid-wrap",
        numpy="wrap",
        torch="circular",
        opencv_filters=False,
    ),
    PaddingMode(
        "none",
        "nothing: the weights inside are renormalised",
        "- - - | a b c d | - - -",
        _constant,
        aliases=("renormalize", "crop"),
        opencv_filters=False,
        missing=True,
    ),
)


def padding_mode(name: str) -> PaddingMode:
    """Return the mode called `name`, one of `PADDINGS`; aliases are resolved where options are made.

    >>> padding_mode("wrap").drawing
    'b c d | a b c d | a b c'
    """
    return next(mode for mode in PADDINGS if mode.name == name)


def source_indices(length: int, before: int, after: int, mode: str) -> "NDArray[np.intp]":
    """Return, for each position of a padded axis, which sample of the axis it repeats.

    Parameters
    ----------
    length : int
        Samples of the axis.
    before, after : int
        Positions of padding; amounts larger than the axis continue the pattern, as numpy.pad does.
    mode : str
        The name of a padding mode.

    Returns
    -------
    ndarray of intp, shape (before + length + after,)
        Indices; `OUTSIDE` (-1) where no sample is repeated.

    Examples
    --------
    >>> source_indices(4, 3, 3, "reflect101").tolist()
    [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    >>> source_indices(2, 3, 1, "constant").tolist()
    [-1, -1, -1, 0, 1, -1]
    """
    import numpy as np

    indices: NDArray[np.intp] = padding_mode(mode).source(np.arange(-before, length + after), length)
    return indices
