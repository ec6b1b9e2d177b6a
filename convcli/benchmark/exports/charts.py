"""The charts of an HTML report, as SVG text: bars of medians, and curves of time over kernel size.

Colours are CSS classes, so that a page can give each its tone for light and dark. Each chart is drawn for a width in
pixels: a page holds a wide and a narrow drawing, and shows the one that fits, so that text keeps its size on a phone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from convcli.benchmark import words
from convcli.benchmark.exports.style import SERIES
from convcli.benchmark.report import Row, Sweep

Scale = Callable[[float], float]

_NARROW = 500
_LETTER = 7.3  # pixels, the average width of one
_LOGARITHMIC = 30.0  # slowest over fastest, from which on short bars would be no more than a line
_LABEL_STEP = 16
_STEPS = (1, 2, 5)


def series_class(name: str) -> str:
    """Name the CSS class of a contestant's colour: its own, or the one of all that have none, as plain calls.

    >>> series_class("fft"), series_class("cv2.filter2D")
    ('s-fft', 's-plain')
    """
    return f"s-{name}" if name in SERIES else "s-plain"


def bar_chart(rows: Sequence[Row], width: int, label: str) -> str:
    """Draw a bar for each row up to its median, with a whisker from its fastest to its slowest run.

    The axis is logarithmic where the slowest takes 30 times as long as the fastest; a whisker is cut where it would
    leave the chart.
    """
    narrow = width < _NARROW
    left = 8.0 if narrow else 16 + _LETTER * max(len(row.title) for row in rows)
    step, bottom, right = (44, 46, 62) if narrow else (30, 46, 76)
    height = step * len(rows) + 8 + bottom
    slowest, fastest = max(row.seconds.median for row in rows), min(row.seconds.median for row in rows)
    room = width - left - right
    if slowest > _LOGARITHMIC * fastest > 0:
        low, high, kind = _step_below(0.8 * fastest), 1.3 * slowest, ", logarithmic"
        ticks = _log_ticks(low, high, int(room / 60))
        x = _logarithmic(low, high, left, left + room)
    else:
        high, kind = 1.15 * (slowest or 1.0), ""
        ticks = _linear_ticks(high, int(room / 70))
        x = _linear(high, left, left + room)

    def parts() -> Iterator[str]:
        for tick in ticks:
            yield _line(x(tick), 4, x(tick), height - bottom, "grid")
            yield _text(x(tick), height - bottom + 18, f"{1e3 * tick:g}", "middle", "axis")
        yield _text(left + room / 2, height - 8, f"median time [ms]{kind}", "middle", "axis")
        for place, row in enumerate(rows):
            yield from _bar(row, x, left, 8 + place * step + (18 if narrow else 4), named_above=narrow)

    return _svg(width, height, label, parts())


def _bar(row: Row, x: Scale, left: float, top: float, *, named_above: bool) -> Iterator[str]:
    thick = 20
    end, middle = x(row.seconds.median), top + thick / 2
    if named_above:
        yield _text(left, top - 5, row.title, "start", "name")
    else:
        yield _text(left - 8, middle + 5, row.title, "end", "name")
    yield (
        f'<rect class="bar {series_class(row.backend)}{"" if row.agrees else " wrong"}" x="{left:.1f}" y="{top:.1f}" '
        f'width="{max(end - left, 1):.1f}" height="{thick}"/>'
    )
    first, last = x(row.seconds.min), x(row.seconds.max)
    if last > first:
        yield _line(first, middle, last, middle, "whisker")
        yield from (_line(at, middle - 5, at, middle + 5, "whisker") for at in (first, last))
    mark = " ✗" if not row.agrees else " ★" if row.fastest else ""
    yield _text(max(end, last) + 6, middle + 5, words.milliseconds(row.seconds.median) + mark, "start", "value")


def curve_chart(sweep: Sweep, width: int, label: str) -> str:
    """Draw the median of each contestant over the kernel's size, both logarithmic, and where backends cross."""
    narrow = width < _NARROW
    height, left, top, bottom = (400 if narrow else 440), 52.0, 34.0, 48.0
    names = sweep.backends
    longest = max(len(_short(name) if narrow else name) for name in names)
    right = 22 + _LETTER * longest
    sizes = sorted(sweep.medians)
    times = [seconds for medians in sweep.medians.values() for seconds in medians.values() if seconds > 0]
    x = _logarithmic(sizes[0] * 0.92, sizes[-1] * 1.04, left, width - right)
    low, high = min(times) / 1.3, max(times) * 1.3
    y = _logarithmic(low, high, height - bottom, top)

    def parts() -> Iterator[str]:
        for tick in _log_ticks(low, high, 8):
            yield _line(left, y(tick), width - right, y(tick), "grid")
            yield _text(left - 6, y(tick) + 5, f"{1e3 * tick:g}", "end", "axis")
        shown = -math.inf
        for size in sizes:
            yield _line(x(size), top, x(size), height - bottom, "grid")
            if x(size) - shown >= 2.2 * _LETTER:  # else its number would run into the one before
                yield _text(x(size), height - bottom + 18, str(size), "middle", "axis")
                shown = x(size)
        yield _text((left + width - right) / 2, height - 8, "kernel size [pixels], logarithmic", "middle", "axis")
        yield _text(4, 14, "median time [ms], logarithmic", "start", "axis")
        for crossing in sweep.crossovers:
            if crossing.near is not None:
                at = x(crossing.near)
                yield _line(at, top, at, height - bottom, "crossing")
                yield _text(at, top - 5, f"{crossing.near:.0f}", "middle", "axis crossing-text")
        for place, name in enumerate(names):
            points = [(x(size), y(sweep.medians[size][name])) if _has(sweep, size, name) else None for size in sizes]
            yield _curve(points, series_class(name), place)
        yield from _labels(sweep, names, sizes, x, y, (top, height - bottom), short=narrow)

    return _svg(width, height, label, parts())


