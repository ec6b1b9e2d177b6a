"""Everything that is said of a batch: while it runs, of each file where that was asked for, and in the end."""

from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from convcli.batch.totals import BatchTotals
from convcli.cli.messages import say
from convcli.cli.views.batch_progress import progress
from convcli.cli.views.batch_text import files, summary, timing
from convcli.cli.views.results import summary as image_summary
from convcli.convolution.planning.profile import problems
from convcli.errors import ImageWriteError
from convcli.process.result import ImageResult
from convcli.reporting.records import to_json

if TYPE_CHECKING:
    from convcli.cli.views.batch_report import BatchReport


@dataclass(frozen=True)
class Asked:
    """What a person wants to be told.

    `quiet` leaves errors alone on standard error, `verbose` adds to them. `json` prints a line per image on standard
    output; `timing` tells on standard error where the time went, `report` writes a file.
    """

    quiet: bool = False
    verbose: bool = False
    json: bool = False
    timing: bool = False
    report: str | None = None


class BatchReporter:
    """Says what becomes of a batch into `folder`, as far as it was `asked` for, and counts it in `totals`."""

    def __init__(self, totals: BatchTotals, folder: str, asked: Asked) -> None:
        self.totals = totals
        self._folder = folder
        self._asked = asked
        self._open = ExitStack()
        self._report = None if asked.report is None else self._open.enter_context(_open_report(asked.report))
        self._refusal: ImageWriteError | None = None  # why there will be no report
        shown = progress(totals, quiet=asked.quiet, verbose=asked.verbose, json=asked.json)
        self._progress = self._open.enter_context(shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def note(self, text: str) -> None:
        """Say something that is worth knowing and no error."""
        if not self._asked.quiet:
            say(f"convcli: note: {text}")

    def tick(self) -> None:
        """Show how things stand."""
        self._progress.tick()

    def show(self, result: ImageResult) -> None:
        """Count one file, and say of it what was asked for."""
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
            say(image_summary(result))

    def finish(self) -> None:
        """Say in the end what there is to say of all files together.

        Raises ImageWriteError, after all else, where the report that was asked for could not be written.
        """
        self._progress.close()
        self.totals.stop()
        if self._report is not None:
            try:
                self._report.write(self.totals, self._folder)
            except ImageWriteError as error:
                self._refusal = error
        for problem in problems():
            self.note(problem)
        for text, number in self.totals.notes.items():
            self.note(f"{files(number)}: {text}")
        for failure in self.totals.failures:
            say(f"convcli: error: {failure.error}")
        if self._asked.timing:
            for line in timing(self.totals):
                say(line)
        if not self._asked.quiet:
            say(summary(self.totals, self._folder))
        if self.totals.interrupted:
            if self._refusal is not None:
                say(f"convcli: error: {self._refusal}")
            say("convcli: error: interrupted; the same command with --existing skip goes on from here")
        elif self._refusal is not None:
            raise self._refusal


def _open_report(path: str) -> "BatchReport":
    from convcli.cli.views.batch_report import BatchReport  # which few runs need

    return BatchReport(path)
