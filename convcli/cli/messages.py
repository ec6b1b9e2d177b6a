"""Messages to the person at the terminal."""

import sys


def say(text: str) -> None:
    """Print a message on one line of standard error.

    Nothing is printed where standard error is closed: `print` would take standard output, which may hold an image.
    """
    if sys.stderr is not None:
        print(one_line(text), file=sys.stderr)


def one_line(text: str) -> str:
    r"""Return a text on one line, with control characters written out: a file's name may hold anything.

    >>> print(one_line("a\x1b[2Jb\nc"))
    a\x1b[2Jb c
    """
    line = " ".join(text.splitlines())
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
