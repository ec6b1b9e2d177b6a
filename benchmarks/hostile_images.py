"""Damage images of every format in many ways, and look at what `convcli filter` makes of them.

    python benchmarks/hostile_images.py [--files 1000] [--seed 1] [--samples FOLDER] [--keep FOLDER]

Images are written in every format and sample type of the registry, and those of a folder of samples are added. Each
damaged file is filtered in a process of its own, which must end within 5 s by a whole output and status 0, or by one
line and status 1. A traceback, a signal, more than 1 GB above what the header asks for, or a file left behind is a
violation; what violates is kept where --keep says.
"""

import argparse
import contextlib
import io
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from convcli import read_image, write_image
from convcli.cli.app import run
from convcli.errors import ConvcliError
from convcli.image.formats.registry import known_formats, written_formats
from convcli.image.header_size import decoded_bytes

SECONDS, MEMORY = 5, 1 << 30
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

Mutation = Callable[[bytearray, random.Random], bytearray]


def truncated(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def flipped(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 2, 8, 32))):
        data[_early(data, chance)] ^= 1 << chance.randrange(8)
    return data


def with_number(data: bytearray, chance: random.Random) -> bytearray:
    """Overwrite a place, early ones more often: lengths, sizes, offsets, counts."""
    width = chance.choice((1, 2, 4))
    place = _early(data, chance)
    number = chance.choice(INTERESTING) & ((1 << 8 * width) - 1)
    data[place : place + width] = number.to_bytes(width, chance.choice(("big", "little")))
    return data


def without_a_part(data: bytearray, chance: random.Random) -> bytearray:
    place = _early(data, chance)
    del data[place : place + chance.choice((1, 2, 4, 16, 256))]
    return data


def with_a_part_twice(data: bytearray, chance: random.Random) -> bytearray:
    place, length = _early(data, chance), chance.choice((4, 16, 256))
    data[place:place] = data[place : place + length] * chance.choice((1, 3, 50))
    return data


def noisy(data: bytearray, chance: random.Random) -> bytearray:
    place = _early(data, chance)
    data[place : place + 64] = chance.randbytes(min(64, len(data) - place))
    return data


def with_text(data: bytearray, chance: random.Random) -> bytearray:
    """Overwrite by words of headers that are text, such as those of PNM, PFM, HDR and NPY."""
    place = _early(data, chance) % 128 % len(data)
    words = (b"999999999 ", b"-1 ", b"0 ", b"1e99 ", b"nan ", b" " * 40, b"#", b"\n", b"(", b"'", b"]}", b"\0")
    word = chance.choice(words)
    data[place : place + len(word)] = word
    return data


def polyglot(data: bytearray, chance: random.Random) -> bytearray:
    """Put the start of one format before the rest of another."""
    starts = [start for each in known_formats() for start in each.signatures]
    start = chance.choice(starts)
    return bytearray(start) + data[len(start) if chance.random() < 0.5 else 0 :]


MUTATIONS: tuple[Mutation, ...] = (
    truncated,
    flipped,
    with_number,
    without_a_part,
    with_a_part_twice,
    noisy,
    with_text,
    polyglot,
)


def _early(data: bytearray, chance: random.Random) -> int:
    """Return a place, half of the time one of the first 200 bytes, where headers are."""
    return chance.randrange(min(200, len(data)) if chance.random() < 0.5 else len(data))


def seeds(folder: Path, samples: Path | None) -> list[tuple[str, bytes]]:
    """Write an image in every format and sample type, and read the samples: (suffix, bytes) of each."""
    generator = np.random.default_rng(1)
    found = []
    for name, described in written_formats().items():
        for depth in described.depths:
            for channels in described.channels:
                dtype = np.dtype({"u": "uint", "i": "int", "f": "float"}[depth[0]] + depth[1:])
                noise = generator.random((23, 31, channels))
                pixels = noise if dtype.kind == "f" else noise * np.iinfo(dtype).max
                path = folder / f"seed{described.suffixes[0]}"
                try:
                    write_image(path, pixels.astype(dtype), format=name)
                except ConvcliError:
                    continue  # not all sample types go with all layouts
                found.append((described.suffixes[0], path.read_bytes()))
                path.unlink()
    if samples is not None:
        found += [(path.suffix, path.read_bytes()) for path in sorted(samples.rglob("*")) if path.is_file()]
    missing = {each.title for each in known_formats()} - {
        each.title for each in known_formats() for suffix, _ in found if suffix in each.suffixes
    }
    if missing:
        print(f"without a sample, so left out: {', '.join(sorted(missing))} (give some with --samples)")
    return found


