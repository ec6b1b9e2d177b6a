"""Padding: how much of it an axis takes, and so how long its output is; and where samples outside the image come from.

With input n, kernel k, dilation d and stride s along an axis, and K = d (k - 1) + 1, an output has
`same` ceil(n / s), `valid` floor((n - K) / s) + 1, `full` floor((n + K - 2) / s) + 1 samples.

Each mode is written once, here: its name and drawing, its names elsewhere, and which sample a position outside repeats.
Names are OpenCV's, which do not clash with scipy's. Imports no numpy at the top: the command line reads its choices
from here before it knows whether there is anything to compute.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import FilterError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "OUTSIDE",
    "PADDINGS",
    "AxisGeometry",
    "PaddingMode",
    "axis_geometry",
    "padding_mode",
    "size_formula",
    "source_indices",
]

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


class AxisGeometry(NamedTuple):
    """One axis of a correlation: `span` is K, `before` and `after` the padding, `output` the number of outputs.

    Output i reads the padded samples from `i * stride` to `i * stride + span - 1`.
    """

    span: int
    stride: int
    before: int
    after: int
    output: int


def axis_geometry(
    length: int, taps: int, *, anchor: int, extent: str = "same", stride: int = 1, dilation: int = 1
) -> AxisGeometry:
    """Work out one axis from its length, the kernel's taps and its anchor (in taps).

    >>> axis_geometry(10, 3, anchor=1)
    AxisGeometry(span=3, stride=1, before=1, after=1, output=10)
    >>> axis_geometry(10, 3, anchor=1, extent="valid", stride=2, dilation=2)
    AxisGeometry(span=5, stride=2, before=0, after=0, output=3)

    Raises
    ------
    UsageError
        where the anchor lies outside the kernel.
    FilterError
        where a `valid` kernel does not fit.
    """
    if not 0 <= anchor < taps:
        raise UsageError(f"anchor {anchor} lies outside a kernel of {taps}: expected 0 to {taps - 1}")
    span = dilation * (taps - 1) + 1
    if extent == "same":
        before = anchor * dilation
        after = span - 1 - before
    elif extent == "full":
        before = after = span - 1
    else:
        before = after = 0
        if span > length:
            raise FilterError(
                f"a kernel that spans {span} pixels does not fit into {length}: "
                "choose extent same or full, or a smaller kernel"
            )
    output = (length + before + after - span) // stride + 1
    return AxisGeometry(span, stride, before, after, output)


def size_formula(length: int, taps: int, output: int, *, extent: str, stride: int = 1, dilation: int = 1) -> str:
    """Write out how long an axis of the output is.

    >>> size_formula(10, 3, 5, extent="same", stride=2), size_formula(10, 3, 6, extent="valid", dilation=2)
    ('ceil(10 / 2) = 5', '10 - 2*(3 - 1) = 6')
    >>> size_formula(10, 3, 6, extent="full", stride=2)
    'floor((10 + 3 - 2) / 2) + 1 = 6'
    """
    if extent == "same":
        return f"{length} = {output}" if stride == 1 else f"ceil({length} / {stride}) = {output}"
    # K - 1 samples are lost or won, K being what the kernel spans.
    reach = f"{dilation}*({taps} - 1)" if dilation > 1 else f"{taps}"
    sign, rest = ("-", "+ 1") if extent == "valid" else ("+", "- 1")
    if stride == 1:
        return f"{length} {sign} {reach}{'' if dilation > 1 else f' {rest}'} = {output}"
    if extent == "valid":
        inner = f"{length} - {reach}{' - 1' if dilation > 1 else ''}"
    else:
        inner = f"{length} + {reach}{' - 1' if dilation > 1 else ' - 2'}"
    return f"floor(({inner}) / {stride}) + 1 = {output}"