def legend_key(name: str, place: int) -> str:
    """Draw the piece of a curve that stands before its name in a legend; `place` is the curve's in its chart."""
    return (
        f'<svg class="key" width="34" height="14" viewBox="0 0 34 14" aria-hidden="true">'
        f"{_curve([(1.0, 7.0), (17.0, 7.0), (33.0, 7.0)], series_class(name), place, marked=(1,))}</svg>"
    )


def _has(sweep: Sweep, size: int, name: str) -> bool:
    return sweep.medians[size].get(name, 0.0) > 0


def _curve(
    points: Sequence[tuple[float, float] | None], colour: str, place: int, marked: Sequence[int] | None = None
) -> str:
    """A line with breaks where there is no point, and a marker on each point; dashes and markers tell series apart."""
    pieces, fresh = [], True
    for point in points:
        if point is not None:
            pieces.append(f"{'M' if fresh else 'L'}{point[0]:.1f} {point[1]:.1f}")
        fresh = point is None
    dashes = ("", "7 4", "2 3", "9 3 2 3")[place % 4]
    path = f'<path class="curve {colour}" d="{" ".join(pieces)}" stroke-dasharray="{dashes}"/>'
    at = range(len(points)) if marked is None else marked
    return path + "".join(_marker(point, colour, place) for n in at if (point := points[n]) is not None)


def _marker(point: tuple[float, float], colour: str, place: int) -> str:
    x, y = point
    shapes = (
        f'<circle class="mark {colour}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
        f'<rect class="mark {colour}" x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2"/>',
        f'<path class="mark {colour}" d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"/>',
        f'<path class="mark {colour}" d="M{x:.1f} {y - 4.6:.1f}l4.6 8.4h-9.2z"/>',
    )
    return shapes[place // 2 % len(shapes)]


def _labels(
    sweep: Sweep,
    names: Sequence[str],
    sizes: Sequence[int],
    x: Scale,
    y: Scale,
    between: tuple[float, float],
    *,
    short: bool,
) -> Iterator[str]:
    """Names at the right end of the curves, moved apart where they would overlap, with a line to where they belong."""
    ends = []
    for name in names:
        last = max((size for size in sizes if _has(sweep, size, name)), default=None)
        if last is not None:
            ends.append((y(sweep.medians[last][name]), x(last), name))
    ends.sort()
    places = spread_out([height for height, _, _ in ends], _LABEL_STEP, *between)
    edge = x(sizes[-1])
    for (height, end, name), place in zip(ends, places, strict=True):
        yield _line(end + 5, height, edge + 14, place, "leader")
        yield _text(edge + 17, place + 4.5, _short(name) if short else name, "start", f"label {series_class(name)}")


def spread_out(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Move sorted places apart to at least `step`, as little as may be, within `low` to `high` where there is room.

    >>> spread_out([10.0, 11.0, 50.0], 10.0, 0.0, 100.0)
    [10.0, 20.0, 50.0]
    >>> spread_out([95.0, 98.0], 10.0, 0.0, 100.0)
    [90.0, 100.0]
    """
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + step) if places else max(place, low))
    ceiling = high
    for number in reversed(range(len(places))):
        places[number] = min(places[number], ceiling)
        ceiling = places[number] - step
    return places


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _linear(high: float, start: float, end: float) -> Scale:
    return lambda value: start + (end - start) * min(value / high, 1.0)


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (end - start) * min(max(math.log(value / low) / math.log(high / low), 0.0), 1.0)


def _linear_ticks(high: float, most: int) -> list[float]:
    """Round numbers from 0 up to `high`, at most about `most` of them."""
    rough = high / max(most, 2)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (*_STEPS, 10) if n * power >= rough * (1 - 1e-9))
    return [number * step for number in range(int(high / step + 1e-9) + 1)]


def _step_below(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is no larger than a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in _STEPS if step * power <= value * (1 + 1e-9))


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """1, 2, 5 times powers of ten from `low` to `high`; powers of ten alone where these would be too many."""
    powers = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    for steps in (_STEPS, (1, 3), (1,)):
        ticks = [step * power for power in powers for step in steps if low * 0.999 <= step * power <= high]
        if len(ticks) <= most:
            break
    return ticks


def _svg(width: int, height: float, label: str, parts: Iterator[str]) -> str:
    return (
        f'<svg class="chart" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height:.0f}" '
        f'width="{width}" height="{height:.0f}">{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
