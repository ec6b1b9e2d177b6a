"""What `convcli run` says: a line an image, and where the time of the steps goes."""

from collections.abc import Iterator, Sequence

from convcli.cli.views.results import Reporter, size_text, timing_table
from convcli.process.pipeline_result import PipelineStepResult
from convcli.process.result import ImageResult


class PipelineReporter(Reporter):
    """A Reporter that speaks of the steps of the pipeline called `name`."""

    def __init__(self, name: str, *, quiet: bool, verbose: bool, json: bool, timing: bool, report: str | None) -> None:
        super().__init__(quiet=quiet, verbose=verbose, json=json, timing=timing, report=report)
        self._name = name

    def summary(self, result: ImageResult) -> str:
        if result.status == "skipped":
            return f"skipped {result.input}: {'; '.join(result.notes)}"
        doing = "would write" if result.status == "planned" else "wrote"
        output = "standard output" if result.output == "-" else result.output
        count = len(result.steps)
        words = [size_text(result), f"{count} step{'s' if count != 1 else ''} of {self._name}"]
        if result.mapping is not None:
            words.append(f"mapping {result.mapping}")
        if result.status == "done":
            words.append(f"{1e3 * result.seconds['total']:.1f} ms")
        return f"{doing} {output}: {', '.join(filter(None, words))}"

    def details(self, result: ImageResult) -> Iterator[str]:
        for line in step_table([result]):
            yield f"  {line}"
        if result.alpha is not None:
            yield f"  alpha: {result.alpha}"
        if result.seconds:
            yield "  " + ", ".join(f"{name} {1e3 * spent:.1f} ms" for name, spent in result.seconds.items())

    def table(self, results: Sequence[ImageResult]) -> list[str]:
        # The backends of many steps would not fit a line: they stand in the second table.
        return [*timing_table(results, backends=False), "", *step_table(results)]


def step_table(results: Sequence[ImageResult]) -> list[str]:
    """Lay out each step: what it is, the size of its result, its time (summed over images) and how it was computed.

    >>> step = PipelineStepResult("blur", "opencv", "small kernel", step="filter", size=(480, 640, 3), seconds=0.0015)
    >>> for line in step_table([ImageResult("a.png", "b.png", "done", steps=(step,))]):
    ...     print(line)
    step  what    output      ms    %  by
    blur  filter  480x640x3  1.5  100  opencv, small kernel
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
                f"{1e3 * spent[id_]:.3g}" if timed and 1e3 * spent[id_] < 100 else f"{1e3 * spent[id_]:.0f}",
                f"{100 * spent[id_] / total:.0f}" if total else "-",
                "; ".join(filter(None, ways)),
            ]
        )
    return [line.rstrip() for line in _aligned(rows)]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the first three columns to the left, numbers to the right, and leave the last as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = [text.ljust(width) for text, width in zip(row[:3], widths[:3], strict=True)]
        numbers = [text.rjust(width) for text, width in zip(row[3:5], widths[3:5], strict=True)]
        yield "  ".join([*words, *numbers, row[5]])
