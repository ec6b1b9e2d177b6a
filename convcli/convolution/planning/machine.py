"""What the speed of a convolution depends on besides the work: the processor, its cores, and the libraries' versions.

All of it is asked at the start of a run where there is a profile, so none of it may take as much as a millisecond: no
library is imported to learn its version, and no process is started to learn the processor's name.
"""

import os
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from convcli.convolution.backends.registry import REGISTRY, Library
from convcli.convolution.options import available_threads

_NUMPY = Library("numpy", "numpy", ("numpy",))
_INFORMATION = (".dist-info", ".egg-info")

_CPUINFO = "/proc/cpuinfo"
_FIRST_PROCESSOR = 4096  # bytes, in which Linux has told all of the first one
# What names a processor there: on x86 these, on ARM those.
_NAMING = ("model name", "cpu family", "model", "stepping"), ("CPU implementer", "CPU variant", "CPU part")


def machine_key() -> dict[str, str | int]:
    """Describe this machine, as far as measured times hold on it alone: arch, processor, threads."""
    return {"arch": _arch(), "processor": processor_name(), "threads": available_threads()}


def library_versions() -> dict[str, str | int]:
    """Return the versions of the libraries that compute: numpy, opencv, pyfftw.

    >>> sorted(library_versions())
    ['numpy', 'opencv', 'pyfftw']
    """
    return {library.title: _version(library.package, library.distributions) for library in _libraries()}


def processor_name() -> str:
    """Name the processor, with the numbers of its kind where the system tells them; `unknown` where it tells nothing.

    A name alone may be as little as `AMD EPYC` on a virtual machine.
    """
    try:
        with open(_CPUINFO, "rb") as file:
            told = file.read(_FIRST_PROCESSOR).decode("ascii", "replace").partition("\n\n")[0]
    except OSError:
        return os.environ.get("PROCESSOR_IDENTIFIER", "unknown")  # Windows sets it
    return parse_processor(told)


def parse_processor(told: str) -> str:
    r"""Read what /proc/cpuinfo says of one processor.

    >>> parse_processor("vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n")
    'AMD EPYC 25/1'
    >>> parse_processor("CPU implementer\t: 0x41\nCPU part\t: 0xd0c\n")
    'ARM 0x41/0xd0c'
    """
    pairs = (line.partition(":") for line in told.splitlines())
    facts = {name.strip(): " ".join(value.split()) for name, _, value in pairs}
    (title, *numbers), arm = _NAMING
    kind = "/".join(facts[name] for name in numbers if name in facts)
    if title in facts:
        return f"{facts[title]} {kind}".strip()
    part = "/".join(facts[name] for name in arm if name in facts)
    return f"ARM {part}" if part else "unknown"


def _libraries() -> tuple[Library, ...]:
    """List numpy, and the libraries of the backends that `auto` chooses from."""
    return _NUMPY, *sorted({entry.library for entry in REGISTRY if entry.automatic and entry.library is not None})


def _arch() -> str:
    return os.uname().machine if hasattr(os, "uname") else sys.platform


def _version(package: str, distributions: tuple[str, ...]) -> str:
    """Read a version off the name of the folder that an installer leaves beside a package; `unknown` without one."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return "unknown"
    pairs = (name.split("-", 1) for name in _information_in(Path(spec.origin).parent.parent))
    versions = sorted(version.partition("-")[0] for name, version in pairs if name.lower() in distributions)
    return "+".join(versions) or "unknown"


@lru_cache(maxsize=4)
def _information_in(folder: Path) -> list[str]:
    """List what installers have left in a folder, as `numpy-2.4.6`."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    stems = (os.path.splitext(name)[0] for name in names if name.endswith(_INFORMATION))
    return [stem for stem in stems if "-" in stem]
