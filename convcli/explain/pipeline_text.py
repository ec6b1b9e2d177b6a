"""A pipeline explained as text: cells of tables, sentences, and the whole as Markdown."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from convcli.explain.comparison import PipelineComparison, compare
from convcli.explain.equivalent_kernels import EquivalentKernel
from convcli.explain.pipeline import Explanation, StepRecord, pair_text
from convcli.kernel.weights import common_denominator
from convcli.pipeline.steps.base import size_text
from convcli.pipeline.steps.properties import Pair
from convcli.reporting.document import Column, Table, TableRow
from convcli.reporting.markdown_table import markdown_table

SIZES_HEAD = ("Step", "Output", "Window", "Str", "Dil", "Pad", "Size worked out")
COSTS_HEAD = ("Step", "Parameters", "Mult-adds", "Memory", "Field", "Jump", "Offset")
_FIGURES = {
    "parameters": "parameters",
    "macs": "multiply-adds",
    "activation_bytes": "activations, all",
    "peak_activation_bytes": "activations, at once",
    "receptive_field_rows": "receptive field, rows",
    "receptive_field_columns": "receptive field, columns",
    "output_rows": "output rows",
    "output_columns": "output columns",
    "output_channels": "output channels",
    "steps": "steps",
}
_UNITS = ("k", "M", "G", "T", "P", "E")
# Runs of linear steps that are described one by one, and steps that are named in a sentence.
_MOST_RUNS = 4
_FEW_STEPS = 6
# Kernels of more rows are left out of Markdown.
_MOST_ROWS = 15


def amount(value: float) -> str:
    """Return a large number in three digits and a unit; whole numbers below 10,000 as they are.

    >>> amount(9999), amount(15_470_264_320), amount(1_816_582_144), amount(4.84e11)
    ('9,999', '15.5 G', '1.82 G', '484 G')
    """
    if value < 9999.5:
        return f"{value:,.0f}"
    power = 0
    while value >= 999.5 and power < len(_UNITS):
        value /= 1000
        power += 1
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {_UNITS[power - 1]}"


def memory(count: int) -> str:
    """Return a number of bytes in kB (1,000 bytes), MB or more.

    >>> memory(60_048), memory(114_675_520)
    ('60.0 kB', '115 MB')
    """
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.2f} kB" if count < 9995 else f"{amount(count)}B"


def measure(value: Pair | tuple[Fraction, Fraction]) -> str:
    """Return a pair as text, one number where both are equal; fractions as such.

    >>> measure((3, 3)), measure((1, 9)), measure((Fraction(1, 2), Fraction(1, 2)))
    ('3', '1x9', '1/2')
    """
    rows, columns = map(str, value)
    return rows if rows == columns else f"{rows}x{columns}"


def size_cells(step: StepRecord, before: str) -> tuple[str, ...]:
    """Return the row of a step in the table of sizes; `before` is the step in the row above."""
    pointwise = step.window == step.stride == step.upsampling == (1, 1) and not step.formula
    window = "all" if step.reads_all else "" if pointwise else size_text(step.window)
    enlarged = tuple(Fraction(down, up) for down, up in zip(step.stride, step.upsampling, strict=True))
    elsewhere = "" if step.inputs in ((before,), ()) else f"from {', '.join(step.inputs)}"
    return (
        step.name,
        size_text(step.output),
        window,
        "" if pointwise else measure((enlarged[0], enlarged[1])),
        "" if pointwise else pair_text(step.dilation),
        "" if pointwise else padding_text(step.padding),
        ": ".join(each for each in (elsewhere, step.formula) if each),
    )


def padding_text(padding: tuple[Pair, Pair]) -> str:
    """Return padding as text: one number where all sides are equal, rows,columns where both ends are, else both ends.

    >>> padding_text(((1, 1), (1, 1))), padding_text(((1, 1), (2, 2))), padding_text(((1, 2), (1, 2)))
    ('1', '1,2', '1+2')
    """
    ends = [str(before) if before == after else f"{before}+{after}" for before, after in padding]
    return ends[0] if ends[0] == ends[1] else ",".join(ends)


def cost_cells(step: StepRecord) -> tuple[str, ...]:
    """Return the row of a step in the table of costs."""
    return (
        step.name,
        f"{step.parameters:,}" if step.parameters else "-",
        amount(step.macs) if step.macs else "-",
        memory(step.activation_bytes),
        "all" if step.whole else measure(step.receptive_field),
        measure(step.jump),
        measure(step.offset),
    )


def total_cells(found: Explanation) -> tuple[str, ...]:
    """Return the last row of the table of costs: the sums, and the receptive field of the result."""
    totals = found.totals
    return (
        "total",
        f"{totals.parameters:,}",
        amount(totals.macs),
        memory(totals.activation_bytes),
        "all" if totals.whole else measure(totals.receptive_field),
        measure(totals.jump),
        measure(totals.offset),
    )


def heading(found: Explanation) -> str:
    """Return what is explained, and for which images."""
    return f"{found.name}, for images of {size_text(found.input)}"


def sentences(found: Explanation) -> Iterator[str]:
    """Yield what the tables do not show: memory, dense layers in place of the convolutions, runs of linear steps."""
    totals = found.totals
    yield (
        f"Weights take {memory(totals.parameter_bytes)} in float32. Activations take {memory(totals.activation_bytes)} "
        f"together; at once, with the image, {memory(totals.peak_activation_bytes)}, where each is let go after its "
        "last reader."
    )
    convolutions = [step for step in found.steps if step.dense_parameters > step.parameters]  # others are dense already
    if convolutions:
        dense = sum(step.dense_parameters for step in convolutions)
        own = sum(step.parameters for step in convolutions)
        yield (
            f"As dense layers, from every sample to every output, {_convolutions(convolutions)} would need "
            f"{amount(dense)} weights to do the same: {_times(dense / own)} as many."
        )
    yield from map(equivalent_sentence, described_runs(found))
    more = len(found.runs) - len(described_runs(found))
    if more:
        yield f"So are {more} more runs of linear steps; --json lists them."


def _convolutions(steps: Sequence[StepRecord]) -> str:
    if len(steps) == 1:
        return f"the convolution {steps[0].name}"
    if len(steps) > _FEW_STEPS:
        return f"the {len(steps)} convolutions"
    return f"the convolutions {', '.join(step.name for step in steps[:-1])} and {steps[-1].name}"


def described_runs(found: Explanation) -> tuple[EquivalentKernel, ...]:
    """Return the runs of linear steps that are described one by one."""
    return found.runs[:_MOST_RUNS]


def equivalent_sentence(run: EquivalentKernel) -> str:
    """Return a sentence about the one kernel that a run of linear steps equals."""
    first, last = run.steps[0], run.steps[-1]
    joined = " and ".join([", ".join(run.steps[:-1]), last])
    if len(run.steps) > _FEW_STEPS:
        joined = f"{first} to {last}, {len(run.steps)} steps,"
    bank = "" if run.weights is None or run.shared is not None else f" ({_channels(run.weights)})"
    stride = "" if run.stride == (1, 1) else f" at stride {pair_text(run.stride)}"
    return f"{joined} are linear: away from the edges, one kernel of {size_text(run.size)}{stride}{bank}."


def _channels(weights: NDArray[np.float64]) -> str:
    return f"{weights.shape[1]} to {weights.shape[0]} channels"


def comparison_cells(compared: PipelineComparison) -> tuple[str, str, str, str]:
    """Return the row of a figure in a comparison: its name, both values, and their ratio."""
    write = memory if compared.figure.endswith("bytes") else _exact if compared.figure != "macs" else amount
    return (
        _FIGURES[compared.figure],
        write(int(compared.one)),
        write(int(compared.other)),
        _ratio(compared.ratio),
    )


def comparison_sentence(one: Explanation, other: Explanation) -> str:
    """Return a sentence that compares the numbers of parameters."""
    parameters = compare(one, other)[0]
    if not parameters.one or not parameters.other:
        return "One of both has no parameters to compare."
    few, many = sorted((int(parameters.one), int(parameters.other)))
    fewer, larger = (one.name, other.name) if parameters.one <= parameters.other else (other.name, one.name)
    if few == many:
        return f"Both have {few:,} parameters."
    share = _ratio(few / many)
    return f"{fewer} has {few:,} parameters to the {many:,} of {larger}: {share}, {many / few:.3g} times fewer."


def _exact(value: int) -> str:
    return f"{value:,}"


def _ratio(ratio: float) -> str:
    if np.isnan(ratio):
        return "-"
    if ratio == 1:
        return "the same"
    if ratio > 1:
        return _times(ratio)
    return f"{ratio:.0%}" if ratio >= 0.01 else f"{100 * ratio:.2g}%"


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if ratio < 1000 else f"{float(f'{ratio:.3g}'):,.0f} times"


def kernel_rows(weights: NDArray[np.float64]) -> list[str]:
    """Return a kernel's weights as aligned rows, over their common denominator where they have one.

    >>> kernel_rows(np.array([[0.25, 0.5], [0.0, -0.25]]))
    ['1/4 of', '1   2', '0  -1']
    """
    denominator = common_denominator(weights)
    if denominator is None:
        cells = [[f"{value:z.4g}" for value in row] for row in weights]
    else:
        cells = [[f"{value:z.0f}" for value in row] for row in weights * denominator]
    head = [] if denominator in (None, 1) else [f"1/{denominator} of"]
    return head + aligned(cells)


def number_text(value: float) -> str:
    """Return a number in five digits, without a negative zero."""
    return f"{value:z.5g}"


def aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines, each column aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def markdown(found: Explanation, other: Explanation | None = None) -> str:
    """Return an explanation as Markdown, and with another one their comparison."""
    return "\n".join(_markdown_lines(found, other)) + "\n"


def _markdown_lines(found: Explanation, other: Explanation | None) -> Iterator[str]:
    for each in (found, other):
        if each is None:
            continue
        yield from (f"# {heading(each)}", "")
        if each.summary:
            yield from (each.summary, "")
        yield from _markdown_table(SIZES_HEAD, size_rows(each), left=(0, 6))
        yield ""
        yield from _markdown_table(COSTS_HEAD, [*map(cost_cells, each.steps), total_cells(each)], left=(0,))
        yield ""
        yield from (f"- {sentence}" for sentence in sentences(each))
        yield from (f"- Warning: {warning}" for warning in each.warnings)
        yield ""
        for run in described_runs(each):
            if run.shared is not None and len(run.shared) <= _MOST_ROWS:
                yield from (f"{', '.join(run.steps)}:", "", *(f"    {row}" for row in kernel_rows(run.shared)), "")
    if other is not None:
        yield from ("# Side by side", "")
        rows = [comparison_cells(each) for each in compare(found, other)]
        yield from _markdown_table(("", found.name, other.name, "ratio"), rows, left=(0,))
        yield from ("", comparison_sentence(found, other))


def size_rows(found: Explanation) -> list[tuple[str, ...]]:
    """Return all rows of the table of sizes."""
    above = ("input", *(step.name for step in found.steps))
    return [size_cells(step, before) for step, before in zip(found.steps, above, strict=False)]


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int]) -> Iterator[str]:
    columns = tuple(Column(title, left=place in left) for place, title in enumerate(head))
    return markdown_table(Table(columns, tuple(TableRow(tuple(row)) for row in rows)))
