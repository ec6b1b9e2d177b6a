"""Run the command line: `convcli`, or `python -m convcli`."""

import sys

from convcli.errors import INTERRUPTED


def main() -> None:
    """Run the command line, also where it is interrupted while its libraries load."""
    try:
        from convcli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
