"""A comparison in words and in numbers for people, the same in a terminal and in every report."""

import math
from collections.abc import Iterator, Sequence

from convcli.benchmark.contestants import LeftOut
from convcli.benchmark.report import Comparison, Report, Row
from convcli.benchmark.statistics import Interval

_CHANNELS = {1: "gray", 2: "gray+alpha", 3: "RGB", 4: "RGBA"}


def digits(value: float) -> str:
    """Write a number in three significant digits, whole ones in full.

    >>> digits(0.05234), digits(2.3456), digits(170.79), digits(12345.6), digits(0.0)
    ('0.0523', '2.35', '171', '12346', '0')
    """
    if not math.isfinite(value):
        return "-"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-3:
        return f"{value:.2e}".replace("e-0", "e-")
    return f"{value:.{max(0, 2 - math.floor(math.log10(size) + 1e-9))}f}"


def milliseconds(seconds: float) -> str:
    """Write a time in milliseconds, without the unit.

    >>> milliseconds(0.00231)
    '2.31'
    """
    return digits(1e3 * seconds)


def duration(seconds: float) -> str:
    """Write a time with its unit.

    >>> duration(0.00231), duration(2.5)
    ('2.31 ms', '2.50 s')
    """
    return f"{digits(seconds)} s" if seconds >= 1 else f"{milliseconds(seconds)} ms"


def planning(row: Row) -> str:
    """Write the milliseconds that went into measuring plans, where that took any time worth the name."""
    return milliseconds(row.plan_seconds) if row.plan_seconds >= 1e-3 else "-"


def megabytes(count: int | None) -> str:
    """Write a number of bytes in megabytes, without the unit.

    >>> megabytes(9_142_272), megabytes(120_000_000), megabytes(None)
    ('9.1', '120', '-')
    """
    if count is None:
        return "-"
    return f"{count / 1e6:.1f}" if count < 100e6 else f"{count / 1e6:.0f}"


def share_of_allowed(row: Row) -> float:
    """Tell the largest error as a share of what is allowed; 0 where both are, as under a kernel of zeros."""
    if row.max_abs_error == 0:
        return 0.0
    return row.max_abs_error / row.allowed_error if row.allowed_error > 0 else math.inf


def spread(row: Row) -> str:
    """Write how far a row's runs lie apart: half of their range, relative to the median."""
    if len(row.timing.runs) < 2 or row.seconds.median <= 0:
        return "-"
    return f"{(row.seconds.max - row.seconds.min) / 2 / row.seconds.median:.0%}"


def interval(relative: Interval | None, joint: str = "..") -> str:
    """Write between which ratios the true one lies; nothing where that is not known.

    >>> interval(Interval(1.07, 0.954, 1.3, 0.97)), interval(Interval(2.0, 2.0, 2.0, math.nan))
    ('0.95..1.30', '')
    """
    if relative is None or math.isnan(relative.confidence):
        return ""
    return f"{ratio(relative.low)}{joint}{ratio(relative.high)}"


def ratio(value: float) -> str:
    """Write a ratio.

    >>> ratio(1.0), ratio(23.456), ratio(1234.5)
    ('1.00', '23.5', '1234')
    """
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def picture_size(size: list[int] | tuple[int, int, int]) -> str:
    """Write (height, width, channels) as people do.

    >>> picture_size((427, 640, 3))
    '640 x 427 RGB'
    """
    height, width, channels = size
    return f"{width} x {height} {_CHANNELS.get(channels, f'{channels} channels')}"


def subject(report: Report) -> str:
    """Say what was filtered, and into what."""
    image = report.image
    return f"{image['source']}: {picture_size(image['size'])} {image['depth']} -> {report.options['depth']}"


def verdicts(comparison: Comparison) -> Iterator[str]:
    """Say of one comparison who is fastest, how `auto` did, and who is wrong.

    Nothing is said of `auto` where nobody of convcli's own took part beside it.
    """
    best, *_ = comparison.by_speed
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
    """Say of the sizes of a sweep who is left out, once for all sizes, with the reason at the first of them."""
    found: dict[str, dict[str, list[LeftOut]]] = {}
    for each in comparisons:
        for out in each.left_out:
            found.setdefault(out.name, {}).setdefault(str(each.size), []).append(out)
    for name, sizes in found.items():
        first = next(iter(sizes.values()))[0]
        where = f" at size {', '.join(sizes)}" if len(sizes) < len(comparisons) else ""
        yield f"{name} is left out{where}: {first.reason}"


def disagreement(row: Row) -> str:
    """Say of a row that it is wrong, and by how much."""
    if not math.isfinite(row.max_abs_error):
        return f"{row.backend} disagrees with the reference: it is not finite where that is, or of another size"
    return (
        f"{row.backend} disagrees with the reference: it is off by {digits(row.max_abs_error)}, "
        f"and {digits(row.allowed_error)} is allowed"
    )


def rounds(comparison: Comparison) -> str:
    """Say how often each ran."""
    counts = sorted({len(row.timing.runs) for row in comparison.rows})
    if len(counts) == 1:
        return f"{counts[0]} run{'s' if counts[0] > 1 else ''} each"
    return f"{counts[0]} to {counts[-1]} runs each"


def machine(report: Report) -> str:
    """Say in one line where it was measured, and with what."""
    about = report.machine
    threads = f"{about['threads']} thread{'s' if about['threads'] != 1 else ''}"
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    return f"{about['processor']}, {threads}; {versions}"
