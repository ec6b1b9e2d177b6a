"""Where times were taken: the machine, and the versions of everything that took part."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from convcli import __version__
from convcli.convolution.options import available_threads
from convcli.convolution.planning.machine import library_versions, processor_name

_OTHERS = ("scipy", "torch")


def describe_machine(threads: int | None) -> dict[str, Any]:
    """Describe this machine, and how many `threads` each backend had; None stands for all there are.

    >>> sorted(describe_machine(None))
    ['arch', 'available_threads', 'cores', 'load', 'memory_bytes', 'processor', 'system', 'threads']
    """
    return {
        "processor": processor_name(),
        "arch": platform.machine(),
        "cores": os.cpu_count(),
        "available_threads": available_threads(),
        "threads": threads or available_threads(),
        "memory_bytes": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of convcli, Python and the libraries that compute; of scipy and torch where installed."""
    versions = {"convcli": __version__, "python": platform.python_version()}
    versions |= {name: str(number) for name, number in library_versions().items()}
    for name in _OTHERS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None
