"""Memory: how much there is, from files as the kernel writes them, and freed memory that is kept."""

import os
import resource
import subprocess
import sys

import pytest
from repository import ROOT

from convcli.system import memory


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Stand-ins for the kernel's files; a function fills them in."""
    paths = {key: tmp_path / key for key in ("meminfo", "max", "current", "stat")}
    real = memory._fields
    monkeypatch.setattr(memory, "_LIMITS", ((str(paths["max"]), str(paths["current"]), str(paths["stat"])),))
    monkeypatch.setattr(
        memory,
        "_fields",
        lambda path, *keys: real(str(paths["meminfo"]) if path.startswith("/proc") else path, *keys),
    )

    def fill(**texts: str) -> None:
        for key, text in texts.items():
            paths[key].write_text(text)

    return fill


def test_without_a_container_it_is_what_the_system_has_free(kernel):
    kernel(meminfo="MemTotal: 4000 kB\nMemAvailable:    1000 kB\n", max="max\n", current="5\n")
    assert memory.available_bytes() == 1_024_000


def test_a_container_cuts_it_but_its_page_cache_gives_way(kernel):
    kernel(meminfo="MemAvailable: 1000 kB\n", max="500000\n", current="400000\n", stat="anon 9\ninactive_file 50000\n")
    assert memory.available_bytes() == 150_000
    kernel(current="600000\n", stat="anon 9\n")
    assert memory.available_bytes() == 0


def test_a_limit_of_the_process_counts_too(monkeypatch):
    taken = 1024 * memory._fields("/proc/self/status", "VmSize:")[0]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (taken + 2**20, resource.RLIM_INFINITY))
    assert memory.available_bytes() == pytest.approx(2**20, abs=2**19)


def test_the_real_system_says_something():
    assert memory.available_bytes() > 10**7


FAULTS = """
import resource, sys
from convcli.system.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    bytearray(3_000_000)[:] = b"x" * 3_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_memory_that_is_kept_is_not_fetched_again():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    keep, default = (
        int(
            subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, check=True, env=environment).stdout
        )
        for way in ("keep", "default")
    )
    assert keep < default / 4
