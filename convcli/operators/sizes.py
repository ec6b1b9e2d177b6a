"""Output sizes of convolutions and pools along an axis, as PyTorch's documentation defines them, with their formulas.

n is the length of the axis, k the kernel, d the dilation, s the stride and p the padding at either end:

    convolution  floor((n + 2 p - d (k - 1) - 1) / s) + 1
    transposed   (n - 1) s - 2 p + d (k - 1) + 1 + output padding
    pool         as a convolution; with `ceil`, the quotient rounded up, unless the last window would begin in the
                 padding at the end
"""

from collections.abc import Sequence
from dataclasses import dataclass

from convcli.errors import FilterError, UsageError, check_word

Pair = tuple[int, int]


@dataclass(frozen=True)
class AxisSize:
    """The length of one axis of an output, and how it is worked out.

    Attributes
    ----------
    output : int
        The length.
    formula : str
        The formula with its numbers filled in.
    lost : int
        Number of samples at the end of the input that no window reaches, because the stride does not come out even.
    """

    output: int
    formula: str
    lost: int = 0


def pair(what: str, value: int | Sequence[int], least: int = 1) -> Pair:
    """Return (rows, columns) of one whole number for both, or of two.

    Parameters
    ----------
    what : str
        Name of the option, for messages.
    value : int or sequence of two int
    least : int
        The smallest number allowed.

    Raises
    ------
    UsageError
        If it is anything else.

    Examples
    --------
    >>> pair("stride", 2), pair("stride", [2, 3])
    ((2, 2), (2, 3))
    >>> pair("stride", 0)
    Traceback (most recent call last):
    convcli.errors.UsageError: stride must be a whole number of at least 1, or two of them as rows, columns, not 0
    """
    given = (value, value) if isinstance(value, int) else tuple(value)
    if len(given) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) and v >= least for v in given):
        raise UsageError(
            f"{what} must be a whole number of at least {least}, or two of them as rows, columns, not {_shown(value)}"
        )
    return given[0], given[1]


def _shown(value: int | Sequence[int]) -> str:
    return str(value) if isinstance(value, int) else ", ".join(map(str, value))


