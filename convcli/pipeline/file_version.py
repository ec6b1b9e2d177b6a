"""The version of a file on disk, so that what is kept in memory of it is read again once it has changed."""

import os
from pathlib import Path

# Size in bytes, modification time in nanoseconds, inode.
FileVersion = tuple[int, int, int]


def file_version(path: str | Path) -> FileVersion | None:
    """Return what changes when a file is written again or replaced, or None where there is no such file.

    Parameters
    ----------
    path : str or Path
        The file; a leading ``~`` is not expanded.

    Returns
    -------
    tuple of (int, int, int) or None
        Size in bytes, modification time in nanoseconds, and inode.

    Examples
    --------
    >>> file_version("no such file") is None
    True
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a path with a null character
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino
