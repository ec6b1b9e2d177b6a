"""The charts of an HTML report, as SVG text: bars with whiskers, and curves over two logarithmic axes.

Colours are CSS classes, so that a page can give each its tone for light and dark. Each chart is drawn for a width in
pixels: a page holds a wide and a narrow drawing, and shows the one that fits, so that text keeps its size on a phone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape

from convcli.reporting.document import Bar, BarChart, CurveChart
from convcli.reporting.numbers import digits, without_controls
from convcli.reporting.style import series_class

Scale = Callable[[float], float]

SIGNS = {"best": "★", "wrong": "✗"}  # of marks: colour never says anything alone

_NARROW = 500
_LETTER = 7.3  # pixels, the average width of one
_LOGARITHMIC = 30.0  # slowest over fastest, from which on short bars would be no more than a line
_LABEL_STEP = 16
_STEPS = (1, 2, 5)


def escape_html(text: str) -> str:
    """Return text as it stands in HTML and SVG; halves of characters, bytes of a file's name, become `?`.

    >>> escape_html('a<b> & "c"')
    'a&lt;b&gt; &amp; &quot;c&quot;'
    """
    return escape(without_controls(text).encode("utf-8", "replace").decode())


def bar_chart(chart: BarChart, width: int) -> str:
    """Return a chart of bars as SVG, `width` pixels wide.

    The axis is logarithmic where the longest bar is 30 times as long as the shortest; a whisker that
    would leave the chart ends in an arrow, and a line below the axis says how far they go.
    """
    bars = chart.bars
    narrow = width < _NARROW
    left = 8.0 if narrow else 16 + _LETTER * max(len(bar.name) for bar in bars)
    step, bottom, right = (44, 46, 62) if narrow else (30, 46, 76)
    room = width - left - right
    longest, shortest = max(bar.value for bar in bars), min(bar.value for bar in bars)
    if longest > _LOGARITHMIC * shortest > 0:
        low, high, kind = _step_below(0.8 * shortest), 1.3 * longest, ", logarithmic"
        ticks = _log_ticks(low, high, int(room / 60))
        x = _logarithmic(low, high, left, left + room)
    else:
        high, kind = 1.15 * (longest or 1.0), ""
        ticks = _linear_ticks(high, int(room / 70))
        x = _linear(high, left, left + room)
    beyond = max((bar.high for bar in bars if bar.high > high), default=None)
    bottom += 0 if beyond is None else 18
    height = step * len(bars) + 8 + bottom

    def parts() -> Iterator[str]:
        for tick in ticks:
            yield _line(x(tick), 4, x(tick), height - bottom, "grid")
            yield _text(x(tick), height - bottom + 18, f"{tick:g}", "middle", "axis")
        if beyond is not None:
            told = f"whiskers that end in an arrow leave the plot, up to {digits(beyond)}"
            yield _text(left + room / 2, height - 8, told, "middle", "axis")
        axis = height - (8 if beyond is None else 26)
        yield _text(left + room / 2, axis, f"{chart.axis}{kind}", "middle", "axis")
        for place, bar in enumerate(bars):
            top = 8 + place * step + (18 if narrow else 4)
            yield from _bar(bar, x, left, top, named_above=narrow, cut=bar.high > high)

    return _svg(width, height, chart.label, parts())


def _bar(bar: Bar, x: Scale, left: float, top: float, *, named_above: bool, cut: bool) -> Iterator[str]:
    thick = 20
    end, middle = x(bar.value), top + thick / 2
    if named_above:
        yield _text(left, top - 5, bar.name, "start", "name")
    else:
        yield _text(left - 8, middle + 5, bar.name, "end", "name")
    wrong = " wrong" if bar.mark == "wrong" else ""
    yield (
        f'<rect class="bar {series_class(bar.series)}{wrong}" x="{left:.1f}" y="{top:.1f}" '
        f'width="{max(end - left, 1):.1f}" height="{thick}"/>'
    )
    first, last = x(bar.low), x(bar.high)
    if last > first:
        yield _line(first, middle, last, middle, "whisker")
        yield _line(first, middle - 5, first, middle + 5, "whisker")
        back = 5 if cut else 0  # of the strokes at its end, which make an arrow there
        yield from (_line(last - back, middle + way, last, middle + (0 if cut else -way), "whisker") for way in (-5, 5))
    told = f"{digits(bar.value)} {SIGNS.get(bar.mark, '')}".rstrip()
    yield _text(max(end, last) + 6, middle + 5, told, "start", "value")


def curve_chart(chart: CurveChart, width: int) -> str:
    """Return a chart of curves as SVG, `width` pixels wide, with a line where curves cross."""
    narrow = width < _NARROW
    height, left, top, bottom = (400 if narrow else 440), 52.0, 34.0, 48.0
    names = list(chart.curves)
    longest = max(len(_short(name) if narrow else name) for name in names)
    right = 22 + _LETTER * longest
    places = sorted({place for curve in chart.curves.values() for place in curve})
    values = [value for curve in chart.curves.values() for value in curve.values()]
    x = _logarithmic(places[0] * 0.92, places[-1] * 1.04, left, width - right)
    low, high = min(values) / 1.3, max(values) * 1.3
    y = _logarithmic(low, high, height - bottom, top)

    def parts() -> Iterator[str]:
        for tick in _log_ticks(low, high, 8):
            yield _line(left, y(tick), width - right, y(tick), "grid")
            yield _text(left - 6, y(tick) + 5, f"{tick:g}", "end", "axis")
        shown = -math.inf
        for place in places:
            yield _line(x(place), top, x(place), height - bottom, "grid")
            if x(place) - shown >= 2.2 * _LETTER:  # else its number would run into the one before
                yield _text(x(place), height - bottom + 18, str(place), "middle", "axis")
                shown = x(place)
        yield _text((left + width - right) / 2, height - 8, f"{chart.x_axis}, logarithmic", "middle", "axis")
        yield _text(4, 14, f"{chart.y_axis}, logarithmic", "start", "axis")
        for crossing in chart.crossings:
            yield _line(x(crossing), top, x(crossing), height - bottom, "crossing")
            yield _text(x(crossing), top - 5, f"{crossing:.0f}", "middle", "axis crossing-text")
        for number, (name, curve) in enumerate(chart.curves.items()):
            points = [(x(place), y(curve[place])) if place in curve else None for place in places]
            yield _curve(points, series_class(chart.series[name]), number)
        yield from _labels(chart, x, y, (top, height - bottom), edge=x(places[-1]), short=narrow)

    return _svg(width, height, chart.label, parts())


def legend_key(series: int | None, place: int) -> str:
    """Return the piece of a curve that stands before its name in a legend; `place` is the curve's in its chart."""
    return (
        f'<svg class="key" width="34" height="14" viewBox="0 0 34 14" aria-hidden="true">'
        f"{_curve([(1.0, 7.0), (17.0, 7.0), (33.0, 7.0)], series_class(series), place, marked=(1,))}</svg>"
    )


