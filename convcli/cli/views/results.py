"""What a run says: summary lines, the table of times, JSON and reports."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from convcli.cli.messages import say
from convcli.convolution.planning.profile import problems
from convcli.process.result import ImageResult, StepResult
from convcli.reporting.formats import report_suffix
from convcli.reporting.numbers import digits, duration, milliseconds, pixel_size
from convcli.timing import STAGES

if TYPE_CHECKING:
    from convcli.cli.views.before_after import BeforeAndAfter

_LONGEST_SPEC = 44  # in a message, as it stands


class Reporter:
    """Shows what becomes of each image as it is done, and at the end what was asked for of all of them.

    `quiet` leaves errors alone on standard error, `verbose` adds to them. `json` prints a line per image on standard
    output; `timing` shows a table on standard error, `report` writes it to a file.
    """

    command = "filter"  # whose reports these are

    def __init__(self, *, quiet: bool, verbose: bool, json: bool, timing: bool, report: str | None) -> None:
        if report is not None:
            report_suffix(report)
        self._quiet = quiet
        self._verbose = verbose
        self._json = json
        self._timing = timing
        self._report = report
        self._results: list[ImageResult] = []
        self._told: set[str] = set()
        self.shown: BeforeAndAfter | None = None  # what shows images besides
        self._status = 0

    def note(self, text: str) -> None:
        """Print a note: worth knowing, and no error."""
        if not self._quiet:
            say(f"convcli: note: {text}")

    def show(self, result: ImageResult) -> None:
        """Print what became of one image."""
        self._results.append(result)
        # A profile is looked for when the first image is planned.
        for problem in problems():
            if problem not in self._told:
                self._told.add(problem)
                self.note(problem)
        if result.error is not None:
            from convcli.cli.advice.files import input_message  # which a run without errors does not need

            say(f"convcli: error: {input_message(result)}")
        elif not self._quiet:
            say(self.summary(result))
            if result.status != "skipped":
                for note in result.notes:
                    self.note(f"{result.input}: {note}")
            if self._verbose:
                for line in self.details(result):
                    say(line)
        if self.shown is not None and result.status == "done":
            from convcli.cli.views.before_after import show_done

            self._status = max(self._status, show_done(self.shown, result.input, result.output))
        if self._json:
            from convcli.reporting.json_text import to_json

            print(to_json(result.record()), flush=True)

    def show_all(self, results: Iterable[ImageResult]) -> int:
        """Show what becomes of each image, and at the end what was asked for of all of them.

        Returns the exit status: that of the failure where there was one image, and 1 where there were more.
        """
        for result in results:
            self.show(result)
        self.finish()
        statuses = [*(result.exit_status for result in self._results), *([self._status] if self._status else [])]
        return max(statuses) if len(statuses) == 1 else min(1, max(statuses, default=0))

    def finish(self) -> None:
        """Print and write what was asked for of all images together."""
        if self._timing:
            timed = [result for result in self._results if result.seconds]
            for line in self.table(timed) if timed else ():
                say(line)
        if self._report is not None:
            from convcli.cli.views.image_report import image_report_head
            from convcli.reporting.document import ReportTail
            from convcli.reporting.writer import write_report

            head = image_report_head(self.command)
            write_report(self._report, head, (result.record() for result in self._results), ReportTail())

    def summary(self, result: ImageResult) -> str:
        """Return one line on what became of an image."""
        return summary(result)

    def details(self, result: ImageResult) -> Iterator[str]:
        """Yield the lines that `--verbose` adds."""
        yield from (f"  {line}" for line in self.step_lines([result]))
        if result.alpha is not None:
            yield f"  alpha: {result.alpha}"
        if result.seconds:
            yield "  " + ", ".join(f"{name} {duration(spent)}" for name, spent in result.seconds.items())

    def step_lines(self, results: Sequence[ImageResult]) -> list[str]:
        """Return lines on how each step of some images was computed."""
        return choices(results)

    def table(self, results: Sequence[ImageResult]) -> list[str]:
        """Return the times of images as lines of a table."""
        return timing_table(results)


def summary(result: ImageResult) -> str:
    """Return one line on what was written: where, its size, the kernels and their backends, the mapping, the time.

    >>> summary(ImageResult("a.png", "b.png", "skipped", notes=("b.png exists",)))
    'skipped a.png: b.png exists'
    """
    steps = ", ".join(f"{_short(step.label or step.kernel)} by {step.backend}" for step in result.steps)
    return outcome(result, steps, "raw response" if result.mapping is None else f"mapping {result.mapping}")


def outcome(result: ImageResult, how: str, mapping: str) -> str:
    """Return one line on what became of an image; `how` it was made and its `mapping` may be empty."""
    if result.status == "skipped":
        return f"skipped {result.input}: {'; '.join(result.notes)}"
    doing = "would write" if result.status == "planned" else "wrote"
    output = "standard output" if result.output == "-" else result.output
    spent = duration(result.seconds["total"]) if result.status == "done" else ""
    return f"{doing} {output}: {', '.join(filter(None, (size_text(result), how, mapping, spent)))}"


def timing_table(results: Sequence[ImageResult], *, backends: bool = True) -> list[str]:
    """Return the times of each image in columns; with `backends`, those too, and under them why they were chosen."""
    from convcli.cli.views.text_table import columns  # which few runs need

    rows = [["image", *(f"{stage} ms" for stage in (*STAGES, "total")), "MP/s", "backend" if backends else ""]]
    for result in results:
        times = [milliseconds(result.seconds[stage]) for stage in (*STAGES, "total")]
        by = ", ".join(step.backend for step in result.steps) if backends else ""
        rows.append([Path(result.input).name, *times, digits(result.megapixels_per_second), by])
    return [*columns(rows), *(choices(results) if backends else ())]


def choices(results: Sequence[ImageResult]) -> list[str]:
    """Return a line for each kernel: its backend and why, what that was predicted to take, and what the next best was.

    Images that were treated alike share a line, with their times from the least to the most.

    >>> step = StepResult("sobel_x", "opencv", "small kernel, 9 weights", 0.0052, ("direct", 0.0089))
    >>> choices([ImageResult("a.png", "b.png", "planned", steps=(step,))])
    ['sobel_x: opencv, small kernel, 9 weights; predicted 5.2 ms, next direct 8.9 ms']
    """
    alike: dict[tuple[str, str, str, str], list[StepResult]] = {}
    for result in results:
        for step in result.steps:
            next_best = "" if step.runner_up is None else step.runner_up[0]
            alike.setdefault((step.label or step.kernel, step.backend, step.reason, next_best), []).append(step)
    lines = []
    for (kernel, backend, reason, next_best), steps in alike.items():
        predicted = [step.predicted_seconds for step in steps if step.predicted_seconds is not None]
        after = [step.runner_up[1] for step in steps if step.runner_up is not None]
        lines.append(choice_line(kernel, backend, reason, predicted, next_best, after))
    return lines


def choice_line(
    kernel: str, backend: str, reason: str, predicted: Sequence[float], next_best: str, after: Sequence[float]
) -> str:
    """Return how a kernel was computed and why, with its times from the least to the most.

    >>> choice_line("sobel_x", "opencv", "small kernel, 9 weights", [0.0052, 0.007], "direct", [0.0089])
    'sobel_x: opencv, small kernel, 9 weights; predicted 5.2 ms to 7 ms, next direct 8.9 ms'
    """
    line = f"{_short(kernel)}: {backend}, {reason}"
    if predicted:
        line += f"; predicted {_span(predicted)}"
    return f"{line}, next {next_best} {_span(after)}" if after else line


def _span(seconds: Sequence[float]) -> str:
    """Return times from the least to the most, or as one where they look alike.

    >>> _span([0.0052]), _span([0.0052, 1.25]), _span([0.12, 0.12])
    ('5.2 ms', '5.2 ms to 1.25 s', '120 ms')
    """
    least, most = duration(min(seconds)), duration(max(seconds))
    return least if least == most else f"{least} to {most}"


def _short(spec: str) -> str:
    """Return a SPEC on one line, cut in the middle where it is long: weights as text may be many.

    >>> _short(" 1 2 1;  2 4 2;  1 2 1")
    '1 2 1; 2 4 2; 1 2 1'
    >>> _short("0 0 1 0 0; 0 1 2 1 0; 1 2 4 2 1; 0 1 2 1 0; 0 0 1 0 0")
    '0 0 1 0 0; 0 1 2 1...; 0 1 2 1 0; 0 0 1 0 0'
    """
    text = " ".join(spec.split())
    return text if len(text) <= _LONGEST_SPEC else f"{text[:18]}...{text[-23:]}"


def size_text(result: ImageResult) -> str:
    """Return the size and the sample type of an output: `640 x 480 RGB u8`, `640 x 480 x 32 f32`."""
    return "" if result.output_size is None else f"{pixel_size(result.output_size)} {result.depth}"
