"""Memory of this process: how much it may still take, and whether it keeps what it frees. Imports no numpy."""

import os
import sys

# Of control groups, version 2 and 1: the limit, what is used, and the file that says how much of that is page cache.
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)
# Of GNU's malloc.h. A block of up to 32 MB, the most that it allows, is then taken from what is kept.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MOST_KEPT, _LARGEST_BLOCK = 2**29, 2**25


def available_bytes() -> int | None:
    """Return how many bytes this process may still take: what is free, cut by all limits on it; None if unknown.

    Examples
    --------
    >>> available_bytes() > 0
    True
    """
    bounds = [1024 * number for number in _fields("/proc/meminfo", "MemAvailable:")]
    bounds += _address_space()
    for limit, used, details in _LIMITS:
        try:
            free = _number(limit) - _number(used)
        except (OSError, ValueError):  # no such control group, or no limit ("max")
            continue
        # The page cache counts as used, but gives way.
        bounds.append(max(0, free + sum(_fields(details, "inactive_file", "active_file"))))
    if not bounds and hasattr(os, "sysconf"):
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):
            return None
    return min(bounds, default=None)


def _address_space() -> list[int]:
    """Return what a limit such as `ulimit -v` leaves of the address space, nothing where there is none."""
    try:
        import resource  # not on Windows
    except ImportError:
        return []
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    taken = [1024 * number for number in _fields("/proc/self/status", "VmSize:")]
    return [] if limit == resource.RLIM_INFINITY else [max(0, limit - number) for number in taken]


def _fields(path: str, *keys: str) -> list[int]:
    """Return the numbers that lines of `key number` give, as far as there are any."""
    try:
        with open(path, encoding="ascii") as lines:
            return [int(words[1]) for words in map(str.split, lines) if words and words[0] in keys]
    except (OSError, ValueError, IndexError):
        return []


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())


def keep_freed_memory(most: int = _MOST_KEPT) -> None:
    """Keep freed memory in this process for what comes next, where its C library is GNU's.

    Else each buffer of a megabyte is given back to the system as soon as it is freed, and the next one is fetched anew,
    page by page: filtering a 12-megapixel PNG met 50,000 page faults, a fifth of its time, where 10,000 will do. The
    most memory that it held at a time stayed the same. For a process whose work this is, not for a library's caller.

    Parameters
    ----------
    most : int
        How many bytes to keep at most, half a gigabyte by default.
    """
    if sys.platform != "linux":
        return
    import ctypes  # which numpy imports as well

    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return
    set_option(_TRIM_THRESHOLD, min(most, _MOST_KEPT))
    set_option(_MMAP_THRESHOLD, min(most, _LARGEST_BLOCK))
