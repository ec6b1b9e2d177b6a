"""The result of processing an image, step by step, as data for tables, reports and JSON."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ConvcliError

if TYPE_CHECKING:
    from convcli.convolution.planning.planner import RunnerUp

# Height, width, channels.
Size = tuple[int, int, int]


class Placement(NamedTuple):
    """The sample at row r and column c of a result lies over row `r * stride[0] + offset[0]`, and so for columns."""

    stride: tuple[int, int] = (1, 1)
    offset: tuple[int, int] = (0, 0)


# Neither kind of result is ever compared: what makes them comparable takes time at each start.
@dataclass(frozen=True, eq=False)
class StepResult:
    """One kernel of a run, as it was asked for, and how it was computed.

    Parameters
    ----------
    kernel : str
        The SPEC as given.
    backend : str
        The backend that was chosen, empty where there is only one way.
    reason : str
        Why it was chosen.
    predicted_seconds : float, optional
        What it was expected to take.
    runner_up : (str, float), optional
        The next best backend, and what that was expected to take.
    label : str
        What messages call the kernel, `custom 3x3` for weights given as text; the SPEC unless stated.
    """

    kernel: str
    backend: str
    reason: str = ""
    predicted_seconds: float | None = None
    runner_up: "RunnerUp | tuple[str, float] | None" = None
    label: str = ""

    def record(self) -> dict[str, Any]:
        """Return this step in the form of the machine-readable output."""
        next_best = None
        if self.runner_up is not None:
            next_best = {"backend": self.runner_up[0], "predicted_seconds": self.runner_up[1]}
        return {
            "kernel": self.kernel,
            "backend": self.backend,
            "reason": self.reason,
            "predicted_seconds": self.predicted_seconds,
            "runner_up": next_best,
        }


@dataclass(frozen=True, eq=False)
class ImageResult:
    """The result of one image. Sizes are (height, width, channels), times are in seconds.

    Parameters
    ----------
    input, output : str
        The files, or `-` for a standard stream.
    status : str
        `done`, `skipped`, `planned` or `failed`.
    input_size, output_size : (int, int, int), optional
        Sizes of the image and of the result.
    depth : str, optional
        The output's sample type.
    mapping : str, optional
        How the response became a picture; None for a float output, which holds the response itself.
    alpha : str, optional
        What was done with opacity; None where there is none.
    steps : tuple of StepResult
        What was computed, in order.
    seconds : dict of str to float
        Seconds of each stage, and `total`.
    notes : tuple of str
        Lines that a user should see.
    error : str, optional
        Of an image that failed: why.
    input_bytes, output_bytes : int, optional
        Sizes of the files; None for a stream and for what is not there.
    exit_status : int
        The exit status that this result alone calls for.
    """

    input: str
    output: str
    status: str
    input_size: Size | None = None
    output_size: Size | None = None
    depth: str | None = None
    mapping: str | None = None
    alpha: str | None = None
    steps: tuple[StepResult, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None
    input_bytes: int | None = None
    output_bytes: int | None = None
    exit_status: int = 0

    @property
    def megapixels_per_second(self) -> float:
        """10^6 output pixels per second of filtering; NaN where nothing was filtered."""
        spent = self.seconds.get("filter", 0.0)
        if not spent or self.output_size is None:
            return math.nan
        return self.output_size[0] * self.output_size[1] / spent / 1e6

    def record(self) -> dict[str, Any]:
        """Return this result in the form of the machine-readable output."""
        speed = self.megapixels_per_second
        record: dict[str, Any] = {
            "input": self.input,
            "output": self.output,
            "status": self.status,
            "input_size": None if self.input_size is None else list(self.input_size),
            "output_size": None if self.output_size is None else list(self.output_size),
            "input_bytes": self.input_bytes,
            "output_bytes": self.output_bytes,
            "depth": self.depth,
            "mapping": self.mapping,
            "alpha": self.alpha,
            "steps": [step.record() for step in self.steps],
            "seconds": self.seconds,
            "megapixels_per_second": None if math.isnan(speed) else speed,
            "notes": list(self.notes),
        }
        if self.error is not None:
            record["error"] = self.error
        return record


def failed_result(source: str, output: str, error: ConvcliError) -> ImageResult:
    """Return the result of an image that could not be done."""
    return ImageResult(source, output, "failed", error=str(error), exit_status=error.exit_status)


def skipped_result(source: str, output: str) -> ImageResult:
    """Return the result of an image whose output was there already."""
    return ImageResult(source, output, "skipped", notes=(f"{output} exists",))
