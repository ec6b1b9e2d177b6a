"""What a shell is offered for the word that is being typed."""

import os
import subprocess
import sys

import pytest
from repository import ROOT


def offered(typed):
    """The completions of the last word of a command line, as bash asks for them."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_CONVCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
    }
    program = "import sys; sys.argv = ['convcli']; from convcli.cli.app import app; app(prog_name='convcli')"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.split()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("convcli filter a.png --padding re", ["reflect101", "reflect", "replicate"]),
        ("convcli filter a.png --signed a", ["auto", "abs"]),
        ("convcli batch photos --existing s", ["skip"]),
        ("convcli filter a.png -k gaussian:tr", ["gaussian:truncate="]),
        ("convcli filter a.png -k gabor:theta=3,p", ["gabor:theta=3,psi="]),
        ("convcli filter a.png -k sobel_x:r", ["sobel_x:rotate="]),
        ("convcli filter a.png -k nothing:", []),
        ("convcli filter a.png -k prewitt_", ["prewitt_x", "prewitt_y"]),
    ],
)
def test_the_word_is_completed(typed, expected):
    assert offered(typed) == expected