def same_padding(kernel: int, dilation: int = 1) -> Pair:
    """Return the padding (before, after) that keeps the length of an axis at stride 1; an odd sample goes after.

    >>> same_padding(3), same_padding(4), same_padding(3, dilation=2)
    ((1, 1), (1, 2), (2, 2))
    """
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def conv_padding(padding: str | int | Sequence[int], kernel: Pair, stride: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Return a convolution's padding at (top, bottom) and (left, right), as torch.nn.Conv2d defines it.

    Parameters
    ----------
    padding : str, int or pair of int
        An amount for all sides, or two for rows and columns; `valid` for none, `same` to keep the size.
    kernel, stride, dilation : pair of int

    Raises
    ------
    UsageError
        For another word, and for `same` with a stride.

    Examples
    --------
    >>> conv_padding(1, (3, 3), (2, 2), (1, 1)), conv_padding("same", (3, 4), (1, 1), (1, 1))
    (((1, 1), (1, 1)), ((1, 1), (1, 2)))
    """
    if isinstance(padding, str):
        check_word("padding", padding, ("same", "valid"))
        if padding == "valid":
            return (0, 0), (0, 0)
        if stride != (1, 1):
            raise UsageError(
                f"padding same goes with stride 1 only, not {_shown(stride)}: give the padding as a number"
            )
        return same_padding(kernel[0], dilation[0]), same_padding(kernel[1], dilation[1])
    rows, columns = pair("padding", padding, least=0)
    return (rows, rows), (columns, columns)


def conv_size(length: int, kernel: int, stride: int = 1, padding: Pair = (0, 0), dilation: int = 1) -> AxisSize:
    """Return one axis of a convolution.

    Parameters
    ----------
    length, kernel : int
        Length of the input's axis, and of the kernel's.
    stride, dilation : int
    padding : tuple of (int, int)
        Samples added before and after.

    Returns
    -------
    AxisSize

    Raises
    ------
    FilterError
        If the kernel does not fit into the padded axis.

    Examples
    --------
    >>> conv_size(224, 3, 2, (1, 1))
    AxisSize(output=112, formula='floor((224 + 2*1 - 3) / 2) + 1 = 112', lost=0)
    >>> conv_size(32, 5).formula, conv_size(10, 3, dilation=2).formula
    ('32 - 5 + 1 = 28', '10 - 2*(3 - 1) - 1 + 1 = 6')
    >>> conv_size(10, 3, 4).lost
    3
    """
    _check_fits("a kernel", length, kernel, padding, dilation)
    span = dilation * (kernel - 1) + 1
    room = length + sum(padding) - span
    output = room // stride + 1
    return AxisSize(
        output, _formula("floor", length, kernel, stride, padding, dilation, output), _lost(room, stride, padding)
    )


def transposed_size(
    length: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, output_padding: int = 0
) -> AxisSize:
    """Return one axis of a transposed convolution.

    Parameters
    ----------
    length, kernel : int
        Length of the input's axis, and of the kernel's.
    stride, dilation : int
    padding : int
        Samples taken off each end.
    output_padding : int
        Samples added at the end, fewer than stride or dilation.

    Returns
    -------
    AxisSize

    Raises
    ------
    UsageError
        If the output padding is smaller than neither stride nor dilation; PyTorch refuses it too.
    FilterError
        If the padding leaves no output.

    Examples
    --------
    >>> transposed_size(112, 3, 2, 1, output_padding=1)
    AxisSize(output=224, formula='(112 - 1)*2 - 2*1 + 3 + 1 = 224', lost=0)
    """
    if not 0 <= output_padding < max(stride, dilation):
        raise UsageError(
            f"output_padding must be smaller than stride or dilation, and is {output_padding} "
            f"at stride {stride} and dilation {dilation}"
        )
    output = (length - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 + output_padding
    if output < 1:
        raise FilterError(f"a padding of {padding} leaves nothing of a transposed convolution of {length}")
    span = str(kernel) if dilation == 1 else f"{dilation}*({kernel} - 1) + 1"
    formula = f"({length} - 1)*{stride}" + (f" - 2*{padding}" if padding else "") + f" + {span}"
    if output_padding:
        formula += f" + {output_padding}"
    return AxisSize(output, f"{formula} = {output}")


def pool_size(
    length: int, kernel: int, stride: int, padding: int = 0, dilation: int = 1, ceil: bool = False
) -> AxisSize:
    """Return one axis of a pool.

    Parameters
    ----------
    length, kernel : int
        Length of the input's axis, and of the window.
    stride, dilation : int
    padding : int
        Samples added at each end, at most half of the window.
    ceil : bool
        Whether a last window may reach beyond the end.

    Returns
    -------
    AxisSize

    Raises
    ------
    UsageError
        If the padding is more than half of the window.
    FilterError
        If the window does not fit.

    Examples
    --------
    >>> pool_size(112, 3, 2, 1).output, pool_size(55, 3, 2).output
    (56, 27)
    >>> pool_size(6, 3, 2, ceil=True)
    AxisSize(output=3, formula='ceil((6 - 3) / 2) + 1 = 3', lost=0)
    >>> pool_size(5, 1, 3, ceil=True).formula
    'ceil((5 - 1) / 3) + 1 = 3, of which the last begins beyond the end: 2'
    """
    span = dilation * (kernel - 1) + 1
    if padding > kernel // 2:
        raise UsageError(f"a pool is padded by at most half of its window: {kernel // 2} of {kernel}, not {padding}")
    room = length + 2 * padding - span
    if not ceil:
        _check_fits("a window", length, kernel, (padding, padding), dilation)
        output = room // stride + 1
        lost = _lost(room, stride, (padding, padding))
        return AxisSize(output, _formula("floor", length, kernel, stride, (padding, padding), dilation, output), lost)
    output = -(-room // stride) + 1
    formula = _formula("ceil", length, kernel, stride, (padding, padding), dilation, output)
    if (output - 1) * stride >= length + padding:
        output -= 1
        formula += f", of which the last begins beyond the end: {output}"
    if output < 1:
        _check_fits("a window", length, kernel, (padding, padding), dilation)
    return AxisSize(output, formula, max(0, length + padding - (output - 1) * stride - span))


def _check_fits(what: str, length: int, kernel: int, padding: Pair, dilation: int) -> None:
    span = dilation * (kernel - 1) + 1
    if span > length + sum(padding):
        padded = f" padded by {padding[0]} and {padding[1]}" if any(padding) else ""
        raise FilterError(f"{what} that spans {span} does not fit into {length}{padded}")


def _lost(room: int, stride: int, padding: Pair) -> int:
    return max(0, room % stride - padding[1])


def _formula(rounding: str, length: int, kernel: int, stride: int, padding: Pair, dilation: int, output: int) -> str:
    before, after = padding
    text = str(length)
    if before == after and before:
        text += f" + 2*{before}"
    elif before != after:
        text += f" + {before} + {after}"
    text += f" - {kernel}" if dilation == 1 else f" - {dilation}*({kernel} - 1) - 1"
    if stride == 1:
        return f"{text} + 1 = {output}"
    return f"{rounding}(({text}) / {stride}) + 1 = {output}"
