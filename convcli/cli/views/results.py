"""What a run says: summary lines, the table of times, JSON and reports."""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from convcli.cli.messages import say
from convcli.convolution.planning.profile import problems
from convcli.process.image_job import Result, Step
from convcli.reporting.records import REPORT_SUFFIXES, flat, report_suffix, to_json, write_report_text
from convcli.timing import STAGES

_LONGEST_SPEC = 44  # in a message, as it stands

_CHANNELS = {1: "gray", 2: "gray+alpha", 3: "RGB", 4: "RGBA"}


class Reporter:
    """Says what becomes of each image as it is done, and at the end what was asked for of all of them.

    `quiet` leaves errors alone on standard error, `verbose` adds to them. `json` prints a line per image on standard
    output; `timing` shows a table on standard error, `report` writes it to a file.
    """

    def __init__(self, *, quiet: bool, verbose: bool, json: bool, timing: bool, report: str | None) -> None:
        if report is not None:
            report_suffix(report, REPORT_SUFFIXES)
        self._quiet = quiet
        self._verbose = verbose
        self._json = json
        self._timing = timing
        self._report = report
        self._results: list[Result] = []
        self._told: set[str] = set()

    def note(self, text: str) -> None:
        """Say something that is worth knowing and no error."""
        if not self._quiet:
            say(f"convcli: note: {text}")

    def show(self, result: Result) -> None:
        """Say what became of one image."""
        self._results.append(result)
        # A profile is looked for when the first image is planned.
        for problem in problems():
            if problem not in self._told:
                self._told.add(problem)
                self.note(problem)
        if result.error is not None:
            say(f"convcli: error: {result.error}")
        elif not self._quiet:
            say(self.summary(result))
            if result.status != "skipped":
                for note in result.notes:
                    self.note(f"{result.input}: {note}")
            if self._verbose:
                for line in self.details(result):
                    say(line)
        if self._json:
            print(to_json(result.record()), flush=True)

    def finish(self) -> None:
        """Say what was asked for of all images together."""
        if self._timing:
            timed = [result for result in self._results if result.seconds]
            for line in self.table(timed) if timed else ():
                say(line)
        if self._report is not None:
            write_report(self._report, self._results)

    def summary(self, result: Result) -> str:
        """Tell in one line what became of an image."""
        return summary(result)

    def details(self, result: Result) -> Iterator[str]:
        """Tell what `--verbose` adds, line by line."""
        return _details(result)

    def table(self, results: Sequence[Result]) -> list[str]:
        """Lay out the times of images."""
        return timing_table(results)


def summary(result: Result) -> str:
    """Tell in one line what was written: where, its size, the kernels and their backends, the mapping, the time.

    >>> summary(Result("a.png", "b.png", "skipped", notes=("b.png exists",)))
    'skipped a.png: b.png exists'
    """
    if result.status == "skipped":
        return f"skipped {result.input}: {'; '.join(result.notes)}"
    doing = "would write" if result.status == "planned" else "wrote"
    output = "standard output" if result.output == "-" else result.output
    steps = ", ".join(f"{_short(step.kernel)} by {step.backend}" for step in result.steps)
    mapping = "raw response" if result.mapping is None else f"mapping {result.mapping}"
    line = f"{doing} {output}: {size_text(result)}, {steps}, {mapping}"
    return line if result.status == "planned" else f"{line}, {1e3 * result.seconds['total']:.1f} ms"


def _details(result: Result) -> Iterator[str]:
    """Tell what `--verbose` adds, line by line."""
    for line in choices([result]):
        yield f"  {line}"
    if result.alpha is not None:
        yield f"  alpha: {result.alpha}"
    if result.seconds:
        yield "  " + ", ".join(f"{name} {1e3 * spent:.1f} ms" for name, spent in result.seconds.items())


def timing_table(results: Sequence[Result], *, backends: bool = True) -> list[str]:
    """Lay out the times of each image in columns; with `backends`, those too, and under them why they were chosen."""
    rows = [["image", *(f"{stage} ms" for stage in (*STAGES, "total")), "MP/s", "backend" if backends else ""]]
    for result in results:
        times = [f"{1e3 * result.seconds[stage]:.1f}" for stage in (*STAGES, "total")]
        speed = result.megapixels_per_second
        shown = "-" if math.isnan(speed) else f"{speed:.1f}"
        by = ", ".join(s.backend for s in result.steps) if backends else ""
        rows.append([Path(result.input).name, *times, shown, by])
    return [*columns(rows), *choices(results)] if backends else [line.rstrip() for line in columns(rows)]


def choices(results: Sequence[Result]) -> list[str]:
    """Tell of each kernel by which backend, why, what that was predicted to take, and what the next best was.

    Images that were treated alike share a line; their times are told from the least to the most.

    >>> step = Step("sobel_x", "opencv", "small kernel, 9 weights", 0.0052, ("direct", 0.0089))
    >>> choices([Result("a.png", "b.png", "planned", steps=(step,))])
    ['sobel_x: opencv, small kernel, 9 weights; predicted 5.2 ms, next direct 8.9 ms']
    """
    alike: dict[tuple[str, str, str, str], list[Step]] = {}
    for result in results:
        for step in result.steps:
            next_best = "" if step.runner_up is None else step.runner_up[0]
            alike.setdefault((step.kernel, step.backend, step.reason, next_best), []).append(step)
    lines = []
    for (kernel, backend, reason, next_best), steps in alike.items():
        predicted = [step.predicted_seconds for step in steps if step.predicted_seconds is not None]
        after = [step.runner_up[1] for step in steps if step.runner_up is not None]
        lines.append(choice_line(kernel, backend, reason, predicted, next_best, after))
    return lines


