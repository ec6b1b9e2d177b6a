"""Standard input and output, where images are read from them and written to them."""

import sys
from collections.abc import Sequence

from convcli.errors import UsageError

STANDARD_STREAM = "-"


def check_streams(inputs: Sequence[str], output: str | None, *, json: bool, dry_run: bool) -> None:
    """Check that nobody else wants the standard streams that images are read from and written to."""
    if inputs.count(STANDARD_STREAM) > 1:
        raise UsageError("standard input, -, can be read only once")
    if output != STANDARD_STREAM and (output is not None or STANDARD_STREAM not in inputs):
        return
    if json:
        raise UsageError("--json and -o - would both write to standard output: name a file with -o")
    if sys.stdout is None:
        raise UsageError("standard output is closed: name a file with -o")
    if sys.stdout.isatty() and not dry_run:
        raise UsageError("standard output is a terminal: name a file with -o, or send it on with | or >")