def _curve(
    points: Sequence[tuple[float, float] | None], colour: str, place: int, marked: Sequence[int] | None = None
) -> str:
    """Return a line with breaks where there is no point, and markers on points; both tell series apart."""
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
    chart: CurveChart, x: Scale, y: Scale, between: tuple[float, float], *, edge: float, short: bool
) -> Iterator[str]:
    """Names at the right end of the curves, moved apart where they would overlap, with a line to where they belong."""
    ends = sorted((y(curve[max(curve)]), x(max(curve)), name) for name, curve in chart.curves.items() if curve)
    places = spread_out([height for height, _, _ in ends], _LABEL_STEP, *between)
    for (height, end, name), place in zip(ends, places, strict=True):
        colour = series_class(chart.series[name])
        yield _line(end + 5, height, edge + 14, place, "leader")
        yield _text(edge + 17, place + 4.5, _short(name) if short else name, "start", f"label {colour}")


def spread_out(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Return sorted places moved apart to at least `step`, within `low` to `high` if there is room.

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
    """Return the largest of 1, 2, 5 times a power of ten that is no larger than a value."""
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
        f'<svg class="chart" role="img" aria-label="{escape_html(label)}" viewBox="0 0 {width} {height:.0f}" '
        f'width="{width}" height="{height:.0f}">{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape_html(text)}</text>'
