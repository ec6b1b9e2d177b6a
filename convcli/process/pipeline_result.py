"""The result of one step of a pipeline, as data for tables, reports and JSON."""

from dataclasses import dataclass
from typing import Any

from convcli.process.result import Size, StepResult


@dataclass(frozen=True, eq=False)
class PipelineStepResult(StepResult):
    """One step of a pipeline: `kernel` is its id.

    Parameters
    ----------
    step : str
        What the step is: `filter`, `conv`, ...
    size : (int, int, int), optional
        Height, width and channels of its result.
    seconds : float, optional
        What it took, None where it was not run.
    """

    step: str = ""
    size: Size | None = None
    seconds: float | None = None

    def record(self) -> dict[str, Any]:
        """Return this step in the form of the machine-readable output."""
        return {
            **super().record(),
            "step": self.step,
            "output_size": None if self.size is None else list(self.size),
            "seconds": self.seconds,
        }
