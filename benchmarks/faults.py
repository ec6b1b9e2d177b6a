"""Let each system call of a run fail in turn, and look at what the run says and leaves. Linux with strace alone.

    python benchmarks/faults.py [--points 100] [--seed 1]

`convcli filter` and `convcli batch` run under strace, which lets one call fail: a file that cannot be opened (EMFILE,
ENOSPC, EIO, EINTR), a write on a full disk, memory that is not given. Calls are counted from where the images are
looked for, for what Python loads before is not ours. Status 0 must mean whole outputs; anything else a line of error,
no traceback, and outputs that are whole or not there.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import convcli
from convcli import write_image

SECONDS = 60
ERRORS = {
    "openat": ("EMFILE", "EIO", "ENOSPC", "EACCES", "EINTR"),
    "read": ("EIO", "EINTR"),
    "write": ("ENOSPC", "EIO", "EINTR"),
    "rename": ("EIO", "ENOSPC", "EXDEV"),
    "mkdir": ("ENOSPC", "EACCES"),
    "unlink": ("EIO",),
    "fsync": ("EIO", "ENOSPC"),
    "close": ("EIO",),
    "newfstatat": ("EIO", "EACCES"),
    "lseek": ("EIO",),
    "mmap": ("ENOMEM",),
    "brk": ("ENOMEM",),
    "clone": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "pipe2": ("EMFILE",),
    "flock": ("EIO", "EINTR"),
    "getrandom": ("EIO",),
}
_CALL = re.compile(r"^(\d+)\s+(\w+)\(")


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the runs that are disturbed, by name; each writes into the folder `out`."""
    ours = [sys.executable, "-P", "-m", "convcli"]
    shared = ["-k", "sobel_x", "--threads", "1"]
    first = str(folder / "in" / "0.png")
    return {
        "filter": [*ours, "filter", first, *shared, "-o", str(folder / "out" / "0.png")],
        "batch": [*ours, "batch", str(folder / "in"), *shared, "-o", str(folder / "out"), "--jobs", "2"],
    }


def traced(command: list[str], folder: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run a command under strace in an empty `out`; returns how it ended, and the trace."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").mkdir()
    trace = folder / "trace"
    environment = {**os.environ, "PYTHONPATH": str(Path(convcli.__file__).parents[1]), "CONVCLI_PROFILE": "off"}
    strace = ["strace", "-f", "-o", str(trace), *words, "--", *command]
    ended = subprocess.run(strace, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    return ended, trace.read_text(errors="replace")


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of every output, and of what else was left."""
    out = folder / "out"
    files = (path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def points(trace: str, folder: Path) -> list[tuple[str, str, int]]:
    """Return (call, error, number of the call) of the main process from where it first looks at the images."""
    counts, found, ours, main = Counter[str](), [], False, trace.split(maxsplit=1)[0]
    for line in trace.splitlines():
        match = _CALL.match(line)
        if match is None or match[1] != main:
            continue
        counts[match[2]] += 1
        ours = ours or (str(folder / "in") in line and match[2] != "execve")
        if ours:
            found += [(match[2], error, counts[match[2]]) for error in ERRORS.get(match[2], ())]
    return found


def violation(ended: subprocess.CompletedProcess[str], left: dict[str, str], whole: dict[str, str]) -> str:
    """Return what is wrong with how a run ended, in words; nothing where all is well."""
    images = {name: digest for name, digest in left.items() if not name.startswith(".convcli")}
    expected = {name: digest for name, digest in whole.items() if not name.startswith(".convcli")}
    if "Traceback" in ended.stderr or "Fatal Python error" in ended.stderr:
        return f"traceback: {ended.stderr.strip().splitlines()[-1][:150]}"
    if ended.returncode not in (0, 1, 2, 130):
        return f"status {ended.returncode}: {ended.stderr.strip()[-150:]}"
    torn = [name for name, digest in images.items() if name in expected and digest != expected[name]]
    if torn:
        return f"status {ended.returncode} and not whole: {torn}"
    if ended.returncode == 0 and images.keys() != expected.keys():
        return f"status 0 and {sorted(images)}"
    if ended.returncode != 0 and "error" not in ended.stderr and ended.stderr:
        return f"status {ended.returncode} and no line of error: {ended.stderr.strip()[-150:]}"
    return ""


def main() -> int:
    """Disturb, judge and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, started, violations, done = random.Random(options.seed), time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        generator = np.random.default_rng(options.seed)
        for number in range(4):
            write_image(folder / "in" / f"{number}.png", generator.integers(0, 256, (60, 80), dtype=np.uint8))
        for word, command in commands(folder).items():
            ended, trace = traced(command, folder)
            if ended.returncode:
                raise SystemExit(f"{word} fails undisturbed: {ended.stderr}")
            whole, possible = contents(folder), points(trace, folder)
            chosen = chance.sample(possible, min(options.points, len(possible)))
            for call, error, number in chosen:
                try:
                    ended, _ = traced(command, folder, "-e", f"inject={call}:error={error}:when={number}")
                    wrong = violation(ended, contents(folder), whole)
                except subprocess.TimeoutExpired:
                    wrong = f"has not ended after {SECONDS} s"
                if wrong:
                    violations[f"{word}, {error} at {call}: {wrong}"] += 1
            done += len(chosen)
            print(f"{word}: {len(chosen)} of {len(possible)} points at {len({call for call, *_ in chosen})} calls")
    for wrong, count in violations.most_common():
        print(f"VIOLATION {count} x {wrong}")
    print(f"{done} faults, seed {options.seed}, {time.monotonic() - started:.0f} s, {violations.total()} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
