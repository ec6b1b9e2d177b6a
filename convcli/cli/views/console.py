"""Tables and text on standard output, in colour where that is a terminal."""

import io
import sys
from collections.abc import Collection, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 100


def stdout_console() -> Console:
    """Return a console on standard output that never fails on a character the terminal lacks."""
    if sys.stdout is None:  # closed: nobody reads, as with `print`
        return Console(highlight=False, width=_PIPED_WIDTH, file=io.StringIO())
    if not (sys.stdout.encoding or "").lower().startswith("utf"):
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def open_table(heads: Sequence[str], *, left: Collection[int] = (0,), folding: Collection[int] = ()) -> Table:
    """Return a table without rows.

    Parameters
    ----------
    heads : sequence of str
        The columns' heads.
    left : collection of int
        The columns of words, which stand to the left; numbers stand to the right.
    folding : collection of int
        The columns whose text may take several lines; the first column is then at most 24 characters wide.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for place, head in enumerate(heads):
        folds = place in folding
        table.add_column(
            head,
            justify="left" if place in left else "right",
            no_wrap=not folds,
            overflow="fold" if folds else "ellipsis",
            max_width=24 if folds and place == 0 else None,
        )
    return table


def print_view(console: Console, view: RenderableType) -> None:
    """Print without the blanks that fill a table's last column, nor blank lines around it."""
    with console.capture() as capture:
        console.print(view)
    lines = [line.rstrip() for line in capture.get().rstrip().split("\n")]
    print("\n".join(lines[1:] if not lines[0] else lines))


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a line of text, however long, with nothing in it read as markup."""
    console.print(Text(text, style=style), soft_wrap=True)
