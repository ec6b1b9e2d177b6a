"""What `convcli run` says: a line an image, and where the time of the steps goes."""

from collections.abc import Sequence

from convcli.cli.views.results import Reporter, outcome, timing_table
from convcli.cli.views.text_table import columns
from convcli.process.pipeline_result import PipelineStepResult
from convcli.process.result import ImageResult
from convcli.reporting.numbers import counted, milliseconds


class PipelineReporter(Reporter):
    """A Reporter that speaks of the steps of the pipeline called `name`."""

    command = "run"

    def __init__(self, name: str, *, quiet: bool, verbose: bool, json: bool, timing: bool, report: str | None) -> None:
        super().__init__(quiet=quiet, verbose=verbose, json=json, timing=timing, report=report)
        self._name = name

    def summary(self, result: ImageResult) -> str:
        """Return one line on what became of an image."""
        mapping = "" if result.mapping is None else f"mapping {result.mapping}"
        return outcome(result, f"{counted(len(result.steps), 'step')} of {self._name}", mapping)

    def step_lines(self, results: Sequence[ImageResult]) -> list[str]:
        """Return a table of the steps."""
        return step_table(results)

    def table(self, results: Sequence[ImageResult]) -> list[str]:
        """Return the times of images, and under them those of the steps."""
        # The backends of many steps would not fit a line: they stand in the second table.
        return [*timing_table(results, backends=False), "", *step_table(results)]


def step_table(results: Sequence[ImageResult]) -> list[str]:
    """Return a table of the steps: kind, size of the result, time (summed over images) and how it was computed.

    >>> step = PipelineStepResult("blur", "opencv", "small kernel", step="filter", size=(480, 640, 3), seconds=0.0015)
    >>> for line in step_table([ImageResult("a.png", "b.png", "done", steps=(step,))]):
    ...     print(line)
    step  what    output       ms    %  by
    blur  filter  480x640x3  1.50  100  opencv, small kernel
    """
    runs: dict[str, list[PipelineStepResult]] = {}
    for result in results:
        for step in result.steps:
            if isinstance(step, PipelineStepResult):
                runs.setdefault(step.kernel, []).append(step)
    spent = {id_: sum(step.seconds or 0.0 for step in steps) for id_, steps in runs.items()}
    total = sum(spent.values())
    rows = [["step", "what", "output", "ms", "%", "by"]]
    for id_, steps in runs.items():
        sizes = {step.size for step in steps}
        size = "x".join(map(str, steps[0].size)) if len(sizes) == 1 and steps[0].size else "various"
        ways = dict.fromkeys(", ".join(filter(None, (step.backend, step.reason))) for step in steps)
        timed = all(step.seconds is not None for step in steps)
        rows.append(
            [
                id_,
                steps[0].step,
                size,
                milliseconds(spent[id_]) if timed else "-",
                f"{100 * spent[id_] / total:.0f}" if total else "-",
                "; ".join(filter(None, ways)),
            ]
        )
    return list(columns(rows, words=3))
