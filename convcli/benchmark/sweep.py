"""Sweeps over kernel sizes: the SPECs of a sweep, and the sizes at which one backend overtakes another."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from convcli.benchmark.statistics import Interval
from convcli.errors import KernelError, UsageError
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import CompositeKernel
from convcli.kernel.spec import load_kernel, split_spec

# Larger ones are no kernel anyhow, and Python refuses to read numbers of thousands of digits.
_SIZE = re.compile(r"[1-9]\d{0,8}", re.ASCII)

# Who is within this of the fastest is as fast.
_AS_FAST = 1.02


@dataclass(frozen=True)
class FastestRange:
    """A backend that is fastest, within the uncertainty of measuring, at all sizes measured from `first` to `last`."""

    backend: str
    first: int
    last: int


@dataclass(frozen=True)
class Crossover:
    """Where `after` overtakes `before`: between two sizes, at about `near` (None where one of them has no time)."""

    before: str
    after: str
    between: tuple[int, int]
    near: float | None


@dataclass(frozen=True)
class SizeTiming:
    """One backend at one size: its median seconds, and its time relative to the fastest."""

    seconds: float
    relative: Interval


SizeTimings = Mapping[int, Mapping[str, SizeTiming]]


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read the sizes of a sweep, `3,7,15`: sorted, each once.

    >>> parse_sizes("7,3,7")
    (3, 7)
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(_SIZE.fullmatch(part) for part in parts):
        raise UsageError(f"--kernel-sizes takes whole numbers, such as 3,7,15,31,63; not {text!r}")
    return tuple(sorted({int(part) for part in parts}))


def sized_spec(spec: str, size: int) -> str:
    """Return a SPEC with its parameter `size` replaced.

    >>> sized_spec("gaussian:sigma=2,size=9", 7), sized_spec("box", 3)
    ('gaussian:sigma=2,size=7', 'box:size=3')
    """
    base, parameters = split_spec(spec)
    listed = ",".join(f"{name}={value}" for name, value in (parameters | {"size": str(size)}).items())
    return f"{base}:{listed}"


def check_sizable(spec: str) -> None:
    """Check that the kernel of a SPEC has a size that can be chosen.

    Raises
    ------
    KernelError
        where it has none, naming kernels that have one; or where it is no kernel at all.
    """
    kernel = load_kernel(spec)
    if isinstance(kernel, CompositeKernel) or kernel.family is None or not _has_size(kernel.family):
        sizable = ", ".join(name for name in FAMILIES if _has_size(name))
        raise KernelError(f"{spec}: has no parameter `size` for --kernel-sizes to set, unlike {sizable}")


def _has_size(family: str) -> bool:
    return any(parameter.name == "size" for parameter in FAMILIES[family].parameters)


def fastest_ranges(standings: SizeTimings) -> list[FastestRange]:
    """Return which backend is fastest from which size to which, with as few changes as the measurements allow.

    A backend counts as fastest where the interval of its relative time reaches 1, or its median is within 2%: noise
    alone is to dethrone nobody.
    """
    sizes = sorted(standings)
    contenders = [_fastest(standings[size]) for size in sizes]
    found: list[FastestRange] = []
    start = 0
    while start < len(sizes):
        if not contenders[start]:
            start += 1
            continue
        reach = {name: _stays(name, contenders, start) for name in contenders[start]}
        # The first of those who stay longest: contenders are sorted by their time.
        leader = max(reach, key=lambda name: reach[name])
        found.append(FastestRange(leader, sizes[start], sizes[reach[leader]]))
        start = reach[leader] + 1
    return found


def _fastest(standing: Mapping[str, SizeTiming]) -> list[str]:
    ordered = sorted(standing, key=lambda name: standing[name].relative.median)
    return [
        name
        for place, name in enumerate(ordered)
        if place == 0 or standing[name].relative.low <= 1.0 or standing[name].relative.median <= _AS_FAST
    ]


def _stays(name: str, contenders: Sequence[Sequence[str]], start: int) -> int:
    last = start
    while last + 1 < len(contenders) and name in contenders[last + 1]:
        last += 1
    return last


def crossovers(standings: SizeTimings) -> list[Crossover]:
    """Find where one backend overtakes another: where the lines through their medians, log time over log size, cross.

    >>> def at(seconds, relative):
    ...     return SizeTiming(seconds, Interval(relative, relative, relative, 0.95))
    >>> crossovers({10: {"a": at(1.0, 1.0), "b": at(2.0, 2.0)}, 40: {"a": at(4.0, 2.0), "b": at(2.0, 1.0)}})
    [Crossover(before='a', after='b', between=(10, 40), near=20.0)]
    """
    found = []
    ruling = fastest_ranges(standings)
    for before, after in pairwise(ruling):
        low, high = before.last, after.first
        near = _crossing(standings, before.backend, after.backend, low, high)
        found.append(Crossover(before.backend, after.backend, (low, high), near))
    return found


def _crossing(standings: SizeTimings, before: str, after: str, low: int, high: int) -> float | None:
    ahead = []
    for size in (low, high):
        here = standings[size]
        if before not in here or after not in here:
            return None
        ahead.append(math.log(here[after].seconds / here[before].seconds))
    if ahead[0] <= 0.0:  # level at the smaller size already
        return float(low)
    if ahead[1] >= 0.0:
        return float(high)
    return float(round(low * (high / low) ** (ahead[0] / (ahead[0] - ahead[1])), 6))


def describe_sweep(kernel: str, standings: SizeTimings, among: str = "") -> str:
    """Return one line on which backend is fastest at which sizes; `among` names the group where there were others.

    >>> def at(seconds, relative):
    ...     return SizeTiming(seconds, Interval(relative, relative, relative, 0.95))
    >>> describe_sweep("box", {10: {"a": at(1.0, 1.0), "b": at(2.0, 2.0)}, 40: {"a": at(4.0, 2.0), "b": at(2.0, 1.0)}})
    'box: a is fastest up to 10, b from 40 on (they cross near 20)'
    """
    ruling = fastest_ranges(standings)
    if not ruling:
        return f"{kernel}: nothing was measured"
    sizes = sorted(standings)
    if len(ruling) == 1:
        where = f"at size {sizes[0]}" if len(sizes) == 1 else f"at every size from {sizes[0]} to {sizes[-1]}"
        return f"{kernel}: {ruling[0].backend} is fastest{among} {where}"
    first, *middle, last = ruling
    parts = [f"{first.backend} is fastest{among} up to {first.last}"]
    parts += [
        f"{r.backend} at {r.first}" if r.first == r.last else f"{r.backend} from {r.first} to {r.last}" for r in middle
    ]
    parts.append(f"{last.backend} from {last.first} on")
    near = [f"{crossing.near:.0f}" for crossing in crossovers(standings) if crossing.near is not None]
    if not near:
        return f"{kernel}: {', '.join(parts)}"
    return f"{kernel}: {', '.join(parts)} ({'they cross' if len(near) == 1 else 'crossings'} near {' and '.join(near)})"
