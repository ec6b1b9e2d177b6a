"""What a comparison found: the one model that the terminal and every format of report are made from.

Keys of the records are those of docs/reports.md.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.benchmark.candidates import LeftOut
from convcli.benchmark.measure import Timing
from convcli.benchmark.statistics import Interval, Summary, count_outliers, ratio_interval
from convcli.benchmark.sweep import (
    Crossover,
    FastestRange,
    SizeTiming,
    SizeTimings,
    crossovers,
    describe_sweep,
    fastest_ranges,
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A candidate's output as a small picture (u8), and its difference from the reference, in units of the image.

    Of the samples that a pixel of the small difference stands for, it holds the one that is furthest off.
    """

    output: NDArray[np.uint8]
    difference: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measurement:
    """One candidate on one kernel.

    Rates are those of the median: 10^6 output pixels a second, and 10^9 multiply-adds of the dense definition.
    `relative` is how many times as long as the fastest it takes, from pairs of runs in one round. `plain` marks the
    calls that are not convcli's. `chosen` is the backend that `auto` took.
    """

    kernel: str
    kernel_size: tuple[int, int]
    backend: str
    timing: Timing
    seconds: Summary
    megapixels_per_second: float
    gigamacs_per_second: float
    max_abs_error: float
    allowed_error: float
    plan_seconds: float
    plain: bool = False
    chosen: str | None = None
    form: str | None = None
    reason: str = ""
    predicted_seconds: float | None = None
    peak_extra_bytes: int | None = None
    relative: Interval | None = None
    fastest: bool = False
    picture: Picture | None = None

    @property
    def agrees(self) -> bool:
        """Whether the largest error is within the bound of docs/numerics.md."""
        return self.max_abs_error <= self.allowed_error

    @property
    def title(self) -> str:
        """The name in tables: of `auto` with what it chose."""
        return f"{self.backend} ({self.chosen})" if self.backend == "auto" and self.chosen else self.backend

    def record(self) -> dict[str, Any]:
        """Return this row with the keys of docs/reports.md; what is not known may be NaN."""
        relative = self.relative
        return {
            "kernel": self.kernel,
            "kernel_size": list(self.kernel_size),
            "backend": self.backend,
            "chosen": self.chosen,
            "form": self.form,
            "plain": self.plain,
            "seconds": {
                "median": self.seconds.median,
                "min": self.seconds.min,
                "max": self.seconds.max,
                "stdev": self.seconds.stdev,
                "runs": list(self.timing.runs),
            },
            "rounds": list(self.timing.rounds),
            "outliers": count_outliers(self.timing.runs),
            "plan_seconds": self.plan_seconds,
            "warm_up_seconds": self.timing.warm_up_seconds,
            "predicted_seconds": self.predicted_seconds,
            "megapixels_per_second": self.megapixels_per_second,
            "gigamacs_per_second": self.gigamacs_per_second,
            "peak_extra_bytes": self.peak_extra_bytes,
            "max_abs_error": self.max_abs_error,
            "allowed_error": self.allowed_error,
            "agrees": self.agrees,
            "relative_time": {
                part: None if relative is None else getattr(relative, part)
                for part in ("median", "low", "high", "confidence")
            },
            "fastest": self.fastest,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """All candidates on one kernel of one size, in the order they were asked for.

    `kernel` is the SPEC as given; `size` is that of a sweep, None outside one. `reference` says how the reference was
    computed; `picture` shows it, and all outputs, times `gain`.
    """

    kernel: str
    kernel_size: tuple[int, int]
    rows: tuple[Measurement, ...]
    left_out: tuple[LeftOut, ...]
    output_size: tuple[int, int, int]
    reference: str
    bound: float
    size: int | None = None
    picture: NDArray[np.uint8] | None = None
    gain: float = 1.0

    @property
    def title(self) -> str:
        """What it is called: the SPEC, and in a sweep the size."""
        return self.kernel if self.size is None else f"{self.kernel}, size {self.size}"

    @property
    def by_speed(self) -> list[Measurement]:
        """The rows in the order of their median times; of two that take as long, first the one marked as fastest."""
        return sorted(self.rows, key=lambda row: (row.seconds.median, not row.fastest))

    @property
    def fastest(self) -> Measurement:
        """The one row that counts as fastest."""
        return next(row for row in self.rows if row.fastest)


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep over sizes shows of one kernel: who is fastest where, and where one overtakes another.

    `medians` holds the seconds of all candidates by size, `fastest` who has the least of those with a right result;
    fastest_ranges and crossovers, of convcli's own backends, allow for the uncertainty of measuring.
    """

    kernel: str
    medians: Mapping[int, Mapping[str, float]]
    fastest: Mapping[int, str]
    fastest_ranges: tuple[FastestRange, ...]
    crossovers: tuple[Crossover, ...]
    sentence: str

    @property
    def backends(self) -> list[str]:
        """All that were measured at any size, in the order of the first."""
        return list(dict.fromkeys(name for medians in self.medians.values() for name in medians))


@dataclass(frozen=True, eq=False)
class Report:
    """A whole run of `compare`."""

    machine: dict[str, Any]
    versions: dict[str, str]
    image: dict[str, Any]
    options: dict[str, Any]
    method: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    sweeps: tuple[Sweep, ...] = ()
    warnings: tuple[str, ...] = ()
    written: str = field(default="")
    command: str = field(default="")

    @property
    def rows(self) -> Iterator[Measurement]:
        """All rows of all comparisons."""
        for comparison in self.comparisons:
            yield from comparison.rows

    @property
    def disagreements(self) -> list[Measurement]:
        """The rows of convcli's own whose result is wrong; that a plain call errs is shown, and no fault of ours."""
        return [row for row in self.rows if not row.agrees and not row.plain]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of all rows, the `results` of JSON and the lines of CSV."""
        return [row.record() for row in self.rows]

    def data(self) -> dict[str, Any]:
        """Return what docs/reports.md has beside the `results`."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "written": self.written,
            "command": self.command,
            "image": self.image,
            "options": self.options,
            "method": list(self.method),
            "left_out": [
                {
                    "kernel": each.kernel,
                    "kernel_size": list(each.kernel_size),
                    "backend": out.name,
                    "reason": out.reason,
                }
                for each in self.comparisons
                for out in each.left_out
            ],
            "references": [
                {
                    "kernel": each.kernel,
                    "kernel_size": list(each.kernel_size),
                    "method": each.reference,
                    "bound": each.bound,
                }
                for each in self.comparisons
            ],
            "crossovers": [
                {
                    "kernel": sweep.kernel,
                    "before": crossing.before,
                    "after": crossing.after,
                    "between": list(crossing.between),
                    "near": crossing.near,
                }
                for sweep in self.sweeps
                for crossing in sweep.crossovers
            ],
            "sweeps": [
                {
                    "kernel": sweep.kernel,
                    "fastest": [{"backend": r.backend, "first": r.first, "last": r.last} for r in sweep.fastest_ranges],
                    "sentence": sweep.sentence,
                }
                for sweep in self.sweeps
            ],
            "warnings": list(self.warnings),
            "agrees": not self.disagreements,
        }


