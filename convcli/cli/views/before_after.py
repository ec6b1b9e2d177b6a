"""What `--preview`, `--compare` and `--open` show of an image that was done, read again from its files."""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcli.cli.messages import say
from convcli.cli.opening import open_file
from convcli.errors import ConvcliError, UsageError
from convcli.visual.before_after import compare_suffix, rgb_picture, write_comparison
from convcli.visual.terminal_picture import preview_text, terminal_protocol

if TYPE_CHECKING:
    from convcli.cli.options.groups import MessagesGroup, SeeingGroup
    from convcli.visual.drawing import Pixels

_CELL = 8, 16  # pixels of a character, where the terminal does not say


class BeforeAndAfter:
    """Shows images before and after, as was asked for. What cannot be done is refused when this is made.

    Raises
    ------
    UsageError
        Where a stream is to be shown, or several images compared in one file.
    OutputError
        Where the comparison cannot be written.
    """

    def __init__(
        self,
        seeing: "SeeingGroup",
        messages: "MessagesGroup",
        inputs: Sequence[str],
        outputs: Sequence[str],
        existing: str,
    ) -> None:
        self._seeing = seeing
        self._quiet = messages.quiet
        path = seeing.compare
        option = "--compare" if path is not None else "--preview" if seeing.preview else "--open"
        if "-" in inputs or "-" in outputs:
            raise UsageError(f"{option} needs files as input and output, not standard streams")
        if seeing.preview:
            if messages.json:
                raise UsageError("--preview and --json both take standard output: choose one")
            terminal_protocol(os.environ)  # which refuses a word of CONVCLI_PREVIEW that is none
        if path is None:
            return
        if len(inputs) > 1:
            raise UsageError(f"--compare {path}: one image at a time can be compared, not {len(inputs)}")
        from convcli.system.output_file import check_destination

        compare_suffix(path)
        if os.path.realpath(path) in map(os.path.realpath, outputs):
            raise UsageError(f"--compare {path} is the output itself: name another file")
        check_destination(path, "error" if existing == "skip" else existing, inputs)

    def show(self, source: str, output: str) -> None:
        """Show one image that was done. Raises ConvcliError where the comparison cannot be written."""
        from convcli.image.reading import read_image

        seeing = self._seeing
        preview = seeing.preview and sys.stdout is not None and sys.stdout.isatty()
        if preview or seeing.compare is not None:
            before, after = (rgb_picture(read_image(path)) for path in (source, output))
            if preview:
                _print_preview(before, after)
            if seeing.compare is not None:
                write_comparison(seeing.compare, before, after, (source, output))
                if not self._quiet:
                    say(f"wrote {seeing.compare}")
        if seeing.open_it:
            open_file(seeing.compare or output)


def show_done(shown: BeforeAndAfter, source: str, output: str) -> int:
    """Show one image that was done; return the exit status, after a line on what could not be shown."""
    try:
        shown.show(source, output)
    except ConvcliError as error:
        say(f"convcli: error: {error}")
        return error.exit_status
    return 0


def _print_preview(before: "Pixels", after: "Pixels") -> None:
    columns, rows = shutil.get_terminal_size()
    text = preview_text(before, after, os.environ, columns=columns, rows=rows, cell=_cell_size())
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # a terminal without half blocks
        sys.stdout.write(preview_text(before, after, {"NO_COLOR": "1"}, columns=columns, rows=rows, cell=_CELL))
    sys.stdout.flush()


def _cell_size() -> tuple[int, int]:
    """Return the width and height of a character in pixels, as the terminal says it."""
    try:
        import fcntl
        import struct
        import termios

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    except (ImportError, OSError):
        return _CELL
    rows, columns, width, height = struct.unpack("HHHH", answer)
    return (width // columns, height // rows) if min(rows, columns, width, height) > 0 else _CELL
