"""Messages to the person at the terminal."""

import os
import sys

# What a message begins with, and the ANSI colour that it has on a terminal.
_COLOURS = {"convcli: error:": "1;31", "convcli: warning:": "1;33", "convcli: note:": "36"}


def say(text: str) -> None:
    """Print a message on one line of standard error.

    Nothing is printed where standard error is closed: `print` would take standard output, which may hold an image.
    """
    if sys.stderr is not None:
        print(_coloured(one_line(text)), file=sys.stderr)


def _coloured(line: str) -> str:
    """Return a line with its beginning in colour, where it is an error, warning or note and goes to a terminal.

    NO_COLOR switches that off, and so does TERM=dumb.
    """
    head = next((head for head in _COLOURS if line.startswith(head)), None)
    if head is None or not sys.stderr.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return line
    return f"\x1b[{_COLOURS[head]}m{head}\x1b[0m{line[len(head) :]}"


def one_line(text: str) -> str:
    r"""Return a text on one line, with control characters written out: a file's name may hold anything.

    >>> print(one_line("a\x1b[2Jb\nc"))
    a\x1b[2Jb c
    """
    line = " ".join(text.splitlines())
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