def ranked(rows: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Complete rows by their times relative to the fastest of them, in the rounds that both took part in.

    The fastest has the least median time. Nobody is fastest with a wrong result, unless all are wrong.
    """
    right = [row for row in rows if row.agrees] or rows
    best = min(right, key=lambda row: row.seconds.median)
    theirs = dict(zip(best.timing.rounds, best.timing.runs, strict=False))
    return tuple(replace(row, relative=_relative(row, best, theirs), fastest=row is best) for row in rows)


def _relative(row: Measurement, best: Measurement, theirs: Mapping[int, float]) -> Interval:
    mine = dict(zip(row.timing.rounds, row.timing.runs, strict=False))
    common = [number for number in mine if number in theirs]
    if common:
        return ratio_interval([mine[number] for number in common], [theirs[number] for number in common])
    ratio = row.seconds.median / best.seconds.median
    return Interval(ratio, ratio, ratio, math.nan)


def sweep_of(kernel: str, comparisons: Sequence[Comparison]) -> Sweep:
    """Return what the comparisons of one kernel at several sizes show together."""
    medians = {
        comparison.size: {row.backend: row.seconds.median for row in comparison.rows}
        for comparison in comparisons
        if comparison.size is not None
    }
    fastest = {each.size: each.fastest.backend for each in comparisons if each.size is not None}
    standings = timings_by_size(comparisons)
    plain = any(row.plain for comparison in comparisons for row in comparison.rows)
    sentence = describe_sweep(kernel, standings, " of the backends" if plain else "")
    return Sweep(kernel, medians, fastest, tuple(fastest_ranges(standings)), tuple(crossovers(standings)), sentence)


def timings_by_size(comparisons: Sequence[Comparison]) -> SizeTimings:
    """Return what each backend took at each size of a sweep, without `auto`, which is one of them, and libraries."""
    return {
        comparison.size: {
            row.backend: SizeTiming(row.seconds.median, row.relative)
            for row in comparison.rows
            if not row.plain and row.backend != "auto" and row.relative is not None
        }
        for comparison in comparisons
        if comparison.size is not None
    }
