"""Opening a written file in the program that the desktop has for it."""

import sys
from pathlib import Path

from convcli.cli.messages import say


def open_file(path: str) -> None:
    """Open a file in the browser or viewer of the desktop, or print a note where there is none."""
    import webbrowser

    address = Path(path).resolve().as_uri()
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened and sys.stderr is not None:
        say(f"convcli: note: nothing here opens files; open {address} yourself")
