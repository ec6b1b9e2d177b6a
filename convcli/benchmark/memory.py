"""How much memory one run takes: asked of a child process, whose peak nothing else has raised.

The child loads the arrays, has everything ready, notes its peak, runs once, and notes it again. In Linux the peak is
`VmHWM` of /proc/self/status: `ru_maxrss` also counts what the parent had taken when it started the child.

    python -m convcli.benchmark.memory FOLDER

runs such a child; it expects what `peak_extra_bytes` leaves in the folder, and prints a number of bytes.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TASK = "task.json"
_STATUS = "/proc/self/status"
_LONGEST = 600.0  # seconds


def peak_extra_bytes(
    function: str, arrays: Mapping[str, NDArray[Any]], arguments: Mapping[str, Any] | None = None
) -> int | None:
    """Measure by how many bytes one run raises the peak of a process that is ready for it.

    Parameters
    ----------
    function : str
        `package.module:name` of a function that takes arrays and arguments, does all that comes before a run, and
        returns what runs when called. It should have run something small by then, so that libraries are loaded and
        their threads started. What a run returns counts, as does all that it holds meanwhile.
    arrays : mapping of str to ndarray
        What it is given, by name.
    arguments : mapping, optional
        More that it is given: anything that JSON can hold.

    Returns
    -------
    int or None
        The bytes; None where the child failed, took more than ten minutes, or the system has no peak.
    """
    with tempfile.TemporaryDirectory(prefix="convcli-") as name:
        folder = Path(name)
        for key, array in arrays.items():
            np.save(folder / f"{key}.npy", array)
        task = {"function": function, "arrays": list(arrays), "arguments": dict(arguments or {})}
        (folder / _TASK).write_text(json.dumps(task), encoding="utf-8")
        # The same modules as here, wherever this process found them, and none that happen to lie in the current folder.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        command = [sys.executable, "-P", "-m", __name__, name]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=_LONGEST, env=environment
            )
        except (OSError, subprocess.SubprocessError):
            return None
        answer = done.stdout.strip()
        return int(answer) if answer.isdecimal() else None


def main() -> None:
    """Measure in this process what the folder named on the command line asks for."""
    folder = Path(sys.argv[1])
    task = json.loads((folder / _TASK).read_text(encoding="utf-8"))
    module, _, name = task["function"].partition(":")
    arrays = {key: np.load(folder / f"{key}.npy") for key in task["arrays"]}
    run = getattr(import_module(module), name)(arrays, task["arguments"])
    before = peak_bytes()
    result = run()
    after = peak_bytes()
    del result  # it was held until here, so that it counts
    print("unknown" if before is None or after is None else after - before)


def peak_bytes() -> int | None:
    """Return the most memory that this process has ever held, in bytes; None where the system does not say.

    >>> peak_bytes() > 1_000_000
    True
    """
    try:
        with open(_STATUS, encoding="ascii", errors="replace") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
