"""A report as one HTML page that stands alone: tables, charts and pictures, nothing to fetch and nothing to run."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from convcli.benchmark import words
from convcli.benchmark.exports.charts import bar_chart, curve_chart, legend_key
from convcli.benchmark.exports.style import style_sheet
from convcli.benchmark.pictures import data_uri, difference_colours, nice_scale
from convcli.benchmark.report import Comparison, Report, Row, Sweep

_WIDE, _NARROW = 900, 366
_LEAST_SIDE = 160  # pixels on the page, to which smaller pictures are enlarged

# Of the table: what stands above a column, and its unit.
_HEAD = (
    ("median", "ms"),
    ("range", "ms"),
    ("relative time", "(interval)"),
    ("MP/s", ""),
    ("GMAC/s", ""),
    ("plans", "ms"),
    ("memory", "+MB"),
    ("largest error", "(of allowed)"),
    ("agrees", ""),
)


def render(report: Report) -> str:
    """Write the page."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    title = f"convcli compare: {report.image['source']}"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{_escape(title)}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n<header>"
    yield f"<h1>convcli compare</h1>\n<p>{_escape(words.subject(report))}</p>"
    when = report.written[:16].replace("T", " ")
    yield f'<p class="faint">{_escape(words.machine(report))}; {when} UTC</p>\n</header>\n<main>'
    if report.disagreements:
        sentences = [f"{row.kernel}: {words.disagreement(row)}" for row in report.disagreements]
        yield f'<div class="notice" role="note"><strong>Not all agree.</strong>{_list(sentences)}</div>'
    for sweep in report.sweeps:
        yield from _sweep(sweep)
    for comparison in report.comparisons:
        yield from _comparison(comparison)
    yield "</main>\n<footer>"
    yield from _footer(report)
    yield "</footer>\n</body>\n</html>"


def _sweep(sweep: Sweep) -> Iterator[str]:
    yield f"<section>\n<h2>{_escape(sweep.kernel)}, over the kernel's size</h2>\n<p>{_escape(sweep.sentence)}</p>"
    label = f"Median time over kernel size, both logarithmic. {sweep.sentence}"
    if len(sweep.medians) > 1:
        yield _both(curve_chart(sweep, _WIDE, label), curve_chart(sweep, _NARROW, label))
        yield '<ul class="legend" aria-label="Legend">'
        for place, name in enumerate(sweep.backends):
            yield f"<li>{legend_key(name, place)}{_escape(name)}</li>"
        yield "</ul>"
    yield '<div class="scroll" tabindex="0"><table class="sweep">'
    yield "<caption>Medians in ms; ★ fastest of a size</caption>"
    heads = "".join(f'<th scope="col">{_escape(name).replace(".", ".<wbr>")}</th>' for name in sweep.backends)
    yield f'<thead><tr><th scope="col">size</th>{heads}</tr></thead>\n<tbody>'
    for size, medians in sweep.medians.items():
        cells = []
        for name in sweep.backends:
            fastest = name == sweep.fastest[size]
            told = words.milliseconds(medians[name]) if name in medians else "–"
            cells.append(f'<td class="fastest">{told} ★</td>' if fastest else f"<td>{told}</td>")
        yield f'<tr><th scope="row">{size}</th>{"".join(cells)}</tr>'
    yield "</tbody></table></div>\n</section>"


def _comparison(comparison: Comparison) -> Iterator[str]:
    height, width = comparison.kernel_size
    yield f'<section>\n<h2>{_escape(comparison.title)} <span class="faint">{height} x {width}</span></h2>'
    yield _list(words.verdicts(comparison))
    yield from _table(comparison)
    label = f"Median times: {', '.join(f'{r.title} {words.duration(r.seconds.median)}' for r in comparison.by_speed)}"
    yield "<h3>Medians, with whiskers from the fastest to the slowest run</h3>"
    yield _both(bar_chart(comparison.by_speed, _WIDE, label), bar_chart(comparison.by_speed, _NARROW, label))
    if comparison.left_out:
        yield "<h3>Left out</h3>"
        yield _list(f"{out.name}: {out.reason}" for out in comparison.left_out)
    if comparison.picture is not None:
        yield from _pictures(comparison, comparison.picture)
    yield "</section>"


