"""Messages to the person at the terminal."""

import sys


def say(text: str) -> None:
    """Print a message on one line of standard error, whatever a file's name or a library's message may hold.

    Where standard error is closed nothing is said: `print` would take standard output instead, which may hold an image.
    """
    if sys.stderr is not None:
        print(one_line(text), file=sys.stderr)


def one_line(text: str) -> str:
    """Put a text on one line, with what a terminal would obey written out: a file's name may hold anything.

    >>> print(one_line("a\\x1b[2Jb"))
    a\\x1b[2Jb
    """
    line = " ".join(text.splitlines())
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