def tried(path: Path, folder: Path) -> str:
    """Filter a file in a process of its own; return a violation in words, or `whole` or `refused`."""
    out = folder / "out"
    out.mkdir()
    message, told = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            os.close(message)
            os.dup2(told, 1)
            os.dup2(told, 2)
            sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(place, "w", closefd=False)) for place in (1, 2))
            signal.alarm(SECONDS)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            status = run(["filter", str(path), "-k", "identity", "-o", f"{out}/o.tif", "-q"])
            sys.stderr.flush()
            used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
            if used > MEMORY + 4 * header_size(path):
                os.write(2, f"\nMEMORY {used >> 20} MB".encode())
        except BaseException as error:
            os.write(2, f"Traceback {error!r}".encode())
        finally:
            os._exit(status)
    os.close(told)
    with open(message, "rb") as file:
        said = file.read().decode(errors="replace")
    _, state = os.waitpid(child, 0)
    seconds = time.monotonic() - started
    left = sorted(each.name for each in out.iterdir())
    try:
        return judged(state, said, left, out / "o.tif", seconds)
    finally:
        shutil.rmtree(out)


def header_size(path: Path) -> int:
    """Return the bytes of an image's samples as its header tells them; 0 where it does not."""
    with contextlib.suppress(ConvcliError):
        return decoded_bytes(str(path), 0)
    return 0


def judged(state: int, said: str, left: list[str], output: Path, seconds: float) -> str:
    if os.WIFSIGNALED(state):
        return f"ended by {signal.Signals(os.WTERMSIG(state)).name} after {seconds:.1f} s"
    status = os.WEXITSTATUS(state)
    if "Traceback" in said or "MEMORY" in said:
        return said.strip().splitlines()[-1][:200]
    if status == 0:
        if left != ["o.tif"]:
            return f"status 0 and these files: {left}"
        read_image(output)
        return "whole"
    lines = [line for line in said.splitlines() if line.startswith("convcli: error:")]
    if status != 1 or len(lines) != 1:
        return f"status {status} and {len(lines)} lines of errors: {said[:200]!r}"
    return f"status 1 and these files: {left}" if left else "refused"


def main() -> int:
    """Damage, filter, judge and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    started, counts, violations = time.monotonic(), Counter[tuple[str, str]](), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = seeds(folder, options.samples)
        run(["filter", str(_first(folder, originals)), "-k", "identity", "-o", str(folder / "warm.tif"), "-q"])
        for number in range(options.files):
            chance = random.Random(f"{options.seed}/{number}")
            suffix, data = originals[number % len(originals)]
            damaged = bytearray(data)
            for mutation in chance.choices(MUTATIONS, k=chance.choice((1, 1, 1, 2, 3))):
                damaged = mutation(damaged, chance) or damaged
            path = folder / f"damaged{suffix}"
            path.write_bytes(damaged)
            verdict = tried(path, folder)
            if verdict not in ("whole", "refused"):
                violations[f"{suffix}: {verdict}"] += 1
                if options.keep:
                    options.keep.mkdir(exist_ok=True)
                    shutil.copy(path, options.keep / f"{options.seed}-{number}{suffix}")
                verdict = "violation"
            counts[suffix, verdict] += 1
    for suffix in sorted({suffix for suffix, _ in counts}):
        print(suffix, ", ".join(f"{counts[suffix, word]} {word}" for word in ("whole", "refused", "violation")))
    for violation, count in violations.most_common(40):
        print(f"VIOLATION {count} x {violation}")
    seconds = time.monotonic() - started
    print(f"{options.files} files, seed {options.seed}, {seconds:.0f} s, {violations.total()} violations")
    return 1 if violations else 0


def _first(folder: Path, originals: list[tuple[str, bytes]]) -> Path:
    """Write the first original, by which all that is needed is loaded before processes are forked."""
    suffix, data = originals[0]
    path = folder / f"first{suffix}"
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
