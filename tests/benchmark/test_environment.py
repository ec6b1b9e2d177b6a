"""What a report says of the machine."""

import platform
from importlib.metadata import version

import numpy as np

from convcli.benchmark.environment import describe_machine, describe_versions


def test_the_threads_are_those_asked_for_or_all():
    assert describe_machine(3)["threads"] == 3
    assert describe_machine(None)["threads"] == describe_machine(None)["available_threads"]


def test_versions_are_those_that_are_installed():
    found = describe_versions()
    assert (found["python"], found["numpy"]) == (platform.python_version(), np.__version__)
    assert found["scipy"] == version("scipy")
