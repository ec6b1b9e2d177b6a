"""Run the command line: `convcli`, or `python -m convcli`."""

import os
import sys

from convcli.errors import INTERRUPTED


def main() -> None:
    """Run the command line, also where it is interrupted while its libraries load."""
    # numpy and OpenCV each bring an OpenBLAS, which starts a thread for every core as it loads; for some 25 ms these do
    # nothing but keep a core busy, which a picture is read on meanwhile. Matrix products run on our own threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from convcli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
