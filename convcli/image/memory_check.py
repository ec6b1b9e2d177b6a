"""Whether a picture fits into memory, asked of its header before anything is decoded."""

import os

from convcli.errors import ImageReadError

# Of control groups, version 2 and 1: the limit, what is used, and the file that says how much of that is page cache.
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)
# Asking what is free takes as long as reading a small picture, which the libraries around it dwarf anyway.
_NEGLIGIBLE = 2**21
_LONGEST_SIDE = 10**6  # libpng refuses more, OpenCV more than 2^20


def available_bytes() -> int | None:
    """Return how much memory this process may still take: what is free, cut by all limits on it; None if unknown."""
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


def check_pixels(name: str, size: tuple[int, int, int], sample_bytes: int, most_pixels: int | None = None) -> None:
    """Raise ImageReadError unless a picture of this (height, width, channels) fits memory twice: read and filtered.

    `most_pixels` is the decoder's own limit, where it has one.
    """
    height, width, channels = size
    shown = f"{width} x {height} pixels"
    if most_pixels is not None and max(height, width) > _LONGEST_SIDE:
        raise ImageReadError(
            f"{name}: {shown} are more than the {_LONGEST_SIDE:,} a side that OpenCV decodes; convert it to TIFF "
            "or cut it up"
        )
    if most_pixels is not None and height * width > most_pixels:
        raise ImageReadError(
            f"{name}: {shown} are more than the {most_pixels:,} that OpenCV decodes; convert it to TIFF or cut it up"
        )
    needed = 2 * height * width * channels * sample_bytes
    if needed <= _NEGLIGIBLE:
        return
    there = available_bytes()
    if there is not None and needed > there:
        raise ImageReadError(
            f"{name}: {shown} need {_gigabytes(needed)} of memory, and {_gigabytes(there)} are free; cut it up"
        )


def _gigabytes(number: int) -> str:
    """Write a number of bytes for people.

    >>> _gigabytes(1_500_000_000), _gigabytes(20_000_000)
    ('1.5 GB', '20 MB')
    """
    return f"{number / 1e9:.1f} GB" if number >= 10**9 else f"{number / 1e6:.0f} MB"
