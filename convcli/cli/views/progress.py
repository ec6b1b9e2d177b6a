"""What is shown while a command works: a display at the foot of a terminal, lines, one line, or nothing."""

import shutil
import sys
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from convcli.batch.totals import BatchTotals
from convcli.cli.messages import one_line, say
from convcli.cli.views.batch_totals import failed, standing

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_SECONDS_BETWEEN_FRAMES = 0.1
_SECONDS_BETWEEN_LINES = 5.0
_BAR = (10, 40)  # its least and its greatest width

# A terminal shows ^C where it is typed: behind a full line that would start another, and the display be out of place.
_ROOM_FOR_ECHO = 3


class Progress:
    """What is shown while a command works: nothing, unless a subclass shows something.

    Nothing moves by itself: `tick` is called time and again by whoever does the work, from its own thread. So worker
    processes can be forked from it, and nothing takes time from what is being measured.
    """

    def tick(self) -> None:
        """Show how things stand, where it is time to."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class StatusLine(Progress):
    """One line on standard error, where that is a terminal and the line `wanted`."""

    def __init__(self, *, wanted: bool) -> None:
        self._shown = wanted and sys.stderr is not None and sys.stderr.isatty()

    def tell(self, what: str) -> None:
        """Replace the line."""
        if self._shown:
            room = shutil.get_terminal_size().columns - 1
            line = "".join(c if c.isprintable() else "?" for c in what)[:room]
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Clear the line."""
        self.tell("")


class BatchLines(Progress):
    """A line on standard error every few seconds."""

    def __init__(self, totals: BatchTotals, every: float = _SECONDS_BETWEEN_LINES) -> None:
        self._totals = totals
        self._every = every
        self._next = monotonic() + every

    def tick(self) -> None:
        """Show how things stand, where it is time to."""
        if monotonic() >= self._next:
            say(", ".join(standing(self._totals)))
            self._next = monotonic() + self._every


class BatchDisplay(Progress):
    """A bar and numbers at the foot of a terminal; under it the last failure, where there has been one."""

    def __init__(self, totals: BatchTotals, console: "Console") -> None:
        from rich.live import Live

        self._totals = totals
        self._console = console
        self._next = 0.0
        # Standard output is somebody else's, and may be a pipe.
        self._live = Live(
            get_renderable=self._render, console=console, auto_refresh=False, transient=True, redirect_stdout=False
        )
        self._live.start(refresh=True)

    def tick(self) -> None:
        """Show how things stand, where it is time to."""
        if monotonic() >= self._next:
            self._live.refresh()
            self._next = monotonic() + _SECONDS_BETWEEN_FRAMES

    def close(self) -> None:
        """Leave the terminal as it was, also where that is interrupted."""
        try:
            self._live.stop()
        except KeyboardInterrupt:
            self._console.show_cursor(True)
            raise

    def _render(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        totals, width = self._totals, self._console.width - _ROOM_FOR_ECHO
        numbers = Text()
        for part in standing(totals):
            style = "red" if totals.failures and part == failed(totals) else ""
            if numbers.cell_len + len(part) + 2 <= width:  # what fits; what matters most comes first
                numbers.append("  " if numbers else "").append(part, style)
        line: RenderableType = numbers
        room = width - numbers.cell_len - 1
        if room >= _BAR[0]:
            line = Table.grid(padding=(0, 1))
            line.add_row(ProgressBar(total=1.0, completed=totals.share, width=min(room, _BAR[1])), numbers)
        if not totals.failures:
            return line
        last = Text(f"last failure: {one_line(totals.failures[-1].error)}", style="red")
        last.truncate(width, overflow="ellipsis")
        return Group(line, last)


def batch_progress(totals: BatchTotals, *, quiet: bool, verbose: bool, json: bool) -> Progress:
    """Return what is shown of a batch: a display on a terminal, else lines where they were asked for, else nothing.

    Where records go to the same terminal, they show how far the batch is.
    """
    if quiet or sys.stderr is None:
        return Progress()
    if sys.stderr.isatty() and not (json and sys.stdout is not None and sys.stdout.isatty()):
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal:
            return BatchDisplay(totals, console)
    return BatchLines(totals) if verbose else Progress()
