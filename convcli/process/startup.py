"""The start of a process that works on few images, before it loads anything large. Imports neither numpy nor cv2."""

from convcli.image import read_ahead
from convcli.system.memory import keep_freed_memory
from convcli.system.threads import available_threads


def start_early(first_input: str, threads: int | None) -> None:
    """Keep memory that is freed, and let another core begin with a large picture while this one loads libraries.

    Parameters
    ----------
    first_input : str
        The image that will be read first.
    threads : int or None
        How many cores may be used; None for all.
    """
    keep_freed_memory()
    if threads != 1 and available_threads() > 1:
        read_ahead.begin(first_input)
