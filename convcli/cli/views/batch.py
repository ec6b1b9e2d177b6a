"""What `convcli batch` shows: how far it is, each file where that was asked for, and in the end what it came to."""

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from convcli.batch.totals import BatchTotals
from convcli.cli.messages import say
from convcli.cli.views.batch_totals import batch_summary, batch_timing
from convcli.cli.views.progress import batch_progress
from convcli.cli.views.results import summary
from convcli.convolution.planning.profile import problems
from convcli.errors import ImageWriteError
from convcli.process.result import ImageResult
from convcli.reporting.json_text import to_json
from convcli.reporting.numbers import counted

if TYPE_CHECKING:
    from convcli.reporting.writer import ReportFile


@dataclass(frozen=True)
class Asked:
    """What `batch` was asked to show.

    `quiet` leaves errors alone on standard error, `verbose` adds to them. `json` prints a line per image on standard
    output; `timing` tells on standard error where the time went, `report` writes a file.
    """

    quiet: bool = False
    verbose: bool = False
    json: bool = False
    timing: bool = False
    report: str | None = None


class BatchReporter:
    """Shows what becomes of a batch into `folder`, as far as it was `asked` for, and counts it in `totals`."""

    def __init__(self, totals: BatchTotals, folder: str, asked: Asked) -> None:
        self.totals = totals
        self._folder = folder
        self._asked = asked
        self._open = ExitStack()
        self._report = None if asked.report is None else self._open.enter_context(_open_report(asked.report))
        self._refusal: ImageWriteError | None = None  # why there will be no report
        shown = batch_progress(totals, quiet=asked.quiet, verbose=asked.verbose, json=asked.json)
        self._progress = self._open.enter_context(shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def note(self, text: str) -> None:
        """Print a note: worth knowing, and no error."""
        if not self._asked.quiet:
            say(f"convcli: note: {text}")

    def tick(self) -> None:
        """Show how far the batch is."""
        self._progress.tick()

    def show(self, result: ImageResult) -> None:
        """Count one file, and show of it what was asked for."""
        self.totals.add(result)
        if self._asked.json or self._report is not None:
            record = result.record()
            if self._report is not None:
                try:
                    self._report.add(record)
                except ImageWriteError as error:  # which is no reason to leave the images
                    self._refusal, self._report = error, None
            if self._asked.json:
                print(to_json(record), flush=True)
        told = result.status == "planned" or (result.status == "skipped" and self._asked.verbose)
        if told and not self._asked.quiet:
            say(summary(result))

    def finish(self) -> None:
        """Show in the end what all files came to.

        Raises
        ------
        ImageWriteError
            after all else, where the report that was asked for could not be written.
        """
        self._progress.close()
        self.totals.stop()
        if self._report is not None:
            try:
                from convcli.cli.views.batch_report import batch_report_tail

                self._report.finish(batch_report_tail(self.totals, self._folder))
            except ImageWriteError as error:
                self._refusal = error
        for problem in problems():
            self.note(problem)
        for text, number in self.totals.notes.items():
            first = ", the first" if text in self.totals.notes_that_differ else ""
            self.note(f"{counted(number, 'file')}{first}: {text}")
        for failure in self.totals.failures:
            say(f"convcli: error: {failure.error}")
        if self._asked.timing:
            for line in batch_timing(self.totals):
                say(line)
        if not self._asked.quiet:
            say(batch_summary(self.totals, self._folder))
        if self.totals.interrupted:
            if self._refusal is not None:
                say(f"convcli: error: {self._refusal}")
            say("convcli: error: interrupted; the same command with --existing skip goes on from here")
        elif self._refusal is not None:
            raise self._refusal


def _open_report(path: str) -> "ReportFile":
    from convcli.cli.views.image_report import image_report_head  # which few runs need
    from convcli.reporting.writer import ReportFile

    return ReportFile(path, image_report_head("batch"))
