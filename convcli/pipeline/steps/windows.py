"""What steps with a window have in common: the facts of it, by rows and columns."""

from typing import Any

from convcli.operators.sizes import AxisSize
from convcli.pipeline.steps.properties import Facts, Pair


def window_facts(
    rows: AxisSize, columns: AxisSize, channels: int, window: Pair, padding: tuple[Pair, Pair], **more: Any
) -> Facts:
    """Give the facts of a step whose axes are `rows` and `columns`; `more` are further fields of Facts."""
    return Facts(
        (rows.output, columns.output, channels),
        window=window,
        padding=padding,
        formula=formula_of(rows, columns),
        lost=(rows.lost, columns.lost),
        **more,
    )


def formula_of(rows: AxisSize, columns: AxisSize) -> str:
    """Write the formula once where it is that of rows and columns alike.

    >>> formula_of(AxisSize(2, "4 - 3 + 1 = 2"), AxisSize(3, "5 - 3 + 1 = 3"))
    'rows 4 - 3 + 1 = 2; columns 5 - 3 + 1 = 3'
    """
    if rows.formula == columns.formula:
        return rows.formula
    return f"rows {rows.formula}; columns {columns.formula}"
