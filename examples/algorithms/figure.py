"""A chart in SVG: for each case a line, and on it a mark for each algorithm, on a logarithmic axis."""

import math
from collections.abc import Mapping, Sequence
from html import escape

LABELS, PLOT, ROW, TOP, BOTTOM, RIGHT = 326, 520, 26, 66, 44, 24
# Of Okabe and Ito, which people who see few colours can tell apart; each has a shape of its own besides.
COLOURS = {"direct": "#0072B2", "im2col": "#E69F00", "kn2row": "#009E73", "winograd": "#CC79A7", "fft": "#D55E00"}
SHAPES = {
    "direct": '<circle r="5.5"/>',
    "im2col": '<rect x="-5" y="-5" width="10" height="10"/>',
    "kn2row": '<path d="M0-6.5 6 5H-6Z"/>',
    "winograd": '<path d="M0-7 7 0 0 7-7 0Z"/>',
    "fft": '<path d="M-6-3.5-3.5-6 0-2.5 3.5-6 6-3.5 2.5 0 6 3.5 3.5 6 0 2.5-3.5 6-6 3.5-2.5 0Z"/>',
}
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def draw(rows: Sequence[tuple[str, Mapping[str, float | None]]], titles: Mapping[str, str]) -> str:
    """Draw `rows`: a title, and by algorithm how many times as long as the fastest it takes (None: not at all)."""
    most = max(value for _, values in rows for value in values.values() if value is not None)
    end = next((tick for tick in TICKS if tick >= most), most)
    height, width = TOP + ROW * len(rows) + BOTTOM, LABELS + PLOT + RIGHT

    def across(value: float) -> float:
        return LABELS + PLOT * math.log(value) / math.log(end)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img">',
        "<title>How many times as long as the fastest each algorithm takes</title>",
        f'<rect width="{width}" height="{height}" rx="6" fill="#fff"/>',
    ]
    for number, (name, title) in enumerate(titles.items()):
        x = LABELS + number * PLOT / len(titles)
        parts.append(f'<g transform="translate({x + 8:.0f} 24)" fill="{COLOURS[name]}">{SHAPES[name]}</g>')
        parts.append(f'<text x="{x + 20:.0f}" y="29">{escape(title)}</text>')
    bottom = TOP + ROW * len(rows)
    for tick in (tick for tick in TICKS if tick <= end):
        x = across(tick)
        parts.append(f'<path d="M{x:.1f} {TOP - 8}V{bottom}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{tick}</text>')
    parts.append(
        f'<text x="{LABELS + PLOT / 2:.0f}" y="{bottom + 36}" text-anchor="middle">'
        "times as long as the fastest of the five (logarithmic)</text>"
    )
    for number, (title, values) in enumerate(rows):
        y = TOP + ROW * (number + 0.5)
        parts.append(f'<path d="M{LABELS} {y:.0f}H{LABELS + PLOT}" stroke="#eee"/>')
        parts.append(f'<text x="{LABELS - 12}" y="{y + 4:.0f}" text-anchor="end">{escape(title)}</text>')
        for name, value in values.items():
            if value is not None:
                place = f"translate({across(value):.1f} {y:.0f})"
                parts.append(f'<g transform="{place}" fill="{COLOURS[name]}" fill-opacity=".85">{SHAPES[name]}</g>')
    return "\n".join([*parts, "</svg>"]) + "\n"
