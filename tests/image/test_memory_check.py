"""How much memory is there, told from files as the kernel writes them."""

import resource

import pytest

from convcli.errors import ImageReadError
from convcli.image import memory_check


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Stand-ins for the kernel's files; a function fills them in."""
    paths = {key: tmp_path / key for key in ("meminfo", "max", "current", "stat")}
    real = memory_check._fields
    monkeypatch.setattr(memory_check, "_LIMITS", ((str(paths["max"]), str(paths["current"]), str(paths["stat"])),))
    monkeypatch.setattr(
        memory_check,
        "_fields",
        lambda path, *keys: real(str(paths["meminfo"]) if path.startswith("/proc") else path, *keys),
    )

    def fill(**texts: str) -> None:
        for key, text in texts.items():
            paths[key].write_text(text)

    return fill


def test_without_a_container_it_is_what_the_system_has_free(kernel):
    kernel(meminfo="MemTotal: 4000 kB\nMemAvailable:    1000 kB\n", max="max\n", current="5\n")
    assert memory_check.available_bytes() == 1_024_000


def test_a_container_cuts_it_but_its_page_cache_gives_way(kernel):
    kernel(meminfo="MemAvailable: 1000 kB\n", max="500000\n", current="400000\n", stat="anon 9\ninactive_file 50000\n")
    assert memory_check.available_bytes() == 150_000
    kernel(current="600000\n", stat="anon 9\n")
    assert memory_check.available_bytes() == 0


def test_a_limit_of_the_process_counts_too(monkeypatch):
    taken = 1024 * memory_check._fields("/proc/self/status", "VmSize:")[0]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (taken + 2**20, resource.RLIM_INFINITY))
    assert memory_check.available_bytes() == pytest.approx(2**20, abs=2**19)
    with pytest.raises(ImageReadError, match="x: 1000 x 2000 pixels need 12 MB of memory, and 1 MB are free"):
        memory_check.check_pixels("x", (2000, 1000, 3), 1)


def test_the_real_system_says_something():
    assert memory_check.available_bytes() > 10**7
