"""What is known of a step without running it: output size, costs, and which input samples each output reads."""

from dataclasses import dataclass
from typing import Any

from convcli.operators.sizes import AxisSize

# Rows, columns, channels, in this order everywhere.
Shape = tuple[int, int, int]
# Rows, columns.
Pair = tuple[int, int]


@dataclass(frozen=True)
class StepProperties:
    """Sizes and costs of one step for inputs of known sizes. Pairs are (rows, columns).

    Attributes
    ----------
    output : tuple of (int, int, int)
        Rows, columns and channels of the result.
    parameters : int
        Number of weights and biases; of `batch_norm`, two for each channel.
    macs : int
        Multiply-adds of the dense definition, whatever a backend saves of them.
    window, stride, dilation : tuple of (int, int)
        The input samples that one output reads: `window` of them, `dilation` apart; the next output reads those
        `stride` further on.
    padding : tuple of ((int, int), (int, int))
        Samples added at (top, bottom) and (left, right); negative where samples are cut off.
    upsampling : tuple of (int, int)
        Number of outputs for each input sample, along each axis; the jump is divided by it.
    whole : bool
        Whether each output depends on all positions of the input.
    linear : bool
        Whether the step is linear in its input (with biases: affine).
    formula : str
        The output size worked out, ``floor((224 + 2*1 - 3) / 2) + 1 = 112``; rows and columns where they differ.
    lost : tuple of (int, int)
        Number of samples at the bottom and at the right that no window reaches.
    """

    output: Shape
    parameters: int = 0
    macs: int = 0
    window: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    upsampling: Pair = (1, 1)
    whole: bool = False
    linear: bool = False
    formula: str = ""
    lost: Pair = (0, 0)


def window_properties(
    rows: AxisSize, columns: AxisSize, channels: int, window: Pair, padding: tuple[Pair, Pair], **more: Any
) -> StepProperties:
    """Return the properties of a step whose window moves over the image.

    Parameters
    ----------
    rows, columns : AxisSize
        The two axes of the result.
    channels : int
        Channels of the result.
    window : tuple of (int, int)
        Rows and columns of the window.
    padding : tuple of ((int, int), (int, int))
        Samples added at (top, bottom) and (left, right).
    **more
        Further fields of `StepProperties`.
    """
    return StepProperties(
        (rows.output, columns.output, channels),
        window=window,
        padding=padding,
        formula=formula_of(rows, columns),
        lost=(rows.lost, columns.lost),
        **more,
    )


def formula_of(rows: AxisSize, columns: AxisSize) -> str:
    """Return the formula of both axes, written once where it is the same.

    >>> formula_of(AxisSize(2, "4 - 3 + 1 = 2"), AxisSize(3, "5 - 3 + 1 = 3"))
    'rows 4 - 3 + 1 = 2; columns 5 - 3 + 1 = 3'
    """
    if rows.formula == columns.formula:
        return rows.formula
    return f"rows {rows.formula}; columns {columns.formula}"
