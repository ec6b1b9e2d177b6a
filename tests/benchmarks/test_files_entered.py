"""The script that counts the files that one image enters."""

import runpy

import pytest
from repository import ROOT

SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "files_entered.py"))


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("convcli/errors.py", "convcli/system/threads.py"),
        ("convcli/reporting/numbers.py", "convcli/kernel/model.py"),
        ("convcli/image/formats/png/codec.py", "convcli/convolution/convolve.py"),
        ("convcli/cli/app.py", "convcli/__main__.py"),
        ("convcli/__main__.py", "convcli/__init__.py"),
    ],
)
def test_floors_are_those_of_the_house(lower, higher):
    assert SCRIPT["floor"](lower) < SCRIPT["floor"](higher)


def test_calls_are_counted_in_the_process_that_filters():
    calls = SCRIPT["count_calls"](["-k", "box"])
    assert calls["", "convcli/__main__.py"] == 1
    assert calls["convcli/__main__.py", "convcli/cli/app.py"] == 1
    assert {"convcli/cli/commands/filter.py", "convcli/kernel/catalogue.py"} <= {file for _, file in calls}
    # Reached from a function alone, and never called: it only defines classes and names.
    assert "convcli/kernel/__init__.py" not in {file for _, file in calls}
