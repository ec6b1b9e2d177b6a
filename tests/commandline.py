"""Run the command line inside the test's own process, and see what it says."""

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from unittest import mock

from convcli.cli.app import run as run_app


@dataclass(frozen=True)
class Outcome:
    status: int
    output: bytes
    messages: str

    @property
    def lines(self) -> list[str]:
        return self.messages.splitlines()


def run(*arguments: object, stdin: bytes = b"") -> Outcome:
    """Run `convcli` with these arguments: its exit status, standard output and standard error."""
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for name in ("stdout", "stderr")}
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with mock.patch.multiple(sys, stdin=given, **streams):
        status = run_app([str(argument) for argument in arguments])
        for stream in streams.values():
            stream.flush()
    output, messages = (stream.buffer.getvalue() for stream in streams.values())
    return Outcome(status, output, messages.decode())


def done(*arguments: object, stdin: bytes = b"") -> Outcome:
    """Run `convcli`, and fail the test unless it succeeds."""
    outcome = run(*arguments, stdin=stdin)
    assert outcome.status == 0, outcome.messages
    return outcome


def refused(*arguments: object, stdin: bytes = b"", status: int = 2) -> str:
    """Run `convcli`, which must fail with `status` and one line; returns that line without what leads it."""
    outcome = run(*arguments, stdin=stdin)
    assert outcome.status == status, outcome.messages
    (line,) = outcome.lines
    assert line.startswith("convcli: error: ")
    return line.removeprefix("convcli: error: ")


def in_terminal(command: list[str], environment: dict[str, str]) -> str:
    """Run a command with a pseudo-terminal for standard output and return what it prints there."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, stdin=theirs, env=environment) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end has closed
                break
            if not chunk:
                break
            printed += chunk
        errors = process.stderr.read()
    os.close(ours)
    assert (process.returncode, errors) == (0, b"")
    return printed.decode().replace("\r\n", "\n")
