"""Messages to the person at the terminal."""

import sys


def say(text: str) -> None:
    """Print a message on one line of standard error, whatever a file's name or a library's message may hold.

    Where standard error is closed nothing is said: `print` would take standard output instead, which may hold an image.
    """
    if sys.stderr is not None:
        line = " ".join(text.splitlines())
        # A name may hold what a terminal would obey.
        shown = line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
        print(shown, file=sys.stderr)
