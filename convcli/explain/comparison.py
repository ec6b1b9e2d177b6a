"""The figures of two pipelines side by side."""

from dataclasses import dataclass
from typing import Any

from convcli.explain.pipeline import Explanation, Number


@dataclass(frozen=True)
class PipelineComparison:
    """One figure of two pipelines, such as the number of parameters."""

    figure: str
    one: Number
    other: Number

    @property
    def ratio(self) -> float:
        """The first divided by the second; NaN where that is 0."""
        return self.one / self.other if self.other else float("nan")


def compare(one: Explanation, other: Explanation) -> tuple[PipelineComparison, ...]:
    """Return the figures of two pipelines side by side."""
    pairs: list[tuple[str, Number, Number]] = [
        (figure, getattr(one.totals, figure), getattr(other.totals, figure))
        for figure in ("parameters", "macs", "activation_bytes", "peak_activation_bytes")
    ]
    for axis, name in enumerate(("rows", "columns")):
        pairs.append((f"receptive_field_{name}", one.totals.receptive_field[axis], other.totals.receptive_field[axis]))
    for axis, name in enumerate(("rows", "columns", "channels")):
        pairs.append((f"output_{name}", one.totals.output[axis], other.totals.output[axis]))
    pairs.append(("steps", len(one.steps), len(other.steps)))
    return tuple(PipelineComparison(*each) for each in pairs)


def comparison_record(one: Explanation, other: Explanation) -> dict[str, Any]:
    """Return a comparison as data for JSON: the explanation of the first, that of the second, and the ratios."""
    ratios = {each.figure: each.ratio if each.other else None for each in compare(one, other)}
    return one.record() | {"against": other.record(), "ratios": ratios}
