"""Standard error captured: what libraries print there is told once, and no more than a little of it."""

import os
import subprocess
import sys

from repository import ROOT

PRINTED = """
import os, sys
from convcli.system.captured_stderr import capture_stderr, captured_lines
print(captured_lines())
capture_stderr()
os.write(2, b"a warning\\n a warning \\n\\nanother\\n")
print(captured_lines())
print(captured_lines())
os.write(2, b"one\\ntwo\\nthree\\nfour\\n" + b"x" * 100_000)
print(captured_lines())
os.write(2, b"\\xff after\\n")
print(captured_lines())
"""


def test_lines_are_told_once_without_repetition_and_few_of_them():
    command = [sys.executable, "-c", PRINTED]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "[]",
        "['a warning', 'another']",
        "[]",
        "['one', 'two', 'three']",
        "['\ufffd after']",
    ]


def test_a_process_without_standard_error_has_nothing_to_capture():
    code = (
        "import sys; sys.stderr = None; from convcli.system.captured_stderr import capture_stderr, captured_lines;"
        "capture_stderr(); print(captured_lines())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout == "[]\n"