def choice_line(
    kernel: str, backend: str, reason: str, predicted: Sequence[float], next_best: str, after: Sequence[float]
) -> str:
    """Tell how a kernel was computed and why; the times are told from the least to the most.

    >>> choice_line("sobel_x", "opencv", "small kernel, 9 weights", [0.0052, 0.007], "direct", [0.0089])
    'sobel_x: opencv, small kernel, 9 weights; predicted 5.2 ms to 7 ms, next direct 8.9 ms'
    """
    line = f"{_short(kernel)}: {backend}, {reason}"
    if predicted:
        line += f"; predicted {_span(predicted)}"
    return f"{line}, next {next_best} {_span(after)}" if after else line


def _span(seconds: Sequence[float]) -> str:
    """Write times from the least to the most, or as one where they look alike.

    >>> _span([0.0052]), _span([0.0052, 1.25]), _span([0.12, 0.12])
    ('5.2 ms', '5.2 ms to 1.25 s', '120 ms')
    """
    least, most = (f"{t:.3g} s" if t >= 1 else f"{_digits(1e3 * t)} ms" for t in (min(seconds), max(seconds)))
    return least if least == most else f"{least} to {most}"


def _digits(value: float) -> str:
    """Write a number below 1000 in three digits at most, and none of them in vain."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def write_report(path: str, results: Sequence[Result]) -> None:
    """Write the results as JSON, CSV or a Markdown table, as the suffix of `path` says."""
    write = {".json": _report_json, ".csv": _report_csv, ".md": _report_markdown}[report_suffix(path, REPORT_SUFFIXES)]
    write_report_text(path, write([result.record() for result in results]))


def _report_json(records: Sequence[dict[str, Any]]) -> str:
    return to_json({"results": list(records)}, indent=2) + "\n"


def _report_csv(records: Sequence[dict[str, Any]]) -> str:
    return csv_row(csv_columns()) + "".join(csv_row(csv_cells(record)) for record in records)


@cache
def csv_columns() -> tuple[str, ...]:
    """Name the columns of a report on images: those of an image that was done, whatever became of the others."""
    step = Step("", "", predicted_seconds=0.0, runner_up=("", 0.0))
    full = Result("", "", "failed", steps=(step,), seconds=dict.fromkeys((*STAGES, "total"), 0.0), error="")
    return tuple(flat(full.record()))


def csv_cells(record: dict[str, Any]) -> list[Any]:
    """Give the cells of a record, one for each of the `csv_columns`."""
    cells = flat(record)
    return [cells.get(name, "") for name in csv_columns()]


def csv_row(cells: Sequence[Any]) -> str:
    """Write cells as a line of CSV.

    >>> csv_row(["a,b", 1.5, None])
    '"a,b",1.5,\\n'
    """
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _report_markdown(records: Sequence[dict[str, Any]]) -> str:
    return "".join([*markdown_head(), *map(markdown_image, records)])


def markdown_head() -> tuple[str, str]:
    """Give the head of a table of images, and the line under it."""
    stages = (*STAGES, "total")
    head = ["input", "output", "status", "kernels", "backends", "mapping", *(f"{s} [ms]" for s in stages), "MP/s"]
    return markdown_row(head), markdown_row(["---"] * 6 + ["---:"] * (len(stages) + 1))


def markdown_image(record: dict[str, Any]) -> str:
    """Write the record of an image as a row of that table."""
    seconds, speed = record["seconds"], record["megapixels_per_second"]
    return markdown_row(
        [
            record["input"],
            record["output"],
            record["status"],
            ", ".join(step["kernel"] for step in record["steps"]),
            ", ".join(step["backend"] for step in record["steps"]),
            record["mapping"] or "",
            *(f"{1e3 * seconds[s]:.1f}" if s in seconds else "" for s in (*STAGES, "total")),
            "" if speed is None else f"{speed:.1f}",
        ]
    )


def markdown_row(cells: Sequence[str]) -> str:
    """Write cells as a row of a table.

    >>> print(markdown_row(["a|b", "two\\nlines"]), end="")
    | a\\|b | two lines |
    """
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").splitlines()) for cell in cells) + " |\n"


def _short(spec: str) -> str:
    """Cut a SPEC to what one can take in at a glance: weights as text may be many, and paths long.

    >>> _short(" 1 2 1;  2 4 2;  1 2 1")
    '1 2 1; 2 4 2; 1 2 1'
    >>> _short("0 0 1 0 0; 0 1 2 1 0; 1 2 4 2 1; 0 1 2 1 0; 0 0 1 0 0")
    '0 0 1 0 0; 0 1 2 1...; 0 1 2 1 0; 0 0 1 0 0'
    """
    text = " ".join(spec.split())
    return text if len(text) <= _LONGEST_SPEC else f"{text[:18]}...{text[-23:]}"


def size_text(result: Result) -> str:
    """Write the size and the kind of an output: `640 x 480 RGB u8`, `640 x 480 x 32 f32`."""
    if result.output_size is None:
        return ""
    height, width, channels = result.output_size
    return f"{width} x {height} {_CHANNELS.get(channels, f'x {channels}')} {result.depth}"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align columns: the first and the last to the left, numbers to the right.

    >>> list(columns([["image", "ms", "backend"], ["a.png", "10.5", "fft"]]))
    ['image    ms  backend', 'a.png  10.5  fft']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *numbers, last = row
        middle = (text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True))
        yield "  ".join([first.ljust(widths[0]), *middle, last])