def _table(comparison: Comparison) -> Iterator[str]:
    yield f'<p class="faint">{words.rounds(comparison)}; reference {_escape(comparison.reference)}.</p>'
    yield '<div class="scroll" tabindex="0"><table>\n<caption>★ fastest, ✗ wrong</caption>'
    heads = "".join(f'<th scope="col">{name}<small>{unit}</small></th>' for name, unit in _HEAD)
    yield f'<thead><tr><th scope="col">backend</th>{heads}</tr></thead>\n<tbody>'
    for row in comparison.by_speed:
        kind = "" if row.agrees else "wrong"
        kind = "fastest" if row.fastest and not kind else kind
        cells = "".join(f"<td>{_escape(cell)}</td>" for cell in _cells(row))
        mark = " ★" if row.fastest else ""
        yield f'<tr class="{kind}"><th scope="row">{_escape(row.title)}{mark}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _cells(row: Row) -> Iterator[str]:
    within = words.interval(row.relative, " – ")
    yield words.milliseconds(row.seconds.median)
    yield f"{words.milliseconds(row.seconds.min)} – {words.milliseconds(row.seconds.max)}"
    relative = "" if row.relative is None else words.ratio(row.relative.median)
    yield f"{relative} ({within})" if within and not row.fastest else relative
    yield words.digits(row.megapixels_per_second)
    yield words.digits(row.gigamacs_per_second)
    yield words.planning(row)
    yield words.megabytes(row.peak_extra_bytes)
    yield f"{words.digits(row.max_abs_error)} ({words.digits(words.share_of_allowed(row))})"
    yield "yes" if row.agrees else "✗ no"


def _pictures(comparison: Comparison, reference: NDArray[np.uint8]) -> Iterator[str]:
    """The outputs and, beside each, its difference from the reference, all on one scale."""
    good = [row.max_abs_error for row in comparison.rows if row.agrees]
    allowed = comparison.rows[0].allowed_error
    share = nice_scale(max(good, default=allowed), allowed)
    full = share * allowed
    yield "<h3>Outputs, and their differences from the reference</h3>"
    brightness = "" if comparison.gain == 1.0 else f"Outputs are shown times {comparison.gain:g}. "
    yield (
        f"<p>{brightness}Full colour of a difference is {share:g} of the allowed error, {words.digits(full)} in the "
        "image's units; of the samples under a pixel the one furthest off is shown.</p>"
    )
    yield (
        f'<div class="scale"><span>{words.digits(-full)}</span>'
        '<i role="img" aria-label="blue below, white at, red above the reference"></i>'
        f"<span>+{words.digits(full)}</span></div>"
    )
    yield '<div class="pictures">'
    yield f'<figure class="alone">{_image(reference, "Output of the float64 reference")}'
    yield "<figcaption>the float64 reference</figcaption></figure>"
    for row in comparison.by_speed:
        if row.picture is None:
            continue
        colours = difference_colours(row.picture.difference, full)
        output = _image(row.picture.output, f"Output of {row.title}")
        difference = _image(colours, f"Difference of {row.title} from the reference", row.picture.output.shape)
        told = f"{words.digits(words.share_of_allowed(row))} of what is allowed"
        kind = "" if row.agrees else ' class="bad"'
        yield f"<figure>{output} {difference}<figcaption{kind}>{_escape(row.title)}: largest error {told}</figcaption>"
        yield "</figure>"
    yield "</div>"


def _image(pixels: NDArray[np.uint8], description: str, shown_as: tuple[int, ...] = ()) -> str:
    """Show a picture, as large as one of another shape where that is given."""
    height, width, *_ = shown_as or pixels.shape
    factor = max(1, _LEAST_SIDE // max(height, width))
    enlarged = ' class="enlarged"' if factor > 1 else ""
    return (
        f'<img{enlarged} src="{data_uri(pixels)}" alt="{_escape(description)}" '
        f'width="{width * factor}" height="{height * factor}">'
    )


def _footer(report: Report) -> Iterator[str]:
    if report.warnings:
        yield f"<h2>Warnings</h2>\n{_list(report.warnings)}"
    yield f"<h2>How it was measured</h2>\n{_list(report.method)}"
    yield "<h3>Options</h3>"
    yield _definitions({name: _shown(value) for name, value in report.options.items()})
    yield "<h3>Machine and versions</h3>"
    yield _definitions({name: _shown(value) for name, value in (report.machine | report.versions).items()})


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _definitions(facts: dict[str, str]) -> str:
    entries = "".join(
        f"<dt>{_escape(name.replace('_', ' '))}</dt><dd>{_escape(told)}</dd>" for name, told in facts.items()
    )
    return f"<dl>{entries}</dl>"


def _both(wide: str, narrow: str) -> str:
    return f'<div class="wide">{wide}</div>\n<div class="narrow">{narrow}</div>'


def _list(sentences: Sequence[str] | Iterator[str]) -> str:
    return f"<ul>{''.join(f'<li>{_escape(sentence)}</li>' for sentence in sentences)}</ul>"


def _escape(text: str) -> str:
    """Escape text, and replace what no page can hold: halves of characters that stand for bytes of a file's name."""
    return escape(text.encode("utf-8", "replace").decode())
