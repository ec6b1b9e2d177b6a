"""Figures and sentences about a comparison, the same in a terminal and in every report."""

import math
from collections.abc import Iterator, Sequence

from convcli.benchmark.candidates import LeftOut
from convcli.benchmark.report import Comparison, Measurement, Report
from convcli.benchmark.statistics import Interval
from convcli.reporting.numbers import counted, digits, duration, milliseconds, percent, pixel_size, ratio


def planning(row: Measurement) -> str:
    """Return the milliseconds that measuring plans took; `-` below one."""
    return milliseconds(row.plan_seconds) if row.plan_seconds >= 1e-3 else "-"


def share_of_allowed(row: Measurement) -> float:
    """Return the largest error as a share of what is allowed; 0 where both are 0, as under a kernel of zeros."""
    if row.max_abs_error == 0:
        return 0.0
    return row.max_abs_error / row.allowed_error if row.allowed_error > 0 else math.inf


def spread(row: Measurement) -> str:
    """Return half of the range of a row's runs, relative to their median, as a percentage."""
    if len(row.timing.runs) < 2 or row.seconds.median <= 0:
        return "-"
    return percent((row.seconds.max - row.seconds.min) / 2 / row.seconds.median)


def relative_time(row: Measurement) -> str:
    """Return how many times as long as the fastest a row takes, with the interval where that is known."""
    if row.relative is None:
        return ""
    within = "" if row.fastest else interval(row.relative, " to ")
    return f"{ratio(row.relative.median)} ({within})" if within else ratio(row.relative.median)


def interval(relative: Interval | None, joint: str = "..") -> str:
    """Return between which ratios the true one lies; nothing where that is not known.

    >>> interval(Interval(1.07, 0.954, 1.3, 0.97)), interval(Interval(2.0, 2.0, 2.0, math.nan))
    ('0.95..1.30', '')
    """
    if relative is None or math.isnan(relative.confidence):
        return ""
    return f"{ratio(relative.low)}{joint}{ratio(relative.high)}"


def subject(report: Report) -> str:
    """Return what was filtered, and into samples of which type."""
    image = report.image
    return f"{image['source']}: {pixel_size(image['size'])} {image['depth']} -> {report.options['depth']}"


def verdicts(comparison: Comparison) -> Iterator[str]:
    """Yield sentences on one comparison: who is fastest, how `auto` did, and who is wrong.

    `auto` is left out where no other backend took part.
    """
    best = comparison.fastest
    rate = f", {digits(best.megapixels_per_second)} MP/s" if math.isfinite(best.megapixels_per_second) else ""
    yield f"{best.title} is fastest: {duration(best.seconds.median)}{rate}"
    others = [row for row in comparison.rows if not row.plain and row.backend != "auto"]
    for auto in (row for row in comparison.rows if row.backend == "auto" and row is not best and others):
        relative = auto.relative
        if relative is not None and relative.low <= 1.0:
            yield f"auto took {auto.chosen}, and was as fast within the uncertainty of measuring"
        elif relative is not None:
            too = " as well, at" if auto.chosen == best.backend else ","
            yield f"auto took {auto.chosen}{too} {ratio(relative.median)} times the time of {best.backend}"
    wrong = [row for row in comparison.rows if not row.agrees]
    if wrong:
        yield from map(disagreement, wrong)
    else:
        largest = max(map(share_of_allowed, comparison.rows))
        who = {1: "it agrees", 2: "both agree"}.get(len(comparison.rows), f"all {len(comparison.rows)} agree")
        yield f"{who} with the float64 reference; the largest error is {digits(largest)} of what is allowed"


def left_out(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield who is left out of a sweep: once for all sizes, with the reason at the first of them."""
    found: dict[str, dict[str, list[LeftOut]]] = {}
    for each in comparisons:
        for out in each.left_out:
            found.setdefault(out.name, {}).setdefault(str(each.size), []).append(out)
    for name, sizes in found.items():
        first = next(iter(sizes.values()))[0]
        where = f" at size {', '.join(sizes)}" if len(sizes) < len(comparisons) else ""
        yield f"{name} is left out{where}: {first.reason}"


def disagreement(row: Measurement) -> str:
    """Return the sentence that a row is wrong, and by how much."""
    if not math.isfinite(row.max_abs_error):
        return f"{row.backend} disagrees with the reference: it is not finite where that is, or of another size"
    return (
        f"{row.backend} disagrees with the reference: it is off by {digits(row.max_abs_error)}, "
        f"and {digits(row.allowed_error)} is allowed"
    )


def rounds(comparison: Comparison) -> str:
    """Return how often each ran."""
    counts = sorted({len(row.timing.runs) for row in comparison.rows})
    if len(counts) == 1:
        return f"{counted(counts[0], 'run')} each"
    return f"{counts[0]} to {counts[-1]} runs each"


def machine(report: Report) -> str:
    """Return one line on where it was measured, and with what."""
    about = report.machine
    threads = counted(about["threads"], "thread")
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    return f"{about['processor']}, {threads}; {versions}"
